//! The identifiers of the contract, each a type of its own so that two of them can't be swapped.
//! Every one checks its form when it is made; the error says in words what the form is, because
//! it is what a caller of the queue gets to read.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

pub use crate::peer::{ChatId, ChatKind, UserId};

/// What is wrong with an identifier, in words fit for the caller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct IdError(pub(crate) String);

/// The most characters of a command id or an external ref.
pub const ID_CHARS_MAX: usize = 128;
/// The most characters of an instance id.
pub const INSTANCE_CHARS_MAX: usize = 64;
const METHOD_CHARS_MAX: usize = 64;

/// A text identifier: what it may look like is the only thing in which they differ.
macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $check:path, $schema:tt) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The identifier as it stands on the wire.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                $check(text)?;
                Ok(Self(text.to_owned()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                $check(&text)?;
                Ok(Self(text))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.try_into().map_err(de::Error::custom)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    };
}

text_id!(
    /// One connected Telegram user account: `^[a-z0-9][a-z0-9_-]{0,63}$`.
    ///
    /// The form leaves out `.`, `*` and `#`, which mean something in a routing key.
    InstanceId, check_instance, {
        "type": "string",
        "description": "One connected Telegram account.",
        "pattern": "^[a-z0-9][a-z0-9_-]{0,63}$",
    }
);

text_id!(
    /// A command's idempotency key: 1 to 128 characters, unique per instance, the caller's own.
    CommandId, check_command_id, {
        "type": "string",
        "description": "The caller's idempotency key of a command, unique per instance.",
        "minLength": 1,
        "maxLength": 128,
    }
);

text_id!(
    /// The caller's business key of a group, a deal id for instance: 1 to 128 characters.
    ExternalRef, check_external_ref, {
        "type": "string",
        "description": "The caller's own key of a group (a deal id), unique per instance.",
        "minLength": 1,
        "maxLength": 128,
    }
);

text_id!(
    /// A method's name on the wire: two words of `a-z0-9_`, joined by a dot (`group.create`).
    MethodName, check_method, {
        "type": "string",
        "description": "What a command asks for: an area and a verb.",
        "pattern": "^[a-z][a-z0-9_]*\\.[a-z][a-z0-9_]*$",
        "maxLength": 64,
    }
);

impl InstanceId {
    /// The word `_`, which stands for *no instance in particular* in the routing key of an order
    /// such as `_.account.list`. It is no instance id: text never parses to it.
    #[must_use]
    pub fn every() -> Self {
        Self("_".to_owned())
    }

    /// Whether this is [`InstanceId::every`].
    #[must_use]
    pub fn is_every(&self) -> bool {
        self.0 == "_"
    }
}

fn check_instance(text: &str) -> Result<(), IdError> {
    let bytes = text.as_bytes();
    let first = bytes.first().is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let rest = bytes
        .iter()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-'));
    if first && rest && bytes.len() <= INSTANCE_CHARS_MAX {
        return Ok(());
    }
    Err(IdError(format!(
        "an instance id is 1 to {INSTANCE_CHARS_MAX} of a-z, 0-9, `_` and `-`, beginning with a \
         letter or a digit; got {}",
        quoted(text)
    )))
}

fn check_command_id(text: &str) -> Result<(), IdError> {
    check_free_text("a command id", text)
}

fn check_external_ref(text: &str) -> Result<(), IdError> {
    check_free_text("an external_ref", text)
}

fn check_free_text(what: &str, text: &str) -> Result<(), IdError> {
    let chars = text.chars().count();
    if chars == 0 || chars > ID_CHARS_MAX {
        return Err(IdError(format!("{what} has 1 to {ID_CHARS_MAX} characters; got {chars}")));
    }
    if text.chars().any(char::is_control) {
        return Err(IdError(format!("{what} has no control characters; got {}", quoted(text))));
    }
    Ok(())
}

fn check_method(text: &str) -> Result<(), IdError> {
    let word = |w: &str| {
        w.as_bytes().first().is_some_and(u8::is_ascii_lowercase)
            && w.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    let two_words = text.split_once('.').is_some_and(|(area, verb)| word(area) && word(verb));
    if two_words && text.len() <= METHOD_CHARS_MAX {
        return Ok(());
    }
    Err(IdError(format!(
        "a method's name is two words joined by a dot, like `group.create`; got {}",
        quoted(text)
    )))
}

/// Caller's text as an error may show it: bounded, and with nothing that breaks a log line.
pub(crate) fn quoted(text: &str) -> String {
    const SHOWN_CHARS: usize = 80;
    let shown: String = text
        .chars()
        .take(SHOWN_CHARS)
        .map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c })
        .collect();
    let more = if text.chars().count() > SHOWN_CHARS { "…" } else { "" };
    format!("`{shown}{more}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instance_ids_keep_to_their_form() {
        for good in ["a", "0", "acme-sales", "a_b-c", &"x".repeat(64)] {
            assert!(good.parse::<InstanceId>().is_ok(), "{good}");
        }
        for bad in ["", "-a", "_a", "_", "A", "a.b", "a*", "a#", "é", &"x".repeat(65)] {
            assert!(bad.parse::<InstanceId>().is_err(), "{bad}");
        }
        assert!(InstanceId::every().is_every());
    }

    #[test]
    fn command_ids_are_counted_in_characters() {
        assert!("ж".repeat(128).parse::<CommandId>().is_ok());
        assert!("ж".repeat(129).parse::<CommandId>().is_err());
        assert!("".parse::<CommandId>().is_err());
        assert!("a\nb".parse::<CommandId>().is_err());
        assert!("deal 77: create".parse::<CommandId>().is_ok());
    }

    #[test]
    fn method_names_have_two_words() {
        for good in ["group.create", "user.common_groups", "a1.b2"] {
            assert!(good.parse::<MethodName>().is_ok(), "{good}");
        }
        for bad in ["group", "group.", ".create", "a.b.c", "Group.create", "a.1", "a b.c"] {
            assert!(bad.parse::<MethodName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_error_shows_a_bounded_part_of_what_was_sent() {
        let error = "Z".repeat(5000).parse::<InstanceId>().unwrap_err();
        assert!(error.to_string().len() < 300);
    }
}
