//! Server salts: one per key and hour, each good for two hours, computed rather than stored.

use sha2::{Digest, Sha256};

use crate::world::AuthKeyId;

/// A salt's turn, in seconds; it stays good for one more.
const TURN_S: i64 = 3600;
/// Clients ask for as many as 64; one alone makes some of them ask for ever.
const FUTURE: std::ops::RangeInclusive<i32> = 2..=64;

/// The salts of all keys.
#[derive(Debug)]
pub struct Salts {
    secret: [u8; 32],
}

/// One salt and when it is good, in unix seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Salt {
    /// From then.
    pub since: i64,
    /// Until then.
    pub until: i64,
    /// The salt.
    pub salt: i64,
}

impl Salts {
    /// Salts that nobody can foretell.
    pub fn random() -> Self {
        Self { secret: rand::random() }
    }

    /// The salt to use now.
    pub fn current(&self, key: AuthKeyId, now_s: i64) -> i64 {
        self.turn(key, now_s / TURN_S).salt
    }

    /// Whether a client may use this one. `first` is the salt of the key exchange.
    pub fn is_good(&self, key: AuthKeyId, salt: i64, now_s: i64, first: i64, made_at: i64) -> bool {
        let turn = now_s / TURN_S;
        salt == self.turn(key, turn).salt
            || salt == self.turn(key, turn - 1).salt
            || (salt == first && now_s < made_at + 2 * TURN_S)
    }

    /// The current one and those that follow.
    pub fn future(&self, key: AuthKeyId, now_s: i64, wanted: i32) -> Vec<Salt> {
        let wanted = i64::from(wanted.clamp(*FUTURE.start(), *FUTURE.end()));
        (0..wanted).map(|n| self.turn(key, now_s / TURN_S + n)).collect()
    }

    fn turn(&self, key: AuthKeyId, turn: i64) -> Salt {
        let hash = Sha256::new()
            .chain_update(self.secret)
            .chain_update(key.0.to_le_bytes())
            .chain_update(turn.to_le_bytes())
            .finalize();
        let mut salt = [0; 8];
        salt.copy_from_slice(&hash[..8]);
        Salt { since: turn * TURN_S, until: (turn + 2) * TURN_S, salt: i64::from_le_bytes(salt) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_salt_is_good_in_its_turn_and_the_next_and_for_its_key_only() {
        let (salts, key, now) = (Salts::random(), AuthKeyId(1), 500 * TURN_S + 10);
        let salt = salts.current(key, now);
        let good = |key, now| salts.is_good(key, salt, now, 0, 0);
        assert!(good(key, now) && good(key, now + TURN_S));
        assert!(!good(key, now + 2 * TURN_S) && !good(key, now - TURN_S));
        assert!(!good(AuthKeyId(2), now));
        assert!(salts.is_good(key, 77, now, 77, now - 10));
        assert!(!salts.is_good(key, 77, now, 77, now - 2 * TURN_S));
    }

    #[test]
    fn the_future_begins_now_and_never_holds_only_one() {
        let (salts, key, now) = (Salts::random(), AuthKeyId(1), 500 * TURN_S + 10);
        let future = salts.future(key, now, 1);
        assert_eq!(future.len(), 2);
        assert_eq!(future[0].salt, salts.current(key, now));
        assert!(future[0].since <= now && now < future[0].until);
        assert_eq!(salts.current(key, future[1].since), future[1].salt);
        assert_eq!(salts.future(key, now, 1000).len(), 64);
    }
}
