//! Taking an instance whose records come from a backup.

use std::sync::Arc;

use chassis::BootInstant;
use proto::InstanceId;
use store::{Lease, StoreError};

use super::Roster;

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// It is written, and owned here.
    Done,
    /// There is such an instance already; nothing was written.
    There,
    /// Nothing can be taken just now, or somebody holds its lease.
    Busy,
}

impl Roster {
    /// Takes an instance that has no record, and has its records written under its lease.
    ///
    /// Unlike a new instance it is not supposed to be connected nowhere: the grace is kept.
    ///
    /// # Errors
    /// The store's.
    pub async fn settle<F>(
        self: &Arc<Self>,
        instance: &InstanceId,
        write: impl FnOnce(Lease) -> F + Send,
    ) -> Result<Settled, StoreError>
    where
        F: Future<Output = Result<(), StoreError>> + Send,
    {
        if !self.may_take() {
            return Ok(Settled::Busy);
        }
        let asked_at = BootInstant::now();
        let leases = &self.shared.leases;
        let Some(lease) = leases.try_acquire(instance, &self.shared.worker_id).await? else {
            return Ok(Settled::Busy);
        };
        let doubt = match self.watch_redis().await {
            Ok(()) => self.watch.limits().doubt(),
            Err(_) => Some(BootInstant::now() + self.terms.ttl + self.terms.grace),
        };
        // Only the holder of the lease can tell for sure that there is none.
        let written = async {
            let there = self.shared.instances.get(instance).await?.is_some();
            if !there {
                write(lease.clone()).await?;
            }
            Ok(if there { Settled::There } else { Settled::Done })
        };
        let written = written.await;
        if written.is_ok() {
            self.begin(lease, asked_at, doubt).await;
        } else if let Err(error) = leases.give_up(&lease).await {
            tracing::warn!(%error, "a lease was not given up; it runs out by itself");
        }
        written
    }
}
