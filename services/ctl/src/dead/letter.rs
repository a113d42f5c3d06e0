//! One dead letter as people read it: why it is there, where it came from, and what it asked for.

use bus::{Delivery, Glance};
use chrono::{DateTime, Utc};
use proto::canonical::sha256_hex;
use proto::envelope::fingerprint;
use proto::{Fault, Names, Properties, time};
use serde::Serialize;
use serde_json::Value;

use super::judge::{Published, authors};
use super::{faint, strong};
use crate::screen::{BAD, paint, plain};
use crate::table::table;

/// How many digits of its hash a letter shows: enough to tell apart what one look holds.
const MARK_DIGITS: usize = 12;

/// A message of the queue of dead letters.
pub struct Letter {
    /// Its place, from 1.
    pub n: usize,
    /// What it can be named by wherever it stands: made from the message, so it stays.
    pub mark: String,
    /// The `error_code` that it was answered with, or the broker's reason.
    pub reason: String,
    /// The reason in a sentence.
    pub error: Option<String>,
    /// When it was put there.
    pub at: Option<DateTime<Utc>>,
    /// The queue that it was taken from.
    pub queue: String,
    /// The exchange that its author published it to.
    pub exchange: String,
    /// With which routing key.
    pub routing_key: String,
    /// The instance that it was meant for.
    pub instance: Option<String>,
    /// Its command's id.
    pub id: Option<String>,
    /// What it asked for.
    pub method: Option<String>,
    /// Why it would be refused again, if it would.
    pub refused: Option<Fault>,
    /// Its properties.
    pub properties: Properties,
    /// Its body, without API keys.
    pub body: Vec<u8>,
}

/// A letter without its body.
#[derive(Serialize)]
pub struct Summary {
    n: usize,
    mark: String,
    at: Option<String>,
    reason: String,
    error: Option<String>,
    instance: Option<String>,
    id: Option<String>,
    method: Option<String>,
    queue: String,
    exchange: String,
    routing_key: String,
    bytes: usize,
}

/// All of a letter.
#[derive(Serialize)]
pub struct Whole {
    #[serde(flatten)]
    summary: Summary,
    refused_again: Option<String>,
    message_id: Option<String>,
    correlation_id: Option<String>,
    reply_to: Option<String>,
    content_type: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    app_id: Option<String>,
    traceparent: Option<String>,
    body: Value,
}

impl Letter {
    /// Reads what is held.
    pub fn read_all(glance: &Glance, names: &Names) -> Vec<Self> {
        let read = |(at, delivery)| Self::read(at + 1, delivery, names);
        glance.seen.iter().enumerate().map(read).collect()
    }

    fn read(n: usize, delivery: &Delivery, names: &Names) -> Self {
        let note = |name: &str| delivery.notes.get(&format!("x-queuegram-{name}")).cloned();
        // What the broker itself put there has its death certificate instead of our notes.
        let death = delivery.death.as_ref().filter(|_| delivery.notes.is_empty());
        let queue = note("queue").or(death.map(|death| death.queue.clone())).unwrap_or_default();
        let key =
            note("routing-key").or(death.and_then(|death| death.routing_keys.first().cloned()));
        let key = key.unwrap_or_else(|| delivery.routing_key.clone());
        let exchange = note("exchange").or(death.map(|death| death.exchange.clone()));
        let exchange = authors(exchange.unwrap_or_default(), &key, names);
        let published = Published {
            exchange: &exchange,
            routing_key: &key,
            queue: &queue,
            properties: &delivery.properties,
            body: &delivery.body,
        };
        let (instance, id, method, refused) = match published.read(names) {
            Ok(command) => {
                (Some(command.instance), Some(command.id.to_string()), Some(command.method), None)
            }
            Err(rejected) => {
                (rejected.instance, rejected.id, rejected.method, Some(rejected.fault))
            }
        };
        let reason = note("reason")
            .or(death.map(|death| death.reason.as_str().to_owned()))
            .unwrap_or_default();
        let at = note("at")
            .and_then(|text| time::parse(&text).ok())
            .or(death.and_then(|death| death.at));
        let message = fingerprint(&delivery.properties, &key, &delivery.body);
        let when = at.map(time::format).unwrap_or_default();
        let mut mark = sha256_hex(
            [&message, &reason, &when, &queue].map(String::as_str).join("\n").as_bytes(),
        );
        mark.truncate(MARK_DIGITS);
        Self {
            n,
            mark,
            reason,
            error: note("error"),
            at,
            queue,
            exchange,
            routing_key: key,
            instance: instance.map(|instance| instance.to_string()),
            id,
            method: method.map(|method| method.to_string()),
            refused,
            properties: delivery.properties.clone(),
            body: delivery.body.clone(),
        }
    }

    /// What tells it from others, in a few words.
    pub fn name(&self) -> String {
        let what = [self.id.as_deref(), self.method.as_deref(), Some(self.reason.as_str())];
        let what: Vec<String> = what.into_iter().flatten().map(plain).collect();
        format!("{} ({})", self.n, what.join(", "))
    }

    /// One row of the list.
    pub fn cells(&self) -> Vec<String> {
        let text = |value: &Option<String>| value.as_deref().map(plain).unwrap_or_default();
        vec![
            self.n.to_string(),
            self.mark.clone(),
            self.at.map(time::format).unwrap_or_default(),
            paint(BAD, &plain(&self.reason)),
            text(&self.instance),
            text(&self.id),
            text(&self.method),
            plain(&self.queue),
            self.body.len().to_string(),
        ]
    }

    /// The same for scripts.
    pub fn summary(&self) -> Summary {
        Summary {
            n: self.n,
            mark: self.mark.clone(),
            at: self.at.map(time::format),
            reason: self.reason.clone(),
            error: self.error.clone(),
            instance: self.instance.clone(),
            id: self.id.clone(),
            method: self.method.clone(),
            queue: self.queue.clone(),
            exchange: self.exchange.clone(),
            routing_key: self.routing_key.clone(),
            bytes: self.body.len(),
        }
    }

    /// All of it for scripts: the body as JSON where it is some, else as text.
    pub fn whole(&self) -> Whole {
        let properties = self.properties.clone();
        Whole {
            summary: self.summary(),
            refused_again: self.refused.as_ref().map(ToString::to_string),
            message_id: properties.message_id,
            correlation_id: properties.correlation_id,
            reply_to: properties.reply_to,
            content_type: properties.content_type,
            kind: properties.kind,
            app_id: properties.app_id,
            traceparent: properties.traceparent,
            body: serde_json::from_slice(&self.body)
                .unwrap_or_else(|_| String::from_utf8_lossy(&self.body).into_owned().into()),
        }
    }

    /// All of it for people.
    pub fn words(&self) -> String {
        let at = self.at.map(time::format);
        let bytes = self.body.len().to_string();
        let refused = self.refused.as_ref().map(ToString::to_string);
        let properties = &self.properties;
        let rows = [
            ("mark", Some(&self.mark)),
            ("reason", Some(&self.reason)),
            ("error", self.error.as_ref()),
            ("when", at.as_ref()),
            ("instance", self.instance.as_ref()),
            ("command", self.id.as_ref()),
            ("method", self.method.as_ref()),
            ("from", Some(&self.queue)),
            ("exchange", Some(&self.exchange)),
            ("routing key", Some(&self.routing_key)),
            ("message_id", properties.message_id.as_ref()),
            ("correlation_id", properties.correlation_id.as_ref()),
            ("reply_to", properties.reply_to.as_ref()),
            ("content_type", properties.content_type.as_ref()),
            ("type", properties.kind.as_ref()),
            ("app_id", properties.app_id.as_ref()),
            ("refused again", refused.as_ref()),
            ("bytes", Some(&bytes)),
        ];
        let rows = rows.into_iter().filter_map(|(name, value)| {
            Some(vec![name.to_owned(), plain(value.filter(|value| !value.is_empty())?)])
        });
        let body = match serde_json::from_slice::<Value>(&self.body) {
            Ok(json) => serde_json::to_string_pretty(&json).unwrap_or_default(),
            Err(_) => String::from_utf8_lossy(&self.body).into_owned(),
        };
        // Line by line, each without what a terminal would obey.
        let body = body.lines().map(plain).collect::<Vec<_>>().join("\n");
        let head = strong(&format!("dead letter {}", self.n));
        format!("{head}\n{}\n{}\n{body}", table(&[], rows), faint("body"))
    }
}
