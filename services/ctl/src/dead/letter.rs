//! One dead letter as people read it: why it is there, where it came from, and what it asked for.

use bus::{Delivery, Glance};
use chrono::{DateTime, Utc};
use proto::envelope::{Incoming, Rules};
use proto::{Fault, Names, Properties, control, time};
use serde::Serialize;
use serde_json::Value;

use super::{faint, strong};
use crate::schema::Contract;
use crate::screen::{BAD, paint, plain};
use crate::table::table;

/// A message of the queue of dead letters.
pub struct Letter {
    /// Its place, from 1.
    pub n: usize,
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
        let now = Utc::now();
        let instance = names.instance_of_queue(&queue).or(names.instance_of_queue(&key));
        let read = proto::decode(Incoming {
            body: &delivery.body,
            properties: &delivery.properties,
            exchange: &exchange,
            routing_key: &key,
            queue_instance: instance.as_ref(),
            redelivered: false,
            received_at: now,
            rules: &rules(names, exchange == names.control()),
        });
        let (instance, id, method, refused) = match read {
            Ok(command) => {
                (Some(command.instance), Some(command.id.to_string()), Some(command.method), None)
            }
            Err(rejected) => {
                (rejected.instance, rejected.id, rejected.method, Some(rejected.fault))
            }
        };
        Self {
            n,
            reason: note("reason")
                .or(death.map(|death| death.reason.as_str().to_owned()))
                .unwrap_or_default(),
            error: note("error"),
            at: note("at")
                .and_then(|text| time::parse(&text).ok())
                .or(death.and_then(|death| death.at)),
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
            // Line by line, each without what a terminal would obey.
            Err(_) => {
                let text = String::from_utf8_lossy(&self.body).into_owned();
                text.lines().map(plain).collect::<Vec<_>>().join("\n")
            }
        };
        let head = strong(&format!("dead letter {}", self.n));
        format!("{head}\n{}\n{}\n{body}", table(&[], rows), faint("body"))
    }
}

/// The exchange that a message's author published it to, where it came by way of one of ours that
/// only the broker publishes to.
fn authors(exchange: String, key: &str, names: &Names) -> String {
    if exchange != names.undelivered() && exchange != names.unrouted() {
        return exchange;
    }
    match names.instance_of_queue(key) {
        Some(_) => String::new(),
        None => names.commands(),
    }
}

fn rules(names: &Names, is_order: bool) -> Rules {
    if is_order {
        return Rules::new(names.clone(), control::method::ALL);
    }
    let methods: Vec<_> = Contract::built_in().methods().map(|method| method.name).collect();
    Rules::new(names.clone(), &methods)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_goes_back_to_where_its_author_published_it() {
        let names = Names::default();
        for (exchange, key, author) in [
            ("tg.commands", "acme.group.create", "tg.commands"),
            ("", "tg.commands.acme", ""),
            ("tg.undelivered", "acme.group.create", "tg.commands"),
            ("tg.undelivered", "tg.commands.acme", ""),
            ("tg.control", "acme.account.get", "tg.control"),
        ] {
            assert_eq!(authors(exchange.to_owned(), key, &names), author, "{exchange} {key}");
        }
    }
}
