//! The secrets of one scene, in every form in which somebody might let them out.

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};
use regex::bytes::Regex;

/// Bytes of an auth key that are looked for. A multiple of 3, so that base64 of them ends nowhere in the
/// middle of a byte.
const KEY_PIECE: usize = 30;
/// Shorter texts are words that stand in many places by chance.
const TEXT_MIN: usize = 8;

/// How closely a secret is kept: the later, the more may know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Nobody may be told: passwords, codes, sessions, API keys.
    Login,
    /// Phone numbers: only who gave one, or asked for it.
    Number,
    /// Titles and descriptions: these, and who subscribes to the events of an account's groups.
    Text,
}

/// What to look for.
#[derive(Debug)]
pub struct Secrets(Vec<Needle>);

#[derive(Debug)]
struct Needle {
    what: &'static str,
    kind: Kind,
    pattern: Regex,
}

impl Secrets {
    /// None but API keys, which are known by their shape.
    ///
    /// # Errors
    /// None in practice.
    pub fn new() -> Result<Self> {
        let mut secrets = Self(Vec::new());
        secrets.add("an API key", Kind::Login, "qg_[A-Za-z0-9_-]{43}")?;
        Ok(secrets)
    }

    /// Passwords of two-step verification.
    ///
    /// # Errors
    /// None in practice.
    pub fn passwords(&mut self, passwords: &[String]) -> Result<()> {
        self.add_texts("a password", Kind::Login, passwords)
    }

    /// Login codes. Five digits stand in many a number: they count as a word, and not after what a port or
    /// a fraction of a second stands behind.
    ///
    /// # Errors
    /// None in practice.
    pub fn codes(&mut self, codes: &[String]) -> Result<()> {
        let any = alternatives(codes);
        if any.is_empty() {
            return Ok(());
        }
        let pattern = format!("(?:^|[^0-9A-Za-z.:-])(?:{any})(?:$|[^0-9A-Za-z])");
        self.add("a login code", Kind::Login, &pattern)
    }

    /// Phone numbers, with or without `+`.
    ///
    /// # Errors
    /// None in practice.
    pub fn phones(&mut self, phones: &[String]) -> Result<()> {
        let digits: Vec<String> =
            phones.iter().map(|phone| phone.trim_start_matches('+').to_owned()).collect();
        self.add_texts("a phone number", Kind::Number, &digits)
    }

    /// Titles and descriptions of groups.
    ///
    /// # Errors
    /// None in practice.
    pub fn texts(&mut self, texts: &[String]) -> Result<()> {
        self.add_texts("a text", Kind::Text, texts)
    }

    /// Auth keys in hex: themselves, in hex, and in base64 wherever they may stand in what was encoded.
    ///
    /// # Errors
    /// One that is not in hex.
    pub fn auth_keys(&mut self, keys: &[String]) -> Result<()> {
        let mut forms = Vec::new();
        for hex_key in keys {
            let key = hex::decode(hex_key)?;
            let raw = key.get(..KEY_PIECE).context("no auth key has so few bytes")?;
            forms.push(raw.iter().map(|byte| format!("\\x{byte:02x}")).collect());
            forms.push(format!("(?i){}", &hex_key[..2 * KEY_PIECE]));
            for shift in 0..3 {
                let piece = key.get(shift..shift + KEY_PIECE).context("so few bytes")?;
                forms.push(regex::escape(&BASE64_STANDARD_NO_PAD.encode(piece)));
                forms.push(regex::escape(&BASE64_URL_SAFE_NO_PAD.encode(piece)));
            }
        }
        if forms.is_empty() {
            return Ok(());
        }
        let forms: Vec<String> = forms.iter().map(|form| format!("(?:{form})")).collect();
        self.add("an auth key", Kind::Login, &format!("(?-u){}", forms.join("|")))
    }

    /// What of it stands in these bytes, with some of what stands before it, where nothing up to `kind` may.
    #[must_use]
    pub fn found_in(&self, bytes: &[u8], kind: Kind) -> Vec<String> {
        let found = self.0.iter().filter(|needle| needle.kind <= kind).filter_map(|needle| {
            let found = needle.pattern.find(bytes)?;
            let context = bytes.get(found.start().saturating_sub(120)..found.end())?;
            Some(format!("{}: …{}", needle.what, String::from_utf8_lossy(context)))
        });
        found.collect()
    }

    fn add_texts(&mut self, what: &'static str, kind: Kind, texts: &[String]) -> Result<()> {
        let long: Vec<String> =
            texts.iter().filter(|text| text.len() >= TEXT_MIN).cloned().collect();
        match alternatives(&long) {
            none if none.is_empty() => Ok(()),
            any => self.add(what, kind, &any),
        }
    }

    fn add(&mut self, what: &'static str, kind: Kind, pattern: &str) -> Result<()> {
        self.0.push(Needle { what, kind, pattern: Regex::new(pattern)? });
        Ok(())
    }
}

fn alternatives(texts: &[String]) -> String {
    texts.iter().map(|text| regex::escape(text)).collect::<Vec<_>>().join("|")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(secrets: &Secrets, text: &str) -> bool {
        !secrets.found_in(text.as_bytes(), Kind::Text).is_empty()
    }

    #[test]
    fn a_key_is_found_in_every_form_and_wherever_it_stands() {
        let key: Vec<u8> = (0..=255).collect();
        let mut secrets = Secrets::new().unwrap();
        secrets.auth_keys(&[hex::encode(&key)]).unwrap();
        for before in 0..4 {
            let text = [vec![7; before], key.clone()].concat();
            assert_eq!(secrets.found_in(&text, Kind::Login).len(), 1);
            assert!(found(&secrets, &hex::encode(&text)));
            assert!(found(&secrets, &hex::encode_upper(&text)));
            assert!(found(&secrets, &BASE64_URL_SAFE_NO_PAD.encode(&text)));
            assert!(found(&secrets, &BASE64_STANDARD_NO_PAD.encode(&text)));
        }
        assert!(!found(&secrets, &hex::encode(&key[1..])));
    }

    #[test]
    fn a_code_is_found_as_a_word_alone() {
        let mut secrets = Secrets::new().unwrap();
        secrets.codes(&["31337".to_owned()]).unwrap();
        for text in ["31337", "code=31337", r#""code":"31337""#, "code 31337."] {
            assert!(found(&secrets, text), "{text}");
        }
        for text in ["131337", "127.0.0.1:31337", "12:00:00.31337Z", "chat -31337"] {
            assert!(!found(&secrets, text), "{text}");
        }
    }

    #[test]
    fn a_place_may_hold_what_is_kept_less_closely() {
        let mut secrets = Secrets::new().unwrap();
        secrets.phones(&["+990000000001".to_owned()]).unwrap();
        secrets.texts(&["A title of a deal".to_owned(), "short".to_owned()]).unwrap();
        secrets.passwords(&["a password".to_owned()]).unwrap();
        let text = b"short 990000000001 A title of a deal";
        assert_eq!(secrets.found_in(text, Kind::Text).len(), 2);
        assert_eq!(secrets.found_in(text, Kind::Number).len(), 1);
        assert!(secrets.found_in(text, Kind::Login).is_empty());
        assert_eq!(secrets.found_in(b"a password", Kind::Login).len(), 1);
        let key = format!("key qg_{}", "a".repeat(43));
        assert_eq!(secrets.found_in(key.as_bytes(), Kind::Login).len(), 1);
    }
}
