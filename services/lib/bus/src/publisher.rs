//! Publishing with confirms. [`Publisher::publish`] returns once the broker has said what became
//! of the message, or once we have to admit that we don't know.
//!
//! Each message on its way has a channel for itself, taken from a pool. That is what makes the
//! answer exact: a channel error is about this message and not about a neighbour, a timeout costs
//! nobody else his confirm, and a returned message is ours. (On a shared channel lapin hands a
//! returned message to whichever confirm arrives next, which is the wrong one as soon as the
//! broker confirms several at once.) The number of channels bounds what is in flight.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::{Channel, Confirmation};
use proto::Properties;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout, timeout_at};

use crate::config::Settings;
use crate::connection::Link;
use crate::counters::Counts;
use crate::error::{BusError, Doing, from_lapin};
use crate::properties::{outbound, short_string};

/// A message to be published.
#[derive(Clone, Debug)]
pub struct OutMessage {
    /// The exchange; empty for the default exchange, whose routing key is a queue's name.
    pub exchange: String,
    /// The routing key.
    pub routing_key: String,
    /// The AMQP properties, trace headers included.
    pub properties: Properties,
    /// Further headers, sent as long strings.
    pub headers: BTreeMap<String, String>,
    /// The body, at most what the broker allows (16 MiB since RabbitMQ 4).
    pub body: Vec<u8>,
    /// Ask the broker to return it if no queue takes it.
    pub mandatory: bool,
    /// Have it survive a restart of the broker (where its queue does).
    pub persistent: bool,
}

impl OutMessage {
    /// A persistent JSON message, not mandatory, for an exchange.
    #[must_use]
    pub fn json(
        exchange: impl Into<String>,
        routing_key: impl Into<String>,
        body: Vec<u8>,
    ) -> Self {
        Self {
            exchange: exchange.into(),
            routing_key: routing_key.into(),
            properties: Properties {
                // Exactly this: some engines read nothing else, not even a charset behind it.
                content_type: Some("application/json".to_owned()),
                ..Properties::default()
            },
            headers: BTreeMap::new(),
            body,
            mandatory: false,
            persistent: true,
        }
    }

    /// A persistent, mandatory JSON message for one queue, through the default exchange. Also for
    /// direct reply-to, whose `amq.rabbitmq.reply-to.…` is such a name.
    #[must_use]
    pub fn to_queue(queue: impl Into<String>, body: Vec<u8>) -> Self {
        Self { mandatory: true, ..Self::json("", queue, body) }
    }

    /// The same message, to be returned if no queue takes it.
    #[must_use]
    pub fn mandatory(mut self) -> Self {
        self.mandatory = true;
        self
    }
}

/// What became of a published message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Published {
    /// The broker has it, and every queue it was routed to has stored it. Without `mandatory`
    /// that can be no queue at all.
    Confirmed,
    /// It was mandatory and no queue took it: the broker does not have it.
    Returned {
        /// AMQP reply code, 312 for "no route".
        code: u16,
        /// The broker's words.
        text: String,
    },
}

/// Publishes; clones share the channels and the bound.
#[derive(Clone)]
pub struct Publisher {
    inner: Arc<Inner>,
}

struct Inner {
    link: Arc<Link>,
    settings: Arc<Settings>,
    counts: Arc<Counts>,
    in_flight: Semaphore,
    /// Newest last, so that a quiet publisher keeps to few channels.
    idle: Mutex<Vec<Channel>>,
}

impl Publisher {
    pub(crate) fn new(link: Arc<Link>, settings: Arc<Settings>, counts: Arc<Counts>) -> Self {
        let in_flight = Semaphore::new(settings.max_in_flight);
        let idle = Mutex::default();
        Self { inner: Arc::new(Inner { link, settings, counts, in_flight, idle }) }
    }

    /// Publishes and waits for the broker's answer.
    ///
    /// A dropped future leaves the outcome unknown, as an error without
    /// [`BusError::nothing_sent`] does: publish again under the same message id then.
    ///
    /// # Errors
    /// [`BusError::Unknown`] if it was sent and the answer did not come; others say that the
    /// broker does not have it.
    pub async fn publish(&self, message: OutMessage) -> Result<Published, BusError> {
        let outcome = self.inner.publish(message).await;
        let counts = &self.inner.counts;
        let counter = match &outcome {
            Ok(Published::Confirmed) => &counts.confirmed,
            Ok(Published::Returned { .. }) => &counts.returned,
            Err(error) if error.nothing_sent() => &counts.failed,
            Err(_) => &counts.unknown,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        outcome
    }
}

impl Inner {
    async fn publish(&self, message: OutMessage) -> Result<Published, BusError> {
        let exchange = short_string("exchange", &message.exchange)?;
        let routing_key = short_string("routing_key", &message.routing_key)?;
        let properties = outbound(&message.properties, &message.headers, message.persistent)?;
        let wait = self.settings.operation_timeout;
        let _permit = match timeout(wait, self.in_flight.acquire()).await {
            Ok(Ok(permit)) => permit,
            Ok(Err(_closed)) => return Err(BusError::Closed),
            Err(_elapsed) => {
                let reason = format!("{} messages are in flight", self.settings.max_in_flight);
                return Err(BusError::Blocked { reason });
            }
        };
        self.link.unblocked().await?;
        let channel = self.channel().await?;

        let options =
            BasicPublishOptions { mandatory: message.mandatory, ..BasicPublishOptions::default() };
        let deadline = Instant::now() + self.settings.confirm_timeout;
        let sending =
            channel.basic_publish(exchange, routing_key, options, &message.body, properties);
        let confirm = match timeout_at(deadline, sending).await {
            Ok(sent) => sent.map_err(|error| from_lapin(&error, Doing::Publishing))?,
            Err(_) => return Err(self.no_answer("sending")),
        };
        // From here on the channel goes back only with an answer; any other end drops it.
        let answer = match timeout_at(deadline, confirm).await {
            Ok(answer) => answer.map_err(|error| from_lapin(&error, Doing::Publishing))?,
            Err(_) => return Err(self.no_answer("confirming")),
        };
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(channel);
        match answer {
            Confirmation::Ack(None) => Ok(Published::Confirmed),
            Confirmation::Ack(Some(returned)) => Ok(Published::Returned {
                code: returned.reply_code,
                text: returned.reply_text.to_string(),
            }),
            Confirmation::Nack(_) => Err(BusError::Nacked),
            Confirmation::NotRequested => {
                Err(BusError::Unknown { why: "the channel is not in confirm mode".to_owned() })
            }
        }
    }

    /// An idle channel that still lives, or a new one in confirm mode.
    async fn channel(&self) -> Result<Channel, BusError> {
        loop {
            let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            match idle {
                Some(channel) if channel.status().connected() => return Ok(channel),
                Some(_dead) => {}
                None => break,
            }
        }
        let channel = self.link.channel().await?;
        let after = self.settings.operation_timeout;
        match timeout(after, channel.confirm_select(ConfirmSelectOptions::default())).await {
            Ok(Ok(())) => Ok(channel),
            Ok(Err(error)) => Err(from_lapin(&error, Doing::Operating)),
            Err(_) => Err(BusError::Timeout { what: "confirm.select", after }),
        }
    }

    fn no_answer(&self, doing: &str) -> BusError {
        let seconds = self.settings.confirm_timeout.as_secs_f64();
        BusError::Unknown { why: format!("no answer within {seconds} s of {doing}") }
    }
}
