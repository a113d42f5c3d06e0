//! Learning what is parked: from the board in Redis, and from the lanes themselves where Redis has
//! lost it.

use std::sync::Arc;
use std::time::Duration;

use bus::Subscription;
use proto::lane::LaneCopy;
use store::Lease;
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
    /// The lanes of an instance that was just taken. Where Redis may have lost its board (the instance
    /// is older than Redis' data, and nobody has begun one), its queues are looked for: what they
    /// hold counts.
    ///
    /// # Errors
    /// The instance is no longer ours, or the worker is going down.
    pub async fn take_on(
        shared: &Shared,
        lease: &Lease,
        groups: &store::Groups,
        may_be_lost: bool,
        stopping: &CancellationToken,
    ) -> Result<Arc<Self>, Failure> {
        let (lanes, store) = (Self::new(lease, shared.metrics.parked()), &shared.lanes);
        let found = persist::retry(stopping, || store.load(&lease.instance)).await?;
        let known = found.known;
        lanes.take_over(&found.lanes, found.parked).map_err(|error| {
            tracing::error!(%error, "the board of parked commands");
            abandoned("the board of parked commands can't be read")
        })?;
        if !known {
            let reader = Reader { shared, lease, groups, stopping };
            let standing = if may_be_lost { reader.standing().await? } else { Vec::new() };
            for lane in standing {
                lanes.read_through(&reader, lane).await?;
            }
            persist::retry(stopping, || store.begin(lease)).await?;
        }
        Ok(Arc::new(lanes))
    }

    /// Redis lost its data while we were at it: limits and what is parked are noted again.
    pub(super) async fn note_again(&self, tenure: &Tenure) {
        let _turn = tenure.turn.lock().await;
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
            tenure.retry_store(|| store.begin(&tenure.lease)).await
        };
        if let Err(failure) = noted.await {
            tracing::warn!(?failure, "limits and what is parked were not noted again");
        }
    }

    /// Reads a lane's copies without taking them, and notes those that the board does not know.
    async fn read_through(&self, reader: &Reader<'_>, lane: Lane) -> Result<(), Failure> {
        let Reader { shared, lease, stopping, .. } = reader;
        let (name, store) = (lane.to_string(), &shared.lanes);
        persist::retry(stopping, || store.open(lease, &name)).await?;
        self.board().open(lane);
        let queue = shared.names.lane_queue(&lease.instance, &name);
        let subscription = Subscription::new(queue).prefetch(READ_MAX);
        let Ok(mut from) = shared.bus.consume(subscription).await else {
            return Err(abandoned("a lane can't be read"));
        };
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
