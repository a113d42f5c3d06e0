//! What could not be read as a command, with all of it that could be read nevertheless: enough to
//! answer its sender once, clearly.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Incoming, Properties, route, strict_json};
use crate::command::Correlation;
use crate::fault::Fault;
use crate::ids::{CommandId, InstanceId, MethodName};
use crate::reply_to::ReplyTo;

/// How far into a body it is worth looking for the sender's address.
const SALVAGE_BYTES_MAX: usize = 1024 * 1024;

/// A delivery that is no command, ready to be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// What is wrong with it.
    pub fault: Fault,
    /// Its id, if it has a sound one.
    pub id: Option<String>,
    /// The instance that it was meant for.
    pub instance: Option<InstanceId>,
    /// What it asked for; perhaps something that doesn't exist.
    pub method: Option<MethodName>,
    /// What to echo.
    pub correlation: Correlation,
    /// Where the answer goes; never a place that a command could not have named.
    pub reply_to: Option<ReplyTo>,
    /// W3C trace context of the sender.
    pub traceparent: Option<String>,
    /// When it reached us.
    pub received_at: DateTime<Utc>,
    /// Hash of the delivery: the same when it is delivered again.
    pub fingerprint: String,
}

impl Rejected {
    /// Keeps what can be kept. Each thing is taken or left on its own.
    #[must_use]
    pub fn salvage(fault: Fault, incoming: &Incoming<'_>) -> Self {
        let Incoming { properties, received_at, .. } = *incoming;
        let body = Top::scan(incoming.body);
        let key = route::Key::read(incoming);
        let instance = incoming.queue_instance.cloned().or_else(|| {
            let named = key.instance.or(body.instance.as_deref());
            named.and_then(|text| route::parse_instance(text, incoming).ok())
        });
        let method = [body.method.as_deref(), body.action.as_deref(), key.method]
            .into_iter()
            .chain([route::known_type(properties, incoming.rules)])
            .flatten()
            .find_map(|text| text.parse().ok());
        let id = body.id.as_deref().or(properties.message_id.as_deref());
        Self {
            fault,
            id: id.and_then(|text| text.parse::<CommandId>().ok()).map(|id| id.to_string()),
            instance,
            method,
            correlation: Correlation {
                property: properties.correlation_id.clone().filter(|id| !id.is_empty()),
                body: body.correlation_id,
            },
            reply_to: super::reply_to(incoming, None).ok().flatten().or_else(|| {
                let property = properties.reply_to.as_deref().unwrap_or_default();
                let asked = body.reply_to.filter(|_| property.is_empty());
                super::reply_to(incoming, asked.as_ref()).ok().flatten()
            }),
            traceparent: properties.valid_traceparent(),
            received_at,
            fingerprint: fingerprint(properties, incoming.routing_key, incoming.body),
        }
    }
}

/// Hash of a delivery, the same each time it is delivered. Lengths go in as well, so that no two
/// deliveries share their bytes by another division.
#[must_use]
pub fn fingerprint(properties: &Properties, routing_key: &str, body: &[u8]) -> String {
    let message_id = properties.message_id.as_deref().unwrap_or_default();
    let mut hash = Sha256::new();
    for part in [message_id.as_bytes(), routing_key.as_bytes(), body] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hex::encode(hash.finalize())
}

/// The fields at the top of a body that say whom to answer. The rest is skipped unread, so that
/// neither depth nor a duplicate nor an end in mid-text keeps the sender from being answered.
#[derive(Default)]
struct Top {
    id: Option<String>,
    method: Option<String>,
    action: Option<String>,
    instance: Option<String>,
    correlation_id: Option<String>,
    reply_to: Option<Value>,
}

impl Top {
    fn scan(body: &[u8]) -> Self {
        let mut top = Self::default();
        let body = strict_json::without_bom(body);
        let start = body.get(..SALVAGE_BYTES_MAX).unwrap_or(body);
        // An error says only where the readable part ends.
        let _ = serde_json::Deserializer::from_slice(start).deserialize_map(&mut top);
        top
    }

    fn slot(&mut self, name: &str) -> Option<&mut Option<String>> {
        match name {
            "id" => Some(&mut self.id),
            "method" => Some(&mut self.method),
            "action" => Some(&mut self.action),
            "instance" => Some(&mut self.instance),
            "correlation_id" => Some(&mut self.correlation_id),
            _ => None,
        }
    }
}

impl<'de> Visitor<'de> for &mut Top {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a command")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        while let Some(name) = entries.next_key::<String>()? {
            if name == "reply_to" {
                self.reply_to = Some(entries.next_value()?);
            } else if let Some(slot) = self.slot(&name) {
                *slot = match entries.next_value()? {
                    Value::String(text) => Some(text),
                    Value::Number(number) if name == "correlation_id" => Some(number.to_string()),
                    _ => None,
                };
            } else {
                entries.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}
