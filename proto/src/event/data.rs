//! What each event tells beside the envelope: one type per kind of event.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::AccountState;
use crate::ids::{ChatId, MethodName, UserId};
use crate::outcome::Status;

/// Data of `account.state`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AccountStateChanged {
    /// The state before.
    pub from: AccountState,
    /// The state now.
    pub to: AccountState,
    /// Why: Telegram's name of an error, or one of Queuegram's.
    pub reason: Option<String>,
    /// Since when: before this event where the next owner tells what the last one found.
    #[serde(default, with = "crate::time::optional_rfc3339_ms")]
    #[schemars(with = "Option<DateTime<Utc>>")]
    pub since: Option<DateTime<Utc>>,
    /// Until when, where that is known.
    #[serde(with = "crate::time::optional_rfc3339_ms")]
    #[schemars(with = "Option<DateTime<Utc>>")]
    pub until: Option<DateTime<Utc>>,
}

/// Data of `account.login.qr`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoginQr {
    /// Names this login in the orders that answer it.
    pub login_id: String,
    /// The `tg://login?token=…` link to show as a QR code, sealed to the asker's `qr_key`.
    pub sealed_url: String,
    /// When it can't be scanned any more; a new one follows.
    #[serde(with = "crate::time::rfc3339_ms")]
    #[schemars(with = "DateTime<Utc>")]
    pub expires_at: DateTime<Utc>,
}

/// Data of `account.login.code_needed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoginCodeNeeded {
    /// Names this login in the orders that answer it.
    pub login_id: String,
    /// The public key to seal the code to (base64).
    pub seal_key: String,
    /// How Telegram sent the code: `app`, `sms`, `call`, …
    pub hint: Option<String>,
    /// How it would be sent if it were asked for once more; null where there is no other way.
    pub next: Option<String>,
    /// When that may be asked for, in seconds from now.
    pub next_after_s: Option<u32>,
    /// Why it is asked for another time; null the first time.
    pub again: Option<AskedAgain>,
}

/// Data of `account.login.password_needed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoginPasswordNeeded {
    /// Names this login in the orders that answer it.
    pub login_id: String,
    /// The public key to seal the password to (base64).
    pub seal_key: String,
    /// The hint that the account's owner set for the password.
    pub hint: Option<String>,
    /// Why it is asked for another time; null the first time.
    pub again: Option<AskedAgain>,
}

/// Why a login asks for the same another time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AskedAgain {
    /// What was given was wrong.
    Wrong,
    /// The connection to Telegram broke while it was checked.
    Interrupted,
    /// There is no other way to send it.
    NoOtherWay,
}

/// Data of `account.login.failed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoginFailed {
    /// Names the login.
    pub login_id: String,
    /// Telegram's name of the error, or one of Queuegram's.
    pub reason: String,
}

/// Data of `command.delayed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CommandDelayed {
    /// The class of calls that it waits for.
    pub class: String,
    /// The limit: Telegram's name of it, or `BUDGET_SPENT`.
    pub reason: String,
    /// When it is expected to go on; null where a person has to resume the class first.
    #[serde(with = "crate::time::optional_rfc3339_ms")]
    #[schemars(with = "Option<DateTime<Utc>>")]
    pub retry_at: Option<DateTime<Utc>>,
}

/// Data of `command.unknown`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CommandUnknown {
    /// What was asked for.
    pub method: MethodName,
    /// The step that may or may not have happened.
    pub step: Option<String>,
}

/// Data of `command.resolved`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ResolvedByHand {
    /// What was asked for.
    pub method: MethodName,
    /// What came of it, as the person found: `done` or `failed`.
    pub status: Status,
    /// Who decided.
    pub by: Option<String>,
}

/// Data of `command.dead`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CommandDead {
    /// The queue that keeps it.
    pub queue: String,
    /// The `error_code` that it was answered with.
    pub reason: String,
}

/// Data of `group.created`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GroupCreated {
    /// The group's title.
    pub title: String,
}

/// Data of `group.renamed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GroupRenamed {
    /// The new title.
    pub title: String,
}

/// Data of `group.deleted`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GroupDeleted {
    /// The title that it had, where that is known.
    pub title: Option<String>,
}

/// Data of `group.migrated`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GroupMigrated {
    /// The basic group.
    pub from: ChatId,
    /// The supergroup that it became.
    pub to: ChatId,
}

/// Data of `group.member_joined`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MemberJoined {
    /// Who.
    pub user_id: UserId,
    /// The invite link that they came by.
    pub link: Option<String>,
}

/// Data of `group.member_left`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MemberLeft {
    /// Who.
    pub user_id: UserId,
    /// The invite link that they had come by, where that is known.
    pub link: Option<String>,
}

/// Data of `reply.undeliverable`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReplyUndeliverable {
    /// The exchange that it was published to; empty for the default one.
    pub exchange: String,
    /// The routing key, or the queue.
    pub routing_key: String,
    /// How the command had ended.
    pub status: Status,
}

/// Data of `limit.hit`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LimitHit {
    /// The class of calls.
    pub class: String,
    /// Telegram's name of the limit.
    pub reason: String,
    /// Until when.
    #[serde(with = "crate::time::optional_rfc3339_ms")]
    #[schemars(with = "Option<DateTime<Utc>>")]
    pub until: Option<DateTime<Utc>>,
}

/// Data of `limit.paused`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LimitPaused {
    /// The class of calls.
    pub class: String,
    /// Why, in a sentence for people.
    pub reason: Option<String>,
    /// Until when.
    #[serde(with = "crate::time::optional_rfc3339_ms")]
    #[schemars(with = "Option<DateTime<Utc>>")]
    pub until: Option<DateTime<Utc>>,
}

/// Data of `limit.resumed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LimitResumed {
    /// The class of calls.
    pub class: String,
    /// Always null; the field is there so that the three limit events read alike.
    #[serde(with = "crate::time::optional_rfc3339_ms")]
    #[schemars(with = "Option<DateTime<Utc>>")]
    pub until: Option<DateTime<Utc>>,
}

/// Data of `limit.groups_near_full`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GroupsNearFull {
    /// How many groups the account is in.
    pub groups: u32,
    /// How many Telegram allows it.
    pub groups_max: u32,
}
