//! A door for `tests/fuzz` to what reads params; nothing else may use it.

use proto::Fault;
use proto::control::{self, method};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::method::read_params;
use crate::methods;

type Params = Map<String, Value>;

/// The params of a method, as its type writes them; none where there is no such method.
#[must_use]
pub fn method(name: &str, params: &Params) -> Option<Result<Params, Fault>> {
    let entry = methods::find(name)?;
    Some((entry.parse)(params).map(|prepared| prepared.normalised()))
}

/// The names of the methods.
#[must_use]
pub fn methods() -> Vec<&'static str> {
    methods::all().iter().map(|entry| entry.name).collect()
}

/// The params of an order, as its type writes them; none where there is no such order.
#[must_use]
pub fn order(name: &str, params: &Params) -> Option<Result<Params, Fault>> {
    let read = match name {
        method::ACCOUNT_ADD => again::<control::AccountAdd>,
        method::ACCOUNT_REMOVE => again::<control::AccountRemove>,
        method::ACCOUNT_SET => again::<control::AccountSet>,
        method::ACCOUNT_SET_KEY => again::<control::AccountSetKey>,
        method::ACCOUNT_LOGIN => again::<control::AccountLogin>,
        method::ACCOUNT_LOGIN_ANSWER => again::<control::LoginAnswer>,
        method::ACCOUNT_LOGIN_CANCEL => again::<control::LoginCancel>,
        method::ACCOUNT_SET_LIMITS => again::<control::AccountSetLimits>,
        method::ACCOUNT_FORECAST => again::<control::AccountForecast>,
        method::ACCOUNT_PAUSE => again::<control::AccountPause>,
        method::ACCOUNT_RESUME => again::<control::AccountResume>,
        method::COMMAND_GET => again::<control::CommandById>,
        method::COMMAND_LIST => again::<control::CommandList>,
        method::COMMAND_CANCEL => again::<control::CommandCancel>,
        method::COMMAND_RESOLVE => again::<control::CommandResolve>,
        method::ACCOUNT_STOP
        | method::ACCOUNT_START
        | method::ACCOUNT_GET
        | method::ACCOUNT_LIST
        | method::ACCOUNT_LIMITS => again::<control::NoParams>,
        _ => return None,
    };
    Some(read(params))
}

fn again<P: DeserializeOwned + Serialize>(params: &Params) -> Result<Params, Fault> {
    match serde_json::to_value(read_params::<P>(params)?) {
        Ok(Value::Object(written)) => Ok(written),
        other => Err(Fault::internal(format!("not written as an object: {other:?}"))),
    }
}
