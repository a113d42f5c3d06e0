//! People as callers name them, and what became of each. Parsing is pure: whom a name stands for
//! is found out later, by asking Telegram.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;

use crate::ids::{IdError, InstanceId, UserId, quoted};

/// A user or bot as the caller wrote it: what was written, and what it means.
#[derive(Clone, PartialEq)]
pub struct MemberInput {
    written: Value,
    target: MemberTarget,
}

/// What a caller's way of naming a user means.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum MemberTarget {
    /// Telegram's own id.
    Id(UserId),
    /// A public name, without `@`, in lower case.
    Username(String),
    /// Digits with a leading `+`. Never shown by `Debug`.
    Phone(String),
    /// Another connected account.
    Instance(InstanceId),
}

/// What became of one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MemberStatus {
    /// They are in now.
    Added,
    /// They had been in before.
    AlreadyMember,
    /// They are out now.
    Removed,
    /// They had not been in.
    NotMember,
    /// Their privacy settings forbid it; an invite link may help.
    PrivacyBlocked,
    /// Only a Premium account may do it.
    NeedsPremium,
    /// Nobody of that name could be found.
    NotFound,
    /// They are in too many groups already.
    TooManyGroups,
    /// The bot is blocked, or may not be added to groups.
    BotBlocked,
    /// There was no time to try.
    Throttled,
    /// It failed for another reason: see `error_code`.
    Failed,
}

/// One row of a result's `members`, in the order given.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MemberOutcome {
    /// The member as the caller wrote it.
    pub input: Value,
    /// Who that is, where it could be found out.
    pub user_id: Option<UserId>,
    /// What became of them.
    pub status: MemberStatus,
    /// Telegram's name of the error, or one of Queuegram's.
    pub error_code: Option<String>,
    /// For `throttled`: seconds after which it may succeed.
    pub retry_after_s: Option<u64>,
    /// A link that was made for them, where that was asked for.
    pub invite_link: Option<String>,
}

impl MemberStatus {
    /// Whether the person is now where the caller wants them.
    #[must_use]
    pub fn succeeded(self) -> bool {
        matches!(self, Self::Added | Self::AlreadyMember | Self::Removed | Self::NotMember)
    }
}

impl MemberOutcome {
    /// An outcome that needs no more words.
    #[must_use]
    pub fn new(input: &MemberInput, user_id: Option<UserId>, status: MemberStatus) -> Self {
        Self {
            input: input.written.clone(),
            user_id,
            status,
            error_code: None,
            retry_after_s: None,
            invite_link: None,
        }
    }
}

impl MemberInput {
    /// What the caller wrote means this.
    #[must_use]
    pub fn target(&self) -> &MemberTarget {
        &self.target
    }

    /// What the caller wrote, to be echoed in the outcome.
    #[must_use]
    pub fn written(&self) -> &Value {
        &self.written
    }

    /// Reads one way of naming a user.
    ///
    /// # Errors
    /// A form that names nobody; the words say which forms there are.
    pub fn parse(written: Value) -> Result<Self, IdError> {
        let target = match &written {
            Value::Number(number) => match number.as_i64() {
                Some(id) => MemberTarget::Id(id.try_into()?),
                None => {
                    return Err(IdError(format!("a user's id is a whole number; got {number}")));
                }
            },
            Value::String(text) => parse_text(text.trim())?,
            Value::Object(fields) => match (fields.len(), fields.get("instance")) {
                (1, Some(Value::String(id))) => MemberTarget::Instance(id.parse()?),
                _ => return Err(IdError(FORMS.to_owned())),
            },
            _ => return Err(IdError(FORMS.to_owned())),
        };
        Ok(Self { written, target })
    }
}

const FORMS: &str = "a user is a number, a numeric string, `@name`, `+phone`, a `t.me` link or \
                     {\"instance\": \"…\"}";

fn parse_text(text: &str) -> Result<MemberTarget, IdError> {
    if let Some(name) = text.strip_prefix('@') {
        return username(name);
    }
    if text.starts_with('+') {
        return phone(text);
    }
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(MemberTarget::Id(text.parse()?));
    }
    if let Some(target) = link(text) {
        return target;
    }
    Err(match username(text) {
        Ok(_) => IdError(format!("{FORMS}; got {}: was `@{text}` meant?", quoted(text))),
        Err(_) => IdError(format!("{FORMS}; got {}", quoted(text))),
    })
}

/// Names have 5 to 32 characters, those from auctions 4 and a few bots' 3.
fn username(name: &str) -> Result<MemberTarget, IdError> {
    let fits = (3..=32).contains(&name.len())
        && name.as_bytes().first().is_some_and(u8::is_ascii_alphabetic)
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if fits {
        return Ok(MemberTarget::Username(name.to_ascii_lowercase()));
    }
    Err(IdError(format!(
        "a username is 3 to 32 letters, digits and `_`, beginning with a letter; got {}",
        quoted(name)
    )))
}

/// International form; people write it with blanks, dashes, dots and brackets.
fn phone(text: &str) -> Result<MemberTarget, IdError> {
    let digits: String =
        text.chars().filter(|c| !matches!(c, '+' | ' ' | '-' | '.' | '(' | ')')).collect();
    if (6..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(MemberTarget::Phone(format!("+{digits}")));
    }
    // The number is somebody's, even where it is wrong: it is not repeated in the error.
    Err(IdError("a phone number is `+` and 6 to 15 digits".to_owned()))
}

/// The forms of a link to a user: <https://core.telegram.org/api/links>. `None`: no link at all.
fn link(text: &str) -> Option<Result<MemberTarget, IdError>> {
    if let Some(query) = text.strip_prefix("tg://resolve?") {
        return Some(query_target(query));
    }
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let rest = rest.unwrap_or(text);
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = host.strip_prefix("www.").unwrap_or(host).to_ascii_lowercase();
    let path = path.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    if let Some(name) = host.strip_suffix(".t.me").filter(|_| path.is_empty()) {
        return Some(username(name));
    }
    if !matches!(host.as_str(), "t.me" | "telegram.me" | "telegram.dog") {
        return None;
    }
    if path
        .strip_prefix('+')
        .is_some_and(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit()))
    {
        return Some(phone(path));
    }
    let name = path.strip_prefix('@').unwrap_or(path);
    Some(username(name).map_err(|_| {
        IdError(format!("this link names no user (`t.me/name` or `t.me/+phone`): {}", quoted(text)))
    }))
}

fn query_target(query: &str) -> Result<MemberTarget, IdError> {
    for pair in query.split('&') {
        match pair.split_once('=') {
            Some(("domain", name)) => return username(name),
            Some(("phone", digits)) => return phone(digits),
            _ => {}
        }
    }
    Err(IdError("this link names no user: it has neither `domain` nor `phone`".to_owned()))
}

impl fmt::Debug for MemberTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => write!(f, "Id({id})"),
            Self::Username(name) => write!(f, "Username({name})"),
            Self::Phone(_) => f.write_str("Phone(***)"),
            Self::Instance(id) => write!(f, "Instance({id})"),
        }
    }
}

impl fmt::Debug for MemberInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MemberInput({:?})", self.target)
    }
}

impl fmt::Debug for MemberOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemberOutcome")
            .field("user_id", &self.user_id)
            .field("status", &self.status)
            .field("error_code", &self.error_code)
            .finish_non_exhaustive()
    }
}

impl Serialize for MemberInput {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.written.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for MemberInput {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(Value::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

impl JsonSchema for MemberInput {
    fn schema_name() -> Cow<'static, str> {
        "Member".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A user or bot: its id, `@name`, `+phone`, a `t.me` link, or another \
                            connected account.",
            "anyOf": [
                { "type": "integer", "minimum": 1 },
                { "type": "string", "minLength": 1 },
                {
                    "type": "object",
                    "properties": { "instance": { "type": "string" } },
                    "required": ["instance"],
                    "additionalProperties": false,
                },
            ],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn target(written: &Value) -> Result<MemberTarget, IdError> {
        MemberInput::parse(written.clone()).map(|input| input.target)
    }

    #[test]
    fn every_form_of_naming_a_user() {
        let id = MemberTarget::Id(12345.try_into().unwrap());
        let name = MemberTarget::Username("some_name".into());
        let phone = MemberTarget::Phone("+49301234567".into());
        for (written, expected) in [
            (json!(12345), &id),
            (json!("12345"), &id),
            (json!("@Some_Name"), &name),
            (json!("https://t.me/some_name"), &name),
            (json!("t.me/some_name?start=x"), &name),
            (json!("http://www.telegram.me/@some_name/"), &name),
            (json!("https://some_name.t.me"), &name),
            (json!("tg://resolve?start=1&domain=some_name"), &name),
            (json!("+49 30 123-45.67"), &phone),
            (json!("https://t.me/+49301234567"), &phone),
            (json!("tg://resolve?phone=49301234567"), &phone),
            (json!({"instance":"acme"}), &MemberTarget::Instance("acme".parse().unwrap())),
        ] {
            assert_eq!(target(&written).as_ref(), Ok(expected), "{written}");
        }
    }

    #[test]
    fn what_names_nobody_is_refused() {
        for written in [
            json!(0),
            json!(-5),
            json!(1.5),
            json!(""),
            json!("@"),
            json!("@1abc"),
            json!("+12"),
            json!("+12345a789"),
            json!("some_name"),
            json!("https://t.me/+AbCdEf"),
            json!("https://t.me/joinchat/AbCdEf"),
            json!("https://t.me/some_name/17"),
            json!("https://example.com/some_name"),
            json!({"instance":"A"}),
            json!({"instance":"acme","x":1}),
            json!(["@some_name"]),
            json!(null),
            json!(true),
        ] {
            assert!(target(&written).is_err(), "{written}");
        }
        let slip = target(&json!("some_name")).unwrap_err().to_string();
        assert!(slip.contains("was `@some_name` meant?"), "{slip}");
    }

    #[test]
    fn a_phone_number_is_never_shown() {
        let input = MemberInput::parse(json!("+49301234567")).unwrap();
        assert!(!format!("{input:?}").contains("4930"));
        assert!(!target(&json!("+493012x")).unwrap_err().to_string().contains("4930"));
    }

    #[test]
    fn the_outcome_echoes_what_was_written() {
        let input = MemberInput::parse(json!("@Some_Name")).unwrap();
        let outcome = MemberOutcome::new(&input, None, MemberStatus::NotFound);
        assert_eq!(
            serde_json::to_string(&outcome).unwrap(),
            concat!(
                r#"{"input":"@Some_Name","user_id":null,"status":"not_found","error_code":null,"#,
                r#""retry_after_s":null,"invite_link":null}"#
            )
        );
    }
}
