//! Filling a lane again whose queue the broker has lost: every parked command has a second copy in Redis.

use bus::Subscription;
use proto::CommandId;
use proto::lane::LaneCopy;

use super::Lanes;
use crate::limits::Lane;
use crate::stop::Failure;
use crate::tenure::Tenure;

impl Lanes {
    /// Where nothing came for long: whether the broker still has what is parked.
    pub(super) async fn restock_if_lost(&self, tenure: &Tenure, lane: Lane) {
        let queue = tenure.shared.names.lane_queue(&tenure.instance, &lane.to_string());
        let depth = tenure.shared.bus.queue_depth(&queue).await;
        if let Ok(None | Some(bus::QueueDepth { ready: 0, .. })) = depth {
            self.restock_all(tenure, lane).await;
        }
    }

    /// The lane's queue was deleted or emptied by hand: what is noted is put there again.
    pub(super) async fn restock_all(&self, tenure: &Tenure, lane: Lane) {
        let parked = self.board().in_lane(lane);
        if !parked.is_empty() {
            tracing::warn!(lane = %lane, parked = parked.len(), "a lane's queue was lost; filling it again");
        }
        for id in parked {
            let restocked = match self.stored(tenure, &id).await {
                Some(copy) => self.restock(tenure, &copy, lane).await,
                None if tenure.stopping.is_cancelled() => return,
                None => {
                    tracing::error!(command.id = %id, "broker and Redis have both lost a command");
                    self.left(tenure, &id).await
                }
            };
            if restocked.is_err() {
                return;
            }
        }
    }

    /// Puts a parked command into its lane once more: the broker has lost what was there.
    async fn restock(&self, tenure: &Tenure, copy: &LaneCopy, lane: Lane) -> Result<(), Failure> {
        self.declare(tenure, lane).await?;
        self.publish(tenure, lane, &copy.command, &copy.encode()).await
    }

    /// Somebody comes up again and again before the one of its chat that it has to follow: the broker has
    /// lost that one. Where it has not, one copy more counts for nothing.
    pub(super) async fn restock_before(
        &self,
        tenure: &Tenure,
        id: &CommandId,
        lane: Lane,
    ) -> Result<(), Failure> {
        self.early().clear();
        let Some(before) = self.board().before_in_lane(id) else { return Ok(()) };
        tracing::warn!(command.id = %before, lane = %lane, "a parked command was lost in its lane");
        match self.stored(tenure, &before).await {
            Some(copy) => self.restock(tenure, &copy, lane).await,
            None if tenure.stopping.is_cancelled() => Ok(()),
            None => {
                tracing::error!(command.id = %before, "broker and Redis have both lost a command");
                self.left(tenure, &before).await
            }
        }
    }

    /// A lane's queue does not answer any more: it is made anew, if everything in it can be had again.
    /// A quorum queue never answers again where its only node was killed in the three seconds after
    /// its declaration, and has lost what was confirmed in it (measured with RabbitMQ 3.10.8). For
    /// whoever has the instance's turn.
    pub(super) async fn revive(&self, tenure: &Tenure, lane: Lane) {
        let bus = &tenure.shared.bus;
        let queue = tenure.shared.names.lane_queue(&tenure.instance, &lane.to_string());
        match bus.consume(Subscription::new(queue)).await {
            Ok(alive) => return alive.close().await,
            Err(error) if error.is_timeout() => {}
            // Deleted meanwhile, by us or by hand.
            Err(error) if error.is_missing() => return self.restock_all(tenure, lane).await,
            Err(error) => return tracing::warn!(%error, lane = %lane, "a lane can't be looked at"),
        }
        let parked = self.board().in_lane(lane);
        for id in parked {
            if self.stored(tenure, &id).await.is_none() {
                // What is nowhere else is not thrown away.
                tracing::error!(command.id = %id, lane = %lane, "a lane's queue does not answer, and Redis has no copy");
                return;
            }
        }
        tracing::error!(lane = %lane, "a lane's queue does not answer; making it anew");
        if let Err(error) = bus.delete_lane(&tenure.instance, &lane.to_string()).await {
            // It takes the broker five seconds, and may be done all the same: the next look tells.
            tracing::warn!(%error, lane = %lane, "a lane that does not answer could not be deleted");
            return;
        }
        self.restock_all(tenure, lane).await;
    }
}
