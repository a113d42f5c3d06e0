//! A command: what one caller asks of one instance. [`Command`] is one that was read and checked,
//! [`CommandBody`] is the body that a caller writes.

use std::fmt;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::canonical;
use crate::ids::{CommandId, ExternalRef, InstanceId, MethodName};
use crate::reply_to::ReplyTo;

/// A command that was read and found whole; made by [`crate::envelope::decode`].
#[derive(Clone)]
pub struct Command {
    /// The idempotency key, unique per instance.
    pub id: CommandId,
    /// What is asked for: always one of the known methods.
    pub method: MethodName,
    /// Of whom. [`InstanceId::every`] only for orders that name none.
    pub instance: InstanceId,
    /// The method's own fields, not looked into yet.
    pub params: Map<String, Value>,
    /// What to send back so that the caller can match the answer.
    pub correlation: Correlation,
    /// Where the answer goes, beside the exchange of results.
    pub reply_to: Option<ReplyTo>,
    /// Past this the command is answered, not executed.
    pub deadline: DateTime<Utc>,
    /// The caller's business key of the group.
    pub external_ref: Option<ExternalRef>,
    /// What to do when a limit asks for a wait.
    pub on_flood: OnFlood,
    /// Proof of the right to use the instance, where it asks for one. Never stored.
    pub api_key: Option<ApiKey>,
    /// W3C trace context of the caller.
    pub traceparent: Option<String>,
    /// When this delivery reached us.
    pub received_at: DateTime<Utc>,
    /// Whether the broker says that it delivered this before.
    pub redelivered: bool,
    /// The broker's user that published it, validated by the broker.
    pub user_id: Option<String>,
}

/// Params name people and hold texts: a log may know that a command came, not what is in it.
impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Command")
            .field("id", &self.id)
            .field("method", &self.method)
            .field("instance", &self.instance)
            .field("deadline", &self.deadline)
            .field("redelivered", &self.redelivered)
            .finish_non_exhaustive()
    }
}

impl Command {
    /// What makes this the same request: hash of method, params and ref, compared normalised.
    #[must_use]
    pub fn request_hash(&self) -> String {
        canonical::request_hash(&self.method, &self.params, self.external_ref.as_ref())
    }
}

/// What the caller wants echoed: each where it came from. Where only one was given, the answer
/// carries it in both places, since some readers see only the body and some only the properties.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Correlation {
    /// From the AMQP property.
    pub property: Option<String>,
    /// From the body; a number is kept as its digits.
    pub body: Option<String>,
}

impl Correlation {
    /// For the answer's body.
    #[must_use]
    pub fn for_body(&self) -> Option<&str> {
        self.body.as_deref().or(self.property.as_deref())
    }

    /// For the answer's property, which AMQP limits to 255 bytes.
    #[must_use]
    pub fn for_property(&self) -> Option<&str> {
        self.property.as_deref().or(self.body.as_deref().filter(|text| text.len() <= 255))
    }
}

/// What a command wants when a limit asks for a wait.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnFlood {
    /// Wait, up to the deadline.
    #[default]
    Wait,
    /// Answer `throttled` at once.
    Fail,
}

/// A key that a caller shows to be let in. It never appears in a log.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct ApiKey(String);

impl ApiKey {
    /// Takes a key as the caller wrote it.
    #[must_use]
    pub fn new(key: String) -> Self {
        Self(key)
    }

    /// SHA-256 of the key in lower-case hex: the only form in which one is kept.
    #[must_use]
    pub fn sha256(&self) -> String {
        canonical::sha256_hex(self.0.as_bytes())
    }

    /// Whether this is the key with that hash, in a time that doesn't tell how much of it fits.
    #[must_use]
    pub fn matches(&self, sha256_hex: &str) -> bool {
        let (own, other) = (self.sha256(), sha256_hex.to_ascii_lowercase());
        own.len() == other.len()
            && own.bytes().zip(other.bytes()).fold(0, |acc, (a, b)| acc | (a ^ b)) == 0
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(***)")
    }
}

/// The body of a command as a caller writes it. Every field but `params` may instead be given as
/// an AMQP property or, for method and instance, by the routing key.
#[derive(Clone, Default, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommandBody {
    /// Idempotency key, unique per instance. The same id and params again gets the same result
    /// again, for 7 days. Else the property `message_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<CommandId>,
    /// What is asked for. Else the property `type`, or the routing key `<instance>.<method>`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<MethodName>,
    /// Of which account. Else the routing key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<InstanceId>,
    /// The method's own fields.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub params: Map<String, Value>,
    /// Echoed in the result's body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    /// Where the result goes. The property `reply_to` wins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<ReplyTo>,
    /// RFC 3339. Past it the command is answered, not executed. 24 hours where neither this nor
    /// the property `expiration` is given; the earlier of both.
    #[serde(skip_serializing_if = "Option::is_none", with = "crate::time::optional_rfc3339_ms")]
    #[schemars(with = "Option<DateTime<Utc>>")]
    pub deadline: Option<DateTime<Utc>>,
    /// The caller's own key of a group (a deal id), unique per instance: names one group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_ref: Option<ExternalRef>,
    /// What to do when a limit asks for a wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_flood: Option<OnFlood>,
    /// Only where the instance asks for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_key: Option<ApiKey>,
}

impl fmt::Debug for CommandBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CommandBody")
            .field("id", &self.id)
            .field("method", &self.method)
            .field("instance", &self.instance)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_api_key_is_known_by_its_hash_and_never_shown() {
        let key = ApiKey::new("canary-key".to_owned());
        assert!(key.matches(&key.sha256()) && key.matches(&key.sha256().to_uppercase()));
        assert!(!key.matches(&ApiKey::new("other".to_owned()).sha256()) && !key.matches(""));
        assert!(!format!("{key:?}").contains("canary"));
    }

    #[test]
    fn correlation_goes_back_where_it_came_from_and_fills_the_empty_place() {
        let of = |property: Option<&str>, body: Option<&str>| Correlation {
            property: property.map(str::to_owned),
            body: body.map(str::to_owned),
        };
        let both = of(Some("p"), Some("b"));
        assert_eq!((both.for_property(), both.for_body()), (Some("p"), Some("b")));
        let property = of(Some("p"), None);
        assert_eq!((property.for_property(), property.for_body()), (Some("p"), Some("p")));
        let long = "x".repeat(256);
        assert_eq!(of(None, Some(&long)).for_property(), None);
    }
}
