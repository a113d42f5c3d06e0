//! Keeping leases alive, and letting go of those that are not.

use std::sync::Arc;
use std::time::Duration;

use chassis::BootInstant;
use futures_util::future::join_all;
use store::{LEASE_BATCH_MAX, Lease};
use tokio_util::sync::CancellationToken;

use super::{Hold, Roster};
use crate::lease::Event;

/// Longest time between two looks at the clock: a lease that is over is let go of so much later at
/// most. Its gate needs no look.
const TICK_MAX: Duration = Duration::from_millis(100);

impl Roster {
    /// Keeps the leases alive until the last tenure has ended, which is after `stopping`.
    pub async fn renew(self: Arc<Self>, stopping: CancellationToken) {
        let ticking = tokio::spawn(self.clone().tick());
        loop {
            self.renew_all().await;
            if stopping.is_cancelled() && self.all().is_empty() {
                break;
            }
            tokio::select! {
                () = tokio::time::sleep(self.shared.config.renew_pause()) => {}
                () = self.renew_now.notified() => {}
                () = self.changed.notified(), if stopping.is_cancelled() => {}
                () = stopping.cancelled(), if !stopping.is_cancelled() => {}
            }
        }
        ticking.abort();
    }

    /// All batches at once: a Redis that hangs must not keep the last of them from its answer.
    async fn renew_all(&self) {
        let holds: Vec<_> = self.all().into_iter().map(|owned| owned.hold).collect();
        let ours: Vec<_> = holds.into_iter().filter(|hold| hold.is_ours()).collect();
        join_all(ours.chunks(LEASE_BATCH_MAX).map(|some| self.renew_some(some))).await;
    }

    async fn renew_some(&self, holds: &[Arc<Hold>]) {
        let leases: Vec<Lease> = holds.iter().map(|hold| hold.lease.clone()).collect();
        // The clock is read before the question: the leases may begin anew only later.
        let asked_at = BootInstant::now();
        match self.shared.leases.renew_all(&leases).await {
            Ok(renewed) => {
                for (hold, renewed) in holds.iter().zip(renewed) {
                    hold.on(match renewed {
                        true => Event::Renewed { asked_at },
                        false => Event::Refused,
                    });
                }
            }
            Err(error) => {
                let leases = holds.len();
                tracing::warn!(%error, leases, "leases were not renewed; trying again");
                for hold in holds {
                    hold.on(Event::Unanswered);
                }
            }
        }
    }

    /// Tells every lease that time passes, whatever Redis does meanwhile.
    async fn tick(self: Arc<Self>) {
        let pause = TICK_MAX.min(self.shared.config.renew_pause());
        loop {
            for owned in self.all() {
                owned.hold.on(Event::Tick);
            }
            tokio::time::sleep(pause).await;
        }
    }
}
