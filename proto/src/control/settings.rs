//! Orders about an instance's settings and API keys.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::identity::{ApplicationParams, DeviceParams, ProxyParams};
use crate::ids::MethodName;

/// Params of `account.set`: what is left out stays as it is; null takes it away.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountSet {
    /// A name for people, at most 128 characters.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub label: Option<Option<String>>,
    /// Words to find it by, instead of those it has: at most 20, of at most 64 characters each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    /// A text for people, at most 2000 characters.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub notes: Option<Option<String>>,
    /// Where its admin is told of states and limits: an address (`https://…`) that each such event is posted to, or
    /// the name of a queue.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub notify: Option<Option<String>>,
    /// Whether commands must show an API key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub require_api_key: Option<bool>,
    /// How the account is to present itself: of its fields too, what is left out stays; null: all of it as configured.
    /// Only before its first login.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<DeviceParams>")]
    pub device: Option<Option<DeviceParams>>,
    /// The application by which it is to log in; null: the configured one. Only before its first login.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<ApplicationParams>")]
    pub application: Option<Option<ApplicationParams>>,
    /// By which way it goes out, from now on; null: straight on.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<ProxyParams>")]
    pub proxy: Option<Option<ProxyParams>>,
}

/// Params of `account.set_key`: a new API key. At most two are live, so that callers can change over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountSetKey {
    /// Its SHA-256 (hex).
    pub api_key_sha256: String,
    /// Keep the newest key that there was beside it; otherwise every other key ends at once.
    #[serde(default)]
    pub keep_old: bool,
    /// The methods that it is good for; none given means all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<MethodName>,
}

/// A live API key, without the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ApiKeyInfo {
    /// The first eight digits of its SHA-256, to tell keys apart.
    pub sha256_begins: String,
    /// When it was set; null where that was not noted.
    #[serde(with = "crate::time::optional_rfc3339_ms")]
    #[schemars(with = "Option<DateTime<Utc>>")]
    pub set_at: Option<DateTime<Utc>>,
    /// The methods that it is good for; empty: all.
    pub methods: Vec<MethodName>,
}

/// A field that is there, be it null.
fn given<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Some)
}
