//! Working an instance's queue.

use std::sync::Arc;

use bus::Subscription;

use super::{PAUSE_FIRST, PAUSE_MAX};
use crate::pipeline::{self, Ending};
use crate::tenure::Tenure;

/// Works the instance's queue, one command after the other, until the tenure's phase ends.
pub(super) async fn consume(tenure: Arc<Tenure>) {
    let queue = tenure.shared.names.command_queue(&tenure.instance);
    let mut pause = PAUSE_FIRST;
    while !tenure.stopping.is_cancelled() {
        // A paused instance holds no delivery: its commands wait in their queue.
        tokio::select! {
            () = tenure.shared.pauses.running(&tenure.instance) => {}
            () = tenure.stopping.cancelled() => break,
        }
        let mut held = None;
        match tenure.shared.bus.consume(Subscription::new(queue.clone())).await {
            Ok(mut consumption) => {
                pause = PAUSE_FIRST;
                loop {
                    let delivery = tokio::select! {
                        biased;
                        () = tenure.stopping.cancelled() => break,
                        () = tenure.shared.pauses.stopped(&tenure.instance) => break,
                        delivery = consumption.next() => delivery,
                        () = tokio::time::sleep(tenure.shared.config.queue_look()) => {
                            if stalled(&tenure, &queue).await { break } else { continue }
                        }
                    };
                    let Ok(delivery) = delivery else { break };
                    match pipeline::take(&tenure, delivery).await {
                        Ending::Settled => {}
                        Ending::GivenBack(why) => {
                            tracing::warn!(instance.id = %tenure.instance, why, "a command went back");
                            break;
                        }
                        Ending::Held(hold) => {
                            held = Some(hold);
                            break;
                        }
                    }
                }
                consumption.close().await;
                if let Some(hold) = held {
                    tokio::select! {
                        () = tenure.shared.pauses.let_go(&tenure, &hold) => {}
                        () = tenure.stopping.cancelled() => {}
                    }
                }
            }
            Err(error) => {
                tracing::warn!(%error, instance.id = %tenure.instance, "can't consume; trying again");
            }
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => pause = (pause * 2).min(PAUSE_MAX),
            () = tenure.stopping.cancelled() => {}
        }
    }
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
