//! The orders of `tg.control`, with the types of their params and results.

use proto::Fault;
use proto::control::{
    AccountAdd, AccountAdded, AccountExport, AccountExported, AccountForecast, AccountInfo,
    AccountLimits, AccountList, AccountLoggedIn, AccountLogin, AccountPause, AccountPauses,
    AccountRemove, AccountRemoved, AccountRestore, AccountRestored, AccountResume, AccountSealKey,
    AccountSet, AccountSetKey, AccountSetLimits, AuditList, AuditListed, AuditReseal,
    AuditResealed, CommandById, CommandCancel, CommandCancelled, CommandInfo, CommandList,
    CommandListed, CommandResolve, CommandResolved, Forecast, LoginAccepted, LoginAnswer,
    LoginCancel, NoParams, VaultBackedUp, VaultBackup, VaultChecked, VaultClaimed, VaultResealed,
    method,
};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::method::read_params;

type Params = Map<String, Value>;

/// One order.
pub struct Order {
    /// Its name, `account.add`.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub text: &'static str,
    /// The schema of its params.
    pub params: fn(&mut SchemaGenerator) -> Schema,
    /// The schema of its result.
    pub result: fn(&mut SchemaGenerator) -> Schema,
    /// Its params as their type writes them, where they can be read.
    pub spell: fn(&Params) -> Result<Params, Fault>,
}

/// Every order that a worker follows.
pub const ORDERS: &[Order] = &[
    order::<AccountAdd, AccountAdded>(method::ACCOUNT_ADD, "Makes an instance."),
    order::<NoParams, AccountInfo>(method::ACCOUNT_GET, "Tells how an instance stands."),
    order::<NoParams, AccountList>(
        method::ACCOUNT_LIST,
        "Lists all instances; its routing key is `_.account.list`.",
    ),
    order::<AccountLogin, AccountLoggedIn>(
        method::ACCOUNT_LOGIN,
        "Logs an instance in, by phone number, by QR code or by a login that is there already. The \
         answer comes at the login's end; its questions are events.",
    ),
    order::<LoginAnswer, LoginAccepted>(
        method::ACCOUNT_LOGIN_ANSWER,
        "Gives a login the code or password that it waits for, or asks for another code.",
    ),
    order::<LoginCancel, LoginAccepted>(method::ACCOUNT_LOGIN_CANCEL, "Gives a login up."),
    order::<AccountExport, AccountExported>(
        method::ACCOUNT_EXPORT,
        "Gives a backup of an instance's login, sealed with the vault's key.",
    ),
    order::<AccountRemove, AccountRemoved>(
        method::ACCOUNT_REMOVE,
        "Logs an instance out at Telegram and forgets everything about it.",
    ),
    order::<AccountSet, AccountInfo>(
        method::ACCOUNT_SET,
        "Changes an instance's label, tags, notes, whether its commands must show an API key, by which \
         proxy its account goes out, and, before the first login, how it presents itself.",
    ),
    order::<NoParams, AccountSealKey>(
        method::ACCOUNT_SEAL_KEY,
        "Tells the key to which secrets in orders are sealed; its routing key is `_.account.seal_key`.",
    ),
    order::<AccountSetKey, AccountInfo>(
        method::ACCOUNT_SET_KEY,
        "Gives an instance a new API key, beside the last one or instead of all.",
    ),
    order::<NoParams, AccountInfo>(
        method::ACCOUNT_STOP,
        "Disconnects an instance until it is started again. Its login stays; its commands wait.",
    ),
    order::<NoParams, AccountInfo>(method::ACCOUNT_START, "Connects a stopped instance again."),
    order::<NoParams, AccountLimits>(
        method::ACCOUNT_LIMITS,
        "Tells how often the account may call Telegram, what of that is used, and what is shut.",
    ),
    order::<AccountSetLimits, AccountLimits>(
        method::ACCOUNT_SET_LIMITS,
        "Gives an instance budgets of its own, at once and for good.",
    ),
    order::<AccountForecast, Forecast>(
        method::ACCOUNT_FORECAST,
        "Tells when a command of a method could be carried out.",
    ),
    order::<AccountPause, AccountPauses>(
        method::ACCOUNT_PAUSE,
        "Has an instance take no commands, or none of some methods; its routing key \
         `_.account.pause` all instances.",
    ),
    order::<AccountResume, AccountPauses>(
        method::ACCOUNT_RESUME,
        "Ends pauses of an instance; its routing key `_.account.resume` those of all instances.",
    ),
    order::<CommandById, CommandInfo>(
        method::COMMAND_GET,
        "Tells how a command stands, with its recorded result.",
    ),
    order::<CommandList, CommandListed>(
        method::COMMAND_LIST,
        "Lists the commands that the ledger knows, page by page, without their results.",
    ),
    order::<CommandCancel, CommandCancelled>(
        method::COMMAND_CANCEL,
        "Takes a command back before its first step, also one that has not arrived.",
    ),
    order::<CommandResolve, CommandResolved>(
        method::COMMAND_RESOLVE,
        "Notes what a person found out about a command whose effect nobody knows.",
    ),
    order::<NoParams, VaultResealed>(
        method::ACCOUNT_RESEAL,
        "Seals an instance's records in the vault anew, where a former key sealed them.",
    ),
    order::<NoParams, VaultResealed>(
        method::VAULT_RESEAL,
        "The same for the vault's own records; its routing key is `_.vault.reseal`.",
    ),
    order::<NoParams, VaultChecked>(
        method::VAULT_VERIFY,
        "Tries to open an instance's records in the vault; with the routing key `_.vault.verify` the \
         vault's own.",
    ),
    order::<VaultBackup, VaultBackedUp>(
        method::VAULT_BACKUP,
        "Hands out an instance's newest records, sealed with the vault's key; with the routing key \
         `_.vault.backup` the vault's id.",
    ),
    order::<AccountRestore, AccountRestored>(
        method::ACCOUNT_RESTORE,
        "Puts an instance that the vault does not have back from such records. It stays stopped, \
         unless it is to be started.",
    ),
    order::<NoParams, VaultClaimed>(
        method::VAULT_CLAIM,
        "Makes the vault, or this copy of it, this site's; its routing key is `_.vault.claim`.",
    ),
    order::<AuditReseal, AuditResealed>(
        method::AUDIT_RESEAL,
        "Seals batches of the audit log anew, where a former key sealed them, some at a time; its \
         routing key is `_.audit.reseal`.",
    ),
    order::<AuditList, AuditListed>(
        method::AUDIT_LIST,
        "Tells who did what to which account, the newest first, page by page; its routing key is \
         `_.audit.list`.",
    ),
];

const fn order<P, R>(name: &'static str, text: &'static str) -> Order
where
    P: JsonSchema + DeserializeOwned + Serialize,
    R: JsonSchema,
{
    Order {
        name,
        text,
        params: |schemas| P::json_schema(schemas),
        result: |schemas| R::json_schema(schemas),
        spell: |params| match serde_json::to_value(read_params::<P>(params)?) {
            Ok(Value::Object(written)) => Ok(written),
            other => Err(Fault::internal(format!("not written as an object: {other:?}"))),
        },
    }
}
