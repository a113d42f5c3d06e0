//! Why the broker dead-lettered a message, read from the headers it adds: `x-death` (newest death
//! first, one entry per queue and reason) and `x-first-death-*`.
//! Source: <https://www.rabbitmq.com/docs/dlx#effects>.

use chrono::{DateTime, Utc};
use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};

use crate::properties::{header_text, integer, value_text};

const MAX_NAME_BYTES: usize = 255;
/// A message with CC headers has many keys; nobody needs more of them than this.
const MAX_KEYS: usize = 16;

/// The newest death of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Death {
    /// What killed it.
    pub reason: DeathReason,
    /// The queue it died in.
    pub queue: String,
    /// The exchange it was published to before it got there.
    pub exchange: String,
    /// The routing keys it was published with.
    pub routing_keys: Vec<String>,
    /// How often it died there for that reason.
    pub count: u64,
    /// When it died, by the broker's clock in whole seconds.
    pub at: Option<DateTime<Utc>>,
    /// The `expiration` it carried, in milliseconds: the broker takes it off a dead letter.
    pub original_expiration_ms: Option<u64>,
    /// Its first death, where that was another one.
    pub first: Option<FirstDeath>,
}

/// Where a message died first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstDeath {
    /// What killed it then.
    pub reason: DeathReason,
    /// The queue it died in then.
    pub queue: String,
    /// The exchange it was published to then.
    pub exchange: String,
}

/// The broker's reasons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeathReason {
    /// Its time to live ran out in the queue.
    Expired,
    /// A consumer refused it without requeueing.
    Rejected,
    /// The queue was full.
    MaxLength,
    /// It was handed out too often without being settled.
    DeliveryLimit,
    /// A reason that this version doesn't know.
    Other(String),
}

impl DeathReason {
    fn named(name: &str) -> Self {
        match name {
            "expired" => Self::Expired,
            "rejected" => Self::Rejected,
            "maxlen" => Self::MaxLength,
            "delivery_limit" => Self::DeliveryLimit,
            other => Self::Other(other.to_owned()),
        }
    }

    /// The broker's own word for it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Expired => "expired",
            Self::Rejected => "rejected",
            Self::MaxLength => "maxlen",
            Self::DeliveryLimit => "delivery_limit",
            Self::Other(name) => name,
        }
    }
}

/// The newest death of a message, if it ever died.
pub(crate) fn death(properties: &BasicProperties) -> Option<Death> {
    let headers = properties.headers().as_ref()?;
    let AMQPValue::FieldArray(deaths) = headers.inner().get("x-death")? else {
        return None;
    };
    let AMQPValue::FieldTable(newest) = deaths.as_slice().first()? else {
        return None;
    };
    let text = |table: &FieldTable, name| header_text(table, name, MAX_NAME_BYTES);
    let reason = DeathReason::named(&text(newest, "reason")?);
    let queue = text(newest, "queue").unwrap_or_default();
    let first = text(headers, "x-first-death-reason")
        .map(|first_reason| FirstDeath {
            reason: DeathReason::named(&first_reason),
            queue: text(headers, "x-first-death-queue").unwrap_or_default(),
            exchange: text(headers, "x-first-death-exchange").unwrap_or_default(),
        })
        .filter(|first| first.reason != reason || first.queue != queue);
    let number = |name| newest.inner().get(name).and_then(integer);
    Some(Death {
        exchange: text(newest, "exchange").unwrap_or_default(),
        routing_keys: keys(newest),
        count: number("count").and_then(|n| u64::try_from(n).ok()).unwrap_or(1),
        at: number("time").and_then(|seconds| DateTime::from_timestamp(seconds, 0)),
        original_expiration_ms: text(newest, "original-expiration").and_then(|ms| ms.parse().ok()),
        first,
        reason,
        queue,
    })
}

fn keys(table: &FieldTable) -> Vec<String> {
    match table.inner().get("routing-keys") {
        Some(AMQPValue::FieldArray(keys)) => {
            let keys = keys.as_slice().iter().filter_map(value_text);
            keys.filter(|key| key.len() <= MAX_NAME_BYTES).take(MAX_KEYS).collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use lapin::types::FieldArray;

    use super::*;

    fn text(value: &str) -> AMQPValue {
        AMQPValue::LongString(value.into())
    }

    fn entry(reason: &str, queue: &str) -> FieldTable {
        let mut table = FieldTable::default();
        table.insert("reason".into(), text(reason));
        table.insert("queue".into(), text(queue));
        table.insert("exchange".into(), text("tg.commands"));
        table.insert("routing-keys".into(), keys_of(&["acme.group.create"]));
        table.insert("count".into(), AMQPValue::LongLongInt(2));
        table.insert("time".into(), AMQPValue::Timestamp(1_760_000_000));
        table.insert("original-expiration".into(), text("300"));
        table
    }

    fn keys_of(keys: &[&str]) -> AMQPValue {
        AMQPValue::FieldArray(FieldArray::from(keys.iter().map(|k| text(k)).collect::<Vec<_>>()))
    }

    fn dead(entries: Vec<FieldTable>, first_reason: &str, first_queue: &str) -> BasicProperties {
        let deaths = entries.into_iter().map(AMQPValue::FieldTable).collect::<Vec<_>>();
        let mut headers = FieldTable::default();
        headers.insert("x-death".into(), AMQPValue::FieldArray(deaths.into()));
        headers.insert("x-first-death-reason".into(), text(first_reason));
        headers.insert("x-first-death-queue".into(), text(first_queue));
        headers.insert("x-first-death-exchange".into(), text("tg.commands"));
        BasicProperties::default().with_headers(headers)
    }

    #[test]
    fn the_newest_death_is_told_in_full() {
        let queue = "tg.commands.acme";
        let told = death(&dead(vec![entry("expired", queue)], "expired", queue)).unwrap();
        assert_eq!(
            told,
            Death {
                reason: DeathReason::Expired,
                queue: queue.to_owned(),
                exchange: "tg.commands".to_owned(),
                routing_keys: vec!["acme.group.create".to_owned()],
                count: 2,
                at: DateTime::from_timestamp(1_760_000_000, 0),
                original_expiration_ms: Some(300),
                first: None,
            }
        );
    }

    #[test]
    fn an_earlier_other_death_is_told_too() {
        let told = death(&dead(vec![entry("rejected", "tg.lanes.a")], "expired", "tg.commands.a"));
        let first = told.unwrap().first.unwrap();
        assert_eq!((first.reason, first.queue.as_str()), (DeathReason::Expired, "tg.commands.a"));
    }

    #[test]
    fn every_reason_has_its_name() {
        for name in ["expired", "rejected", "maxlen", "delivery_limit", "something_new"] {
            let told = death(&dead(vec![entry(name, "q")], name, "q")).unwrap();
            assert_eq!(told.reason.as_str(), name);
            assert_eq!(matches!(told.reason, DeathReason::Other(_)), name == "something_new");
        }
    }

    #[test]
    fn forged_or_odd_headers_are_no_death() {
        assert_eq!(death(&BasicProperties::default()), None);
        for odd in [text("yes"), AMQPValue::FieldArray(FieldArray::default()), keys_of(&["x"])] {
            let mut headers = FieldTable::default();
            headers.insert("x-death".into(), odd);
            assert_eq!(death(&BasicProperties::default().with_headers(headers)), None);
        }
    }
}
