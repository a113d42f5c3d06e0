//! Looking at the head of a queue without taking anything out of it: the messages are consumed,
//! looked at, and given back in their order by closing the channel with the consumer registered.
//!
//! A quorum queue counts each look as a delivery. One with a delivery limit drops a message that
//! was looked at too often, so a queue that people look at needs a policy without a limit.

use std::time::Duration;

use tokio::time::timeout;

use crate::bus::Bus;
use crate::consumer::{Consumption, Subscription};
use crate::delivery::Delivery;
use crate::error::BusError;

/// What was counted as waiting comes at once; where it does not, somebody else took it.
const COMES_WITHIN: Duration = Duration::from_secs(2);

/// The head of a queue, held while it is looked at.
pub struct Glance {
    /// How many messages the queue held.
    pub waiting: u32,
    /// The first of them, in their order. Ack one to take it out.
    pub seen: Vec<Delivery>,
    consumption: Consumption,
}

impl Bus {
    /// Takes the first messages of a queue to look at, at most `max` of them, at least one where
    /// there is any. Nobody else gets them until [`Glance::close`].
    ///
    /// # Errors
    /// As for [`Bus::consume`]; [`BusError::Lost`] where the queue is lost meanwhile.
    pub async fn browse(&self, queue: &str, max: u16) -> Result<Glance, BusError> {
        let waiting = self.queue_depth(queue).await?.map_or(0, |depth| depth.ready);
        let count = u16::try_from(waiting).unwrap_or(u16::MAX).min(max.max(1));
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
        Ok(Glance { waiting, seen, consumption })
    }
}

impl Glance {
    /// Gives back what was not acknowledged.
    pub async fn close(self) {
        self.consumption.close().await;
        drop(self.seen);
    }
}
