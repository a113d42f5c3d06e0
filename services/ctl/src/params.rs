//! `key=value` on the command line becomes JSON params, by what the method's schema says of each key.
//!
//! `key=value` is read as the schema's type (`members=@a,@b`, `usage_limit=5`, `expires_at=+7d`), and repeating a key of
//! a list adds to it; `key:=json` is taken as it stands. A method that this version doesn't know is passed on with
//! numbers, `true`, `false` and `null` read as such, since the worker may be newer.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value};

use crate::{
    exit::Failure,
    schema::{Field, Kind, Method},
};

/// Reads the arguments over `base`, the params given as JSON.
pub fn read(
    method: Option<Method<'_>>,
    base: Map<String, Value>,
    arguments: &[String],
    now: DateTime<Utc>,
) -> Result<Map<String, Value>, Failure> {
    let fields = method.map(|method| method.params());
    let mut params = base;
    let mut listed: Vec<String> = Vec::new();
    for argument in arguments {
        let (key, value) = one(argument, fields.as_deref(), now)?;
        match (params.get_mut(&key), value) {
            // A list given twice on the command line is one list; over --params it is a new one.
            (Some(Value::Array(items)), Value::Array(more)) if listed.contains(&key) => {
                items.extend(more);
            }
            (Some(_), _) if listed.contains(&key) => {
                return Err(Failure::Usage(format!("{key} is given twice")));
            }
            (_, value) => {
                params.insert(key.clone(), value);
                listed.push(key);
            }
        }
    }
    if let Some(fields) = &fields {
        check_names(fields, &params)?;
    }
    Ok(params)
}

fn one(
    argument: &str,
    fields: Option<&[Field<'_>]>,
    now: DateTime<Utc>,
) -> Result<(String, Value), Failure> {
    let usage = |words: String| Failure::Usage(words);
    let Some((key, text)) = argument.split_once('=') else {
        return Err(usage(format!("{argument:?} is neither key=value nor key:=json")));
    };
    if let Some(key) = key.strip_suffix(':') {
        let value = serde_json::from_str(text)
            .map_err(|error| usage(format!("{key}: not JSON after `:=`: {error}")))?;
        return Ok((key.to_owned(), value));
    }
    let Some(fields) = fields else { return Ok((key.to_owned(), guess(text))) };
    let Some(field) = fields.iter().find(|field| field.name == key) else {
        return Err(usage(unknown(key, fields)));
    };
    let value = typed(&field.kinds, text, now)
        .map_err(|expected| usage(format!("{key}={text}: expected {expected}")))?;
    Ok((key.to_owned(), value))
}

/// Reads a text as one of these kinds, the most special first.
fn typed(kinds: &[Kind<'_>], text: &str, now: DateTime<Utc>) -> Result<Value, String> {
    if kinds.is_empty() {
        return Ok(guess(text));
    }
    if let Some(items) = kinds.iter().find_map(|kind| match kind {
        Kind::List(items) => Some(items),
        _ => None,
    }) {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        return parts.map(|part| typed(items, part, now)).collect();
    }
    // Rust reads "+49301" as a number, people as a phone number.
    let is_number = !text.starts_with('+');
    if is_number
        && kinds.contains(&Kind::Integer)
        && let Ok(number) = text.parse::<i64>()
    {
        return Ok(number.into());
    }
    if is_number
        && kinds.contains(&Kind::Number)
        && let Ok(number) = text.parse::<f64>()
    {
        return Ok(number.into());
    }
    if kinds.contains(&Kind::Boolean)
        && let Some(answer) = yes_or_no(text)
    {
        return Ok(answer.into());
    }
    if kinds.contains(&Kind::Time) {
        return time(text, now).map(Value::String);
    }
    if kinds.contains(&Kind::Word(text)) || kinds.contains(&Kind::Text) {
        return Ok(text.into());
    }
    Err(expectation(kinds))
}

fn expectation(kinds: &[Kind<'_>]) -> String {
    let words: Vec<&str> = kinds
        .iter()
        .map(|kind| match kind {
            Kind::Boolean => "true or false",
            Kind::Integer => "a whole number",
            Kind::Number => "a number",
            Kind::Time => "a time",
            Kind::Text => "a text",
            Kind::Word(word) => word,
            Kind::List(_) => "a list",
            Kind::Object => "JSON, as key:=json",
        })
        .collect();
    words.join(" or ")
}

fn yes_or_no(text: &str) -> Option<bool> {
    match text {
        "true" | "yes" => Some(true),
        "false" | "no" => Some(false),
        _ => None,
    }
}

/// RFC 3339, or `+7d` for a time from now.
fn time(text: &str, now: DateTime<Utc>) -> Result<String, String> {
    if let Some(ahead) = text.strip_prefix('+') {
        let ahead = humantime::parse_duration(ahead).ok();
        let at = ahead
            .and_then(|ahead| now.checked_add_signed(chrono::TimeDelta::from_std(ahead).ok()?));
        let at = at.ok_or("a time from now such as +7d or +36h")?;
        return Ok(at.to_rfc3339_opts(SecondsFormat::Secs, true));
    }
    match DateTime::parse_from_rfc3339(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err(String::from("a time such as 2026-12-31T12:00:00Z, or +7d from now")),
    }
}

/// Without a schema: what looks like a number or a word of JSON is one.
fn guess(text: &str) -> Value {
    match serde_json::from_str::<Value>(text) {
        Ok(value @ (Value::Number(_) | Value::Bool(_) | Value::Null)) => value,
        _ => Value::String(text.to_owned()),
    }
}

fn check_names(fields: &[Field<'_>], params: &Map<String, Value>) -> Result<(), Failure> {
    if let Some(key) = params.keys().find(|key| fields.iter().all(|field| field.name != *key)) {
        return Err(Failure::Usage(unknown(key, fields)));
    }
    let missing = fields.iter().find(|field| field.required && !params.contains_key(field.name));
    missing.map_or(Ok(()), |field| {
        Err(Failure::Usage(format!("{} is missing ({})", field.name, field.kind_words())))
    })
}

fn unknown(key: &str, fields: &[Field<'_>]) -> String {
    if matches!(key, "external_ref" | "deadline" | "id" | "on_flood" | "instance") {
        return format!("{key} is no param: give it as --{}", key.replace('_', "-"));
    }
    let names: Vec<&str> = fields.iter().map(|field| field.name).collect();
    format!("unknown param {key}; known are {}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::schema::tests::sample;

    fn read_sample(base: Value, arguments: &[&str]) -> Result<Value, String> {
        let contract = sample();
        let Value::Object(base) = base else { return Err(String::from("no object")) };
        let arguments: Vec<String> = arguments.iter().map(|a| (*a).to_owned()).collect();
        let now = DateTime::UNIX_EPOCH;
        read(contract.method("group.create"), base, &arguments, now)
            .map(Value::Object)
            .map_err(|failure| failure.to_string())
    }

    #[test]
    fn each_key_is_read_as_its_schema_says() {
        let params = read_sample(
            json!({}),
            &[
                "title=77",
                "members=@a, 12345,+49301",
                "members=https://t.me/x?a=b",
                r#"members:=[{"instance":"bob"}]"#,
                "invite_link=yes",
                "kind=basic",
                "limit=5",
                "expires_at=+7d",
                r#"options:={"a":1}"#,
            ],
        );
        assert_eq!(
            params,
            Ok(json!({
                "title": "77",
                "members": ["@a", 12345, "+49301", "https://t.me/x?a=b", {"instance": "bob"}],
                "invite_link": true,
                "kind": "basic",
                "limit": 5,
                "expires_at": "1970-01-08T00:00:00Z",
                "options": {"a": 1},
            }))
        );
    }

    #[test]
    fn arguments_override_the_json() {
        let base = json!({"title": "old", "members": ["@a"]});
        let params = read_sample(base, &["title=new", "members=@b"]);
        assert_eq!(params, Ok(json!({"title": "new", "members": ["@b"]})));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (arguments, words) in [
            (&["title"][..], "\"title\" is neither key=value nor key:=json"),
            (&["title=x", "kind=channel"], "kind=channel: expected supergroup or basic"),
            (&["title=x", "limit=many"], "limit=many: expected a whole number"),
            (&["title=x", "invite_link=maybe"], "invite_link=maybe: expected true or false"),
            (
                &["title=x", "expires_at=friday"],
                "expires_at=friday: expected a time such as 2026-12-31T12:00:00Z, or +7d from now",
            ),
            (&["title=x", "options=x"], "options=x: expected JSON, as key:=json"),
            (&["title=x", "title=y"], "title is given twice"),
            (&["kind=basic"], "title is missing (text)"),
            (&["title=x", "external_ref=d"], "external_ref is no param: give it as --external-ref"),
        ] {
            assert_eq!(read_sample(json!({}), arguments), Err(words.to_owned()));
        }
        let unknown = read_sample(json!({"titel": "x"}), &[]).unwrap_err();
        assert!(unknown.starts_with("unknown param titel; known are title, about"), "{unknown}");
        let broken = read_sample(json!({}), &["options:={"]).unwrap_err();
        assert!(broken.starts_with("options: not JSON after `:=`: "), "{broken}");
    }

    #[test]
    fn a_method_of_a_newer_worker_is_passed_on() {
        let arguments = ["n=5", "flag=true", "text=hello", "list:=[1]"].map(str::to_owned);
        let params = read(None, Map::new(), &arguments, DateTime::UNIX_EPOCH).unwrap();
        assert_eq!(
            Value::Object(params),
            json!({"n": 5, "flag": true, "text": "hello", "list": [1]})
        );
    }
}
