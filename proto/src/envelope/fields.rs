//! The fields of the envelope: telling them from params, refusing what is neither, reading each.

use serde_json::{Map, Value};

use crate::command::OnFlood;
use crate::fault::{Fault, code};
use crate::hint::{SLIP_MAX, nearest};
use crate::ids::{ExternalRef, IdError, quoted};

/// Every field that the body of a command may have at its top.
pub const FIELDS: [&str; 12] = [
    "id",
    "method",
    "action",
    "instance",
    "params",
    "correlation_id",
    "reply_to",
    "callback_url",
    "deadline",
    "external_ref",
    "on_flood",
    "api_key",
];

/// A body taken apart. Fields that are null are left out, as if they had not been given.
pub(super) struct Envelope {
    pub fields: Map<String, Value>,
    pub params: Map<String, Value>,
}

impl Envelope {
    /// With `params`, nothing else may stand beside the envelope; without, all else are params.
    pub fn split(body: Map<String, Value>) -> Result<Self, Fault> {
        let (mut fields, others): (Map<_, _>, Map<_, _>) =
            body.into_iter().partition(|(name, _)| FIELDS.contains(&name.as_str()));
        fields.retain(|_, value| !value.is_null());
        match fields.remove("params") {
            Some(Value::Object(params)) => match others.keys().next() {
                Some(stray) => Err(unknown_beside_params(stray)),
                None => Ok(Self { fields, params }),
            },
            Some(other) => Err(wrong_type("params", "an object", &other)),
            None => match others.keys().find_map(|name| Some((name, nearest(name, FIELDS, 1)?))) {
                // A slip in `deadline` must not become a param, and so "no deadline".
                Some((slip, meant)) => Err(unknown(slip, &format!("did you mean `{meant}`?"))),
                None => Ok(Self { fields, params: others }),
            },
        }
    }
}

fn unknown_beside_params(name: &str) -> Fault {
    match nearest(name, FIELDS, SLIP_MAX) {
        Some(meant) => unknown(name, &format!("did you mean `{meant}`?")),
        None => unknown(name, "beside `params` only the envelope's own fields may stand"),
    }
}

fn unknown(name: &str, hint: &str) -> Fault {
    Fault::invalid(code::FIELD_UNKNOWN, format!("unknown field {}: {hint}", quoted(name)))
}

/// A field that is text, if it is there.
pub(super) fn text_field(fields: &Map<String, Value>, name: &str) -> Result<Option<String>, Fault> {
    match fields.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(other) => Err(wrong_type(name, "a string", other)),
    }
}

/// Only echoed, so a number will do as well.
pub(super) fn correlation_id(fields: &Map<String, Value>) -> Result<Option<String>, Fault> {
    match fields.get("correlation_id") {
        Some(Value::Number(number)) => Ok(Some(number.to_string())),
        _ => text_field(fields, "correlation_id"),
    }
}

pub(super) fn external_ref(fields: &Map<String, Value>) -> Result<Option<ExternalRef>, Fault> {
    let text = text_field(fields, "external_ref")?;
    text.map(TryInto::try_into).transpose().map_err(|error: IdError| {
        Fault::invalid(code::FIELD_INVALID, format!("`external_ref`: {error}"))
    })
}

pub(super) fn on_flood(fields: &Map<String, Value>) -> Result<OnFlood, Fault> {
    match text_field(fields, "on_flood")?.as_deref() {
        None | Some("wait") => Ok(OnFlood::Wait),
        Some("fail") => Ok(OnFlood::Fail),
        Some(other) => Err(Fault::invalid(
            code::FIELD_INVALID,
            format!("`on_flood` is `wait` or `fail`; got {}", quoted(other)),
        )),
    }
}

fn wrong_type(name: &str, expected: &str, got: &Value) -> Fault {
    Fault::invalid(
        code::FIELD_INVALID,
        format!("`{name}` must be {expected}; got {}", type_of(got)),
    )
}

/// The JSON type of a value, in words.
pub(super) fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn split(body: Value) -> Result<Envelope, Fault> {
        let Value::Object(body) = body else { panic!("no object") };
        Envelope::split(body)
    }

    #[test]
    fn params_stand_in_their_field_or_beside_the_envelope() {
        let nested = split(json!({"id":"a","params":{"title":"T"},"deadline":null})).ok().unwrap();
        let flat = split(json!({"id":"a","title":"T"})).ok().unwrap();
        assert_eq!(nested.params, flat.params);
        assert_eq!(nested.fields, flat.fields);
    }

    #[test]
    fn no_param_of_a_method_is_taken_for_a_slip() {
        let params = json!({
            "title":1, "members":1, "admins":1, "kind":1, "about":1, "invite_link":1,
            "on_blocked":1, "chat_id":1, "ban":1, "expires_at":1, "usage_limit":1, "approval":1,
            "link":1, "confirm_title":1, "user":1, "text":1, "silent":1, "limit":1, "offset":1,
            "import_contacts":1, "label":1, "confirm":1, "phone":1, "login_id":1, "code":1,
            "password":1, "api_key_sha256":1, "require_api_key":1, "user_id":1, "query":1
        });
        let count = params.as_object().unwrap().len();
        assert_eq!(split(params).ok().unwrap().params.len(), count);
    }

    #[test]
    fn slips_and_strays_are_named() {
        for (body, words) in [
            (json!({"id":"a","dead_line":"x"}), "`dead_line`: did you mean `deadline`?"),
            (json!({"params":{},"dead_line":"x"}), "`dead_line`: did you mean `deadline`?"),
            (json!({"params":{},"replyTo":"x"}), "`replyTo`: did you mean `reply_to`?"),
            (json!({"params":{},"title":"x"}), "`title`: beside `params`"),
            (json!({"params":"{}"}), "`params` must be an object; got a string"),
        ] {
            let message = split(body).err().unwrap().message;
            assert!(message.contains(words), "{message}");
        }
    }
}
