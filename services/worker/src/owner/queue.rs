//! Working an instance's queue: consuming it, noticing every way in which that can end, and
//! beginning anew.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bus::{Backoff, Consumption, Delivery, Subscription};
use futures_util::FutureExt;
use tokio::time::timeout;

use crate::pauses::Hold;
use crate::pipeline::{self, Ending};
use crate::tenure::Tenure;

/// A build that breaks the promise of order, for the tests of the tests.
const ORDER_IGNORED: &str = "order_ignored";
/// How long that build waits for a second command to take first.
const OVERTAKEN_WITHIN: Duration = Duration::from_millis(200);

/// Works the instance's queue, one command after the other, until the tenure's phase ends.
pub(super) async fn consume(tenure: Arc<Tenure>) {
    let queue = tenure.shared.names.command_queue(&tenure.instance);
    let ahead = if chassis::faults::mutant(ORDER_IGNORED) { 2 } else { 1 };
    let mut backoff = Backoff::BROKER;
    while !tenure.stopping.is_cancelled() {
        // A paused instance holds no delivery: its commands wait in their queue.
        tokio::select! {
            () = tenure.shared.pauses.running(&tenure.instance) => {}
            () = tenure.stopping.cancelled() => return,
        }
        let subscription = Subscription::new(queue.clone()).prefetch(ahead);
        let begun = tokio::select! {
            begun = tenure.shared.bus.consume(subscription) => begun,
            () = tenure.stopping.cancelled() => return,
        };
        match begun {
            Ok(consumption) => {
                let since = Instant::now();
                match work(&tenure, &queue, consumption).await {
                    Worked::Nothing => {}
                    Worked::Something => backoff.reset(),
                    Worked::UpTo(hold) => {
                        tokio::select! {
                            () = tenure.shared.pauses.let_go(&tenure, &hold) => {}
                            () = tenure.stopping.cancelled() => return,
                        }
                        backoff.reset();
                    }
                }
                backoff.stood_since(since);
            }
            Err(error) => {
                tracing::warn!(%error, instance.id = %tenure.instance, "can't consume; trying again");
            }
        }
        backoff.wait(&tenure.stopping).await;
    }
}

/// What a consumption was good for: one that ends again and again before anything is settled must
/// not be begun anew without a longer pause each time.
#[derive(Debug)]
enum Worked {
    Nothing,
    Something,
    /// Everything before a command whose method is paused, which went back.
    UpTo(Hold),
}

/// Takes what comes until the consumption ends, a command goes back, or the queue turns out to be
/// one that does not deliver.
async fn work(tenure: &Tenure, queue: &str, mut consumption: Consumption) -> Worked {
    let mut worked = Worked::Nothing;
    loop {
        let delivery = tokio::select! {
            biased;
            () = tenure.stopping.cancelled() => break,
            () = tenure.shared.pauses.stopped(&tenure.instance) => break,
            delivery = consumption.next() => delivery,
            () = tokio::time::sleep(look_pause(tenure)) => {
                if stalled(tenure, queue).await { break } else { continue }
            }
        };
        let Ok(delivery) = delivery else { break };
        if chassis::faults::mutant(ORDER_IGNORED) {
            overtaken(tenure, &mut consumption).await;
        }
        let _turn = tenure.turn.lock().await;
        match AssertUnwindSafe(pipeline::take(tenure, delivery, None)).catch_unwind().await {
            Ok(Ending::Settled | Ending::Stays) => worked = Worked::Something,
            Ok(Ending::GivenBack(why)) => {
                tracing::warn!(instance.id = %tenure.instance, why, "a command went back");
                break;
            }
            Ok(Ending::Held(hold)) => {
                worked = Worked::UpTo(hold);
                break;
            }
            // The delivery was dropped with the future, so it is on its way back.
            Err(_) => {
                tracing::error!(instance.id = %tenure.instance, "the work on a command panicked");
                break;
            }
        }
    }
    consumption.close().await;
    worked
}

/// The broken build: of two commands the second is carried out first.
async fn overtaken(tenure: &Tenure, consumption: &mut Consumption) {
    let second: Option<Delivery> =
        timeout(OVERTAKEN_WITHIN, consumption.next()).await.ok().and_then(Result::ok);
    if let Some(second) = second {
        pipeline::take(tenure, second, None).await;
    }
}

/// Half of the setting to all of it, by chance: thousands of quiet queues must not be looked at in
/// step.
fn look_pause(tenure: &Tenure) -> Duration {
    let longest = tenure.shared.config.queue_look();
    Backoff::new(longest, longest).pause()
}

/// Whether the queue is gone, or has lost its consumer, or holds commands and delivers none.
///
/// RabbitMQ tells the end of a consumption, with one exception (seen on 3.10.8): where a quorum
/// queue is deleted by hand and declared again at once, the consumer of the old one hears nothing,
/// and the new one has none.
async fn stalled(tenure: &Tenure, queue: &str) -> bool {
    let waiting = match tenure.shared.bus.queue_depth(queue).await {
        Ok(Some(depth)) if depth.ready == 0 && depth.consumers > 0 => return false,
        Ok(Some(depth)) => Some(depth.ready),
        Ok(None) => None,
        // The end of the connection is told by the consumption itself.
        Err(_) => return false,
    };
    tracing::warn!(
        instance.id = %tenure.instance,
        waiting,
        "the queue is gone, or does not deliver; consuming anew"
    );
    if waiting.is_none()
        && let Err(error) = tenure.shared.bus.declare_instance_queue(&tenure.instance).await
    {
        tracing::warn!(%error, instance.id = %tenure.instance, "the queue can't be declared");
    }
    true
}
