//! Answering parked commands that can't wait until they get to the head of their lane: at their
//! deadline, and when they are cancelled.

use std::time::Duration;

use proto::CommandId;
use proto::lane::LaneCopy;

use super::Lanes;
use crate::pipeline;
use crate::tenure::Tenure;

/// Between two looks for parked commands that were cancelled.
const CANCELS_EVERY: Duration = Duration::from_millis(500);

impl Lanes {
    /// Waits until it is time to look for parked commands that were cancelled: for ever, where
    /// nothing is parked.
    pub(super) async fn look_pause(&self) {
        loop {
            let changed = self.changed.notified();
            if self.parked() > 0 {
                return tokio::time::sleep(CANCELS_EVERY).await;
            }
            changed.await;
        }
    }

    /// Waits until the next command must be answered.
    pub(super) async fn due(&self, tenure: &Tenure) {
        loop {
            let changed = self.changed.notified();
            let next = self.board().next_due();
            let due = async {
                match next {
                    Some((at, _)) => tenure.shared.clock.until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = due => return,
                () = changed => {}
            }
        }
    }

    /// Answers whatever is due.
    pub(super) async fn answer_due(&self, tenure: &Tenure) {
        let now = tenure.shared.clock.now();
        loop {
            let next = self.board().next_due();
            let Some((at, id)) = next.filter(|(at, _)| *at <= now) else { return };
            tracing::info!(command.id = %id, deadline = %at, "a parked command is due");
            if !self.answer(tenure, &id).await {
                return;
            }
        }
    }

    /// Answers what was cancelled while it was parked.
    pub(super) async fn answer_cancelled(&self, tenure: &Tenure) {
        match tenure.shared.lanes.cancelled(&tenure.instance).await {
            Ok(ids) => {
                for id in ids {
                    self.answer(tenure, &id).await;
                }
            }
            Err(error) => tracing::warn!(%error, "can't look for cancelled commands"),
        }
    }

    /// The command as it was parked.
    pub async fn stored(&self, tenure: &Tenure, id: &CommandId) -> Option<LaneCopy> {
        let lanes = &tenure.shared.lanes;
        let stored = tenure.retry_store(|| lanes.copy(&tenure.instance, id)).await.ok()??;
        LaneCopy::decode(&stored, true)
            .inspect_err(|error| tracing::error!(%error, command.id = %id, "a parked command"))
            .ok()
    }

    /// False where it can't be answered now.
    async fn answer(&self, tenure: &Tenure, id: &CommandId) -> bool {
        let Some(copy) = self.stored(tenure, id).await else {
            if !tenure.stopping.is_cancelled() {
                // Redis lost it: it is answered when it gets to the head of its lane.
                self.board().not_due(id);
            }
            return !tenure.stopping.is_cancelled();
        };
        match pipeline::answer_parked(tenure, copy).await {
            Ok(()) => self.left(tenure, id).await.is_ok(),
            Err(why) => {
                tracing::warn!(why, command.id = %id, "a parked command was not answered");
                false
            }
        }
    }
}
