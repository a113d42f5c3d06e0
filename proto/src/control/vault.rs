//! Orders for the vault.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::InstanceId;

/// Result of `vault.claim`: whose the vault is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VaultClaimed {
    /// The vault's own id, 32 hex digits; its copies have the same.
    pub vault: String,
    /// The id of this site, new with each claim.
    pub site: String,
    /// How often the vault was claimed, on this count's way through its copies.
    pub claim: u64,
    /// When it was claimed.
    #[serde(with = "crate::time::rfc3339_ms")]
    #[schemars(with = "String")]
    pub claimed_at: DateTime<Utc>,
    /// Whether it was this site's already, so that nothing was changed.
    pub was_ours: bool,
}

/// Result of `account.reseal` and `vault.reseal`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VaultResealed {
    /// How many records there are, each the newest of its kind.
    pub records: usize,
    /// How many of them a former key had sealed, so that they were sealed anew.
    pub resealed: usize,
    /// The id of the key that seals now, 16 hex digits.
    pub key: String,
}

/// Result of `vault.verify`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VaultChecked {
    /// The ids of the keys that the worker has, 16 hex digits each; the first seals.
    pub keys: Vec<String>,
    /// The records, each the newest of its kind.
    pub records: Vec<VaultRecord>,
}

/// One record of the vault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VaultRecord {
    /// `instance`, `session` or `groups`; of the vault's own: `check`, `generation`, `site`.
    pub kind: String,
    /// The id of the key that sealed it; null where it is cut short.
    pub key: Option<String>,
    /// Its size in bytes.
    pub bytes: usize,
    /// Why it can't be opened; null where it can.
    pub problem: Option<String>,
}

/// Params of `vault.backup`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VaultBackup {
    /// Who asks, for the audit log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// Result of `vault.backup`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VaultBackedUp {
    /// The vault's own id, where all is asked about and the vault was used before.
    pub vault: Option<String>,
    /// The ids of the keys that the worker has, 16 hex digits each; the first seals.
    pub keys: Vec<String>,
    /// The records, each the newest of its kind.
    pub records: Vec<BackupRecord>,
}

/// A record as it lies in the vault: worth nothing without the vault's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BackupRecord {
    /// `instance`, `session` or `groups`; of the vault's own: `check`.
    pub kind: String,
    /// Its name in the vault, `<epoch>-<seq>`.
    pub name: String,
    /// Its bytes in base64.
    pub sealed: String,
}

/// Params of `account.restore`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountRestore {
    /// The instance's records, as `vault.backup` gave them.
    pub records: Vec<BackupRecord>,
    /// Whether the account is connected, if it was not stopped when the backup was made.
    #[serde(default)]
    pub start: bool,
    /// Only look whether it could be done.
    #[serde(default)]
    pub check: bool,
    /// Who asks, for the audit log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// Result of `account.restore`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountRestored {
    /// The instance.
    pub instance: InstanceId,
    /// How many records it has.
    pub records: usize,
    /// Whether they were written; false where that was only looked at.
    pub restored: bool,
    /// Whether the account is stopped, until `account.start`.
    pub stopped: bool,
}
