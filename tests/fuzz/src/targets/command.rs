//! A command or an order as it comes from the broker: body, properties, routing key. Either it is read,
//! and then written and read again it is the same, or there is one clear error to whoever sent it.

use chrono::{DateTime, Utc};
use proto::command::Command;
use proto::envelope::Rejected;
use proto::ids::ID_CHARS_MAX;
use proto::{
    CommandResult, ErrorKind, Incoming, InstanceId, Names, Properties, ReplyTo, Rules, control, decode,
};
use serde_json::json;

use crate::input::Input;

/// An error is for people: however long the input was, it is not.
const MESSAGE_BYTES_MAX: usize = 2_000;

pub fn run(data: &[u8]) {
    let input = Input::read(data);
    let queue_instance = input.value("queue").and_then(|id| id.parse::<InstanceId>().ok());
    let (properties, rules) = (properties(&input), rules());
    let incoming = Incoming {
        body: input.body,
        properties: &properties,
        exchange: input.value("exchange").unwrap_or("tg.commands"),
        routing_key: input.value("key").unwrap_or_default(),
        queue_instance: queue_instance.as_ref(),
        redelivered: false,
        received_at: received_at(),
        rules: &rules,
    };
    match (decode(incoming), decode(incoming)) {
        (Ok(command), Ok(again)) => {
            assert_eq!(essence(&command), essence(&again));
            check_command(&command, &rules);
            if let Some(queue) = &queue_instance {
                assert_eq!(command.instance, *queue);
            }
        }
        (Err(rejected), Err(again)) => {
            assert_eq!(rejected, again);
            check_rejected(&rejected, &rules.names);
        }
        _ => panic!("read differently the second time"),
    }
}

fn check_command(command: &Command, rules: &Rules) {
    assert!(command.id.as_str().chars().count() <= ID_CHARS_MAX);
    assert!(rules.methods.contains(&command.method.as_str()));
    check_place(command.reply_to.as_ref(), &rules.names);
    // As plainly as it can be written it is the same command.
    let body = json!({
        "id": command.id, "method": command.method, "params": command.params,
        "deadline": proto::time::format(command.deadline), "external_ref": command.external_ref,
        "on_flood": command.on_flood, "correlation_id": command.correlation.body,
    });
    let (body, properties) = (body.to_string(), Properties::default());
    let plain = decode(Incoming {
        body: body.as_bytes(),
        properties: &properties,
        exchange: "",
        routing_key: "",
        queue_instance: Some(&command.instance),
        redelivered: false,
        received_at: received_at(),
        rules,
    });
    let plain = plain.unwrap_or_else(|rejected| panic!("{body}: {rejected:?}"));
    assert_eq!(plain.request_hash(), command.request_hash());
    assert_eq!(
        (&plain.id, &plain.method, &plain.instance, &plain.external_ref, plain.on_flood),
        (&command.id, &command.method, &command.instance, &command.external_ref, command.on_flood),
    );
    assert_eq!(plain.correlation.body, command.correlation.body);
}

fn check_rejected(rejected: &Rejected, names: &Names) {
    let fault = &rejected.fault;
    assert!(matches!(fault.kind, ErrorKind::Malformed | ErrorKind::Invalid), "{fault:?}");
    assert!(!fault.code.is_empty() && !fault.message.is_empty(), "{fault:?}");
    assert!(fault.message.len() <= MESSAGE_BYTES_MAX, "{} bytes", fault.message.len());
    if matches!(fault.code.as_str(), "FIELD_INVALID" | "FIELD_UNKNOWN" | "ID_INVALID") {
        assert!(fault.message.contains('`'), "names no field: {}", fault.message);
    }
    assert_eq!(rejected.fingerprint.len(), 64);
    check_place(rejected.reply_to.as_ref(), names);
    let answer = CommandResult::of_rejected(rejected, received_at());
    assert!(answer.message_id_apart(&rejected.fingerprint).len() <= 255);
    assert!(answer.routing_key(names).len() <= 255);
}

/// Never a queue or an exchange of Queuegram's own, nor what AMQP can't carry.
fn check_place(place: Option<&ReplyTo>, names: &Names) {
    let Some(place) = place else { return };
    assert!(place.routing_key().len() <= 255);
    match place {
        ReplyTo::Queue(queue) => {
            assert!(ReplyTo::from_property(queue, names).is_ok_and(|read| read.is_some()));
            assert!(!queue.starts_with("tg."), "{queue}");
        }
        ReplyTo::Topic(topic) => assert_eq!(topic.exchange, "tg.replies"),
    }
}

fn essence(command: &Command) -> String {
    format!("{command:?} {} {:?}", command.request_hash(), command.reply_to)
}

fn properties(input: &Input<'_>) -> Properties {
    Properties {
        content_type: input.text("content_type"),
        message_id: input.text("message_id"),
        correlation_id: input.text("correlation_id"),
        reply_to: input.text("reply_to"),
        kind: input.text("type"),
        expiration: input.text("expiration"),
        timestamp: input.value("timestamp").and_then(|seconds| seconds.parse().ok()),
        user_id: input.text("user_id"),
        app_id: input.text("app_id"),
        traceparent: input.text("traceparent"),
        tracestate: input.text("tracestate"),
    }
}

fn rules() -> Rules {
    let methods: Vec<&'static str> =
        ["group.create", "group.rename", "account.get"].into_iter().chain(orders()).collect();
    Rules::new(Names::default(), &methods)
}

fn orders() -> impl Iterator<Item = &'static str> {
    control::method::ALL.iter().copied()
}

fn received_at() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + chrono::TimeDelta::days(20_000)
}
