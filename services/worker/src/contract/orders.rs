//! The orders of `tg.control`, with the types of their params and results.

use proto::control::{
    AccountAdd, AccountAdded, AccountInfo, AccountList, AccountLoggedIn, AccountLogin,
    AccountRemove, AccountRemoved, CommandById, CommandInfo, LoginAccepted, LoginAnswer,
    LoginCancel, NoParams, method,
};
use schemars::{JsonSchema, Schema, SchemaGenerator};

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
        "Logs an instance in by phone. The answer comes at the login's end; its questions are \
         events.",
    ),
    order::<LoginAnswer, LoginAccepted>(
        method::ACCOUNT_LOGIN_ANSWER,
        "Gives a login the code or password that it waits for.",
    ),
    order::<LoginCancel, LoginAccepted>(method::ACCOUNT_LOGIN_CANCEL, "Gives a login up."),
    order::<AccountRemove, AccountRemoved>(
        method::ACCOUNT_REMOVE,
        "Logs an instance out at Telegram and forgets everything about it.",
    ),
    order::<CommandById, CommandInfo>(
        method::COMMAND_GET,
        "Tells how a command stands, with its recorded result.",
    ),
];

const fn order<P: JsonSchema, R: JsonSchema>(name: &'static str, text: &'static str) -> Order {
    Order {
        name,
        text,
        params: |schemas| P::json_schema(schemas),
        result: |schemas| R::json_schema(schemas),
    }
}
