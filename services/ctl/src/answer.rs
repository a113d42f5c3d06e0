//! A result for people: the status in its colour, the reason, then the result's own fields.

use std::time::Duration;

use proto::{CommandResult, Status};
use serde_json::{Map, Value};

use crate::{
    screen::{BAD, FAINT, GOOD, STRONG, UNSURE, paint, plain},
    table::table,
};

/// The whole result, several lines.
#[must_use]
pub fn words_of(result: &CommandResult) -> String {
    let status = status_word(result.status);
    let method = result.method.as_ref().map_or("command", |method| method.as_str());
    let mut lines = vec![format!("{status}  {}", paint(STRONG, method))];
    if let Some(id) = &result.id {
        lines.push(paint(FAINT, &format!("id {}", plain(id))));
    }
    if let Some(chat) = &result.chat_id {
        lines.push(format!("chat_id  {chat}"));
    }
    if let Some(code) = &result.error_code {
        let kind = result.error_kind.map_or("", proto::ErrorKind::as_str);
        let message = result.error_message.as_deref().unwrap_or_default();
        lines.push(format!("{kind} {}: {}", paint(BAD, &plain(code)), plain(message)));
        if result.retryable {
            let wait = result.retry_after_s.map_or(String::from("later"), |seconds| {
                format!("in {}", humantime::format_duration(Duration::from_secs(seconds)))
            });
            lines.push(format!("nothing was done; it may succeed {wait}, under a new id"));
        }
    }
    lines.extend(value_lines(&result.result));
    lines.join("\n")
}

/// A status in its colour.
#[must_use]
pub fn status_word(status: Status) -> String {
    let style = match status {
        Status::Done => GOOD,
        Status::Partial | Status::Unknown => UNSURE,
        Status::Failed => BAD,
    };
    paint(style, status.as_str())
}

/// The fields of an object: plain ones as lines, lists of objects as tables.
fn value_lines(value: &Value) -> Vec<String> {
    let Value::Object(fields) = value else { return Vec::new() };
    let (lists, plain): (Vec<_>, Vec<_>) = fields
        .iter()
        .filter(|(_, value)| says_something(value))
        .partition(|(_, value)| is_table(value));
    let mut lines = Vec::new();
    if !plain.is_empty() {
        lines.push(table(&[], plain.iter().map(|(key, value)| vec![(*key).clone(), cell(value)])));
    }
    for (key, rows) in lists {
        let rows: Vec<&Map<String, Value>> =
            rows.as_array().into_iter().flatten().filter_map(Value::as_object).collect();
        // A column that says nothing in any row is left out.
        let mut columns: Vec<&str> = Vec::new();
        for (name, _) in rows.iter().flat_map(|row| row.iter()).filter(|(_, v)| !v.is_null()) {
            if !columns.contains(&name.as_str()) {
                columns.push(name);
            }
        }
        lines.push(format!("{key}:"));
        let cells = rows.iter().map(|row| {
            columns.iter().map(|name| row.get(*name).map_or_else(String::new, cell)).collect()
        });
        lines.push(table(&columns, cells));
    }
    lines
}

fn says_something(value: &Value) -> bool {
    !value.is_null() && value.as_array().is_none_or(|items| !items.is_empty())
}

fn is_table(value: &Value) -> bool {
    value.as_array().is_some_and(|rows| !rows.is_empty() && rows.iter().all(Value::is_object))
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => plain(text),
        // JSON escapes only some of the characters that a terminal obeys.
        other => plain(&other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_result_in_words() {
        let result: CommandResult = serde_json::from_value(json!({
            "v": 1, "event": "group.create.result", "id": "deal-77", "correlation_id": null,
            "instance": "acme", "method": "group.create", "external_ref": null, "ok": false,
            "status": "partial", "chat_id": -1_001_234, "error_kind": "forbidden",
            "error_code": "USER_PRIVACY_RESTRICTED", "error_message": "somebody's settings",
            "retryable": false, "retry_after_s": null, "attempts": 1,
            "received_at": "2026-11-23T06:00:00.000Z", "finished_at": "2026-11-23T06:00:01.000Z",
            "result": {"title": "T", "link": null, "admins": [], "members": [
                {"input": "@a", "user_id": 7, "status": "added", "error_code": null},
                {"input": {"instance": "b"}, "user_id": null, "status": "privacy_blocked",
                 "error_code": "USER_PRIVACY_RESTRICTED"}]},
        }))
        .unwrap();
        let shown = anstream::adapter::strip_str(&words_of(&result)).to_string();
        assert_eq!(
            shown,
            "partial  group.create\n\
             id deal-77\n\
             chat_id  -1001234\n\
             forbidden USER_PRIVACY_RESTRICTED: somebody's settings\n\
             title  T\n\
             members:\n\
             input             user_id  status           error_code\n\
             @a                7        added\n\
             {\"instance\":\"b\"}           privacy_blocked  USER_PRIVACY_RESTRICTED"
        );
    }
}
