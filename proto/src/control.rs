//! Orders on the control exchange: what must not wait behind an instance's commands. They have the
//! envelope of a command and get the result of one; here are their names, params and results.
//!
//! Codes and passwords travel sealed to the service's key, which `account.get` tells.

mod audit;
mod command;
mod identity;
mod limits;
mod login;
mod settings;
mod vault;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::event::AccountState;
use crate::ids::{InstanceId, MethodName, UserId};

pub use audit::{
    AUDIT_VERSION, AuditActor, AuditKind, AuditList, AuditListed, AuditRecord, AuditReseal,
    AuditResealed,
};
pub use command::{
    CommandById, CommandCancel, CommandCancelled, CommandDecision, CommandFilter, CommandInfo,
    CommandList, CommandListed, CommandResolve, CommandResolved, CommandRow, CommandState, Verdict,
};

pub use identity::{
    AccountSealKey, ApplicationParams, DeviceParams, IdentityInfo, ProxyInfo, ProxyParams,
};
pub use limits::{
    AccountForecast, AccountLimits, AccountSetLimits, BudgetParams, ChatLimit, ClassLimit,
    Forecast, GroupsUsed,
};
pub use login::{AccountExport, AccountExported, AccountLogin, LoginImport};
pub use settings::{AccountSet, AccountSetKey, ApiKeyInfo};
pub use vault::{
    AccountRestore, AccountRestored, BackupRecord, VaultBackedUp, VaultBackup, VaultChecked,
    VaultClaimed, VaultRecord, VaultResealed,
};

/// The names of the orders.
pub mod method {
    /// Makes a new instance.
    pub const ACCOUNT_ADD: &str = "account.add";
    /// Logs an instance out at Telegram and forgets everything about it.
    pub const ACCOUNT_REMOVE: &str = "account.remove";
    /// Changes an instance's settings.
    pub const ACCOUNT_SET: &str = "account.set";
    /// Tells the key to which secrets are sealed.
    pub const ACCOUNT_SEAL_KEY: &str = "account.seal_key";
    /// Gives an instance a new API key.
    pub const ACCOUNT_SET_KEY: &str = "account.set_key";
    /// Disconnects an instance until it is started again; its login stays.
    pub const ACCOUNT_STOP: &str = "account.stop";
    /// Connects it again.
    pub const ACCOUNT_START: &str = "account.start";
    /// Begins to log an instance in.
    pub const ACCOUNT_LOGIN: &str = "account.login";
    /// Gives a login what it waits for.
    pub const ACCOUNT_LOGIN_ANSWER: &str = "account.login_answer";
    /// Gives a login up.
    pub const ACCOUNT_LOGIN_CANCEL: &str = "account.login_cancel";
    /// Gives a backup of an instance's login.
    pub const ACCOUNT_EXPORT: &str = "account.export";
    /// Tells how an instance stands.
    pub const ACCOUNT_GET: &str = "account.get";
    /// Lists all instances.
    pub const ACCOUNT_LIST: &str = "account.list";
    /// Tells how often an account may call Telegram, and how it stands with that.
    pub const ACCOUNT_LIMITS: &str = "account.limits";
    /// Changes an account's own limits.
    pub const ACCOUNT_SET_LIMITS: &str = "account.set_limits";
    /// Tells when a command could be carried out.
    pub const ACCOUNT_FORECAST: &str = "account.forecast";
    /// Has an instance, or all of them, take no commands.
    pub const ACCOUNT_PAUSE: &str = "account.pause";
    /// Has it take commands again.
    pub const ACCOUNT_RESUME: &str = "account.resume";
    /// Tells how a command stands.
    pub const COMMAND_GET: &str = "command.get";
    /// Lists the commands of an instance.
    pub const COMMAND_LIST: &str = "command.list";
    /// Takes a command back before its first step.
    pub const COMMAND_CANCEL: &str = "command.cancel";
    /// Notes what a person found out about a command whose effect was unknown.
    pub const COMMAND_RESOLVE: &str = "command.resolve";

    /// Seals an instance's records in the vault anew, with the key that seals now.
    pub const ACCOUNT_RESEAL: &str = "account.reseal";
    /// The same for the vault's own records.
    pub const VAULT_RESEAL: &str = "vault.reseal";
    /// Tries an instance's records in the vault, or the vault's own.
    pub const VAULT_VERIFY: &str = "vault.verify";
    /// Hands out an instance's records in the vault, sealed as they are.
    pub const VAULT_BACKUP: &str = "vault.backup";
    /// Puts an instance back from such records.
    pub const ACCOUNT_RESTORE: &str = "account.restore";
    /// Makes the vault this site's.
    pub const VAULT_CLAIM: &str = "vault.claim";
    /// Seals some batches of the audit log anew, with the key that seals now.
    pub const AUDIT_RESEAL: &str = "audit.reseal";
    /// Tells who did what to which account.
    pub const AUDIT_LIST: &str = "audit.list";

    /// All of them: the methods that a delivery on the control exchange may name.
    pub const ALL: &[&str] = &[
        ACCOUNT_ADD,
        ACCOUNT_REMOVE,
        ACCOUNT_SET,
        ACCOUNT_SEAL_KEY,
        ACCOUNT_SET_KEY,
        ACCOUNT_STOP,
        ACCOUNT_START,
        ACCOUNT_LOGIN,
        ACCOUNT_LOGIN_ANSWER,
        ACCOUNT_LOGIN_CANCEL,
        ACCOUNT_EXPORT,
        ACCOUNT_GET,
        ACCOUNT_LIST,
        ACCOUNT_LIMITS,
        ACCOUNT_SET_LIMITS,
        ACCOUNT_FORECAST,
        ACCOUNT_PAUSE,
        ACCOUNT_RESUME,
        COMMAND_GET,
        COMMAND_LIST,
        COMMAND_CANCEL,
        COMMAND_RESOLVE,
        ACCOUNT_RESEAL,
        VAULT_RESEAL,
        VAULT_VERIFY,
        VAULT_BACKUP,
        ACCOUNT_RESTORE,
        VAULT_CLAIM,
        AUDIT_RESEAL,
        AUDIT_LIST,
    ];
}

/// Params of `account.add`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountAdd {
    /// A name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Where its admin is told of states and limits: an address (`https://…`) that each such event is posted to, or
    /// the name of a queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notify: Option<String>,
    /// SHA-256 (hex) of the API key that commands may show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key_sha256: Option<String>,
    /// Whether commands must show it.
    #[serde(default)]
    pub require_api_key: bool,
    /// How the account presents itself, where that is not to be as configured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<DeviceParams>,
    /// The application by which it logs in, where that is not to be the configured one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<ApplicationParams>,
    /// By which way it goes out, where not straight on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy: Option<ProxyParams>,
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

/// Params of `account.login_answer`: one of the three.
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
    /// Send the code another way: as `account.login.code_needed` says in `next`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub resend: bool,
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
    /// Words to find it by.
    #[serde(default)]
    pub tags: Vec<String>,
    /// A text for people.
    #[serde(default)]
    pub notes: Option<String>,
    /// Where its admin is told of states and limits: a queue, or an address without its path.
    #[serde(default)]
    pub notify: Option<String>,
    /// How it stands.
    pub state: AccountState,
    /// Why, where there is a reason.
    pub reason: Option<String>,
    /// Since when.
    #[serde(with = "crate::time::optional_rfc3339_ms")]
    #[schemars(with = "Option<DateTime<Utc>>")]
    pub since: Option<DateTime<Utc>>,
    /// Until when, where that is known.
    #[serde(default, with = "crate::time::optional_rfc3339_ms")]
    #[schemars(with = "Option<DateTime<Utc>>")]
    pub until: Option<DateTime<Utc>>,
    /// The account's own id, once it has been logged in.
    pub user_id: Option<UserId>,
    /// The account's username, without `@`.
    pub username: Option<String>,
    /// Whether commands must show an API key.
    pub require_api_key: bool,
    /// Its API keys, newest first.
    #[serde(default)]
    pub api_keys: Vec<ApiKeyInfo>,
    /// The public key to seal phone numbers, codes and passwords to (base64).
    pub seal_key: Option<String>,
    /// How the account presents itself to Telegram.
    #[serde(default)]
    pub identity: Option<IdentityInfo>,
    /// By which proxy it goes out; null: straight on.
    #[serde(default)]
    pub proxy: Option<ProxyInfo>,
    /// What is paused of it, by its own pauses and by those of all instances.
    #[serde(default)]
    pub pauses: Vec<PauseInfo>,
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

/// Params of `account.pause`; its routing key `_.account.pause` pauses all instances.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountPause {
    /// Only commands of these methods, or calls of a class (`class.invite`); none given means all
    /// commands.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<MethodName>,
    /// Why, in a sentence for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who says so, where the broker does not vouch for the asker's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// Params of `account.resume`; its routing key `_.account.resume` ends the pauses of all instances
/// together, and leaves those of single ones.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountResume {
    /// Only the pauses of these methods, or classes of calls (`class.invite`); none given means every
    /// pause.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<MethodName>,
}

/// Result of `account.pause` and `account.resume`: what is paused from now on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AccountPauses {
    /// Of which instance; null for all of them.
    pub instance: Option<InstanceId>,
    /// The pauses that hold for it.
    pub pauses: Vec<PauseInfo>,
}

/// One pause.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PauseInfo {
    /// Whether it holds for all instances.
    pub all_instances: bool,
    /// The method whose commands wait, or `class.` and a class of calls; null where all do.
    pub method: Option<MethodName>,
    /// Since when.
    #[serde(with = "crate::time::rfc3339_ms")]
    #[schemars(with = "DateTime<Utc>")]
    pub since: DateTime<Utc>,
    /// By whom.
    pub by: Option<String>,
    /// Why.
    pub reason: Option<String>,
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
