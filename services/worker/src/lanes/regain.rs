//! Learning what is parked: from the board in Redis, and from the lanes themselves where Redis has
//! lost it.

use std::sync::Arc;
use std::time::Duration;

use bus::{Consumption, Subscription};
use chrono::{DateTime, Utc};
use proto::lane::LaneCopy;
use store::{Generation, Lease};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::Lanes;
use super::key::keys_of;
use crate::limits::{Class, Lane};
use crate::persist::{self, abandoned};
use crate::stop::Failure;
use crate::tenure::{Shared, Tenure};

/// A lane from which nothing comes for so long has been read through.
const QUIET: Duration = Duration::from_secs(1);
/// The most of a lane that is read through: as many as the broker hands out unacknowledged.
const READ_MAX: u16 = 60_000;

/// What reading a lane through takes.
struct Reader<'a> {
    shared: &'a Shared,
    lease: &'a Lease,
    groups: &'a store::Groups,
    stopping: &'a CancellationToken,
}

impl Lanes {
    /// The lanes of an instance that was just taken. Where Redis may have lost its board, or has an
    /// older one, its queues are looked for: what they hold counts. Says whether it may have.
    ///
    /// # Errors
    /// The instance is no longer ours, or the worker is going down.
    pub async fn take_on(
        shared: &Shared,
        lease: &Lease,
        groups: &store::Groups,
        created_at: DateTime<Utc>,
        stopping: &CancellationToken,
    ) -> Result<(Arc<Self>, bool), Failure> {
        let generation = shared.generation.borrow().clone();
        let (lanes, store) = (Self::new(lease, shared.metrics.parked()), &shared.lanes);
        let found = persist::retry(stopping, || store.load(&lease.instance)).await?;
        let (whole, lost) = (found.is_whole(&generation), found.may_miss(&generation, created_at));
        lanes.take_over(&found.lanes, found.parked).map_err(|error| {
            tracing::error!(%error, "the board of parked commands");
            abandoned("the board of parked commands can't be read")
        })?;
        if lost {
            let reader = Reader { shared, lease, groups, stopping };
            for lane in reader.standing().await? {
                lanes.read_through(&reader, lane).await?;
            }
        }
        if !whole {
            persist::retry(stopping, || store.whole(lease, &generation)).await?;
        }
        lanes.is_whole_in(generation.id);
        Ok((Arc::new(lanes), lost))
    }

    /// Waits until Redis has lost data since everything was noted there.
    pub(super) async fn lost(&self, generation: &mut watch::Receiver<Generation>) {
        let noted = self.whole_in();
        if generation.wait_for(|now| now.id != noted).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Redis lost data while we were at it: limits and what is parked are noted again.
    pub(super) async fn note_again(&self, tenure: &Tenure) {
        let _turn = tenure.turn.lock().await;
        let generation = tenure.shared.generation.borrow().clone();
        let reader = Reader {
            shared: &tenure.shared,
            lease: &tenure.lease,
            groups: &tenure.groups,
            stopping: &tenure.stopping,
        };
        let lanes = self.known();
        let noted = async {
            // The gates first: the next owner must obey them.
            tenure.retry_store(|| tenure.limiter.save()).await?;
            for lane in lanes {
                self.read_through(&reader, lane).await?;
            }
            let store = &tenure.shared.lanes;
            tenure.retry_store(|| store.whole(&tenure.lease, &generation)).await
        };
        match noted.await {
            Ok(()) => self.is_whole_in(generation.id),
            Err(failure) => {
                tracing::warn!(?failure, "limits and what is parked were not noted again");
            }
        }
    }

    /// Reads a lane's copies without taking them, and notes those that the board does not know.
    async fn read_through(&self, reader: &Reader<'_>, lane: Lane) -> Result<(), Failure> {
        let Reader { shared, lease, stopping, .. } = reader;
        let (name, store) = (lane.to_string(), &shared.lanes);
        persist::retry(stopping, || store.open(lease, &name)).await?;
        self.board().open(lane);
        let queue = shared.names.lane_queue(&lease.instance, &name);
        let Some(mut from) = reader.begin(&queue).await? else { return Ok(()) };
        // Held, so that they go back to their places together.
        let mut held = Vec::new();
        while let Ok(Ok(delivery)) = timeout(QUIET, from.next()).await {
            match LaneCopy::decode(&delivery.body, true) {
                Ok(copy) => self.note_copy(reader, lane, copy, &delivery.body).await?,
                Err(error) => tracing::error!(%error, lane = %lane, "in a lane"),
            }
            held.push(delivery);
        }
        tracing::info!(lane = %lane, found = held.len(), "read a lane through");
        if let Some(last) = held.pop() {
            // Closes the channel: all of them go back.
            let _ = last.give_back().await;
        }
        drop(held);
        from.close().await;
        Ok(())
    }

    async fn note_copy(
        &self,
        reader: &Reader<'_>,
        lane: Lane,
        copy: LaneCopy,
        body: &[u8],
    ) -> Result<(), Failure> {
        let Reader { shared, lease, groups, stopping } = reader;
        let (command, id) = (&copy.command, &copy.command.id);
        let keys = persist::retry(stopping, || keys_of(command, &command.params, groups)).await?;
        let known = self.board().get(id).cloned();
        let parked = match known {
            Some(known) if known.lane == lane && known.copy == copy.copy => known,
            // Of two copies the one that is known counts.
            Some(_) => return Ok(()),
            None => super::board::Parked {
                seq: copy.seq,
                lane,
                copy: copy.copy.clone(),
                key: self.board().key_for(id, &keys),
                deadline: command.deadline,
                calls: true,
            },
        };
        let entry = parked.write(&command.method, "", None);
        let store = &shared.lanes;
        persist::retry(stopping, || store.park(lease, id, &entry, Some(body))).await?;
        self.change(|board| board.park(id.clone(), parked));
        Ok(())
    }
}

impl Reader<'_> {
    /// Begins to read a queue, if it exists.
    async fn begin(&self, queue: &str) -> Result<Option<Consumption>, Failure> {
        let mut backoff = bus::Backoff::BROKER;
        loop {
            let subscription = Subscription::new(queue.to_owned()).prefetch(READ_MAX);
            match self.shared.bus.consume(subscription).await {
                Ok(from) => return Ok(Some(from)),
                Err(error) if error.is_missing() => return Ok(None),
                Err(error) => tracing::warn!(%error, queue, "can't read a lane; trying again"),
            }
            if !backoff.wait(self.stopping).await {
                return Err(abandoned("the worker is going down"));
            }
        }
    }

    /// The lanes whose queues exist; those of chats in slow mode can't be named.
    async fn standing(&self) -> Result<Vec<Lane>, Failure> {
        let mut backoff = bus::Backoff::BROKER;
        loop {
            let asked = Class::ALL.map(Class::name);
            match self.shared.bus.lane_queues(&self.lease.instance, &asked).await {
                Ok(found) => {
                    let found = found.into_iter().filter_map(|(lane, _)| lane.parse().ok());
                    return Ok(found.collect());
                }
                Err(error) => tracing::warn!(%error, "lanes can't be looked for; trying again"),
            }
            if !backoff.wait(self.stopping).await {
                return Err(abandoned("the worker is going down"));
            }
        }
    }
}
