//! One delivered message and its settlement. Settling consumes the delivery, so that it happens
//! once; a delivery dropped unsettled is logged, counted and given back.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use lapin::options::{BasicAckOptions, BasicNackOptions};
use lapin::{Acker, Channel};
use proto::Properties;
use tokio::runtime::Handle;
use tokio::time::timeout;

use crate::counters::Counts;
use crate::death::{Death, death};
use crate::error::{BusError, Doing, from_lapin};
use crate::properties::{delivery_count, inbound, notes};

/// A message taken from a queue and not yet settled.
pub struct Delivery {
    /// The body as it came.
    pub body: Vec<u8>,
    /// The AMQP properties, trace headers included.
    pub properties: Properties,
    /// The exchange it was published to (the dead-letter exchange, for a dead letter); empty for
    /// the default exchange.
    pub exchange: String,
    /// The routing key it was published with; dead letters keep theirs.
    pub routing_key: String,
    /// The queue it came from.
    pub queue: Arc<str>,
    /// True if the broker has handed it out before.
    pub redelivered: bool,
    /// How often it was handed out before, where the queue counts (quorum queues do).
    pub delivery_count: Option<u64>,
    /// Why it was dead-lettered, if it was.
    pub death: Option<Death>,
    /// The headers that Queuegram itself wrote on it (`x-queuegram-…`), such as why it is dead.
    pub notes: BTreeMap<String, String>,
    /// None once it is settled, or where nothing needs settling.
    claim: Option<Claim>,
}

/// What settling takes.
struct Claim {
    acker: Acker,
    channel: Channel,
    settle_within: Duration,
    counts: Arc<Counts>,
    unsettled: Arc<AtomicU64>,
}

/// What every delivery of one consumption shares.
#[derive(Clone)]
pub(crate) struct Origin {
    pub queue: Arc<str>,
    pub channel: Channel,
    pub settle_within: Duration,
    pub counts: Arc<Counts>,
    pub unsettled: Arc<AtomicU64>,
    /// The broker counts a message as settled when it is sent.
    pub no_ack: bool,
}

impl Delivery {
    pub(crate) fn new(message: lapin::message::Delivery, origin: &Origin) -> Self {
        let claim = (!origin.no_ack).then(|| {
            origin.unsettled.fetch_add(1, Ordering::Relaxed);
            Claim {
                acker: message.acker,
                channel: origin.channel.clone(),
                settle_within: origin.settle_within,
                counts: origin.counts.clone(),
                unsettled: origin.unsettled.clone(),
            }
        });
        Self {
            properties: inbound(&message.properties),
            delivery_count: delivery_count(&message.properties),
            death: death(&message.properties),
            notes: notes(&message.properties),
            body: message.data,
            exchange: message.exchange.into(),
            routing_key: message.routing_key.into(),
            queue: origin.queue.clone(),
            redelivered: message.redelivered,
            claim,
        }
    }

    /// Done with: the queue forgets it.
    ///
    /// # Errors
    /// [`BusError::Lost`] if its channel is gone: the broker delivers it again.
    pub async fn ack(mut self) -> Result<(), BusError> {
        self.ack_early().await
    }

    /// The same before it is done with: from here on the broker gives it to nobody if this process dies. Only for the
    /// test of the tests.
    ///
    /// # Errors
    /// As [`Self::ack`].
    pub async fn ack_early(&mut self) -> Result<(), BusError> {
        let Some(claim) = self.take_claim() else { return Ok(()) };
        let settling = claim.acker.ack(BasicAckOptions::default());
        claim.settled(settling).await
    }

    /// Refused for good: the broker moves it to the queue's dead-letter exchange, with
    /// `x-death` reason `rejected`.
    ///
    /// # Errors
    /// [`BusError::Lost`] if its channel is gone: the broker delivers it again.
    pub async fn dead_letter(mut self) -> Result<(), BusError> {
        let Some(claim) = self.take_claim() else { return Ok(()) };
        let settling =
            claim.acker.nack(BasicNackOptions { requeue: false, ..BasicNackOptions::default() });
        claim.settled(settling).await
    }

    /// Back to its place at the head of the queue, by closing the channel with the consumer still
    /// registered; the consumption ends ([`crate::LostReason::Closed`]) and whatever else it had
    /// prefetched goes back too. Cancelling first, or requeueing, would let messages overtake.
    ///
    /// # Errors
    /// None that matters: whatever happens to the channel, the broker gets its message back.
    /// [`BusError::Timeout`] says that it may take until the connection ends.
    pub async fn give_back(mut self) -> Result<(), BusError> {
        match self.take_claim() {
            Some(claim) => close_channel(&claim.channel, claim.settle_within).await,
            None => Ok(()),
        }
    }

    /// True while the delivery can still be settled.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.claim.as_ref().is_some_and(|claim| claim.acker.usable())
    }

    fn take_claim(&mut self) -> Option<Claim> {
        let claim = self.claim.take()?;
        claim.unsettled.fetch_sub(1, Ordering::Relaxed);
        Some(claim)
    }
}

impl Claim {
    async fn settled(
        &self,
        settling: impl Future<Output = lapin::Result<bool>>,
    ) -> Result<(), BusError> {
        match timeout(self.settle_within, settling).await {
            Ok(Ok(true)) => Ok(()),
            // lapin's quiet way to say that the channel is gone and nothing was sent.
            Ok(Ok(false)) => Err(BusError::Lost { why: "its channel is closed".to_owned() }),
            Ok(Err(error)) => Err(from_lapin(&error, Doing::Settling)),
            Err(_) => Err(BusError::Lost { why: "RabbitMQ did not take the answer".to_owned() }),
        }
    }
}

/// Closes a channel with its consumers registered: the broker requeues in order.
pub(crate) async fn close_channel(channel: &Channel, within: Duration) -> Result<(), BusError> {
    if !channel.status().connected() {
        return Ok(());
    }
    match timeout(within, channel.close(200, "OK".into())).await {
        // An error means that the channel or its connection is gone, which is what was wanted.
        Ok(_) => Ok(()),
        Err(_) => Err(BusError::Timeout { what: "closing a channel", after: within }),
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        let Some(claim) = self.take_claim() else { return };
        claim.counts.dropped_unsettled.fetch_add(1, Ordering::Relaxed);
        if !claim.acker.usable() {
            // Its channel ended before, so the broker has it back already.
            tracing::debug!(queue = %self.queue, "a delivery was lost before it was settled");
            return;
        }
        tracing::error!(
            queue = %self.queue,
            "a delivery was dropped without being settled; giving it back"
        );
        // Otherwise it would stay unacknowledged and, with a prefetch of 1, stop the queue.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move { close_channel(&claim.channel, claim.settle_within).await });
        }
    }
}

impl std::fmt::Debug for Delivery {
    /// Never the body or a header: they are callers' texts and may hold secrets.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Delivery")
            .field("queue", &self.queue)
            .field("exchange", &self.exchange)
            .field("routing_key", &self.routing_key)
            .field("redelivered", &self.redelivered)
            .field("bytes", &self.body.len())
            .field("death", &self.death.as_ref().map(|death| death.reason.as_str()))
            .finish_non_exhaustive()
    }
}
