//! One example of a command and its result for each method. A test holds each against its schema,
//! and against the code that reads commands.

use serde_json::{Value, json};

use super::Document;
use crate::method::Entry;
use crate::methods;

/// Every example as a file.
pub fn documents() -> Vec<Document> {
    let both = |entry: &Entry| {
        [("command", command(entry)), ("result", result(entry))].map(|(what, example)| {
            Document::json(format!("examples/{}.{what}.json", entry.name), &example)
        })
    };
    methods::all().iter().flat_map(both).collect()
}

/// A command that asks for the method.
pub fn command(entry: &Entry) -> Value {
    let mut command =
        json!({ "id": format!("deal-77:{}", verb(entry.name)), "method": entry.name });
    if let Some(external_ref) = external_ref(entry.name) {
        command["external_ref"] = external_ref.into();
    }
    command["params"] = (entry.example)().params;
    command
}

/// Its result.
pub fn result(entry: &Entry) -> Value {
    let method = entry.name;
    let chat_id = external_ref(method).map(|_| -1_001_234_567_890_i64);
    json!({
        "v": proto::WIRE_VERSION,
        "event": format!("{method}.result"),
        "id": format!("deal-77:{}", verb(method)),
        "correlation_id": null,
        "instance": "acme-sales",
        "method": method,
        "external_ref": external_ref(method),
        "ok": true,
        "status": "done",
        "chat_id": chat_id,
        "result": (entry.example)().result,
        "error_kind": null,
        "error_code": null,
        "error_message": null,
        "retryable": false,
        "retry_after_s": null,
        "attempts": 1,
        "received_at": "2026-11-23T09:30:00.000Z",
        "finished_at": "2026-11-23T09:30:00.840Z",
    })
}

fn verb(method: &str) -> &str {
    method.split_once('.').map_or(method, |(_, verb)| verb)
}

fn external_ref(method: &str) -> Option<&'static str> {
    method.starts_with("group.").then_some("deal-77")
}

/// The outcome of one person in an example.
pub fn member(input: Value, user_id: i64, status: &str) -> Value {
    json!({
        "input": input, "user_id": user_id, "status": status,
        "error_code": null, "retry_after_s": null, "invite_link": null,
    })
}
