//! The login codes that were sent and may still be used.

use std::collections::HashMap;

/// How long a code is good, in seconds.
const LIFE_S: i32 = 300;
/// Wrong guesses that a code survives.
pub const CODE_ATTEMPTS_MAX: u32 = 5;
/// Codes sent to one number within [`FLOOD_WINDOW_S`] before `FLOOD_WAIT`.
const FLOOD_MAX: usize = 40;
const FLOOD_WINDOW_S: i32 = 3600;
/// Codes kept at most.
const KEPT_MAX: usize = 10_000;

/// One code.
#[derive(Clone, PartialEq, Eq)]
pub struct SentCode {
    /// Digits of the number.
    pub phone: String,
    /// Five digits.
    pub code: String,
    /// Unix seconds.
    pub sent_at: i32,
    /// Rises with every code: several may be sent within a second.
    pub n: u64,
    /// Wrong guesses so far.
    pub attempts: u32,
    /// It was given right, but the number has no account yet.
    pub confirmed: bool,
}

/// All of them, by `phone_code_hash`.
#[derive(Debug, Default)]
pub struct Codes {
    sent: HashMap<String, SentCode>,
    /// When codes were sent, by number.
    times: HashMap<String, Vec<i32>>,
    last: u64,
}

impl Codes {
    /// Sends a code; gives its hash, or the seconds to wait.
    ///
    /// # Errors
    /// Too many codes went to this number: how many seconds to wait.
    pub fn send(&mut self, phone: &str, now: i32) -> Result<(String, SentCode), i32> {
        self.sent.retain(|_, code| now < code.sent_at + LIFE_S);
        let times = self.times.entry(phone.to_owned()).or_default();
        times.retain(|time| now < time + FLOOD_WINDOW_S);
        if times.len() >= FLOOD_MAX {
            return Err(times.first().map_or(1, |first| first + FLOOD_WINDOW_S - now));
        }
        if self.sent.len() >= KEPT_MAX {
            return Err(LIFE_S);
        }
        times.push(now);
        let hash = hex::encode(rand::random::<[u8; 9]>());
        self.last += 1;
        let code = SentCode {
            n: self.last,
            phone: phone.to_owned(),
            code: format!("{:05}", rand::random::<u32>() % 100_000),
            sent_at: now,
            attempts: 0,
            confirmed: false,
        };
        self.sent.insert(hash.clone(), code.clone());
        Ok((hash, code))
    }

    /// The code of this hash and number, if it is still good.
    pub fn find(&mut self, hash: &str, phone: &str, now: i32) -> Option<&mut SentCode> {
        self.sent
            .get_mut(hash)
            .filter(|code| code.phone == phone && now < code.sent_at + LIFE_S)
            .filter(|code| code.attempts < CODE_ATTEMPTS_MAX)
    }

    /// Ends a code.
    pub fn remove(&mut self, hash: &str) {
        self.sent.remove(hash);
    }

    /// The newest code that was sent to a number and is still good.
    pub fn newest(&self, phone: &str, now: i32) -> Option<&SentCode> {
        let good = |code: &&SentCode| code.phone == phone && now < code.sent_at + LIFE_S;
        self.sent.values().filter(good).max_by_key(|code| code.n)
    }
}

impl std::fmt::Debug for SentCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SentCode(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_good_for_its_number_and_time() {
        let mut codes = Codes::default();
        let (hash, sent) = codes.send("100", 1000).unwrap();
        assert_eq!(sent.code.len(), 5);
        assert_eq!(codes.newest("100", 1000), Some(&sent));
        let (_, second) = codes.send("100", 1000).unwrap();
        assert_eq!(codes.newest("100", 1000), Some(&second));
        assert!(codes.find(&hash, "100", 1000 + LIFE_S - 1).is_some());
        assert!(codes.find(&hash, "100", 1000 + LIFE_S).is_none());
        assert!(codes.find(&hash, "101", 1000).is_none());
        codes.find(&hash, "100", 1000).unwrap().attempts = CODE_ATTEMPTS_MAX;
        assert!(codes.find(&hash, "100", 1000).is_none());
    }

    #[test]
    fn too_many_codes_are_a_flood_until_the_window_has_passed() {
        let mut codes = Codes::default();
        for _ in 0..FLOOD_MAX {
            codes.send("100", 1000).unwrap();
        }
        assert_eq!(codes.send("100", 1600), Err(FLOOD_WINDOW_S - 600));
        assert!(codes.send("101", 1600).is_ok());
        assert!(codes.send("100", 1000 + FLOOD_WINDOW_S).is_ok());
    }

    #[test]
    fn a_code_is_not_shown() {
        let mut codes = Codes::default();
        let (_, sent) = codes.send("100", 1000).unwrap();
        assert!(!format!("{codes:?}").contains(&sent.code));
    }
}
