//! The values that several methods take, each checked against Telegram's limits as it is read, so
//! that nothing is sent that Telegram would refuse for its size.

use proto::MemberInput;
use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

/// Most characters in a group's title (Bot API, `setChatTitle`: 1-128 characters).
const TITLE_CHARS_MAX: usize = 128;
/// Most characters in a group's description (Bot API, `setChatDescription`: 0-255 characters).
const ABOUT_CHARS_MAX: usize = 255;
/// Most characters in an invite link's name (Bot API, `createChatInviteLink`: 0-32 characters).
const LINK_TITLE_CHARS_MAX: usize = 32;
/// Most people in one command: what a basic group holds (`chat_size_max` of Telegram's client
/// configuration).
const MEMBERS_MAX: usize = 200;
/// Most uses of an invite link (Bot API, `createChatInviteLink`: 1-99999).
const LINK_USES_MAX: u32 = 99_999;

/// A text that is read with surrounding white space taken off and held against a limit.
macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $min:expr, $max:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[serde(try_from = "String")]
        #[schemars(extend("minLength" = $min, "maxLength" = $max))]
        pub struct $name(String);

        impl $name {
            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = String;

            fn try_from(text: String) -> Result<Self, String> {
                let text = text.trim();
                if text.chars().any(|c| c.is_control() && c != '\n') {
                    return Err("has a control character".to_owned());
                }
                if $min > 0 && !text.is_empty() && !text.chars().any(is_visible) {
                    return Err("has no visible character".to_owned());
                }
                match text.chars().count() {
                    count if ($min..=$max).contains(&count) => Ok(Self(text.to_owned())),
                    0 => Err("must not be empty".to_owned()),
                    count => Err(format!("has {count} characters, the limit is {}", $max)),
                }
            }
        }
    };
}

text! {
    /// A group's title: 1 to 128 characters.
    Title, 1, TITLE_CHARS_MAX
}
text! {
    /// A group's description: at most 255 characters.
    About, 0, ABOUT_CHARS_MAX
}
text! {
    /// An invite link's name, seen by the group's admins only: at most 32 characters.
    LinkTitle, 0, LINK_TITLE_CHARS_MAX
}

/// Characters that take no place on a screen make no title: people could not tell such groups
/// apart, nor find them.
fn is_visible(c: char) -> bool {
    let takes_no_place = matches!(
        c,
        '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
            | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{2800}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}'
            | '\u{FEFF}' | '\u{FFA0}' | '\u{E0000}'..='\u{E0FFF}'
    );
    !c.is_whitespace() && !c.is_control() && !takes_no_place
}

/// The people and bots whom a command may name: up to 200.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Vec<MemberInput>")]
#[schemars(extend("maxItems" = MEMBERS_MAX))]
pub struct Invitees(Vec<MemberInput>);

impl Invitees {
    /// Each as its author wrote it, in the author's order.
    pub fn as_slice(&self) -> &[MemberInput] {
        &self.0
    }
}

impl TryFrom<Vec<MemberInput>> for Invitees {
    type Error = String;

    fn try_from(members: Vec<MemberInput>) -> Result<Self, String> {
        match members.len() {
            count if count > MEMBERS_MAX => {
                Err(format!("names {count} people, the limit is {MEMBERS_MAX}"))
            }
            _ => Ok(Self(members)),
        }
    }
}

/// The people and bots of a command: 1 to 200.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Vec<MemberInput>")]
#[schemars(extend("minItems" = 1, "maxItems" = MEMBERS_MAX))]
pub struct Members(Vec<MemberInput>);

impl Members {
    /// Each as its author wrote it, in the author's order.
    pub fn as_slice(&self) -> &[MemberInput] {
        &self.0
    }
}

impl TryFrom<Vec<MemberInput>> for Members {
    type Error = String;

    fn try_from(members: Vec<MemberInput>) -> Result<Self, String> {
        match members.len() {
            0 => Err("names nobody".to_owned()),
            count if count > MEMBERS_MAX => {
                Err(format!("names {count} people, the limit is {MEMBERS_MAX}"))
            }
            _ => Ok(Self(members)),
        }
    }
}

/// How often a link can be used: 1 to 99,999 joins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(extend("minimum" = 1, "maximum" = LINK_USES_MAX))]
pub struct UsageLimit(u32);

impl UsageLimit {
    /// The number of joins.
    pub fn get(self) -> u32 {
        self.0
    }
}

/// Some callers can write only text: `"1"` is 1.
impl<'de> Deserialize<'de> for UsageLimit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let uses: u32 = proto::loose::integer(deserializer)?;
        Self::try_from(uses).map_err(D::Error::custom)
    }
}

impl TryFrom<u32> for UsageLimit {
    type Error = String;

    fn try_from(uses: u32) -> Result<Self, String> {
        match uses {
            1..=LINK_USES_MAX => Ok(Self(uses)),
            _ => Err(format!("is {uses}, must be 1 to {LINK_USES_MAX}")),
        }
    }
}

/// What to do for people whom their privacy settings keep from being added.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnBlocked {
    /// Say so in their outcome.
    #[default]
    Report,
    /// Say so, and give a single-use invite link that can be sent to them.
    InviteLink,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_trimmed_and_bounded() {
        let title = |text: &str| Title::try_from(text.to_owned());
        assert_eq!(title("  Deal 77 ").unwrap().as_str(), "Deal 77");
        assert_eq!(title(" \n").unwrap_err(), "must not be empty");
        assert_eq!(title("\u{202e}\u{200b}").unwrap_err(), "has no visible character");
        assert_eq!(title("a\0b").unwrap_err(), "has a control character");
        assert!(title(&"ж".repeat(128)).is_ok());
        assert_eq!(title(&"ж".repeat(129)).unwrap_err(), "has 129 characters, the limit is 128");
    }

    #[test]
    fn a_link_has_at_least_one_use() {
        assert!(UsageLimit::try_from(0).is_err());
        assert!(UsageLimit::try_from(1).is_ok());
        assert!(UsageLimit::try_from(100_000).is_err());
    }
}
