//! The manual's chapter on methods, as Markdown: the doc comments of the types, and their fields.

use std::fmt::Write as _;

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use super::examples;
use crate::methods;

const HEAD: &str = "# Methods\n\n\
    Generated from the methods' own types by `make contract`; do not edit.\n\
    How a command is written and answered is in [docs/commands.md](../docs/commands.md), what the classes of calls are that \
    a method draws on in [docs/operations.md](../docs/operations.md#limits).\n";

/// The chapter's text.
pub fn markdown() -> String {
    let mut text = HEAD.to_owned();
    let mut all_shared = Map::new();
    for entry in methods::all() {
        let mut schemas = SchemaSettings::draft2020_12().into_generator();
        let params = Value::from((entry.params_schema)(&mut schemas));
        let result = Value::from((entry.result_schema)(&mut schemas));
        let shared = schemas.take_definitions(true);
        // Writing to a `String` can't fail.
        let _ = write!(text, "\n## {}\n\n{}\n", entry.name, description(&params));
        let classes: Vec<_> = entry.classes.iter().map(|class| format!("`{class}`")).collect();
        let _ = write!(text, "\nDraws on: {}.\n", classes.join(", "));
        table(&mut text, "Params", &params, &shared);
        table(&mut text, "Result", &result, &shared);
        let example = serde_json::to_string_pretty(&examples::command(entry)).unwrap_or_default();
        let _ = write!(text, "\n```json\n{example}\n```\n");
        all_shared.extend(shared);
    }
    all_shared.sort_keys();
    for (name, schema) in &all_shared {
        let _ = write!(text, "\n## {name}\n\n{}\n", description(schema));
        if schema.get("properties").is_some() {
            table(&mut text, "Field", schema, &all_shared);
        } else {
            values(&mut text, schema, &all_shared);
        }
    }
    text
}

/// What a shared type may be, where it is not an object: its words with their meanings, or its
/// forms and limits.
fn values(text: &mut String, schema: &Value, shared: &Map<String, Value>) {
    let words = schema.get("oneOf").and_then(Value::as_array).into_iter().flatten();
    let words: Vec<_> = words.filter_map(|word| Some((word.get("const")?, word))).collect();
    if words.is_empty() {
        let _ = write!(text, "\n{}{}.\n", kind(schema, shared, 0), limits(schema));
        return;
    }
    let _ = write!(text, "\n| Value | |\n|---|---|\n");
    for (word, about) in words {
        let word = word.as_str().unwrap_or_default();
        let _ = writeln!(text, "| `{word}` | {} |", description(about));
    }
}

/// A schema's bounds, in words.
fn limits(schema: &Value) -> String {
    let bound = |name: &str| schema.get(name).filter(|bound| bound.is_number());
    let span = |least: &str, most: &str, of: &str| match (bound(least), bound(most)) {
        (Some(least), Some(most)) => Some(format!(", {least} to {most}{of}")),
        (None, Some(most)) => Some(format!(", at most {most}{of}")),
        (Some(least), None) => Some(format!(", at least {least}{of}")),
        (None, None) => None,
    };
    [
        span("minLength", "maxLength", " characters"),
        span("minItems", "maxItems", " of them"),
        span("minimum", "maximum", ""),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn table(text: &mut String, title: &str, schema: &Value, shared: &Map<String, Value>) {
    let Some(fields) = schema.get("properties").and_then(Value::as_object) else { return };
    let required: Vec<_> =
        schema.get("required").and_then(Value::as_array).into_iter().flatten().collect();
    let _ = write!(text, "\n| {title} | Type | |\n|---|---|---|\n");
    for (name, field) in fields {
        let optional =
            if title == "Params" && !required.iter().any(|r| *r == name) { "?" } else { "" };
        let words = kind(field, shared, 0);
        let mut about = description_of(field, shared).replace('\n', " ").replace('|', "\\|");
        if let Some(default) = field.get("default").filter(|default| !default.is_null()) {
            let _ = write!(about, " Default: `{default}`.");
        }
        let _ = writeln!(text, "| `{name}{optional}` | {words} | {about} |");
    }
}

fn description(schema: &Value) -> &str {
    schema.get("description").and_then(Value::as_str).unwrap_or_default()
}

fn description_of(field: &Value, shared: &Map<String, Value>) -> String {
    match (description(field), target(field, shared)) {
        ("", Some(target)) => description(target).to_owned(),
        (own, _) => own.to_owned(),
    }
}

fn target<'a>(schema: &Value, shared: &'a Map<String, Value>) -> Option<&'a Value> {
    shared.get(reference(schema)?)
}

fn reference(schema: &Value) -> Option<&str> {
    schema.get("$ref")?.as_str()?.rsplit('/').next()
}

/// What may stand in a field, in words.
fn kind(schema: &Value, shared: &Map<String, Value>, depth: u8) -> String {
    if depth > 6 {
        return "…".to_owned();
    }
    if let (Some(target), Some(name)) = (target(schema, shared), reference(schema)) {
        return format!("[{name}](#{}){}", name.to_lowercase(), limits(target));
    }
    if let Some(word) = schema.get("const") {
        return format!("`{word}`");
    }
    if let Some(words) = schema.get("enum").and_then(Value::as_array) {
        return words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    }
    for several in ["anyOf", "oneOf"] {
        if let Some(kinds) = schema.get(several).and_then(Value::as_array) {
            let mut words: Vec<_> = kinds.iter().map(|one| kind(one, shared, depth + 1)).collect();
            words.dedup();
            return words.join(", ");
        }
    }
    match schema.get("type") {
        Some(Value::String(one)) => plain(one, schema, shared, depth),
        Some(Value::Array(several)) => {
            let words = several.iter().filter_map(Value::as_str);
            words.map(|one| plain(one, schema, shared, depth)).collect::<Vec<_>>().join(", ")
        }
        _ => "anything".to_owned(),
    }
}

fn plain(one: &str, schema: &Value, shared: &Map<String, Value>, depth: u8) -> String {
    match one {
        "array" => {
            let items = schema.get("items").map(|items| kind(items, shared, depth + 1));
            format!("list of {}", items.unwrap_or_default())
        }
        "string" if schema.get("format").is_some_and(|format| format == "date-time") => {
            "time (RFC 3339)".to_owned()
        }
        "integer" => "number".to_owned(),
        "string" => "text".to_owned(),
        "boolean" => "true, false".to_owned(),
        other => other.to_owned(),
    }
}
