//! The order about the audit log: who did what to which account.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::{ChatId, CommandId, InstanceId, MethodName};
use crate::outcome::Status;

/// Version of a record's form.
pub const AUDIT_VERSION: u32 = 1;

/// Params of `audit.list`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditList {
    /// Only what was done to this instance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<InstanceId>,
    /// Only what was done in the last so many seconds; 86400 where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since_s: Option<u64>,
    /// The most rows of one answer, 1 to 200; 50 where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// `next` of the answer before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// Result of `audit.list`. A page may be empty and still have a next one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AuditListed {
    /// What was done, the newest first; within a few seconds in no order.
    pub records: Vec<AuditRecord>,
    /// The `cursor` of the next page; null where this was the last.
    pub next: Option<String>,
}

/// One thing that was done, or refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AuditRecord {
    /// Version of this form.
    pub v: u32,
    /// When it ended.
    #[serde(with = "crate::time::rfc3339_ms")]
    #[schemars(with = "DateTime<Utc>")]
    pub at: DateTime<Utc>,
    /// To which instance; null for all of them.
    pub instance: Option<InstanceId>,
    /// Who.
    pub actor: AuditActor,
    /// Whether it was an order or a command.
    pub kind: AuditKind,
    /// Its method.
    pub action: MethodName,
    /// Its id.
    pub id: CommandId,
    /// Of an order about a command: that command.
    pub about: Option<CommandId>,
    /// The group that it was about.
    pub chat_id: Option<ChatId>,
    /// How it ended.
    pub status: Status,
    /// Why it is not `done`.
    pub error_code: Option<String>,
}

/// Who did it, as far as it is known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditActor {
    /// The broker's user: the broker vouches for it.
    pub amqp_user: Option<String>,
    /// How the SHA-256 of the API key that was shown begins (8 hex digits).
    pub api_key: Option<String>,
    /// A person's name that the asker claims, as the command line does; nobody vouches for it.
    pub by: Option<String>,
}

/// What can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuditKind {
    /// An order on the control exchange.
    Order,
    /// A command of a caller.
    Command,
}

/// Params of `audit.reseal`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditReseal {
    /// Where to go on: `next` of the last answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// Result of `audit.reseal`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditResealed {
    /// How many batches were looked at.
    pub batches: usize,
    /// How many of them a former key had sealed, so that they were sealed anew.
    pub resealed: usize,
    /// How many of them no key opens; they are left as they are.
    pub unreadable: usize,
    /// The id of the key that seals now, 16 hex digits.
    pub key: String,
    /// Where to go on; null at the end.
    pub next: Option<String>,
}
