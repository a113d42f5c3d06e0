//! Orders on the control exchange: what must not wait behind an instance's commands. They have the
//! envelope of a command and get the result of one; here are their names, params and results.
//!
//! Codes and passwords travel sealed to the service's key, which `account.get` tells.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::event::AccountState;
use crate::ids::{CommandId, InstanceId, MethodName, UserId};
use crate::outcome::CommandResult;

/// The names of the orders.
pub mod method {
    /// Makes a new instance.
    pub const ACCOUNT_ADD: &str = "account.add";
    /// Logs an instance out at Telegram and forgets everything about it.
    pub const ACCOUNT_REMOVE: &str = "account.remove";
    /// Begins to log an instance in.
    pub const ACCOUNT_LOGIN: &str = "account.login";
    /// Gives a login what it waits for.
    pub const ACCOUNT_LOGIN_ANSWER: &str = "account.login_answer";
    /// Gives a login up.
    pub const ACCOUNT_LOGIN_CANCEL: &str = "account.login_cancel";
    /// Tells how an instance stands.
    pub const ACCOUNT_GET: &str = "account.get";
    /// Lists all instances.
    pub const ACCOUNT_LIST: &str = "account.list";
    /// Tells how a command stands.
    pub const COMMAND_GET: &str = "command.get";

    /// All of them: the methods that a delivery on the control exchange may name.
    pub const ALL: &[&str] = &[
        ACCOUNT_ADD,
        ACCOUNT_REMOVE,
        ACCOUNT_LOGIN,
        ACCOUNT_LOGIN_ANSWER,
        ACCOUNT_LOGIN_CANCEL,
        ACCOUNT_GET,
        ACCOUNT_LIST,
        COMMAND_GET,
    ];
}

/// Params of `account.add`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountAdd {
    /// A name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// SHA-256 (hex) of the API key that commands may show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key_sha256: Option<String>,
    /// Whether commands must show it.
    #[serde(default)]
    pub require_api_key: bool,
}

/// Result of `account.add`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AccountAdded {
    /// The new instance.
    pub instance: InstanceId,
    /// Its state: `new`.
    pub state: AccountState,
}

/// Params of `account.remove`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountRemove {
    /// The instance's id once more, against slips.
    pub confirm: InstanceId,
}

/// Result of `account.remove`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AccountRemoved {
    /// The instance that is no more.
    pub instance: InstanceId,
    /// Whether Telegram confirmed the logout; false where the account had no living login.
    pub logged_out: bool,
}

/// Params of `account.login`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountLogin {
    /// The phone number, sealed to the service's key (base64).
    pub phone: String,
}

/// Result of `account.login`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AccountLoggedIn {
    /// The instance.
    pub instance: InstanceId,
    /// The account's own id.
    pub user_id: UserId,
    /// The account's username, without `@`.
    pub username: Option<String>,
    /// Its state: `online`.
    pub state: AccountState,
}

/// Params of `account.login_answer`: one of `code` and `password`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginAnswer {
    /// The login that asked.
    pub login_id: String,
    /// The code that Telegram sent, sealed to the service's key (base64).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The account's 2FA password, sealed to the service's key (base64).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
}

/// Params of `account.login_cancel`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginCancel {
    /// The login to give up.
    pub login_id: String,
}

/// Result of `account.login_answer` and `account.login_cancel`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoginAccepted {
    /// Always true; what came of it is told by the login's own result.
    pub accepted: bool,
}

/// Params of orders that have none.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoParams {}

/// Result of `account.get`, and one row of `account.list`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AccountInfo {
    /// The instance.
    pub instance: InstanceId,
    /// A name for people.
    pub label: Option<String>,
    /// How it stands.
    pub state: AccountState,
    /// Why, where there is a reason.
    pub reason: Option<String>,
    /// Since when.
    #[serde(with = "crate::time::optional_rfc3339_ms")]
    #[schemars(with = "Option<DateTime<Utc>>")]
    pub since: Option<DateTime<Utc>>,
    /// The account's own id, once it has been logged in.
    pub user_id: Option<UserId>,
    /// The account's username, without `@`.
    pub username: Option<String>,
    /// Whether commands must show an API key.
    pub require_api_key: bool,
    /// The public key to seal phone numbers, codes and passwords to (base64).
    pub seal_key: Option<String>,
    /// When the instance was made.
    #[serde(with = "crate::time::rfc3339_ms")]
    #[schemars(with = "DateTime<Utc>")]
    pub created_at: DateTime<Utc>,
}

/// Result of `account.list`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AccountList {
    /// Every instance, by id.
    pub accounts: Vec<AccountInfo>,
}

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
}

/// Where a command stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CommandState {
    /// Taken, and nothing of it begun.
    Received,
    /// A step of it is begun or done.
    Started,
    /// It has its result.
    Finished,
    /// Its result has been told.
    Replied,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_order_is_a_method_name() {
        for name in method::ALL {
            assert!(name.parse::<MethodName>().is_ok(), "{name}");
        }
    }

    #[test]
    fn an_unknown_param_is_an_error() {
        assert!(serde_json::from_str::<AccountAdd>(r#"{"labell":"x"}"#).is_err());
        assert!(serde_json::from_str::<NoParams>(r#"{"x":1}"#).is_err());
    }
}
