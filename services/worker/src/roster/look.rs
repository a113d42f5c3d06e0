//! Looking, once a second, for what is to be done about ownership: which workers are alive, which
//! instances nobody owns and which of them fall to this worker, which of its own should move.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use chassis::BootInstant;
use proto::InstanceId;
use store::{Presence, StoreError};
use tokio_util::sync::CancellationToken;

use super::moving::Mover;
use super::{Roster, spread};
use crate::lease::Event;

/// How long the list of instances counts where Redis tells of no change to it: the counter of
/// changes may be lost with Redis' data, or behind a change in the vault.
const LISTED_FOR: Duration = Duration::from_secs(30);

/// What one look leaves for the next.
struct Memory {
    instances: Vec<InstanceId>,
    listed: Option<(u64, BootInstant)>,
    /// Those that nobody owns, since when.
    unowned: HashMap<InstanceId, BootInstant>,
    alive: Vec<Presence>,
    /// A worker has gone and gives its instances back just now: looks are quicker until then.
    quick_until: BootInstant,
    mover: Mover,
}

impl Roster {
    /// Looks until `stopping`; then every tenure is told to end, and nothing is taken any more.
    pub async fn run(self: Arc<Self>, stopping: CancellationToken) {
        let ending = async {
            stopping.cancelled().await;
            for owned in self.all() {
                owned.hold.on(Event::Stop);
            }
            self.withdraw().await;
        };
        tokio::join!(self.look_on(&stopping), ending);
        // A look that was under way may have said once more that we are here.
        self.withdraw().await;
    }

    async fn withdraw(&self) {
        if let Err(error) = self.shared.workers.withdraw(&self.shared.worker_id).await {
            tracing::warn!(%error, "the other workers were not told that this one is going");
        }
    }

    async fn look_on(self: &Arc<Self>, stopping: &CancellationToken) {
        let now = BootInstant::now();
        let config = &self.shared.config;
        let mut memory = Memory {
            instances: Vec::new(),
            listed: None,
            unowned: HashMap::new(),
            alive: Vec::new(),
            quick_until: now,
            mover: Mover::new(config.worker.rebalance_percent_per_min, self.terms.ttl, now),
        };
        while !stopping.is_cancelled() {
            if let Err(error) = self.look(&mut memory).await {
                tracing::warn!(%error, "can't look for instances; trying again");
            }
            let pause = match BootInstant::now() < memory.quick_until {
                true => config.look_pause() / 4,
                false => config.look_pause(),
            };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = stopping.cancelled() => {}
            }
        }
    }

    async fn look(self: &Arc<Self>, memory: &mut Memory) -> Result<(), StoreError> {
        let shared = &self.shared;
        self.watch_redis().await?;
        self.watch_ground().await?;
        let owned: HashSet<InstanceId> = self.lock().keys().cloned().collect();
        let me = Presence {
            worker: shared.worker_id.clone(),
            capacity: shared.config.worker.capacity,
            owned: owned.len(),
        };
        self.meet(memory, shared.workers.beat(&me).await?);
        let now = BootInstant::now();
        if !self.may_take() {
            return Ok(());
        }
        self.list(memory, now).await?;
        let others: Vec<InstanceId> =
            memory.instances.iter().filter(|id| !owned.contains(*id)).cloned().collect();
        let unowned = shared.leases.unowned(&others).await?;
        memory.unowned = unowned
            .into_iter()
            .map(|id| (id.clone(), memory.unowned.get(&id).copied().unwrap_or(now)))
            .collect();

        let falls_to_us = |(id, since): &(&InstanceId, &BootInstant)| {
            let rank = spread::rank(id, &me.worker, &memory.alive);
            now.since(**since) >= spread::patience(rank, shared.config.look_pause())
        };
        let ours = memory.unowned.iter().filter(falls_to_us).map(|(id, _)| id.clone());
        let ours: Vec<InstanceId> = ours.take(me.room()).collect();
        for taken in self.acquire(&ours).await? {
            memory.unowned.remove(&taken.lease.instance);
        }
        // One worker counts for all, so that a sum over them is the truth.
        let counts = memory.alive.first().is_some_and(|first| first.worker == me.worker);
        shared.metrics.unowned(if counts { memory.unowned.len() } else { 0 });
        self.move_some(memory, now);
        Ok(())
    }

    /// Notes who is alive.
    fn meet(&self, memory: &mut Memory, alive: Vec<Presence>) {
        let gone = memory.alive.iter().any(|was| !alive.iter().any(|is| is.worker == was.worker));
        if gone {
            memory.quick_until = BootInstant::now() + self.terms.ttl;
        }
        memory.alive = alive;
    }

    /// Which instances there are. The vault is asked where Redis says that something has changed.
    async fn list(&self, memory: &mut Memory, now: BootInstant) -> Result<(), StoreError> {
        let version = self.shared.instances.version().await?;
        let fresh = memory
            .listed
            .is_some_and(|(listed, at)| listed == version && now.since(at) < LISTED_FOR);
        if !fresh {
            memory.instances = self.shared.instances.ids().await?;
            memory.listed = Some((version, now));
        }
        Ok(())
    }

    /// Ends some tenures whose instances another worker weighs more: it finds them free at its next
    /// look. Only of accounts that work: a login under way would be lost.
    fn move_some(&self, memory: &mut Memory, now: BootInstant) {
        let all = self.all();
        let allowed = memory.mover.allowed(&memory.alive, all.len(), now);
        if allowed == 0 {
            return;
        }
        let me = &self.shared.worker_id;
        let mut moved = 0;
        for owned in all {
            if moved == allowed {
                break;
            }
            let instance = &owned.lease.instance;
            if !owned.standing.borrow().state.is_connected() || owned.hold.stop.is_cancelled() {
                continue;
            }
            if let Some(to) = spread::better(instance, me, &memory.alive) {
                tracing::info!(instance.id = %instance, to, "moving");
                owned.hold.on(Event::Stop);
                moved += 1;
            }
        }
        memory.mover.moved(moved, now);
    }
}
