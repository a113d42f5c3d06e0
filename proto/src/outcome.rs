//! The result of a command: exactly one distinct one each. [`Outcome`] is what the work came to,
//! [`CommandResult`] the body that every reader gets.

use std::fmt;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::WIRE_VERSION;
use crate::canonical::sha256_hex;
use crate::command::{Command, Correlation};
use crate::envelope::Rejected;
use crate::fault::{ErrorKind, Fault};
use crate::ids::{ChatId, InstanceId, MethodName};
use crate::names::Names;

/// How a command ended.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// All of it was done.
    Done,
    /// A step or a member did not succeed; each says why.
    Partial,
    /// Nothing was done.
    Failed,
    /// The effect can't be established: a human decides.
    Unknown,
}

impl Status {
    /// Every status, in the order of the contract.
    pub const ALL: [Self; 4] = [Self::Done, Self::Partial, Self::Failed, Self::Unknown];

    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }
}

/// What the work of a command came to, before it is addressed to anybody.
#[derive(Clone, PartialEq)]
pub struct Outcome {
    /// How it ended.
    pub status: Status,
    /// The group that it was about, as soon as one is known.
    pub chat_id: Option<ChatId>,
    /// The method's own result; null where there is none.
    pub result: Value,
    /// Why it is not `done`. A `partial` may have none where each member says its own reason.
    pub fault: Option<Fault>,
}

impl Outcome {
    /// All of it was done.
    #[must_use]
    pub fn done(chat_id: Option<ChatId>, result: Value) -> Self {
        Self { status: Status::Done, chat_id, result, fault: None }
    }

    /// Some of it was done.
    #[must_use]
    pub fn partial(chat_id: Option<ChatId>, result: Value, fault: Option<Fault>) -> Self {
        Self { status: Status::Partial, chat_id, result, fault }
    }

    /// Nothing was done, or with [`ErrorKind::Uncertain`] nobody knows whether something was.
    #[must_use]
    pub fn from_fault(fault: Fault) -> Self {
        let status = match fault.kind {
            ErrorKind::Uncertain => Status::Unknown,
            _ => Status::Failed,
        };
        Self { status, chat_id: None, result: Value::Null, fault: Some(fault) }
    }
}

impl From<Fault> for Outcome {
    fn from(fault: Fault) -> Self {
        Self::from_fault(fault)
    }
}

/// The body of a result. It is flat, since some readers can match only fields at the top.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CommandResult {
    /// Version of this form.
    pub v: u32,
    /// `<method>.result`; `command.rejected.result` where no method could be read.
    pub event: String,
    /// The command's id; null where none could be read.
    pub id: Option<String>,
    /// The caller's, from the command's body, else from its property.
    pub correlation_id: Option<String>,
    /// The instance; null where none could be read.
    pub instance: Option<InstanceId>,
    /// The method; null where none could be read.
    pub method: Option<MethodName>,
    /// The caller's key of the group, as given.
    pub external_ref: Option<String>,
    /// Whether `status` is `done`.
    pub ok: bool,
    /// How it ended.
    pub status: Status,
    /// The group that it was about.
    pub chat_id: Option<ChatId>,
    /// The method's own result, see the method's schema; null where there is none.
    pub result: Value,
    /// What a caller can do about it; null where nothing went wrong.
    pub error_kind: Option<ErrorKind>,
    /// Telegram's own name of the error, or one of Queuegram's.
    pub error_code: Option<String>,
    /// One sentence for people.
    pub error_message: Option<String>,
    /// True means exactly: nothing was done, and the same request may succeed later under a new id.
    pub retryable: bool,
    /// Seconds after which it may, where that is known.
    pub retry_after_s: Option<u64>,
    /// How often the work on it was begun.
    pub attempts: u32,
    /// When Queuegram first received it.
    #[serde(with = "crate::time::rfc3339_ms")]
    #[schemars(with = "DateTime<Utc>")]
    pub received_at: DateTime<Utc>,
    /// When it ended.
    #[serde(with = "crate::time::rfc3339_ms")]
    #[schemars(with = "DateTime<Utc>")]
    pub finished_at: DateTime<Utc>,
}

impl CommandResult {
    /// The result of a command that was read.
    #[must_use]
    pub fn of(
        command: &Command,
        outcome: Outcome,
        attempts: u32,
        finished_at: DateTime<Utc>,
    ) -> Self {
        let instance = Some(command.instance.clone()).filter(|instance| !instance.is_every());
        Self {
            id: Some(command.id.to_string()),
            correlation_id: command.correlation.for_body().map(str::to_owned),
            instance,
            external_ref: command.external_ref.as_ref().map(ToString::to_string),
            attempts,
            received_at: command.received_at,
            ..Self::bare(Some(command.method.clone()), outcome, finished_at)
        }
    }

    /// The one clear answer to what could not be read as a command.
    #[must_use]
    pub fn of_rejected(rejected: &Rejected, finished_at: DateTime<Utc>) -> Self {
        let outcome = Outcome::from_fault(rejected.fault.clone());
        Self {
            id: rejected.id.clone(),
            correlation_id: rejected.correlation.for_body().map(str::to_owned),
            instance: rejected.instance.clone().filter(|instance| !instance.is_every()),
            received_at: rejected.received_at,
            ..Self::bare(rejected.method.clone(), outcome, finished_at)
        }
    }

    fn bare(method: Option<MethodName>, outcome: Outcome, finished_at: DateTime<Utc>) -> Self {
        let Outcome { status, chat_id, result, fault } = outcome;
        let nothing_done = status == Status::Failed;
        let (error_kind, error_code, error_message, retryable, retry_after_s) = match fault {
            Some(fault) => {
                let retryable = nothing_done && fault.retryable();
                let wait = fault.retry_after_s;
                (Some(fault.kind), Some(fault.code), Some(fault.message), retryable, wait)
            }
            None => (None, None, None, false, None),
        };
        Self {
            v: WIRE_VERSION,
            event: type_name(method.as_ref()),
            id: None,
            correlation_id: None,
            instance: None,
            method,
            external_ref: None,
            ok: status == Status::Done,
            status,
            chat_id,
            result,
            error_kind,
            error_code,
            error_message,
            retryable,
            retry_after_s,
            attempts: 0,
            received_at: finished_at,
            finished_at,
        }
    }

    /// The same result for another asker: only the correlation differs.
    #[must_use]
    pub fn for_asker(self, correlation: &Correlation) -> Self {
        Self { correlation_id: correlation.for_body().map(str::to_owned), ..self }
    }

    /// `message_id` of the command's recorded outcome: the same each time it is told, so that
    /// readers can drop what they have seen.
    #[must_use]
    pub fn message_id(&self) -> String {
        self.message_id_ending("result")
    }

    /// `message_id` of an answer that is not the record's outcome (a conflict, a rejection): the
    /// same for the same request (`request_hash`), another one for another request.
    #[must_use]
    pub fn message_id_apart(&self, request_hash: &str) -> String {
        let code = self.error_code.as_deref().unwrap_or("NONE");
        let hash: String = request_hash.chars().take(16).collect();
        self.message_id_ending(&format!("{code}:{hash}"))
    }

    /// AMQP ends a property at 255 bytes; an id in another script can be longer than that, and
    /// then stands in the `message_id` as its hash.
    fn message_id_ending(&self, ending: &str) -> String {
        const PROPERTY_BYTES_MAX: usize = 255;
        let instance = self.instance.as_ref().map_or("_", InstanceId::as_str);
        let id = self.id.as_deref().unwrap_or("_");
        let plain = format!("{instance}:{id}:{ending}");
        if plain.len() <= PROPERTY_BYTES_MAX {
            return plain;
        }
        format!("{instance}:sha256-{}:{ending}", sha256_hex(id.as_bytes()))
    }

    /// The AMQP `type`, which is also the body's `event`.
    #[must_use]
    pub fn type_name(&self) -> &str {
        &self.event
    }

    /// The routing key on the exchange of results.
    #[must_use]
    pub fn routing_key(&self, names: &Names) -> String {
        names.result_key(self.instance.as_ref(), self.method.as_ref(), self.status)
    }
}

/// Results name people as their caller did, by phone number too: none of that goes into a log.
impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outcome")
            .field("status", &self.status)
            .field("chat_id", &self.chat_id)
            .field("fault", &self.fault)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for CommandResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CommandResult")
            .field("id", &self.id)
            .field("instance", &self.instance)
            .field("event", &self.event)
            .field("status", &self.status)
            .field("chat_id", &self.chat_id)
            .field("error_code", &self.error_code)
            .finish_non_exhaustive()
    }
}

fn type_name(method: Option<&MethodName>) -> String {
    format!("{}.result", method.map_or("command.rejected", MethodName::as_str))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::OnFlood;
    use serde_json::{Map, json};

    fn command(id: &str) -> Command {
        let at = crate::time::parse("2026-11-23T06:54:40.123Z").unwrap();
        Command {
            id: id.parse().unwrap(),
            method: "group.create".parse().unwrap(),
            instance: "acme-sales".parse().unwrap(),
            params: Map::new(),
            correlation: Correlation { property: None, body: Some("c-1".into()) },
            reply_to: None,
            deadline: at,
            external_ref: Some("deal-77".parse().unwrap()),
            on_flood: OnFlood::Wait,
            api_key: None,
            traceparent: None,
            received_at: at,
            redelivered: false,
            user_id: None,
        }
    }

    fn result(id: &str, outcome: Outcome) -> CommandResult {
        let command = command(id);
        CommandResult::of(&command, outcome, 1, command.received_at)
    }

    #[test]
    fn the_body_is_the_contracts_field_by_field() {
        let chat = Some(ChatId::supergroup(1_234_567_890).unwrap());
        let done = result("deal-77:create", Outcome::done(chat, json!({"title":"T","link":null})));
        let expected = concat!(
            r#"{"v":1,"event":"group.create.result","id":"deal-77:create","correlation_id":"c-1","#,
            r#""instance":"acme-sales","method":"group.create","external_ref":"deal-77","ok":true,"#,
            r#""status":"done","chat_id":-1001234567890,"result":{"title":"T","link":null},"#,
            r#""error_kind":null,"error_code":null,"error_message":null,"retryable":false,"#,
            r#""retry_after_s":null,"attempts":1,"received_at":"2026-11-23T06:54:40.123Z","#,
            r#""finished_at":"2026-11-23T06:54:40.123Z"}"#
        );
        let written = serde_json::to_string(&done).unwrap();
        assert_eq!(written, expected);
        let read: CommandResult = serde_json::from_str(&written).unwrap();
        assert_eq!(read, done);
        assert_eq!(done.message_id(), "acme-sales:deal-77:create:result");
        assert_eq!(done.routing_key(&Names::default()), "acme-sales.group.create.done");
    }

    #[test]
    fn retryable_means_that_nothing_was_done() {
        let flood = || Fault::throttled("FLOOD_WAIT", "wait", 30);
        let failed = result("a", flood().into());
        assert!(failed.retryable && !failed.ok);
        assert_eq!((failed.status, failed.retry_after_s), (Status::Failed, Some(30)));
        let partial = result("a", Outcome::partial(None, Value::Null, Some(flood())));
        assert!(!partial.retryable && !partial.ok);
        assert_eq!(partial.retry_after_s, Some(30));
        let unknown = result("a", Fault::uncertain("lost").into());
        assert_eq!((unknown.status, unknown.retryable), (Status::Unknown, false));
    }

    #[test]
    fn another_asker_gets_the_same_result_with_its_own_correlation() {
        let first = result("a", Outcome::done(None, Value::Null));
        let other = Correlation { property: Some("c-2".into()), body: None };
        let second = first.clone().for_asker(&other);
        assert_eq!(second.correlation_id.as_deref(), Some("c-2"));
        assert_eq!(second.message_id(), first.message_id());
        assert_eq!(CommandResult { correlation_id: first.correlation_id.clone(), ..second }, first);
    }

    /// A record keeps the text; what is told again is read from it and written anew.
    #[test]
    fn a_recorded_result_is_told_again_byte_for_byte() {
        let chat = Some(ChatId::supergroup(1_234_567_890).unwrap());
        let odd = json!({"z":1,"a":[i64::MIN,u64::MAX,1.5],"ж":{"b":null,"a":"\u{1F600}\\\"<>"}});
        let flood = || Fault::throttled("FLOOD_WAIT", "wait", 30);
        for outcome in [
            Outcome::done(chat, odd.clone()),
            Outcome::done(None, Value::Null),
            Outcome::partial(chat, odd, Some(flood())),
            flood().into(),
            Fault::uncertain("step create: lost").into(),
            Fault::expired("late").into(),
        ] {
            let first = result("a", outcome);
            let recorded = serde_json::to_string(&first).unwrap();
            let read: CommandResult = serde_json::from_str(&recorded).unwrap();
            let asker = Correlation { property: None, body: Some("c-1".into()) };
            assert_eq!(serde_json::to_string(&read.for_asker(&asker)).unwrap(), recorded);
        }
    }

    #[test]
    fn answers_apart_from_the_record_have_their_own_message_id() {
        let conflict = result("a", Fault::conflict("used").into());
        let hash = "0123456789abcdef0123";
        assert_eq!(conflict.message_id_apart(hash), "acme-sales:a:ID_REUSED:0123456789abcdef");
    }

    #[test]
    fn what_is_in_a_result_is_not_in_a_log() {
        let outcome = Outcome::done(None, json!({"members":[{"input":"+49canary"}]}));
        assert!(!format!("{outcome:?}").contains("canary"));
        assert!(!format!("{:?}", result("a", outcome)).contains("canary"));
        let mut with_params = command("a");
        with_params.params.insert("text".into(), "canary".into());
        assert!(!format!("{with_params:?}").contains("canary"));
    }

    #[test]
    fn a_message_id_always_fits_the_property() {
        let long = result(&"ж".repeat(128), Outcome::done(None, Value::Null));
        assert!(
            long.message_id().starts_with("acme-sales:sha256-") && long.message_id().len() <= 255
        );
    }
}
