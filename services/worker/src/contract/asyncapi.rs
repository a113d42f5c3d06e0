//! The broker face as an AsyncAPI 3 document: which exchange takes and gives what, from the side of
//! Queuegram (it receives commands, it sends results and events).

use proto::{EventKind, Names};
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::orders::ORDERS;
use super::{examples, schemas};
use crate::methods;

/// Where the document keeps what its messages refer to.
const SCHEMAS: &str = "/components/schemas";

/// The document's text.
pub fn yaml() -> String {
    // A `Value` with text keys always has a YAML form.
    serde_saphyr::to_string(&document()).unwrap_or_default()
}

fn document() -> Value {
    let mut face = Face {
        generator: SchemaSettings::draft07()
            .with(|settings| {
                settings.definitions_path = SCHEMAS.into();
                settings.meta_schema = None;
            })
            .into_generator(),
        messages: Map::new(),
        payloads: Map::new(),
    };
    let commands = face.commands();
    let results = face.results();
    let events = face.events();
    let (orders, order_results) = face.orders();
    let replies: Vec<String> = results.iter().chain(&order_results).cloned().collect();
    let channels = channels(&commands, &results, &events, &orders, &replies);
    let mut schemas = face.generator.take_definitions(true);
    schemas.extend(face.payloads);
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Queuegram",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Telegram groups, run by commands on RabbitMQ.",
            "license": { "name": "MIT OR Apache-2.0" },
        },
        "defaultContentType": "application/json",
        "servers": {
            "broker": { "host": "localhost:5672", "protocol": "amqp", "protocolVersion": "0.9.1" },
        },
        "channels": channels,
        "operations": operations(),
        "components": { "messages": face.messages, "schemas": schemas },
    })
}

struct Face {
    generator: SchemaGenerator,
    messages: Map<String, Value>,
    payloads: Map<String, Value>,
}

impl Face {
    fn commands(&mut self) -> Vec<String> {
        let entries = methods::all().iter();
        entries
            .map(|entry| {
                let payload =
                    schemas::command(&mut self.generator, entry.name, entry.params_schema);
                let example = Some(examples::command(entry));
                self.message(&format!("{}.command", entry.name), payload, example)
            })
            .collect()
    }

    fn results(&mut self) -> Vec<String> {
        let entries = methods::all().iter();
        entries
            .map(|entry| {
                let payload = schemas::result(&mut self.generator, entry.name, entry.result_schema);
                let example = Some(examples::result(entry));
                self.message(&format!("{}.result", entry.name), payload, example)
            })
            .collect()
    }

    fn events(&mut self) -> Vec<String> {
        EventKind::ALL
            .iter()
            .map(|kind| {
                let payload = schemas::event(&mut self.generator, *kind);
                self.message(kind.as_str(), payload, None)
            })
            .collect()
    }

    fn orders(&mut self) -> (Vec<String>, Vec<String>) {
        ORDERS
            .iter()
            .map(|order| {
                let mut payload = schemas::command(&mut self.generator, order.name, order.params);
                payload["description"] = order.text.into();
                let result = schemas::result(&mut self.generator, order.name, order.result);
                (
                    self.message(&format!("{}.order", order.name), payload, None),
                    self.message(&format!("{}.order-result", order.name), result, None),
                )
            })
            .unzip()
    }

    /// Adds a message and its payload; gives the message's name.
    fn message(&mut self, name: &str, payload: Value, example: Option<Value>) -> String {
        let mut message = json!({
            "name": name,
            "contentType": "application/json",
            "payload": { "$ref": format!("#{SCHEMAS}/{name}") },
        });
        if let Some(example) = example {
            message["examples"] = json!([{ "payload": example }]);
        }
        self.payloads.insert(name.into(), payload);
        self.messages.insert(name.into(), message);
        name.to_owned()
    }
}

fn channels(
    commands: &[String],
    results: &[String],
    events: &[String],
    orders: &[String],
    replies: &[String],
) -> Value {
    let names = Names::default();
    let instance = json!({ "description": "The instance's id." });
    let method = json!({ "description": "The method's name, two words joined by a dot." });
    json!({
        "commands": {
            "address": "{instance}.{method}",
            "description": "Callers publish commands here.",
            "parameters": { "instance": instance, "method": method },
            "messages": references(commands),
            "bindings": exchange(&names.commands()),
        },
        "results": {
            "address": "{instance}.{method}.{status}",
            "description": "Every result, whoever asked.",
            "parameters": {
                "instance": instance,
                "method": method,
                "status": {
                    "description": "How it ended.",
                    "enum": ["done", "partial", "failed", "unknown"],
                },
            },
            "messages": references(results),
            "bindings": exchange(&names.results()),
        },
        "replies": {
            "address": null,
            "description": "The caller's own queue, or its routing key on tg.replies: `reply_to`.",
            "messages": references(replies),
        },
        "events": {
            "address": "{instance}.{event}",
            "description": "Everything else that happens.",
            "parameters": { "instance": instance, "event": { "description": "The event's name." } },
            "messages": references(events),
            "bindings": exchange(&names.events()),
        },
        "control": {
            "address": "{instance}.{order}",
            "description": "What must not wait behind commands.",
            "parameters": { "instance": instance, "order": { "description": "The order's name." } },
            "messages": references(orders),
            "bindings": exchange(&names.control()),
        },
    })
}

fn operations() -> Value {
    let reply = json!({
        "address": {
            "location": "$message.header#/reply_to",
            "description": "The AMQP property reply_to; else the body's field.",
        },
        "channel": { "$ref": "#/channels/replies" },
    });
    json!({
        "receiveCommand": {
            "action": "receive",
            "channel": { "$ref": "#/channels/commands" },
            "summary": "Carries a command out and answers it once.",
            "reply": reply,
        },
        "receiveOrder": {
            "action": "receive",
            "channel": { "$ref": "#/channels/control" },
            "summary": "Follows an order about an account, or tells how a command stands.",
            "reply": reply,
        },
        "sendResult": {
            "action": "send",
            "channel": { "$ref": "#/channels/results" },
            "summary": "Tells how a command ended.",
            "bindings": persistent(),
        },
        "sendEvent": {
            "action": "send",
            "channel": { "$ref": "#/channels/events" },
            "summary": "Tells what else happened.",
            "bindings": persistent(),
        },
    })
}

fn references(messages: &[String]) -> Value {
    let one = |name: &String| {
        (name.replace('.', "_"), json!({ "$ref": format!("#/components/messages/{name}") }))
    };
    Value::Object(messages.iter().map(one).collect())
}

fn exchange(name: &str) -> Value {
    json!({ "amqp": {
        "is": "routingKey",
        "exchange": { "name": name, "type": "topic", "durable": true, "autoDelete": false },
        "bindingVersion": "0.3.0",
    } })
}

fn persistent() -> Value {
    json!({ "amqp": { "deliveryMode": 2, "bindingVersion": "0.3.0" } })
}
