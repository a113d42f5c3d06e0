//! A command that waits in a lane, as its message there holds it: read and checked already, with an
//! absolute deadline, its caller as the broker vouched for it and the time of its receipt. No API key
//! is among it; whoever sent the command was let in before.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::command::{Command, Correlation, OnFlood};
use crate::envelope::BODY_BYTES_MAX;
use crate::ids::{CommandId, ExternalRef, InstanceId, MethodName};
use crate::reply_to::ReplyTo;

/// The version of the form that is written.
const VERSION: u32 = 1;
/// The most bytes: a command's, with room for what its properties said.
const BYTES_MAX: usize = 2 * BODY_BYTES_MAX;

/// One copy of a parked command.
#[derive(Debug, Clone)]
pub struct LaneCopy {
    /// Names this copy: of several, the one that the owner noted counts.
    pub copy: String,
    /// The command's place among everything parked of its instance.
    pub seq: u64,
    /// When its author published it, as the message said.
    pub sent_at: Option<DateTime<Utc>>,
    /// The command.
    pub command: Command,
}

/// Bytes that are no copy of a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a parked command: {0}")]
pub struct NoCopy(String);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    v: u32,
    copy: String,
    seq: u64,
    #[serde(default, with = "crate::time::optional_rfc3339_ms")]
    sent_at: Option<DateTime<Utc>>,
    id: CommandId,
    method: MethodName,
    instance: InstanceId,
    params: Map<String, Value>,
    correlation: Correlation,
    reply_to: Option<ReplyTo>,
    #[serde(with = "crate::time::rfc3339_ms")]
    deadline: DateTime<Utc>,
    external_ref: Option<ExternalRef>,
    on_flood: OnFlood,
    traceparent: Option<String>,
    #[serde(with = "crate::time::rfc3339_ms")]
    received_at: DateTime<Utc>,
    caller: Option<String>,
}

impl LaneCopy {
    /// The message's body.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let command = self.command.clone();
        let form = Form {
            v: VERSION,
            copy: self.copy.clone(),
            seq: self.seq,
            sent_at: self.sent_at,
            id: command.id,
            method: command.method,
            instance: command.instance,
            params: command.params,
            correlation: command.correlation,
            reply_to: command.reply_to,
            deadline: command.deadline,
            external_ref: command.external_ref,
            on_flood: command.on_flood,
            traceparent: command.traceparent,
            received_at: command.received_at,
            caller: command.user_id,
        };
        // Our own types, with text keys only: they always have a JSON form.
        serde_json::to_vec(&form).unwrap_or_default()
    }

    /// Reads a message's body.
    ///
    /// # Errors
    /// [`NoCopy`] for anything that [`LaneCopy::encode`] did not write, in this release or the one
    /// before.
    pub fn decode(body: &[u8], redelivered: bool) -> Result<Self, NoCopy> {
        if body.len() > BYTES_MAX {
            return Err(NoCopy(format!("{} bytes; at most {BYTES_MAX}", body.len())));
        }
        let form: Form = serde_json::from_slice(body).map_err(|error| NoCopy(error.to_string()))?;
        if form.v != VERSION {
            return Err(NoCopy(format!("its form has version {}", form.v)));
        }
        let command = Command {
            id: form.id,
            method: form.method,
            instance: form.instance,
            params: form.params,
            correlation: form.correlation,
            reply_to: form.reply_to,
            deadline: form.deadline,
            external_ref: form.external_ref,
            on_flood: form.on_flood,
            api_key: None,
            traceparent: form.traceparent,
            received_at: form.received_at,
            redelivered,
            user_id: form.caller,
        };
        Ok(Self { copy: form.copy, seq: form.seq, sent_at: form.sent_at, command })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::command::ApiKey;

    fn copy() -> LaneCopy {
        let at = crate::time::parse("2026-11-23T08:00:00.123Z").unwrap();
        LaneCopy {
            copy: "7.1".to_owned(),
            seq: 3,
            sent_at: Some(at),
            command: Command {
                id: "deal-77:create".parse().unwrap(),
                method: "group.create".parse().unwrap(),
                instance: "acme".parse().unwrap(),
                params: json!({ "title": "A", "big": u64::MAX }).as_object().unwrap().clone(),
                correlation: Correlation { property: Some("p".to_owned()), body: None },
                reply_to: serde_json::from_value(json!("crm.replies")).unwrap(),
                deadline: at,
                external_ref: Some("deal-77".parse().unwrap()),
                on_flood: OnFlood::Wait,
                api_key: Some(ApiKey::new("canary-key".to_owned())),
                traceparent: None,
                received_at: at,
                redelivered: false,
                user_id: Some("crm".to_owned()),
            },
        }
    }

    #[test]
    fn a_copy_holds_all_that_the_command_says_but_its_key() {
        let (written, body) = (copy(), copy().encode());
        assert!(!String::from_utf8_lossy(&body).contains("canary"));
        let read = LaneCopy::decode(&body, true).unwrap();
        assert!(read.command.redelivered && read.command.api_key.is_none());
        assert_eq!((read.copy.as_str(), read.seq, read.sent_at), ("7.1", 3, written.sent_at));
        let (read, written) = (read.command, written.command);
        assert_eq!(read.request_hash(), written.request_hash());
        assert_eq!((read.id, read.deadline), (written.id, written.deadline));
        assert_eq!((read.correlation, read.user_id), (written.correlation, written.user_id));
        assert_eq!(read.reply_to, written.reply_to);
    }

    #[test]
    fn what_is_no_copy_is_refused_in_words() {
        let said = |body: &[u8]| LaneCopy::decode(body, false).unwrap_err().to_string();
        assert!(said(b"{}").contains("missing field"));
        assert!(said(b"[").starts_with("not a parked command"));
        assert!(said(&vec![b' '; BYTES_MAX + 1]).contains("bytes"));
        let newer = String::from_utf8(copy().encode()).unwrap().replace("\"v\":1", "\"v\":2");
        assert!(said(newer.as_bytes()).contains("version 2"));
    }
}
