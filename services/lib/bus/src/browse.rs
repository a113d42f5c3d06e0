//! Looking at the head of a queue without taking anything out of it: the messages are consumed,
//! looked at, and given back in their order by closing the channel with the consumer registered.
//!
//! A quorum queue gives out what came back before what it never gave out, and puts what comes back
//! behind what came back before (seen on 3.10.8). So a look at some of what came back would turn the
//! order around: every look takes the same number of messages, or all there are.
//!
//! A quorum queue counts each look as a delivery. One with a delivery limit drops a message that
//! was looked at too often, so a queue that people look at needs a policy without a limit.

use std::time::Duration;

use tokio::time::{sleep, timeout};

use crate::bus::Bus;
use crate::consumer::{Consumption, Subscription};
use crate::delivery::Delivery;
use crate::error::BusError;

/// How many messages a look takes at most.
pub const BROWSED_MAX: u16 = 500;
/// What was counted as waiting comes at once; where it does not, somebody else took it.
const COMES_WITHIN: Duration = Duration::from_secs(2);

/// What is given back is in its place this soon. The broker says that a channel is closed before
/// its queues have taken back what was on it; who looks in between sees another order.
const BACK_WITHIN: Duration = Duration::from_secs(3);
/// Between two looks whether it is.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The head of a queue, held while it is looked at.
pub struct Glance {
    /// How many messages the queue held.
    pub waiting: u32,
    /// The first of them, in their order. Ack one to take it out.
    pub seen: Vec<Delivery>,
    consumption: Consumption,
    held: usize,
    bus: Bus,
}

impl Bus {
    /// Takes the first [`BROWSED_MAX`] messages of a queue to look at. Nobody else gets them until
    /// [`Glance::close`].
    ///
    /// # Errors
    /// As for [`Bus::consume`]; [`BusError::Lost`] where the queue is lost meanwhile.
    pub async fn browse(&self, queue: &str) -> Result<Glance, BusError> {
        let waiting = self.queue_depth(queue).await?.map_or(0, |depth| depth.ready);
        let count = u16::try_from(waiting).unwrap_or(u16::MAX).min(BROWSED_MAX);
        let subscription = Subscription::new(queue).prefetch(count);
        let mut consumption = self.consume(subscription).await?;
        let mut seen = Vec::new();
        for _ in 0..count {
            match timeout(COMES_WITHIN, consumption.next()).await {
                Ok(Ok(delivery)) => seen.push(delivery),
                Ok(Err(lost)) => return Err(BusError::Lost { why: lost.to_string() }),
                Err(_) => break,
            }
        }
        Ok(Glance { waiting, held: seen.len(), seen, consumption, bus: self.clone() })
    }
}

impl Glance {
    /// Gives back what was not acknowledged, and comes back when it is in its place.
    pub async fn close(self) {
        let queue = self.consumption.queue().to_owned();
        let taken = self.held.saturating_sub(self.seen.len());
        let rest = self.waiting.saturating_sub(u32::try_from(taken).unwrap_or(u32::MAX));
        self.consumption.close().await;
        drop(self.seen);
        let back = async {
            while let Ok(Some(depth)) = self.bus.queue_depth(&queue).await
                && depth.ready < rest
            {
                sleep(LOOK_EVERY).await;
            }
        };
        if timeout(BACK_WITHIN, back).await.is_err() {
            tracing::debug!(queue, "not all of it is back, or somebody else takes from it");
        }
    }
}
