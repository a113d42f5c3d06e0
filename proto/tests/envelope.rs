//! Every accepted style and every refused delivery of the contract, as bytes and properties with
//! what must come of them (`golden/*.json`); and arbitrary deliveries, which must never panic.

#![expect(clippy::unwrap_used, reason = "a helper of tests that fails is a test that fails")]

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use proptest::prelude::*;
use queuegram_proto::{
    CommandResult, Incoming, InstanceId, Names, Properties, Rules, control, decode, fault, time,
};
use serde::Deserialize;
use serde_json::{Value, json};

const METHODS: &[&str] = &["group.create", "group.rename", "account.get"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    exchange: String,
    key: String,
    queue: Option<InstanceId>,
    properties: PropertyRow,
    body: BodyRow,
    #[serde(default)]
    command: Option<Value>,
    #[serde(default)]
    rejected: Option<Value>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct PropertyRow {
    content_type: Option<String>,
    message_id: Option<String>,
    correlation_id: Option<String>,
    reply_to: Option<String>,
    r#type: Option<String>,
    expiration: Option<String>,
    timestamp: Option<u64>,
    user_id: Option<String>,
    traceparent: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum BodyRow {
    Text(String),
    Hex { hex: String },
    Repeated { start: String, unit: String, times: usize, end_unit: String, end: String },
}

impl BodyRow {
    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Text(text) => text.clone().into_bytes(),
            Self::Hex { hex } => hex::decode(hex).unwrap(),
            Self::Repeated { start, unit, times, end_unit, end } => {
                let (opening, closing) = (unit.repeat(*times), end_unit.repeat(*times));
                format!("{start}{opening}{closing}{end}").into_bytes()
            }
        }
    }
}

impl From<PropertyRow> for Properties {
    fn from(row: PropertyRow) -> Self {
        Self {
            content_type: row.content_type,
            message_id: row.message_id,
            correlation_id: row.correlation_id,
            reply_to: row.reply_to,
            kind: row.r#type,
            expiration: row.expiration,
            timestamp: row.timestamp,
            user_id: row.user_id,
            traceparent: row.traceparent,
            ..Self::default()
        }
    }
}

fn rules() -> Rules {
    let methods: Vec<_> = METHODS.iter().chain(control::method::ALL).copied().collect();
    Rules::new(Names::default(), &methods)
}

fn received_at() -> DateTime<Utc> {
    time::parse("2026-11-23T07:00:00Z").unwrap()
}

/// What came of a delivery, as the tables spell it.
fn outcome(incoming: Incoming<'_>) -> (&'static str, Value) {
    match decode(incoming) {
        Ok(command) => (
            "command",
            json!({
                "id": command.id, "method": command.method, "instance": command.instance.as_str(),
                "params": command.params, "correlation": command.correlation,
                "reply_to": command.reply_to, "deadline": time::format(command.deadline),
                "external_ref": command.external_ref, "on_flood": command.on_flood,
                "api_key": command.api_key.is_some(), "user_id": command.user_id,
                "traceparent": command.traceparent,
            }),
        ),
        Err(rejected) => (
            "rejected",
            json!({
                "kind": rejected.fault.kind, "code": rejected.fault.code,
                "message": rejected.fault.message, "id": rejected.id,
                "instance": rejected.instance, "method": rejected.method,
                "correlation": rejected.correlation, "reply_to": rejected.reply_to,
            }),
        ),
    }
}

fn check(table: &str) {
    let rows: Vec<Row> = serde_json::from_str(table).unwrap();
    let mut wrong = Vec::new();
    for row in rows {
        let (ending, expected) = match (row.command, row.rejected) {
            (Some(command), None) => ("command", command),
            (None, Some(rejected)) => ("rejected", rejected),
            _ => panic!("{}: expects both endings, or none", row.name),
        };
        let (body, properties) = (row.body.bytes(), row.properties.into());
        let got = outcome(Incoming {
            body: &body,
            properties: &properties,
            exchange: &row.exchange,
            routing_key: &row.key,
            queue_instance: row.queue.as_ref(),
            redelivered: false,
            received_at: received_at(),
            rules: &rules(),
        });
        let fields = expected.as_object().unwrap();
        let fits = fields.iter().all(|(name, value)| match name.as_str() {
            "message" => got.1[name].as_str().unwrap().contains(value.as_str().unwrap()),
            _ => got.1.get(name) == Some(value),
        });
        if got.0 != ending || !fits {
            wrong.push(format!(
                "{}\n  expected {ending} {expected}\n  got {} {}",
                row.name, got.0, got.1
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_accepted_style_is_read() {
    check(include_str!("golden/commands.json"));
}

#[test]
fn every_broken_delivery_gets_its_one_clear_error() {
    check(include_str!("golden/rejected.json"));
}

#[test]
fn every_code_that_reading_can_give_has_its_row() {
    let rows: Vec<Row> = serde_json::from_str(include_str!("golden/rejected.json")).unwrap();
    let seen: HashSet<String> = rows
        .iter()
        .filter_map(|row| row.rejected.as_ref()?["code"].as_str().map(str::to_owned))
        .collect();
    for code in [
        fault::code::NOT_JSON,
        fault::code::NOT_AN_OBJECT,
        fault::code::NOT_UTF8,
        fault::code::TOO_LARGE,
        fault::code::TOO_DEEP,
        fault::code::DUPLICATE_FIELD,
        fault::code::CONTENT_TYPE_UNSUPPORTED,
        fault::code::ID_MISSING,
        fault::code::ID_INVALID,
        fault::code::METHOD_MISSING,
        fault::code::METHOD_UNKNOWN,
        fault::code::METHOD_AMBIGUOUS,
        fault::code::INSTANCE_MISSING,
        fault::code::INSTANCE_INVALID,
        fault::code::INSTANCE_AMBIGUOUS,
        fault::code::FIELD_UNKNOWN,
        fault::code::FIELD_INVALID,
        fault::code::REPLY_TO_FORBIDDEN,
        fault::code::REPLY_TO_INVALID,
        fault::code::DEADLINE_INVALID,
        fault::code::CALLBACKS_UNAVAILABLE,
    ] {
        assert!(seen.contains(code), "{code}");
    }
}

#[test]
fn an_operator_may_list_the_queues_that_replies_go_to() {
    let rules = Rules { reply_queues: vec!["crm.*".into()], ..rules() };
    let reply_to = |queue: &str| {
        let properties = Properties {
            message_id: Some("a-1".into()),
            reply_to: Some(queue.into()),
            ..Properties::default()
        };
        let incoming = Incoming {
            body: b"{}",
            properties: &properties,
            exchange: "tg.commands",
            routing_key: "acme.group.create",
            queue_instance: None,
            redelivered: false,
            received_at: received_at(),
            rules: &rules,
        };
        decode(incoming).map(|c| c.reply_to.is_some()).map_err(|r| (r.fault.code, r.reply_to))
    };
    assert_eq!(reply_to("crm.deals"), Ok(true));
    assert_eq!(reply_to("other"), Err((fault::code::REPLY_TO_FORBIDDEN.into(), None)));
}

#[test]
fn a_rejection_is_answered_with_the_same_message_id_each_time() {
    let properties = Properties::default();
    let rules = rules();
    let answer = |body: &'static [u8], redelivered| {
        let rejected = decode(Incoming {
            body,
            properties: &properties,
            exchange: "tg.commands",
            routing_key: "acme.group.create",
            queue_instance: None,
            redelivered,
            received_at: received_at(),
            rules: &rules,
        })
        .unwrap_err();
        let result = CommandResult::of_rejected(&rejected, received_at());
        (result.message_id_apart(&rejected.fingerprint), result.routing_key(&rules.names))
    };
    let first = answer(b"nonsense", false);
    assert_eq!(first, answer(b"nonsense", true));
    assert_ne!(first, answer(b"other nonsense", false));
    assert!(first.0.starts_with("acme:_:NOT_JSON:"), "{}", first.0);
    assert_eq!(first.1, "acme.group.create.failed");
}

/// Text that looks enough like a command to get past the first checks.
fn nearly_a_command() -> impl Strategy<Value = Vec<u8>> {
    let name = prop_oneof![
        proptest::sample::select(queuegram_proto::envelope::FIELDS.to_vec()).prop_map(String::from),
        "[a-z_]{0,12}",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        proptest::sample::select(METHODS.to_vec()).prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
    ];
    let value = leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::hash_map("[a-z_]{0,12}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    });
    (proptest::collection::hash_map(name, value, 0..8), any::<Option<usize>>()).prop_map(
        |(fields, cut)| {
            let mut bytes = Value::Object(fields.into_iter().collect()).to_string().into_bytes();
            if let Some(cut) = cut {
                bytes.truncate(cut % (bytes.len() + 1));
            }
            bytes
        },
    )
}

fn any_properties() -> impl Strategy<Value = Properties> {
    let text = || proptest::option::of("\\PC{0,40}");
    (text(), text(), text(), text(), text(), "[0-9]{0,22}", any::<Option<u64>>()).prop_map(
        |(content_type, message_id, correlation_id, reply_to, kind, expiration, timestamp)| {
            Properties {
                content_type: content_type.filter(|text| text.len() % 5 == 0),
                message_id,
                correlation_id,
                reply_to,
                kind,
                expiration: Some(expiration),
                timestamp,
                ..Properties::default()
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_delivery_is_too_strange(
        body in prop_oneof![nearly_a_command(), proptest::collection::vec(any::<u8>(), 0..400)],
        properties in any_properties(),
        exchange in prop_oneof![Just("tg.commands"), Just(""), Just("tg.control"), Just("x")],
        routing_key in prop_oneof!["acme\\.[a-z.]{0,20}", "\\PC{0,30}"],
    ) {
        let rules = rules();
        let incoming = Incoming {
            body: &body,
            properties: &properties,
            exchange,
            routing_key: &routing_key,
            queue_instance: None,
            redelivered: false,
            received_at: received_at(),
            rules: &rules,
        };
        let result = match decode(incoming) {
            Ok(command) => {
                prop_assert!(rules.methods.contains(&command.method.as_str()));
                prop_assert_eq!(command.request_hash().len(), 64);
                return Ok(());
            }
            Err(rejected) => {
                let named = rejected.reply_to.as_ref().map(|place| place.routing_key().to_owned());
                prop_assert!(named.is_none_or(|queue| !rules.names.is_own(&queue)));
                CommandResult::of_rejected(&rejected, received_at())
            }
        };
        prop_assert!(result.message_id_apart("0123456789abcdef").len() <= 255);
        prop_assert!(result.error_message.as_ref().is_some_and(|text| text.len() < 1_000));
    }
}
