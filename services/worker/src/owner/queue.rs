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
        match tenure.shared.bus.consume(Subscription::new(queue.clone())).await {
            Ok(mut consumption) => {
                pause = PAUSE_FIRST;
                loop {
                    let delivery = tokio::select! {
                        biased;
                        () = tenure.stopping.cancelled() => break,
                        delivery = consumption.next() => delivery,
                    };
                    let Ok(delivery) = delivery else { break };
                    if let Ending::GivenBack(why) = pipeline::take(&tenure, delivery).await {
                        tracing::warn!(instance.id = %tenure.instance, why, "a command went back");
                        break;
                    }
                }
                consumption.close().await;
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
