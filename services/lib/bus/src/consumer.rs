//! Consuming: one consumption, one channel. Every way in which it can end arrives as [`Lost`];
//! nothing here consumes again by itself, since the caller has to ask first whether it still may.
//!
//! A consumption always ends by closing its channel with the consumer registered. `basic.cancel`
//! is never sent: a message may already be on its way to us, and on a queue with a single active
//! consumer a cancel lets the messages behind it go to the next consumer first.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use lapin::options::{BasicConsumeOptions, BasicQosOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Consumer, ErrorKind};
use tokio::runtime::Handle;
use tokio::time::timeout;

use crate::counters::Counts;
use crate::delivery::{Delivery, Origin, close_channel};
use crate::error::{BusError, Doing, from_lapin};
use crate::fleet::Seat;
use crate::properties::short_string;

/// What to consume and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// The queue.
    pub queue: String,
    /// How many messages may be unsettled at once, at least 1.
    pub prefetch: u16,
    /// Refuse other consumers. Quorum queues don't support it.
    pub exclusive: bool,
    /// What the management UI shows; empty for one made by the broker.
    pub consumer_tag: String,
}

impl Subscription {
    /// One message at a time from a queue.
    #[must_use]
    pub fn new(queue: impl Into<String>) -> Self {
        Self { queue: queue.into(), prefetch: 1, exclusive: false, consumer_tag: String::new() }
    }

    /// The same with another prefetch.
    #[must_use]
    pub fn prefetch(mut self, prefetch: u16) -> Self {
        self.prefetch = prefetch;
        self
    }
}

/// A consumption ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("consuming {queue} ended: {why}")]
pub struct Lost {
    /// The queue that was consumed.
    pub queue: String,
    /// What ended it.
    pub why: LostReason,
}

/// The ways in which a consumption can end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LostReason {
    /// The broker cancelled the consumer: its queue was deleted, or its node is leaving.
    #[error("RabbitMQ cancelled the consumer")]
    Cancelled,
    /// The broker closed the channel, for example because a delivery stayed unsettled for longer
    /// than its consumer timeout (406).
    #[error("RabbitMQ closed the channel: {code} {text}")]
    Channel {
        /// AMQP reply code.
        code: u16,
        /// The broker's words.
        text: String,
    },
    /// The connection ended.
    #[error("the connection ended: {why}")]
    Connection {
        /// What it said last.
        why: String,
    },
    /// We closed the channel: [`Delivery::give_back`], a dropped delivery, or [`Consumption::close`].
    #[error("closed by us")]
    Closed,
}

/// A running consumption.
pub struct Consumption {
    /// Some until it is closed or dropped.
    running: Option<Running>,
    origin: Origin,
    /// Kept so that asking again after the end gives the same answer.
    ended: Option<LostReason>,
}

struct Running {
    consumer: Consumer,
    channel: Channel,
    /// Its place on a connection that carries many, free when the channel is closed.
    _seat: Option<Seat>,
}

impl Consumption {
    /// Starts consuming on a channel of its own.
    pub(crate) async fn start(
        channel: Channel,
        subscription: &Subscription,
        no_ack: bool,
        within: Duration,
        counts: Arc<Counts>,
    ) -> Result<Self, BusError> {
        let queue = short_string("queue", &subscription.queue)?;
        let tag = short_string("consumer_tag", &subscription.consumer_tag)?;
        let options = BasicConsumeOptions {
            no_ack,
            exclusive: subscription.exclusive,
            ..BasicConsumeOptions::default()
        };
        let unborn = Unborn(Some((channel.clone(), within)));
        let starting = async {
            let prefetch = subscription.prefetch.max(1);
            channel.basic_qos(prefetch, BasicQosOptions::default()).await?;
            channel.basic_consume(queue, tag, options, FieldTable::default()).await
        };
        let consumer = match timeout(within, starting).await {
            Ok(Ok(consumer)) => consumer,
            Ok(Err(error)) => return Err(from_lapin(&error, Doing::Operating)),
            Err(_) => return Err(BusError::Timeout { what: "basic.consume", after: within }),
        };
        unborn.born();
        let origin = Origin {
            queue: subscription.queue.as_str().into(),
            channel: channel.clone(),
            settle_within: within,
            counts,
            unsettled: Arc::new(AtomicU64::new(0)),
            no_ack,
        };
        Ok(Self { running: Some(Running { consumer, channel, _seat: None }), origin, ended: None })
    }

    /// The same, with the place that its channel takes.
    pub(crate) fn seated(mut self, seat: Seat) -> Self {
        if let Some(running) = self.running.as_mut() {
            running._seat = Some(seat);
        }
        self
    }

    /// The queue that is consumed.
    #[must_use]
    pub fn queue(&self) -> &str {
        &self.origin.queue
    }

    /// How many deliveries of this consumption are not settled yet.
    #[must_use]
    pub fn unsettled(&self) -> u64 {
        self.origin.unsettled.load(Ordering::Relaxed)
    }

    /// The next message. Waits as long as it takes; dropping the future loses nothing.
    ///
    /// # Errors
    /// [`Lost`] once the consumption has ended; asking again gives the same answer.
    pub async fn next(&mut self) -> Result<Delivery, Lost> {
        let Some(running) = self.running.as_mut() else { return Err(self.lost()) };
        let why = match running.consumer.next().await {
            Some(Ok(message)) => return Ok(Delivery::new(message, &self.origin)),
            Some(Err(error)) => reason_of(&error, &running.channel),
            None => reason_of_silence(&running.channel),
        };
        if why != LostReason::Closed {
            self.origin.counts.lost_consumptions.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(queue = %self.origin.queue, %why, "consumption lost");
        }
        self.ended = Some(why);
        self.shut().await;
        Err(self.lost())
    }

    /// Ends it in order: the channel is closed with the consumer registered, so that whatever is
    /// unsettled, here or on its way here, goes back to its place. Settle what you hold first.
    pub async fn close(mut self) {
        self.shut().await;
    }

    async fn shut(&mut self) {
        if let Some(running) = self.running.take() {
            let within = self.origin.settle_within;
            if close_channel(&running.channel, within).await.is_err() {
                tracing::warn!(queue = %self.origin.queue, "the channel did not close in time");
            }
            // Only now: lapin cancels a consumer that is dropped while it is active.
            drop(running);
        }
    }

    fn lost(&self) -> Lost {
        Lost {
            queue: self.origin.queue.to_string(),
            why: self.ended.clone().unwrap_or(LostReason::Closed),
        }
    }
}

impl Drop for Consumption {
    fn drop(&mut self) {
        let Some(running) = self.running.take() else { return };
        let within = self.origin.settle_within;
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                // Whatever came of it, the consumer is dropped after the channel's close.
                let _ = close_channel(&running.channel, within).await;
                drop(running);
            });
        }
    }
}

/// The channel of a consumption that is being started. Whoever starts it may stop waiting at any moment,
/// and the broker may register the consumer all the same: a channel left open would then hold a message,
/// and the place of a queue's single active consumer, for as long as the connection lives.
struct Unborn(Option<(Channel, Duration)>);

impl Unborn {
    fn born(mut self) {
        self.0 = None;
    }
}

impl Drop for Unborn {
    fn drop(&mut self) {
        let Some((channel, within)) = self.0.take() else { return };
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move { close_channel(&channel, within).await });
        }
    }
}

/// What an error on the consumer's stream says.
fn reason_of(error: &lapin::Error, channel: &Channel) -> LostReason {
    match error.kind() {
        ErrorKind::ProtocolError(amqp) if error.is_amqp_soft_error() => {
            LostReason::Channel { code: amqp.get_id(), text: amqp.get_message().to_string() }
        }
        ErrorKind::InvalidChannelState(..) if !channel.status().connected() => LostReason::Closed,
        _ => LostReason::Connection { why: error.to_string() },
    }
}

/// A stream that ends without an error: cancelled by the broker if the channel still stands, else
/// closed by us.
fn reason_of_silence(channel: &Channel) -> LostReason {
    if channel.status().connected() { LostReason::Cancelled } else { LostReason::Closed }
}
