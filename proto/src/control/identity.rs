//! How an instance's account shows itself to Telegram, in orders: its device, its own application, its proxy.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The texts by which the account presents itself; each has 1 to 128 bytes and no control characters. What is left out
/// is as configured when the account is first logged in. From then on none of it changes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeviceParams {
    /// The device's name, as Telegram lists it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Its system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_version: Option<String>,
    /// The application's version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_version: Option<String>,
    /// The language of the system (ISO 639-1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_lang_code: Option<String>,
    /// The language of service texts (ISO 639-1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lang_code: Option<String>,
}

/// An application of <https://my.telegram.org>.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApplicationParams {
    /// Its number.
    pub api_id: i32,
    /// Its secret, sealed to the service's key (base64).
    pub api_hash: String,
}

/// A SOCKS5 server by which all of the account's connections go out, and never past it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProxyParams {
    /// `host:port`. A host's name is looked up at each connection; an IPv6 address stands in brackets.
    pub address: String,
    /// The name that it asks for, with `password`; 1 to 255 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The password, of 1 to 255 bytes, sealed to the service's key (base64).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
}

/// How the account presents itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IdentityInfo {
    /// The device's name.
    pub model: String,
    /// Its system.
    pub system_version: String,
    /// The application's version.
    pub app_version: String,
    /// The language of the system.
    pub system_lang_code: String,
    /// The language of service texts.
    pub lang_code: String,
    /// The number of the application by which it is logged in, or would be now.
    pub api_id: i32,
    /// Whether the instance has an application of its own.
    pub own_application: bool,
    /// Whether it can't be changed any more, since the account has been logged in.
    pub fixed: bool,
}

/// The account's proxy, without what it asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProxyInfo {
    /// The host.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Whether it is given a name and a password.
    pub has_credentials: bool,
}

/// Result of `account.seal_key`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountSealKey {
    /// The service's public key (X25519, base64), to which secrets of any instance are sealed.
    pub seal_key: String,
}
