//! JSON Schemas (2020-12), one file for every command, result, event and order, each whole in
//! itself.

use proto::{CommandBody, CommandResult, Event, EventKind};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::Document;
use super::orders::ORDERS;
use crate::methods;

/// Makes a schema in a generator of its caller's.
type Make = fn(&mut SchemaGenerator) -> Schema;

/// Every schema file.
pub fn documents() -> Vec<Document> {
    let mut documents = vec![Document::json("schema/methods.json", &table())];
    for entry in methods::all() {
        documents
            .push(read("command", entry.name, |s| command(s, entry.name, entry.params_schema)));
        documents.push(told("result", entry.name, |s| result(s, entry.name, entry.result_schema)));
    }
    for order in ORDERS {
        documents.push(read("order", order.name, |s| command(s, order.name, order.params)));
        documents.push(told("order-result", order.name, |s| result(s, order.name, order.result)));
    }
    for kind in EventKind::ALL {
        documents.push(told("event", kind.as_str(), |s| event(s, *kind)));
    }
    documents
}

/// The body of a command that asks for this method.
pub fn command(schemas: &mut SchemaGenerator, name: &str, params: Make) -> Value {
    let mut body = object_of::<CommandBody>(schemas);
    put(&mut body, "method", json!({ "const": name, "description": "What is asked for." }));
    put(&mut body, "params", params(schemas).into());
    body.insert("title".into(), format!("{name} command").into());
    body.insert("additionalProperties".into(), false.into());
    Value::Object(body)
}

/// The body of this method's result. `result` is null where there is none.
pub fn result(schemas: &mut SchemaGenerator, name: &str, result: Make) -> Value {
    let mut body = object_of::<CommandResult>(schemas);
    put(&mut body, "method", json!({ "const": name }));
    put(&mut body, "event", json!({ "const": format!("{name}.result") }));
    let result = Value::from(result(schemas));
    put(&mut body, "result", json!({ "anyOf": [result, { "type": "null" }] }));
    body.insert("title".into(), format!("{name} result").into());
    Value::Object(body)
}

/// The body of an event.
pub fn event(schemas: &mut SchemaGenerator, kind: EventKind) -> Value {
    let mut body = object_of::<Event>(schemas);
    put(&mut body, "event", json!({ "const": kind.as_str() }));
    put(&mut body, "data", kind.data_schema(schemas).into());
    body.insert("title".into(), format!("{} event", kind.as_str()).into());
    Value::Object(body)
}

/// All methods in one file, for programs that offer them: the command line is one.
fn table() -> Value {
    let mut schemas = generator();
    let rows: Vec<Value> = methods::all()
        .iter()
        .map(|entry| {
            let params = Value::from((entry.params_schema)(&mut schemas));
            let result = Value::from((entry.result_schema)(&mut schemas));
            json!({ "name": entry.name, "params": params, "result": result })
        })
        .collect();
    json!({ "$defs": schemas.take_definitions(true), "methods": rows })
}

/// A schema of what Queuegram reads: it is lenient, a number may come as text.
fn read(folder: &str, name: &str, make: impl FnOnce(&mut SchemaGenerator) -> Value) -> Document {
    whole(folder, name, generator(), make)
}

/// A schema of what Queuegram writes: exactly as it writes it.
fn told(folder: &str, name: &str, make: impl FnOnce(&mut SchemaGenerator) -> Value) -> Document {
    whole(folder, name, SchemaSettings::draft2020_12().for_serialize().into_generator(), make)
}

fn whole(
    folder: &str,
    name: &str,
    mut schemas: SchemaGenerator,
    make: impl FnOnce(&mut SchemaGenerator) -> Value,
) -> Document {
    let made = make(&mut schemas);
    let mut schema = Map::new();
    schema.insert("$schema".into(), "https://json-schema.org/draft/2020-12/schema".into());
    schema.extend(made.as_object().cloned().unwrap_or_default());
    let definitions = schemas.take_definitions(true);
    if !definitions.is_empty() {
        schema.insert("$defs".into(), Value::Object(definitions));
    }
    Document::json(format!("schema/{folder}/{name}.json"), &Value::Object(schema))
}

fn generator() -> SchemaGenerator {
    SchemaSettings::draft2020_12().into_generator()
}

fn object_of<T: JsonSchema>(schemas: &mut SchemaGenerator) -> Map<String, Value> {
    Value::from(T::json_schema(schemas)).as_object().cloned().unwrap_or_default()
}

fn put(schema: &mut Map<String, Value>, property: &str, value: Value) {
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        properties.insert(property.into(), value);
    }
}
