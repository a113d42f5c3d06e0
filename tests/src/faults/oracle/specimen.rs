//! A history made by hand that breaks no law: the tests of the oracles spoil it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::faults::command::{Deadline, Planned, Role};
use crate::faults::history::{History, Login, Sent, Told, Via};

/// The account.
pub const USER: i64 = 5000;
/// The group of most commands.
pub const CHAT: i64 = -1001;

/// One group made, renamed twice, asked for again, clashed with, and deleted; another made.
pub fn good() -> History {
    let mut history = History {
        logins: vec![Login {
            instance: "acme-1".to_owned(),
            user: USER,
            key: "77".to_owned(),
            serves: true,
        }],
        interruptions: 1,
        ..History::default()
    };
    let plan = [
        ("acme-1-01-create", "group.create", "group-1", Role::First),
        ("acme-1-02-rename", "group.rename", "group-1", Role::First),
        ("acme-1-03-rename", "group.rename", "group-1", Role::First),
        ("acme-1-01-create", "group.create", "group-1", Role::Repeat),
        ("acme-1-01-create", "group.create", "group-1", Role::Clash),
        ("acme-1-05-delete", "group.delete", "group-1", Role::First),
        ("acme-1-06-create", "group.create", "group-2", Role::First),
    ];
    for (number, (id, method, group, role)) in plan.into_iter().enumerate() {
        let title = match role {
            Role::Clash => format!("{id}:clash-1"),
            _ => id.to_owned(),
        };
        let planned = Planned {
            id: id.to_owned(),
            instance: "acme-1".to_owned(),
            method,
            params: if method == "group.delete" { json!({}) } else { json!({ "title": title }) },
            group: Some(group.to_owned()),
            role,
            deadline: Deadline::None,
            pause: Duration::ZERO,
            cancel: false,
        };
        let correlation = format!("{id}#{number}");
        answer(&mut history, &planned, &correlation);
        if role == Role::First {
            happen(&mut history, &planned);
        }
        history.sent.push(Sent { planned, correlation, at: Duration::ZERO, tries: 1 });
    }
    history.queues.insert("tg.commands.acme-1".to_owned(), 0);
    history
}

/// The same with another status of one command, told and recorded.
pub fn with_status(mut history: History, id: &str, status: &str) -> History {
    for told in history.told.iter_mut().filter(|told| told.body["id"] == id) {
        told.body["status"] = json!(status);
    }
    history.records.insert(id.to_owned(), json!({ "status": status }));
    history
}

fn answer(history: &mut History, planned: &Planned, correlation: &str) {
    let (id, clash) = (&planned.id, planned.role == Role::Clash);
    let name = if clash { "conflict:ab" } else { "result" };
    let status = if clash { "failed" } else { "done" };
    let told = Told {
        via: Via::Reply,
        message_id: format!("acme-1:{id}:{name}"),
        correlation: correlation.to_owned(),
        body: json!({ "id": id, "status": status, "correlation_id": correlation }),
    };
    if planned.role == Role::First {
        history.told.push(Told { via: Via::Results, ..told.clone() });
        history.records.insert(id.clone(), json!({ "status": status }));
    }
    history.told.push(told);
}

fn happen(history: &mut History, planned: &Planned) {
    let chat = if planned.group.as_deref() == Some("group-2") { CHAT - 1 } else { CHAT };
    let kind = match planned.method {
        "group.create" => "chat.created",
        "group.rename" => "chat.renamed",
        _ => "chat.deleted",
    };
    let effect: Value = match planned.title() {
        Some(title) => json!({ "kind": kind, "chat_id": chat, "title": title }),
        None => json!({ "kind": kind, "chat_id": chat }),
    };
    let n = history.journal.len() + 1;
    history.journal.push(json!({
        "n": n, "kind": "request", "user_id": USER, "auth_key_id": "77", "effect": effect, "error": null,
    }));
}
