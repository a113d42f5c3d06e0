//! Telegram's ids as the contract shows them: JSON numbers in the Bot API's form, in which the
//! sign and the `-100` prefix tell users, basic groups and supergroups apart.
//! Source of the ranges: <https://core.telegram.org/api/bots/ids>.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};

use crate::ids::{IdError, quoted};
use crate::loose;

const SUPERGROUP_BASE: i64 = -1_000_000_000_000;
const CHANNEL_ID_MAX: i64 = 997_852_516_352;
const BASIC_ID_MAX: i64 = 999_999_999_999;
const USER_ID_MAX: i64 = (1 << 40) - 1;

/// A group in Bot API form: `-…` a basic group, `-100…` a supergroup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct ChatId(i64);

/// Which of Telegram's two kinds of group an id names.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ChatKind {
    /// A small group; Telegram turns it into a supergroup when it needs to.
    Basic,
    /// A group of up to 200,000 members, a `channel` in Telegram's own API.
    Supergroup,
}

impl ChatId {
    /// The basic group with Telegram's own (positive) id.
    ///
    /// # Errors
    /// An id outside Telegram's range.
    pub fn basic(id: i64) -> Result<Self, IdError> {
        if !(1..=BASIC_ID_MAX).contains(&id) {
            return Err(IdError(format!("{id} can't be the id of a basic group")));
        }
        Ok(Self(-id))
    }

    /// The supergroup with Telegram's own (positive) channel id.
    ///
    /// # Errors
    /// An id outside Telegram's range.
    pub fn supergroup(id: i64) -> Result<Self, IdError> {
        if !(1..=CHANNEL_ID_MAX).contains(&id) {
            return Err(IdError(format!("{id} can't be the id of a supergroup")));
        }
        Ok(Self(SUPERGROUP_BASE - id))
    }

    /// Which kind of group it is.
    #[must_use]
    pub fn kind(self) -> ChatKind {
        if self.0 < SUPERGROUP_BASE { ChatKind::Supergroup } else { ChatKind::Basic }
    }

    /// Telegram's own positive id: without the sign, and without `-100` for a supergroup.
    #[must_use]
    pub fn bare_id(self) -> i64 {
        match self.kind() {
            ChatKind::Basic => -self.0,
            ChatKind::Supergroup => SUPERGROUP_BASE - self.0,
        }
    }

    /// The number as it stands on the wire.
    #[must_use]
    pub fn get(self) -> i64 {
        self.0
    }
}

impl TryFrom<i64> for ChatId {
    type Error = IdError;

    fn try_from(id: i64) -> Result<Self, IdError> {
        let basic = (-BASIC_ID_MAX..=-1).contains(&id);
        let supergroup = (SUPERGROUP_BASE - CHANNEL_ID_MAX..SUPERGROUP_BASE).contains(&id);
        if basic || supergroup {
            return Ok(Self(id));
        }
        Err(IdError(format!(
            "a group's chat_id is negative: `-100…` for a supergroup, `-…` for a basic group; \
             got {id}"
        )))
    }
}

impl FromStr for ChatId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let id = text.trim().parse::<i64>();
        id.map_err(|_| IdError(format!("a chat_id is a whole number; got {}", quoted(text))))?
            .try_into()
    }
}

impl fmt::Display for ChatId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for ChatId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        loose::integer::<D, i64>(deserializer)?.try_into().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for ChatId {
    fn schema_name() -> Cow<'static, str> {
        "ChatId".into()
    }

    /// What is written is always a number; what is read may be text as well.
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        if generator.contract().is_serialize() {
            return json_schema!({
                "description": "A group in Bot API form: `-100…` a supergroup, `-…` a basic group.",
                "type": "integer",
                "maximum": -1,
            });
        }
        json_schema!({
            "description": "A group in Bot API form: `-100…` a supergroup, `-…` a basic group. \
                            Queuegram writes a number and also reads a string of digits.",
            "anyOf": [
                { "type": "integer", "maximum": -1 },
                { "type": "string", "pattern": "^-[0-9]{1,13}$" },
            ],
        })
    }
}

/// A Telegram user or bot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct UserId(i64);

impl UserId {
    /// The number as it stands on the wire and at Telegram.
    #[must_use]
    pub fn get(self) -> i64 {
        self.0
    }
}

impl TryFrom<i64> for UserId {
    type Error = IdError;

    fn try_from(id: i64) -> Result<Self, IdError> {
        if (1..=USER_ID_MAX).contains(&id) {
            return Ok(Self(id));
        }
        Err(IdError(format!("a user's id is a positive number below 2^40; got {id}")))
    }
}

impl FromStr for UserId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let id = text.trim().parse::<i64>();
        id.map_err(|_| IdError(format!("a user's id is a whole number; got {}", quoted(text))))?
            .try_into()
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for UserId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        loose::integer::<D, i64>(deserializer)?.try_into().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for UserId {
    fn schema_name() -> Cow<'static, str> {
        "UserId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A Telegram user or bot.",
            "type": "integer",
            "minimum": 1,
            "maximum": USER_ID_MAX,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sign_and_prefix_tell_the_kind() {
        let supergroup = ChatId::supergroup(1_234_567_890).unwrap();
        assert_eq!(supergroup.get(), -1_001_234_567_890);
        assert_eq!(
            (supergroup.kind(), supergroup.bare_id()),
            (ChatKind::Supergroup, 1_234_567_890)
        );
        let basic = ChatId::basic(77).unwrap();
        assert_eq!((basic.get(), basic.kind(), basic.bare_id()), (-77, ChatKind::Basic, 77));
    }

    #[test]
    fn ids_that_name_no_group_are_refused() {
        for bad in [0, 5, SUPERGROUP_BASE, i64::MIN, i64::MAX, -2_000_000_000_000] {
            assert!(ChatId::try_from(bad).is_err(), "{bad}");
        }
        assert!(ChatId::basic(0).is_err() && ChatId::supergroup(-1).is_err());
        assert!(UserId::try_from(0).is_err() && UserId::try_from(1 << 40).is_err());
    }

    #[test]
    fn the_schema_of_what_is_written_knows_only_numbers() {
        let written = schemars::generate::SchemaSettings::default().for_serialize();
        let schema = written.into_generator().into_root_schema_for::<ChatId>();
        assert_eq!(schema.get("type").and_then(|kind| kind.as_str()), Some("integer"));
        assert!(schemars::schema_for!(ChatId).get("anyOf").is_some());
    }

    #[test]
    fn a_string_of_digits_is_read_and_a_number_is_written() {
        let id: ChatId = serde_json::from_str("\"-1001234567890\"").unwrap();
        assert_eq!(serde_json::to_string(&id).unwrap(), "-1001234567890");
        assert!(serde_json::from_str::<ChatId>("-1.5").is_err());
        assert!(serde_json::from_str::<ChatId>("\"-12x\"").is_err());
    }
}
