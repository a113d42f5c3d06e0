//! The form of the admin port's errors, and the reading of bodies.

use axum::Json;
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::rpc_error::RpcError;
use crate::script::BadRule;
use crate::world::{BadField, UserId, World};

/// What every endpoint gives.
pub type Answer = Result<Json<Value>, Refused>;

/// 400, with the field that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    field: String,
    message: String,
}

impl Refused {
    /// This field, for this reason.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let body = json!({ "error": { "field": self.field, "message": self.message } });
        (StatusCode::BAD_REQUEST, Json(body)).into_response()
    }
}

impl From<BadField> for Refused {
    fn from(bad: BadField) -> Self {
        Self::new(bad.field, bad.reason)
    }
}

impl From<BadRule> for Refused {
    fn from(bad: BadRule) -> Self {
        Self::new(bad.field, bad.reason)
    }
}

/// What Telegram would answer stands for what can't be done here either.
impl From<RpcError> for Refused {
    fn from(error: RpcError) -> Self {
        Self::new("request", error.name)
    }
}

/// Reads a body; an unknown or wrong field is named with its path.
pub fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, Refused> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let message = error.inner().to_string();
        // An unknown or missing field is told by its parent's path; its name stands in the message.
        let named = message.split('`').nth(1).filter(|_| {
            message.starts_with("unknown field") || message.starts_with("missing field")
        });
        let field = match (path.as_str(), named) {
            (".", Some(name)) => name.to_owned(),
            (path, Some(name)) if !path.ends_with(name) => format!("{path}.{name}"),
            (path, _) => path.to_owned(),
        };
        Refused::new(field, message)
    })?;
    json.end().map_err(|error| Refused::new(".", error.to_string()))?;
    Ok(value)
}

/// The account that a path names.
pub fn user(world: &World, id: &str) -> Result<UserId, Refused> {
    let id = id.parse().map(UserId).ok().filter(|id| world.users.contains_key(id));
    id.ok_or_else(|| Refused::new("id", "there is no such user"))
}

/// A path that is none.
pub async fn no_such_path() -> Response {
    let body = json!({ "error": { "field": "path", "message": "there is no such path" } });
    (StatusCode::NOT_FOUND, Json(body)).into_response()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        #[serde(rename = "a")]
        _a: u32,
        #[serde(rename = "inner")]
        _inner: Option<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[serde(rename = "b")]
        _b: bool,
    }

    #[test]
    fn the_field_is_named_with_its_path() {
        for (body, field) in [
            (r#"{"a":1,"inner":{"b":2}}"#, "inner.b"),
            (r#"{"a":1,"inner":{"b":true,"c":1}}"#, "inner.c"),
            (r#"{"a":1,"inner":{}}"#, "inner.b"),
            (r#"{"a":1,"x":1}"#, "x"),
            (r#"{"a":"1"}"#, "a"),
            (r#"{}"#, "a"),
            (r#"{"a":1} x"#, "."),
            ("nonsense", "."),
        ] {
            let refused = read::<Outer>(&Bytes::from_static(body.as_bytes())).unwrap_err();
            assert_eq!(refused.field, field, "{body}: {}", refused.message);
        }
    }
}
