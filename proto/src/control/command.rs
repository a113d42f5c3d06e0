//! Orders about commands: their params and results.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::{ChatId, CommandId, MethodName};
use crate::outcome::{CommandResult, Status};

/// Params of `command.get`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommandById {
    /// The id of the command that is asked about, not of this order.
    pub id: CommandId,
}

/// Result of `command.get`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CommandInfo {
    /// What it asked for.
    pub method: Option<MethodName>,
    /// Where it stands.
    pub state: CommandState,
    /// How often the work on it was begun.
    pub attempts: u32,
    /// When Queuegram first received it.
    #[serde(with = "crate::time::rfc3339_ms")]
    #[schemars(with = "DateTime<Utc>")]
    pub received_at: DateTime<Utc>,
    /// Its result, once there is one.
    pub result: Option<CommandResult>,
    /// When it was cancelled, if it was.
    #[serde(default, with = "crate::time::optional_rfc3339_ms")]
    #[schemars(with = "Option<DateTime<Utc>>")]
    pub cancelled_at: Option<DateTime<Utc>>,
    /// The lane that it waits in, while it is parked: a class of calls, or `slow.` and a chat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<String>,
    /// The limit that it waits for: Telegram's name of it, or one of ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<String>,
    /// When it is expected to go on; none where it is not parked, or a person has to resume it.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "crate::time::optional_rfc3339_ms"
    )]
    #[schemars(with = "Option<DateTime<Utc>>")]
    pub retry_at: Option<DateTime<Utc>>,
    /// What a person decided about it, if one did.
    #[serde(default)]
    pub decision: Option<CommandDecision>,
}

/// What a person decided about a command whose effect nobody knew.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CommandDecision {
    /// What came of it.
    #[serde(rename = "as")]
    pub verdict: Verdict,
    /// The group that it made or was about.
    pub chat_id: Option<ChatId>,
    /// The person's own words.
    pub note: Option<String>,
    /// Who.
    pub by: Option<String>,
    /// When.
    #[serde(with = "crate::time::rfc3339_ms")]
    #[schemars(with = "DateTime<Utc>")]
    pub at: DateTime<Utc>,
}

/// What a person can find out about a command's effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It was done.
    Done,
    /// Nothing of it was done.
    Failed,
}

impl Verdict {
    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}

/// Params of `command.cancel`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommandCancel {
    /// The id of the command to take back, whether it has arrived or not.
    pub id: CommandId,
}

/// Result of `command.cancel`; also where the command could not be cancelled any more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CommandCancelled {
    /// Whether the command is, or will be, answered `cancelled`.
    pub cancelled: bool,
    /// Where it stands; null where it has not come up yet.
    pub state: Option<CommandState>,
    /// How it ended, where it has.
    pub status: Option<Status>,
}

/// Params of `command.list`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommandList {
    /// Only commands that stand so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<CommandFilter>,
    /// Only commands that were first received at least so many seconds ago.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub older_than_s: Option<u64>,
    /// The most rows of one answer, 1 to 200; 50 where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// `next` of the answer before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// Which commands are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CommandFilter {
    /// Taken, and nothing of it begun.
    Received,
    /// It waits in a lane for a limit; steps of it may be done.
    Parked,
    /// A step of it is begun or done.
    Started,
    /// It has its result, which has not been told yet.
    Finished,
    /// Its result has been told.
    Replied,
    /// Its result is `unknown`, and nobody has decided what came of it.
    Unknown,
}

/// Result of `command.list`. A page may be empty and still have a next one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CommandListed {
    /// The commands, in no order.
    pub commands: Vec<CommandRow>,
    /// The `cursor` of the next page; null where this was the last.
    pub next: Option<String>,
}

/// One command of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CommandRow {
    /// Its id.
    pub id: CommandId,
    /// What it asked for.
    pub method: MethodName,
    /// Where it stands.
    pub state: CommandState,
    /// How it ended, where it has.
    pub status: Option<Status>,
    /// Why it is not `done`.
    pub error_code: Option<String>,
    /// How often the work on it was begun.
    pub attempts: u32,
    /// When Queuegram first received it.
    #[serde(with = "crate::time::rfc3339_ms")]
    #[schemars(with = "DateTime<Utc>")]
    pub received_at: DateTime<Utc>,
    /// Whether the instance's owner has it in hand.
    pub in_hand: bool,
    /// Whether it was cancelled.
    pub cancelled: bool,
    /// Whether a person decided what came of it.
    pub decided: bool,
}

/// Params of `command.resolve`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommandResolve {
    /// The id of the command that was looked into.
    pub id: CommandId,
    /// What came of it.
    #[serde(rename = "as")]
    pub verdict: Verdict,
    /// The group that it made or was about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chat_id: Option<ChatId>,
    /// The person's own words, kept with the command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Who decides, where the broker does not vouch for the asker's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// Result of `command.resolve`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CommandResolved {
    /// What is noted now.
    pub decision: CommandDecision,
    /// The command's result: the decision itself where there was none, else the one that it had.
    pub result: CommandResult,
}

/// Where a command stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CommandState {
    /// Taken, and nothing of it begun.
    Received,
    /// It waits in a lane for a limit; steps of it may be done.
    Parked,
    /// A step of it is begun or done.
    Started,
    /// It has its result.
    Finished,
    /// Its result has been told.
    Replied,
}
