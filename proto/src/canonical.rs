//! One spelling for every JSON value, and its hash: how the same request is told from another one
//! under the same id. Order of fields, null fields and `5` or `5.0` make no difference.

use serde_json::{Map, Number, Value};
use sha2::{Digest, Sha256};

use crate::ids::{ExternalRef, MethodName};

/// The canonical spelling: fields sorted, null fields left out, whole numbers without a fraction.
#[must_use]
pub fn canonical(value: &Value) -> String {
    sorted(value).to_string()
}

/// SHA-256 (lower-case hex) of what makes a request the same request.
#[must_use]
pub fn request_hash(
    method: &MethodName,
    params: &Map<String, Value>,
    external_ref: Option<&ExternalRef>,
) -> String {
    let mut request = Map::new();
    request.insert("method".to_owned(), method.as_str().into());
    request.insert("params".to_owned(), Value::Object(params.clone()));
    request.insert("ref".to_owned(), external_ref.map_or(Value::Null, |r| r.as_str().into()));
    sha256_hex(canonical(&Value::Object(request)).as_bytes())
}

/// SHA-256 in lower-case hex.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().filter(|(_, v)| !v.is_null()).collect();
            fields.sort_by(|a, b| a.0.cmp(b.0));
            fields.into_iter().map(|(name, value)| (name.clone(), sorted(value))).collect()
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        Value::Number(number) => Value::Number(whole(number)),
        other => other.clone(),
    }
}

fn whole(number: &Number) -> Number {
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    match number.as_f64() {
        Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < EXACT_MAX =>
        {
            #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
            Number::from(float as i64)
        }
        _ => number.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn hash(params: Value) -> String {
        let Value::Object(params) = params else { panic!("no object") };
        request_hash(&"group.create".parse().unwrap(), &params, None)
    }

    #[test]
    fn spelling_makes_no_difference() {
        assert_eq!(
            canonical(&json!({"b":[1.0,{"d":null,"c":"x"}],"a":2})),
            r#"{"a":2,"b":[1,{"c":"x"}]}"#
        );
        assert_eq!(hash(json!({"a":1,"b":null})), hash(json!({"a":1.0})));
    }

    #[test]
    fn content_makes_a_difference() {
        let base = hash(json!({"members":["@a","@b"]}));
        assert_ne!(base, hash(json!({"members":["@b","@a"]})));
        assert_ne!(base, hash(json!({"members":["@a"]})));
        assert_ne!(hash(json!({"a":"1"})), hash(json!({"a":1})));
        assert_ne!(hash(json!({"a":false})), hash(json!({})));
        let method = "group.create".parse().unwrap();
        let with_ref = request_hash(&method, &Map::new(), Some(&"deal-77".parse().unwrap()));
        assert_ne!(with_ref, hash(json!({})));
        assert_ne!(
            request_hash(&"group.rename".parse().unwrap(), &Map::new(), None),
            hash(json!({}))
        );
    }
}
