//! The generated documents against each other and against the code that reads commands.

use std::collections::{BTreeMap, BTreeSet};

use jsonschema::Validator;
use proto::envelope::{Incoming, Rules};
use proto::{EventKind, Names, Properties};
use serde_json::{Value, json};

use super::*;
use crate::methods;

fn all() -> BTreeMap<String, String> {
    documents()
        .into_iter()
        .map(|document| (document.path.to_string_lossy().into_owned(), document.text))
        .collect()
}

fn json_of(documents: &BTreeMap<String, String>, path: &str) -> Value {
    serde_json::from_str(&documents[path]).unwrap()
}

fn schema(documents: &BTreeMap<String, String>, path: &str) -> Validator {
    jsonschema::validator_for(&json_of(documents, path)).unwrap()
}

fn assert_valid(validator: &Validator, example: &Value, what: &str) {
    let errors: Vec<_> = validator
        .iter_errors(example)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{what}: {errors:?}");
}

#[test]
fn no_document_is_made_twice() {
    let paths: BTreeSet<_> = documents().into_iter().map(|document| document.path).collect();
    assert_eq!(paths.len(), documents().len());
}

#[test]
fn every_method_order_and_event_has_its_schemas() {
    let documents = all();
    let mut wanted = vec!["schema/methods.json".to_owned()];
    for entry in methods::all() {
        wanted.push(format!("schema/command/{}.json", entry.name));
        wanted.push(format!("schema/result/{}.json", entry.name));
        wanted.push(format!("examples/{}.command.json", entry.name));
        wanted.push(format!("examples/{}.result.json", entry.name));
    }
    for order in proto::control::method::ALL {
        wanted.push(format!("schema/order/{order}.json"));
        wanted.push(format!("schema/order-result/{order}.json"));
    }
    for kind in EventKind::ALL {
        wanted.push(format!("schema/event/{}.json", kind.as_str()));
    }
    for path in wanted {
        assert!(documents.contains_key(&path), "{path} is missing");
    }
}

#[test]
fn every_schema_is_one() {
    for (path, text) in all() {
        if path.starts_with("schema/") && path != "schema/methods.json" {
            let schema: Value = serde_json::from_str(&text).unwrap();
            assert!(jsonschema::meta::is_valid(&schema), "{path}");
            jsonschema::validator_for(&schema).unwrap();
        }
    }
}

#[test]
fn examples_are_as_their_schemas_say() {
    let documents = all();
    for entry in methods::all() {
        for what in ["command", "result"] {
            let example = json_of(&documents, &format!("examples/{}.{what}.json", entry.name));
            let validator = schema(&documents, &format!("schema/{what}/{}.json", entry.name));
            assert_valid(&validator, &example, &format!("{} {what}", entry.name));
        }
    }
}

#[test]
fn schemas_refuse_what_the_code_refuses() {
    let documents = all();
    for entry in methods::all() {
        let validator = schema(&documents, &format!("schema/command/{}.json", entry.name));
        let path = format!("examples/{}.command.json", entry.name);
        let good = json_of(&documents, &path);
        for (field, value) in [
            ("/method", json!("group.explode")),
            ("/id", json!("")),
            ("/params", json!({ "no_such_field": 1 })),
        ] {
            let mut bad = good.clone();
            *bad.pointer_mut(field).unwrap() = value;
            assert!(!validator.is_valid(&bad), "{}: {field}", entry.name);
        }
        let mut bad = good.clone();
        bad["dead_line"] = json!("2026-12-01T00:00:00Z");
        assert!(!validator.is_valid(&bad), "{}: an unknown field", entry.name);
    }
}

#[test]
fn examples_of_commands_are_read() {
    let known: Vec<_> = methods::all().iter().map(|entry| entry.name).collect();
    let rules = Rules::new(Names::default(), &known);
    let instance = "acme-sales".parse().unwrap();
    for entry in methods::all() {
        let body = serde_json::to_vec(&examples::command(entry)).unwrap();
        let command = proto::decode(Incoming {
            body: &body,
            properties: &Properties::default(),
            exchange: "tg.commands",
            routing_key: &format!("acme-sales.{}", entry.name),
            queue_instance: Some(&instance),
            redelivered: false,
            received_at: proto::time::parse("2026-11-23T08:00:00Z").unwrap(),
            rules: &rules,
        })
        .unwrap();
        assert_eq!(command.method.as_str(), entry.name);
        let read = (entry.parse)(&command.params);
        assert!(read.is_ok(), "{}: {:?}", entry.name, read.err());
    }
}

#[test]
fn results_of_examples_are_read_by_our_own_type() {
    for entry in methods::all() {
        let written = examples::result(entry);
        let read: proto::CommandResult = serde_json::from_value(written.clone()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), written, "{}", entry.name);
    }
}

#[test]
fn every_order_that_callers_know_is_followed() {
    let followed: BTreeSet<_> = ORDERS.iter().map(|order| order.name).collect();
    let known: BTreeSet<_> = proto::control::method::ALL.iter().copied().collect();
    assert_eq!(followed, known);
}
