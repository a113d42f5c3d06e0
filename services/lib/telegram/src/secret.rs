//! What a person types to log in, and the application's own secret: strings that can be used but never printed.
//!
//! `Debug`, `Display` and serialisation all show `***`, so that a secret that strays into a log line, a span or
//! `config print` shows nothing. [`Phone`] counts as one: a phone number identifies a person.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroize;

macro_rules! secret_string {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Default)]
        pub struct $name(String);

        impl $name {
            /// Wraps a secret.
            pub fn new(secret: impl Into<String>) -> Self {
                Self(secret.into())
            }

            /// The secret itself: for the one place that sends it.
            pub fn expose(&self) -> &str {
                &self.0
            }

            /// True where nothing was given.
            pub fn is_empty(&self) -> bool {
                self.0.is_empty()
            }
        }

        impl Drop for $name {
            fn drop(&mut self) {
                self.0.zeroize();
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("***")
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("***")
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(if self.0.is_empty() { "" } else { "***" })
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer).map(Self)
            }
        }

        impl From<String> for $name {
            fn from(secret: String) -> Self {
                Self(secret)
            }
        }

        impl From<&str> for $name {
            fn from(secret: &str) -> Self {
                Self(secret.to_owned())
            }
        }
    };
}

secret_string! {
    /// The application's `api_hash` from my.telegram.org.
    ApiHash
}

secret_string! {
    /// What a proxy asks for beside a name.
    ProxyPassword
}

secret_string! {
    /// The code that Telegram sends to a person who logs in.
    LoginCode
}

secret_string! {
    /// A person's two-step-verification password.
    LoginPassword
}

secret_string! {
    /// A phone number in international form, with or without `+`, spaces and dashes.
    Phone
}

secret_string! {
    /// Telegram's token for a code that it sent (`phone_code_hash`).
    CodeToken
}

secret_string! {
    /// A login as another program writes it down: whoever has it is the account.
    SessionString
}

secret_string! {
    /// What a login's QR code tells, in base64url: whoever knows it may take the login that it leads to.
    QrToken
}

impl QrToken {
    /// From Telegram's bytes.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Self {
        Self::new(BASE64_URL_SAFE_NO_PAD.encode(bytes))
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        BASE64_URL_SAFE_NO_PAD.decode(self.expose()).unwrap_or_default()
    }

    /// The link that the QR code holds: <https://core.telegram.org/api/qr-login>.
    pub fn url(&self) -> String {
        format!("tg://login?token={}", self.expose())
    }
}

impl Phone {
    /// The digits alone, as Telegram wants them. `None` unless there are 5 to 15 of them (E.164 allows 15) and
    /// nothing else but `+`, spaces, dashes, dots and brackets.
    pub fn digits(&self) -> Option<String> {
        let mut digits = String::new();
        for (index, c) in self.expose().trim().chars().enumerate() {
            match c {
                '0'..='9' => digits.push(c),
                '+' if index == 0 => {}
                ' ' | '-' | '.' | '(' | ')' => {}
                _ => return None,
            }
        }
        (5..=15).contains(&digits.len()).then_some(digits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_prints_a_secret() {
        let code = LoginCode::new("31337");
        let shown = format!("{code:?} {code} {}", serde_json::to_string(&code).unwrap());
        assert!(!shown.contains("31337"), "{shown}");
        assert_eq!(code.expose(), "31337");
    }

    #[test]
    fn a_phone_is_read_as_people_write_it() {
        let digits = |phone: &str| Phone::from(phone).digits();
        assert_eq!(digits("+44 20 (7946) 0958").as_deref(), Some("442079460958"));
        assert_eq!(digits("99966-2-2222").as_deref(), Some("9996622222"));
        for wrong in ["", "+", "1234", "12a4567", "1+2345678", "1234567890123456"] {
            assert_eq!(digits(wrong), None, "{wrong}");
        }
    }
}
