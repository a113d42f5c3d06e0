//! Which instances this worker owns: it takes those that nobody owns and that fall to it, keeps
//! their leases alive, and gives them up when it goes down.

mod ground;
mod hold;
mod look;
mod moving;
mod renewal;
mod restore;
mod spread;
mod watch;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bus::ControlBinder;
use chassis::{BootInstant, Lifecycle, faults};
use proto::fault::code;
use proto::{Fault, InstanceId};
use store::{InstanceRecord, LEASE_BATCH_MAX, Lease, StoreError};
use tokio::sync::{Notify, mpsc, watch as channel};

pub use self::ground::Ground;
pub use self::hold::Hold;
pub use self::restore::Settled;
pub use self::watch::Watch;
use crate::lease::{Event, Terms};
use crate::owner::{self, Owner};
use crate::standing::Standing;
use crate::tenure::Shared;

/// Orders that may wait for one instance's owner.
const ORDERS_MAX: usize = 16;

/// The instances that this worker owns.
pub struct Roster {
    shared: Arc<Shared>,
    lifecycle: Lifecycle,
    watch: Watch,
    ground: Ground,
    terms: Terms,
    owned: Mutex<HashMap<InstanceId, Owned>>,
    /// A tenure has ended.
    changed: Notify,
    /// Leases may be lost, and Redis knows.
    renew_now: Notify,
    binder: channel::Receiver<Option<ControlBinder>>,
}

/// An owned instance, as others in this worker see it.
#[derive(Clone)]
pub struct Owned {
    /// The proof of ownership.
    pub lease: Lease,
    /// How the instance stands.
    pub standing: channel::Receiver<Standing>,
    /// What it can be told to do.
    pub orders: mpsc::Sender<owner::Order>,
    /// How the lease stands.
    hold: Arc<Hold>,
}

impl Roster {
    /// A roster with nothing on it yet. `binder` is the worker's own queue of orders, once it is up.
    pub fn new(
        shared: Arc<Shared>,
        lifecycle: Lifecycle,
        watch: Watch,
        ground: Ground,
        binder: channel::Receiver<Option<ControlBinder>>,
    ) -> Arc<Self> {
        let terms = shared.config.terms();
        let (owned, changed, renew_now) = (Mutex::default(), Notify::new(), Notify::new());
        Arc::new(Self {
            shared,
            lifecycle,
            watch,
            ground,
            terms,
            owned,
            changed,
            renew_now,
            binder,
        })
    }

    /// Leaves word of Redis' data for whoever starts next.
    pub async fn leave(&self) {
        self.watch.leave().await;
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
        if !self.may_take() {
            return Ok(false);
        }
        let asked_at = BootInstant::now();
        let leases = &self.shared.leases;
        let Some(mut lease) = leases.try_acquire(&record.id, &self.shared.worker_id).await? else {
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
            // Whose record has just been made can't be connected anywhere.
            lease.clean = true;
            self.begin(lease, asked_at, None).await;
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
        if self.lock().len() >= self.shared.config.worker.capacity || !self.may_take() {
            return Ok(None);
        }
        Ok(self.acquire(std::slice::from_ref(instance)).await?.pop())
    }

    fn may_take(&self) -> bool {
        self.refusal().is_none()
    }

    /// What an asker is told where this worker takes no instance now, whichever it is.
    pub fn refusal(&self) -> Option<Fault> {
        if self.lifecycle.is_stopping() {
            let message = "the worker is going down; ask again";
            return Some(Fault::unavailable(code::WORKER_STOPPING, message));
        }
        if !self.ground.is_ours() {
            let message = "the vault is another site's, or could not be looked at yet: the worker's /ready tells; \
                           `queuegram vault claim` makes it this site's";
            return Some(Fault::unavailable(code::STORE_UNAVAILABLE, message));
        }
        self.watch.limits().quiet_until.map(|_| {
            let message =
                "Redis lost its data: nothing is taken for a lease and a grace; ask again then";
            Fault::unavailable(code::INSTANCE_BUSY, message)
        })
    }

    /// Takes those of these instances that nobody owns.
    async fn acquire(self: &Arc<Self>, instances: &[InstanceId]) -> Result<Vec<Owned>, StoreError> {
        let mut taken = Vec::new();
        for some in instances.chunks(LEASE_BATCH_MAX) {
            if !self.may_take() {
                break;
            }
            let asked_at = BootInstant::now();
            let leases = self.shared.leases.try_acquire_all(some, &self.shared.worker_id).await?;
            let leases: Vec<Lease> = leases.into_iter().flatten().collect();
            if leases.is_empty() {
                continue;
            }
            // Redis may have lost its data just before, and with them who owned these instances. So
            // it is looked at again before any of them is connected; where it does not answer, that
            // is supposed.
            let doubt = match self.watch_redis().await {
                Ok(()) => self.watch.limits().doubt(),
                Err(_) => Some(BootInstant::now() + self.terms.ttl + self.terms.grace),
            };
            for lease in leases {
                taken.extend(self.begin(lease, asked_at, doubt).await);
            }
        }
        Ok(taken)
    }

    /// Looks whether Redis still has what it had. Where that is doubtful, nothing is connected that
    /// was just taken, and Redis is asked which leases it still knows.
    async fn watch_redis(&self) -> Result<(), StoreError> {
        let changed = self.watch.look().await?;
        if let Some(doubt) = self.watch.limits().doubt() {
            for owned in self.all() {
                owned.hold.on(Event::Doubt(doubt));
            }
        }
        if changed {
            let since = self.shared.generation.borrow().since;
            tracing::warn!(%since, "what Redis knows may be less than it was; leases are renewed");
            self.renew_now.notify_one();
        }
        Ok(())
    }

    /// Looks whose the vault is. Another site's logins are let go at once, as when a lease is lost:
    /// that site connects them, whatever runs here.
    async fn watch_ground(&self) -> Result<(), StoreError> {
        if !self.ground.look().await? {
            for owned in self.all() {
                owned.hold.on(Event::Refused);
            }
        }
        Ok(())
    }

    /// None where the answer came too late.
    async fn begin(
        self: &Arc<Self>,
        lease: Lease,
        asked_at: BootInstant,
        doubt: Option<BootInstant>,
    ) -> Option<Owned> {
        faults::cut("leased");
        let instance = lease.instance.clone();
        let (standing_tx, standing) = channel::channel(Standing::default());
        let (orders, orders_rx) = mpsc::channel(ORDERS_MAX);
        let hold = Arc::new(Hold::new(lease.clone(), asked_at, self.terms));
        let acquired = match faults::mutant("no_grace") {
            false => Event::Acquired { clean: lease.clean, doubt },
            true => Event::Acquired { clean: true, doubt: None },
        };
        self.shared.metrics.taken(lease.clean);
        if let Some(back) = hold.on(acquired) {
            hold.give_back(back, &self.shared.leases).await;
            return None;
        }
        let owned = Owned { lease, standing, orders, hold: hold.clone() };
        self.lock().insert(instance.clone(), owned.clone());
        if self.lifecycle.is_stopping() {
            // The others were told before this one was on the list.
            hold.on(Event::Stop);
        }
        let (epoch, clean) = (owned.lease.epoch, owned.lease.clean);
        tracing::info!(instance.id = %instance, epoch, clean, "owned");
        let binder = self.binder.clone();
        let owner = Owner::new(self.shared.clone(), hold, standing_tx, orders_rx, binder);
        let this = self.clone();
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
        Some(owned)
    }

    fn all(&self) -> Vec<Owned> {
        self.lock().values().cloned().collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<InstanceId, Owned>> {
        self.owned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
