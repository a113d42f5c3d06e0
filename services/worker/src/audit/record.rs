//! What is noted of an order or a command. Of its params nothing but the id of a command that an order
//! is about: the rest may be secret, or name people.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use proto::control::{AUDIT_VERSION, AuditActor, AuditKind, AuditRecord, method};
use proto::{Command, CommandResult, Outcome};
use serde_json::Value;

use crate::limits::Class;
use crate::methods;

/// The orders that change nothing. Every other one is noted, those of later releases too.
pub const ANSWERS_ONLY: &[&str] = &[
    method::ACCOUNT_GET,
    method::ACCOUNT_LIST,
    method::ACCOUNT_SEAL_KEY,
    method::ACCOUNT_LIMITS,
    method::ACCOUNT_FORECAST,
    method::COMMAND_GET,
    method::COMMAND_LIST,
    method::AUDIT_LIST,
];

/// The header in which the command line names who uses it.
const BY: &str = "x-queuegram-by";
/// Most characters of such a name.
const NAME_CHARS_MAX: usize = 128;

/// Who asks, by their own word.
pub fn by_note(notes: &BTreeMap<String, String>) -> Option<String> {
    let by = notes.get(BY).filter(|by| !by.trim().is_empty())?;
    Some(by.chars().filter(|c| !c.is_control()).take(NAME_CHARS_MAX).collect())
}

/// What is noted of an order; none where it changes nothing.
pub fn of_order(
    order: &Command,
    by: Option<String>,
    outcome: &Outcome,
    at: DateTime<Utc>,
) -> Option<AuditRecord> {
    if ANSWERS_ONLY.contains(&order.method.as_str()) || only_checks(order) {
        return None;
    }
    let claimed = order.params.get("by").and_then(Value::as_str);
    let by = by.or_else(|| Some(claimed?.chars().take(NAME_CHARS_MAX).collect()));
    let names_command = order.method.as_str().starts_with("command.");
    let about = order.params.get("id").filter(|_| names_command).and_then(Value::as_str);
    Some(AuditRecord {
        kind: AuditKind::Order,
        about: about.and_then(|id| id.parse().ok()),
        chat_id: outcome.chat_id,
        status: outcome.status,
        error_code: outcome.fault.as_ref().map(|fault| fault.code.clone()),
        ..of(order, by, at)
    })
}

/// What is noted of a command and its result; none where its method only looks.
pub fn of_command(
    command: &Command,
    by: Option<String>,
    result: &CommandResult,
    at: DateTime<Utc>,
) -> Option<AuditRecord> {
    if only_looks(command.method.as_str()) {
        return None;
    }
    Some(AuditRecord {
        chat_id: result.chat_id,
        status: result.status,
        error_code: result.error_code.clone(),
        ..of(command, by, at)
    })
}

/// Whether it was only asked if the order could be followed.
fn only_checks(order: &Command) -> bool {
    order.method.as_str() == method::ACCOUNT_RESTORE
        && order.params.get("check") == Some(&Value::Bool(true))
}

/// Whether a method draws on the classes alone whose calls change nothing.
fn only_looks(method: &str) -> bool {
    let looks = |class: &Class| matches!(class, Class::Read | Class::Resolve);
    methods::find(method).is_some_and(|entry| entry.classes.iter().all(looks))
}

fn of(asked: &Command, by: Option<String>, at: DateTime<Utc>) -> AuditRecord {
    let key = asked.api_key.as_ref().map(|key| key.sha256().chars().take(8).collect());
    AuditRecord {
        v: AUDIT_VERSION,
        at,
        instance: (!asked.instance.is_every()).then(|| asked.instance.clone()),
        actor: AuditActor { amqp_user: asked.user_id.clone(), api_key: key, by },
        kind: AuditKind::Command,
        action: asked.method.clone(),
        id: asked.id.clone(),
        about: None,
        chat_id: None,
        status: proto::Status::Done,
        error_code: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::ORDERS;

    #[test]
    fn what_only_answers_is_an_order_and_looks_only_methods_are_those() {
        for name in ANSWERS_ONLY {
            assert!(ORDERS.iter().any(|order| order.name == *name), "{name}");
        }
        let looking: Vec<_> =
            methods::all().iter().map(|entry| entry.name).filter(|name| only_looks(name)).collect();
        assert_eq!(looking, ["account.get", "user.common_groups"]);
    }

    #[test]
    fn a_claimed_name_is_bounded_and_has_no_control_characters() {
        let note = |by: &str| by_note(&BTreeMap::from([(BY.to_owned(), by.to_owned())]));
        assert_eq!(note("anna").as_deref(), Some("anna"));
        assert_eq!(note("a\u{1b}[2Jb").as_deref(), Some("a[2Jb"));
        assert_eq!(note(" "), None);
        assert_eq!(note(&"ж".repeat(200)).map(|by| by.chars().count()), Some(NAME_CHARS_MAX));
    }
}
