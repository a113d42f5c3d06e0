//! JSON read strictly: bounded in size and depth while it is read, UTF-8 only, no field twice.
//! Every reader of the same bytes then sees the same command.

use std::cell::RefCell;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::DEPTH_MAX;
use crate::fault::{Fault, code};
use crate::ids::quoted;

/// The object that a body is; an empty body is an empty object, as all may be in the properties.
pub(super) fn object(body: &[u8], bytes_max: usize) -> Result<Map<String, Value>, Fault> {
    if body.len() > bytes_max {
        return Err(Fault::malformed(
            code::TOO_LARGE,
            format!("a body has at most {bytes_max} bytes; got {}", body.len()),
        ));
    }
    let text = std::str::from_utf8(without_bom(body)).map_err(|error| {
        let at = error.valid_up_to();
        Fault::malformed(code::NOT_UTF8, format!("the body is not UTF-8: see byte {at}"))
    })?;
    if text.trim().is_empty() {
        return Ok(Map::new());
    }
    match value(text)? {
        Value::Object(fields) => Ok(fields),
        Value::String(_) => Err(Fault::malformed(
            code::NOT_AN_OBJECT,
            "the body is a JSON string, not an object: was it turned into JSON twice?",
        )),
        other => Err(Fault::malformed(
            code::NOT_AN_OBJECT,
            format!("the body must be a JSON object; got {}", super::fields::type_of(&other)),
        )),
    }
}

/// Some writers begin a text with the byte order mark.
pub(super) fn without_bom(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body)
}

fn value(text: &str) -> Result<Value, Fault> {
    let fault = RefCell::new(None);
    let mut deserializer = serde_json::Deserializer::from_str(text);
    Level { depth: 1, fault: &fault }
        .deserialize(&mut deserializer)
        .and_then(|value| deserializer.end().map(|()| value))
        .map_err(|error| {
            fault.into_inner().unwrap_or_else(|| {
                Fault::malformed(code::NOT_JSON, format!("the body is not JSON: {error}"))
            })
        })
}

/// One level of nesting. serde's errors carry only text, so what is wrong goes out by the side.
#[derive(Clone, Copy)]
struct Level<'a> {
    depth: usize,
    fault: &'a RefCell<Option<Fault>>,
}

impl Level<'_> {
    fn below<E: de::Error>(self) -> Result<Self, E> {
        if self.depth > DEPTH_MAX {
            return Err(self.refuse(
                code::TOO_DEEP,
                format!("the body is nested deeper than {DEPTH_MAX} levels"),
            ));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }

    fn refuse<E: de::Error>(self, code: &str, message: String) -> E {
        let error = E::custom(&message);
        *self.fault.borrow_mut() = Some(Fault::malformed(code, message));
        error
    }
}

impl<'de> DeserializeSeed<'de> for Level<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Level<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Number::from_f64(number).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::String(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let below = self.below()?;
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(below)? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let below = self.below()?;
        let mut fields = Map::new();
        while let Some(name) = entries.next_key::<String>()? {
            if fields.contains_key(&name) {
                return Err(self.refuse(
                    code::DUPLICATE_FIELD,
                    format!("the field {} stands there twice", quoted(&name)),
                ));
            }
            let value = entries.next_value_seed(below)?;
            fields.insert(name, value);
        }
        Ok(Value::Object(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::super::BODY_BYTES_MAX;
    use super::*;

    fn read(body: &[u8]) -> Result<Map<String, Value>, Fault> {
        object(body, BODY_BYTES_MAX)
    }

    fn code_of(body: &[u8]) -> String {
        read(body).unwrap_err().code
    }

    fn nested(levels: usize) -> Vec<u8> {
        let inner = levels - 1;
        format!("{{\"a\":{}{}}}", "[".repeat(inner), "]".repeat(inner)).into_bytes()
    }

    #[test]
    fn depth_is_counted_in_levels() {
        assert!(read(&nested(DEPTH_MAX)).is_ok());
        assert_eq!(code_of(&nested(DEPTH_MAX + 1)), code::TOO_DEEP);
        assert_eq!(code_of(&nested(100_000)), code::TOO_DEEP);
        assert_eq!(code_of(&[b'['; 100_000]), code::TOO_DEEP);
    }

    #[test]
    fn size_is_counted_in_bytes() {
        let fit = format!("{{\"a\":\"{}\"}}", "x".repeat(BODY_BYTES_MAX - 8));
        assert_eq!(fit.len(), BODY_BYTES_MAX);
        assert!(read(fit.as_bytes()).is_ok());
        assert_eq!(code_of(format!("{fit} ").as_bytes()), code::TOO_LARGE);
    }

    #[test]
    fn what_is_not_plain_json_is_refused() {
        for (body, expected) in [
            (&b"hello"[..], code::NOT_JSON),
            (b"{\"a\":NaN}", code::NOT_JSON),
            (b"{\"a\":1e999}", code::NOT_JSON),
            (b"{\"a\":1,}", code::NOT_JSON),
            (b"{\"a\":1} x", code::NOT_JSON),
            (b"{\"a\":\"\\ud800\"}", code::NOT_JSON),
            (b"{\"a\":1,\"a\":1}", code::DUPLICATE_FIELD),
            (b"{\"p\":{\"a\":1,\"\\u0061\":2}}", code::DUPLICATE_FIELD),
            (b"{\"a\":\"\xff\"}", code::NOT_UTF8),
            (b"[1]", code::NOT_AN_OBJECT),
            (b"7", code::NOT_AN_OBJECT),
            (b"\"{}\"", code::NOT_AN_OBJECT),
        ] {
            assert_eq!(code_of(body), expected, "{}", String::from_utf8_lossy(body));
        }
    }

    #[test]
    fn nothing_at_all_is_an_empty_object() {
        assert!(read(b"").unwrap().is_empty() && read(b" \n").unwrap().is_empty());
        assert_eq!(read(b"\xEF\xBB\xBF{\"a\":1}").unwrap().len(), 1);
    }
}
