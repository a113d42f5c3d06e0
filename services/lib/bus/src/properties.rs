//! AMQP properties ⇄ [`proto::Properties`], and the few headers that mean something to us.
//!
//! Outbound, every string is checked against AMQP's 255 bytes first: lapin's own conversion panics.
//! Inbound, a header counts whatever string type the sender's library chose for it.

use std::collections::BTreeMap;

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable, LongString, ShortString};
use proto::Properties;

use crate::error::BusError;

/// AMQP's delivery mode for a message that survives a restart of the broker.
const PERSISTENT: u8 = 2;
const TRANSIENT: u8 = 1;

/// How the names of our own headers begin.
const NOTES: &str = "x-queuegram-";

/// W3C Trace Context allows more; nothing sensible needs it, and a header is a caller's text.
const MAX_TRACE_BYTES: usize = 512;

/// What is sent with a message, as lapin wants it.
pub(crate) fn outbound(
    properties: &Properties,
    headers: &BTreeMap<String, String>,
    persistent: bool,
) -> Result<BasicProperties, BusError> {
    let mut out = BasicProperties::default().with_delivery_mode(if persistent {
        PERSISTENT
    } else {
        TRANSIENT
    });
    let short = |field, value: &Option<String>| {
        value.as_deref().map(|value| short_string(field, value)).transpose()
    };
    if let Some(value) = short("content_type", &properties.content_type)? {
        out = out.with_content_type(value);
    }
    if let Some(value) = short("message_id", &properties.message_id)? {
        out = out.with_message_id(value);
    }
    if let Some(value) = short("correlation_id", &properties.correlation_id)? {
        out = out.with_correlation_id(value);
    }
    if let Some(value) = short("reply_to", &properties.reply_to)? {
        out = out.with_reply_to(value);
    }
    if let Some(value) = short("type", &properties.kind)? {
        out = out.with_type(value);
    }
    if let Some(value) = short("expiration", &properties.expiration)? {
        out = out.with_expiration(value);
    }
    if let Some(value) = short("user_id", &properties.user_id)? {
        out = out.with_user_id(value);
    }
    if let Some(value) = short("app_id", &properties.app_id)? {
        out = out.with_app_id(value);
    }
    if let Some(timestamp) = properties.timestamp {
        out = out.with_timestamp(timestamp);
    }
    let mut table = FieldTable::default();
    for (name, value) in headers {
        table.insert(short_string("headers", name)?, long(value));
    }
    if let Some(value) = &properties.traceparent {
        table.insert("traceparent".into(), long(value));
    }
    if let Some(value) = &properties.tracestate {
        table.insert("tracestate".into(), long(value));
    }
    if !table.inner().is_empty() {
        out = out.with_headers(table);
    }
    Ok(out)
}

/// What came with a message.
pub(crate) fn inbound(properties: &BasicProperties) -> Properties {
    let text = |value: &Option<ShortString>| value.as_ref().map(ToString::to_string);
    let headers = properties.headers().as_ref();
    let trace = |name| headers.and_then(|table| header_text(table, name, MAX_TRACE_BYTES));
    Properties {
        content_type: text(properties.content_type()),
        message_id: text(properties.message_id()),
        correlation_id: text(properties.correlation_id()),
        reply_to: text(properties.reply_to()),
        kind: text(properties.kind()),
        expiration: text(properties.expiration()),
        timestamp: *properties.timestamp(),
        user_id: text(properties.user_id()),
        app_id: text(properties.app_id()),
        traceparent: trace("traceparent"),
        tracestate: trace("tracestate"),
    }
}

/// The headers that Queuegram itself writes on what it keeps for people to look at.
pub(crate) fn notes(properties: &BasicProperties) -> BTreeMap<String, String> {
    let headers = properties.headers().iter().flat_map(FieldTable::inner);
    let own = headers.filter(|(name, _)| name.as_str().starts_with(NOTES));
    own.filter_map(|(name, value)| Some((name.to_string(), value_text(value)?))).collect()
}

/// How often a quorum queue has handed this message out before, where it says so.
pub(crate) fn delivery_count(properties: &BasicProperties) -> Option<u64> {
    let value = properties.headers().as_ref()?.inner().get("x-delivery-count")?;
    integer(value).and_then(|count| u64::try_from(count).ok())
}

/// A string of at most 255 bytes, or an error that names where it was meant to go.
pub(crate) fn short_string(field: &'static str, value: &str) -> Result<ShortString, BusError> {
    ShortString::try_new(value).map_err(|_| BusError::Unencodable {
        field,
        why: format!("it has {} bytes and AMQP allows 255", value.len()),
    })
}

fn long(value: &str) -> AMQPValue {
    AMQPValue::LongString(LongString::from(value))
}

/// A header's text, whichever string type it has; none if it is none, not UTF-8, or too long.
pub(crate) fn header_text(table: &FieldTable, name: &str, max_bytes: usize) -> Option<String> {
    let text = value_text(table.inner().get(name)?)?;
    (text.len() <= max_bytes).then_some(text)
}

/// The text of a value of any string type.
pub(crate) fn value_text(value: &AMQPValue) -> Option<String> {
    match value {
        AMQPValue::LongString(text) => String::from_utf8(text.as_bytes().to_vec()).ok(),
        AMQPValue::ShortString(text) => Some(text.to_string()),
        AMQPValue::ByteArray(bytes) => String::from_utf8(bytes.as_slice().to_vec()).ok(),
        _ => None,
    }
}

/// A whole number of any of AMQP's integer types.
pub(crate) fn integer(value: &AMQPValue) -> Option<i64> {
    match *value {
        AMQPValue::ShortShortInt(n) => Some(n.into()),
        AMQPValue::ShortShortUInt(n) => Some(n.into()),
        AMQPValue::ShortInt(n) => Some(n.into()),
        AMQPValue::ShortUInt(n) => Some(n.into()),
        AMQPValue::LongInt(n) => Some(n.into()),
        AMQPValue::LongUInt(n) => Some(n.into()),
        AMQPValue::LongLongInt(n) => Some(n),
        AMQPValue::Timestamp(n) => i64::try_from(n).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> Properties {
        let text = |value: &str| Some(value.to_owned());
        Properties {
            content_type: text("application/json"),
            message_id: text("acme:deal-77:create:result"),
            correlation_id: text("c-1"),
            reply_to: text("crm.replies"),
            kind: text("group.create.result"),
            expiration: text("300"),
            timestamp: Some(1_760_000_000),
            user_id: text("crm"),
            app_id: text("billing"),
            traceparent: text("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
            tracestate: text("vendor=1"),
        }
    }

    #[test]
    fn every_property_survives_the_way_out_and_in() {
        let sent = outbound(&full(), &BTreeMap::new(), true).unwrap();
        assert_eq!(*sent.delivery_mode(), Some(2));
        assert_eq!(inbound(&sent), full());
        let bare = outbound(&Properties::default(), &BTreeMap::new(), false).unwrap();
        assert_eq!((*bare.delivery_mode(), bare.headers()), (Some(1), &None));
        assert_eq!(inbound(&bare), Properties::default());
    }

    #[test]
    fn what_does_not_fit_is_an_error_that_names_the_property() {
        let long = Some("x".repeat(256));
        for (field, properties) in [
            ("message_id", Properties { message_id: long.clone(), ..full() }),
            ("correlation_id", Properties { correlation_id: long.clone(), ..full() }),
            ("reply_to", Properties { reply_to: long.clone(), ..full() }),
            ("type", Properties { kind: long.clone(), ..full() }),
        ] {
            match outbound(&properties, &BTreeMap::new(), true) {
                Err(BusError::Unencodable { field: named, .. }) => assert_eq!(named, field),
                other => panic!("{field}: {other:?}"),
            }
        }
    }

    #[test]
    fn trace_headers_count_in_any_string_type() {
        let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        for value in [
            AMQPValue::LongString(parent.into()),
            AMQPValue::ShortString(parent.into()),
            AMQPValue::ByteArray(parent.as_bytes().into()),
        ] {
            let mut table = FieldTable::default();
            table.insert("traceparent".into(), value.clone());
            let read = inbound(&BasicProperties::default().with_headers(table));
            assert_eq!(read.traceparent.as_deref(), Some(parent), "{value:?}");
        }
        for odd in [
            AMQPValue::LongInt(7),
            AMQPValue::LongString(vec![0xff, 0xfe].into()),
            AMQPValue::LongString("x".repeat(MAX_TRACE_BYTES + 1).into()),
        ] {
            let mut table = FieldTable::default();
            table.insert("traceparent".into(), odd);
            assert_eq!(inbound(&BasicProperties::default().with_headers(table)).traceparent, None);
        }
    }

    #[test]
    fn the_delivery_count_is_read_from_any_integer() {
        for value in
            [AMQPValue::LongLongInt(3), AMQPValue::LongUInt(3), AMQPValue::ShortShortInt(3)]
        {
            let mut table = FieldTable::default();
            table.insert("x-delivery-count".into(), value);
            assert_eq!(delivery_count(&BasicProperties::default().with_headers(table)), Some(3));
        }
        assert_eq!(delivery_count(&BasicProperties::default()), None);
    }
}
