//! Which instances this worker owns: it takes those that nobody owns, as far as it has room, keeps
//! their leases alive, and gives them up when it goes down.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bus::ControlBinder;
use chassis::{BootInstant, Lifecycle};
use futures_util::future::join_all;
use proto::InstanceId;
use store::{InstanceRecord, Lease, StoreError};
use telegram::Gate;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::owner::{self, Owner};
use crate::standing::Standing;
use crate::tenure::Shared;

/// Orders that may wait for one instance's owner.
const ORDERS_MAX: usize = 16;
/// A lease that could not be renewed counts as lost this long before it runs out.
pub const LEASE_MARGIN: Duration = Duration::from_secs(3);

/// The instances that this worker owns.
pub struct Roster {
    shared: Arc<Shared>,
    lifecycle: Lifecycle,
    owned: Mutex<HashMap<InstanceId, Owned>>,
    changed: Notify,
    binder: watch::Receiver<Option<ControlBinder>>,
}

/// An owned instance, as others in this worker see it.
#[derive(Clone)]
pub struct Owned {
    /// The proof of ownership.
    pub lease: Lease,
    /// How the instance stands.
    pub standing: watch::Receiver<Standing>,
    /// What it can be told to do.
    pub orders: mpsc::Sender<owner::Order>,
    /// Cancelled when the lease is lost: nothing may be sent to Telegram from then on.
    pub lost: CancellationToken,
    /// Cancelled to end the tenure in good order.
    pub stop: CancellationToken,
    /// Open while the lease is good: what goes to Telegram passes it.
    pub gate: Gate,
    /// When the lease was last known to begin anew.
    renewed_at: Arc<Mutex<BootInstant>>,
}

impl Owned {
    fn renewed(&self, at: BootInstant, good_for: Duration) -> bool {
        *self.renewed_at.lock().unwrap_or_else(PoisonError::into_inner) = at;
        self.gate.extend(at + good_for)
    }

    fn age(&self) -> Duration {
        let renewed_at = *self.renewed_at.lock().unwrap_or_else(PoisonError::into_inner);
        BootInstant::now().since(renewed_at)
    }
}

impl Roster {
    /// A roster with nothing on it yet. `binder` is the worker's own queue of orders, once it is up.
    pub fn new(
        shared: Arc<Shared>,
        lifecycle: Lifecycle,
        binder: watch::Receiver<Option<ControlBinder>>,
    ) -> Arc<Self> {
        let (owned, changed) = (Mutex::default(), Notify::new());
        Arc::new(Self { shared, lifecycle, owned, changed, binder })
    }

    /// Looks for instances that nobody owns until `stopping`.
    pub async fn run(self: Arc<Self>, stopping: CancellationToken) {
        while !stopping.is_cancelled() {
            if let Err(error) = self.take_free().await {
                tracing::warn!(%error, "can't look for instances; trying again");
            }
            tokio::select! {
                () = tokio::time::sleep(self.shared.config.roster_pause()) => {}
                () = stopping.cancelled() => {}
            }
        }
        for owned in self.all() {
            owned.stop.cancel();
        }
    }

    /// Keeps the leases alive until the last tenure has ended, which is after `stopping`.
    pub async fn renew(self: Arc<Self>, stopping: CancellationToken) {
        loop {
            // All at once: a Redis that hangs must not keep the last of them from its deadline.
            join_all(self.all().iter().map(|owned| self.renew_one(owned))).await;
            if stopping.is_cancelled() && self.all().is_empty() {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(self.shared.config.renew_pause()) => {}
                () = self.changed.notified(), if stopping.is_cancelled() => {}
                () = stopping.cancelled(), if !stopping.is_cancelled() => {}
            }
        }
    }

    /// How long the lease counts as good after it was asked for.
    fn good_for(&self) -> Duration {
        self.shared.leases.ttl() - LEASE_MARGIN
    }

    async fn renew_one(&self, owned: &Owned) {
        let good_for = self.good_for().saturating_sub(owned.age());
        // The clock is read before the question: the lease may begin anew only later.
        let asked_at = BootInstant::now();
        match timeout(good_for, self.shared.leases.renew(&owned.lease)).await {
            Ok(Ok(true)) if owned.renewed(asked_at, self.good_for()) => {}
            Ok(Ok(true)) => self.lost(owned, "it was renewed too late"),
            Ok(Ok(false)) => self.lost(owned, "another worker holds it"),
            Ok(Err(error)) => tracing::warn!(%error, "a lease was not renewed; trying again"),
            Err(_) => self.lost(owned, "it could not be renewed in time"),
        }
    }

    /// The instance, if this worker owns it.
    pub fn get(&self, instance: &InstanceId) -> Option<Owned> {
        self.lock().get(instance).cloned()
    }

    /// Every instance that this worker owns.
    pub fn instances(&self) -> Vec<InstanceId> {
        self.lock().keys().cloned().collect()
    }

    /// Takes a new instance, which has no record yet, and makes its record.
    ///
    /// # Errors
    /// The store's.
    pub async fn found(self: &Arc<Self>, record: &InstanceRecord) -> Result<bool, StoreError> {
        let asked_at = BootInstant::now();
        let leases = &self.shared.leases;
        let Some(lease) = leases.try_acquire(&record.id, &self.shared.worker_id).await? else {
            return Ok(false);
        };
        // Only the holder of the lease can tell for sure that there is none.
        let made = async {
            let there = self.shared.instances.get(&record.id).await?.is_some();
            if !there {
                self.shared.instances.put(&lease, record).await?;
            }
            Ok(!there)
        };
        let made = made.await;
        if made.is_ok() {
            self.begin(lease, asked_at);
        } else if let Err(error) = leases.release(&lease).await {
            tracing::warn!(%error, "a lease was not released; it runs out by itself");
        }
        made
    }

    /// Takes the instance if nobody owns it.
    ///
    /// # Errors
    /// The store's.
    pub async fn take(
        self: &Arc<Self>,
        instance: &InstanceId,
    ) -> Result<Option<Owned>, StoreError> {
        if let Some(owned) = self.get(instance) {
            return Ok(Some(owned));
        }
        if self.lifecycle.is_stopping() || self.lock().len() >= self.shared.config.worker.capacity {
            return Ok(None);
        }
        let asked_at = BootInstant::now();
        let leases = &self.shared.leases;
        let Some(lease) = leases.try_acquire(instance, &self.shared.worker_id).await? else {
            return Ok(None);
        };
        Ok(Some(self.begin(lease, asked_at)))
    }

    fn begin(self: &Arc<Self>, lease: Lease, asked_at: BootInstant) -> Owned {
        let instance = lease.instance.clone();
        let (standing_tx, standing) = watch::channel(Standing::default());
        let (orders, orders_rx) = mpsc::channel(ORDERS_MAX);
        let (lost, stop) = (CancellationToken::new(), CancellationToken::new());
        let gate = Gate::until(asked_at + self.good_for());
        let owned = Owned {
            lease: lease.clone(),
            standing,
            orders,
            lost: lost.clone(),
            stop: stop.clone(),
            gate: gate.clone(),
            renewed_at: Arc::new(Mutex::new(asked_at)),
        };
        self.lock().insert(instance.clone(), owned.clone());
        if self.lifecycle.is_stopping() {
            // The others were told before this one was on the list.
            owned.stop.cancel();
        }
        tracing::info!(instance.id = %instance, epoch = lease.epoch, "owned");
        let owner = Owner::new(
            self.shared.clone(),
            lease,
            standing_tx,
            orders_rx,
            self.binder.clone(),
            stop,
            lost,
            gate,
        );
        let (this, epoch) = (self.clone(), owned.lease.epoch);
        self.lifecycle.spawn_once(format!("owner of {instance}"), async move {
            owner.run().await;
            {
                // The lease is free by now: another tenure may stand here already.
                let mut all = this.lock();
                if all.get(&instance).is_some_and(|owned| owned.lease.epoch == epoch) {
                    all.remove(&instance);
                }
            }
            this.changed.notify_waiters();
            tracing::info!(instance.id = %instance, "no longer owned");
        });
        owned
    }

    async fn take_free(self: &Arc<Self>) -> Result<(), StoreError> {
        let mut known = self.shared.instances.ids().await?;
        known.retain(|instance| self.get(instance).is_none());
        for instance in self.shared.leases.unowned(known).await? {
            if self.lifecycle.is_stopping() {
                return Ok(());
            }
            self.take(&instance).await?;
        }
        Ok(())
    }

    fn lost(&self, owned: &Owned, why: &str) {
        if owned.lost.is_cancelled() {
            return;
        }
        tracing::error!(instance.id = %owned.lease.instance, why, "the lease is lost");
        owned.gate.shut();
        owned.lost.cancel();
        owned.stop.cancel();
    }

    fn all(&self) -> Vec<Owned> {
        self.lock().values().cloned().collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<InstanceId, Owned>> {
        self.owned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
