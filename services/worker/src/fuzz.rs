//! A door for `tests/fuzz` to what reads params; nothing else may use it.

use proto::Fault;
use serde_json::{Map, Value};

use crate::contract::ORDERS;
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
    let order = ORDERS.iter().find(|order| order.name == name)?;
    Some((order.spell)(params))
}
