//! Working the lanes: each one when its limit opens, until it is empty, and then its queue is deleted.
//!
//! One command at a time, in turn with the instance's queue: an instance's commands are never worked
//! on side by side.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use bus::{BusError, Consumption, Delivery, Subscription};
use chassis::faults::cut;
use futures_util::FutureExt;
use proto::CommandId;
use proto::fault::code;
use tokio::time::timeout;

use super::Lanes;
use super::board::Wake;
use super::parking::AGAIN_AFTER;
use crate::limits::{Lane, NotYet};
use crate::pipeline::{self, Ending};
use crate::tenure::Tenure;

/// A lane from which nothing comes for so long holds nothing that was not noted.
const QUIET: Duration = Duration::from_secs(1);

/// Works an instance's lanes until the tenure's phase ends.
pub async fn tend(tenure: Arc<Tenure>) {
    let (lanes, shared) = (tenure.lanes.clone(), tenure.shared.clone());
    let mut pauses = shared.pauses.changes();
    let mut generation = shared.generation.clone();
    while !tenure.stopping.is_cancelled() {
        let ready = async {
            shared.pauses.running(&tenure.instance).await;
            tokio::select! {
                id = lanes.freed() => Ready::Freed(id),
                lane = lanes.ready(&tenure) => Ready::Lane(lane),
            }
        };
        tokio::select! {
            () = tenure.stopping.cancelled() => return,
            ready = ready, if !tenure.waits => match ready {
                Ready::Freed(id) => Box::pin(lanes.work_freed(&tenure, id)).await,
                Ready::Lane(lane) => Box::pin(lanes.work(&tenure, lane)).await,
            },
            () = lanes.due(&tenure) => Box::pin(lanes.answer_due(&tenure)).await,
            () = lanes.look_pause() => Box::pin(lanes.answer_cancelled(&tenure)).await,
            // What waits for a person may go on now.
            Ok(()) = pauses.changed() => lanes.wake(),
            () = lanes.lost(&mut generation) => lanes.note_again(&tenure).await,
        }
    }
}

/// What can be gone on with.
enum Ready {
    /// A lane.
    Lane(Lane),
    /// A command that nothing keeps from going on any more, wherever it lies.
    Freed(CommandId),
}

/// How a lane's consumption ended.
enum Worked {
    /// Nothing that was noted is left in it.
    Emptied,
    /// It is to be worked again when its board entry says so.
    Later,
}

impl Lanes {
    /// The next lane to be worked, once its time has come.
    async fn ready(&self, tenure: &Tenure) -> Lane {
        loop {
            let changed = self.changed.notified();
            let next = self.board().next_lane();
            let opens = async {
                match next {
                    Some((_, Wake::Now)) => {}
                    Some((_, Wake::At(at))) => tenure.shared.clock.until(at).await,
                    Some((_, Wake::Resumed)) | None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = opens => if let Some((lane, _)) = next { return lane },
                () = changed => {}
            }
        }
    }

    /// The next command that is freed.
    async fn freed(&self) -> CommandId {
        loop {
            let changed = self.changed.notified();
            if let Some(id) = self.next_freed() {
                return id;
            }
            changed.await;
        }
    }

    fn next_freed(&self) -> Option<CommandId> {
        self.board().next_freed()
    }

    /// Works on a command whose predecessors have left. What is left of it in its lane counts no more.
    async fn work_freed(&self, tenure: &Tenure, id: CommandId) {
        let _turn = tenure.turn.lock().await;
        if self.board().next_freed().as_ref() != Some(&id) {
            return;
        }
        let went_on = match self.stored(tenure, &id).await {
            Some(copy) => Box::pin(pipeline::take_parked(tenure, copy)).await,
            None => false,
        };
        if !went_on {
            // It comes up at the head of its lane.
            self.board().not_freed(&id);
        }
    }

    async fn work(&self, tenure: &Tenure, lane: Lane) {
        loop {
            if self.parked_in(lane) == 0 {
                match self.remove(tenure, lane).await {
                    Ok(true) => return,
                    // Copies that do not count are left in it.
                    Ok(false) => {}
                    Err(error) => return self.put_aside(tenure, lane, &error),
                }
            } else if let Some(not_yet) = tenure.limit_of(lane) {
                return self.board().sleep(lane, &not_yet);
            }
            let queue = tenure.shared.names.lane_queue(&tenure.instance, &lane.to_string());
            let begun = tokio::select! {
                begun = tenure.shared.bus.consume(Subscription::new(queue)) => begun,
                () = tenure.stopping.cancelled() => return,
            };
            let worked = match begun {
                Ok(consumption) => self.consume(tenure, lane, consumption).await,
                Err(error) if error.is_missing() => {
                    self.restock_all(tenure, lane).await;
                    continue;
                }
                Err(error) => {
                    if error.is_timeout() {
                        let _turn = tenure.turn.lock().await;
                        self.revive(tenure, lane).await;
                    }
                    return self.put_aside(tenure, lane, &error);
                }
            };
            if matches!(worked, Worked::Later) {
                return;
            }
        }
    }

    async fn consume(&self, tenure: &Tenure, lane: Lane, mut from: Consumption) -> Worked {
        let worked = loop {
            Box::pin(self.answer_due(tenure)).await;
            while let Some(id) = self.next_freed() {
                Box::pin(self.work_freed(tenure, id)).await;
            }
            let empty = self.parked_in(lane) == 0;
            if !empty && let Some(not_yet) = tenure.limit_of(lane) {
                self.board().sleep(lane, &not_yet);
                break Worked::Later;
            }
            let patience = if empty { QUIET } else { tenure.shared.config.queue_look() };
            let delivery = tokio::select! {
                biased;
                () = tenure.stopping.cancelled() => break Worked::Later,
                () = tenure.shared.pauses.stopped(&tenure.instance) => break Worked::Later,
                next = timeout(patience, from.next()) => match next {
                    Ok(Ok(delivery)) => delivery,
                    Ok(Err(lost)) => {
                        self.put_aside(tenure, lane, &lost);
                        break Worked::Later;
                    }
                    Err(_) if empty => break Worked::Emptied,
                    Err(_) => {
                        self.restock_if_lost(tenure, lane).await;
                        continue;
                    }
                },
            };
            if !self.take(tenure, lane, delivery).await {
                break Worked::Later;
            }
        };
        from.close().await;
        worked
    }

    /// False where the lane is not to be gone on with now.
    async fn take(&self, tenure: &Tenure, lane: Lane, delivery: Delivery) -> bool {
        let _turn = tenure.turn.lock().await;
        let taking = AssertUnwindSafe(Box::pin(pipeline::take(tenure, delivery, Some(lane))));
        match taking.catch_unwind().await {
            Ok(Ending::Settled) => return true,
            Ok(Ending::Stays) => {}
            // It is looked at again when the pauses change; its deadline is kept meanwhile.
            Ok(Ending::Held(_)) => {
                let paused = NotYet { opens: None, code: code::PAUSED.to_owned(), lane };
                self.board().sleep(lane, &paused);
            }
            Ok(Ending::GivenBack(why)) => self.put_aside(tenure, lane, &why),
            Err(_) => self.put_aside(tenure, lane, &"the work on a command panicked"),
        }
        false
    }

    /// Deletes a lane's queue, if nothing is left in it.
    async fn remove(&self, tenure: &Tenure, lane: Lane) -> Result<bool, BusError> {
        // Nothing can be parked there meanwhile.
        let _turn = tenure.turn.lock().await;
        if self.parked_in(lane) > 0 {
            return Ok(false);
        }
        let (bus, name) = (&tenure.shared.bus, lane.to_string());
        let queue = tenure.shared.names.lane_queue(&tenure.instance, &name);
        if let Some(1..) = bus.queue_depth(&queue).await?.map(|depth| depth.ready) {
            return Ok(false);
        }
        bus.delete_lane(&tenure.instance, &name).await?;
        cut("lane_deleted");
        let (lanes, lease) = (&tenure.shared.lanes, &tenure.lease);
        if tenure.retry_store(|| lanes.close(lease, &name)).await.is_ok() {
            self.board().close(lane);
        }
        Ok(true)
    }

    fn put_aside(&self, tenure: &Tenure, lane: Lane, why: &dyn std::fmt::Display) {
        tracing::warn!(%why, lane = %lane, instance.id = %tenure.instance, "a lane is tried again later");
        let opens = Some(tenure.shared.clock.now() + AGAIN_AFTER);
        self.board().sleep(lane, &NotYet { opens, code: code::BUDGET_SPENT.to_owned(), lane });
    }
}
