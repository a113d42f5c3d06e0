//! Orders about where an account's login comes from, and where it is kept beside the vault.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::InstanceId;

/// Params of `account.login`: one of the three ways.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountLogin {
    /// By the account's phone number, sealed to the service's key (base64): Telegram sends a code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// By a QR code, which a phone scans on which the account is logged in: the asker's public key (X25519, base64), to
    /// which the code's link is sealed. Whoever reads the link could take the login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qr_key: Option<String>,
    /// By a login that is there already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub import: Option<LoginImport>,
}

/// A login that is brought along: `session` or `backup`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginImport {
    /// A session string of Telethon or Pyrogram, sealed to the service's key (base64). It accepts a login of our own, as
    /// a phone does that scans a QR code, and stays what it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The session itself becomes the instance's: no other program may ever use it again, or Telegram ends it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub take_over: bool,
    /// What `account.export` gave for this instance. It is always taken over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup: Option<String>,
    /// Who says so, where the broker does not vouch for the asker's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// Params of `account.export`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountExport {
    /// Who says so, where the broker does not vouch for the asker's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// Result of `account.export`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AccountExported {
    /// The instance.
    pub instance: InstanceId,
    /// Its login (base64), sealed with the vault's key: without that key it is worth nothing.
    pub backup: String,
}
