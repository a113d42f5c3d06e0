//! Parking a command, leaving it parked where it is, and noting that it is parked no more.

use bus::OutMessage;
use chassis::faults::cut;
use chrono::{DateTime, TimeDelta, Utc};
use proto::event::CommandDelayed;
use proto::lane::LaneCopy;
use proto::{Command, CommandId, Event, Properties};

use super::board::Parked;
use super::{Lanes, OrderKey};
use crate::answers::Taken;
use crate::limits::{Lane, NotYet};
use crate::persist::abandoned;
use crate::stop::Failure;
use crate::tenure::Tenure;

/// Before a lane is looked at again whose head could not go on.
pub(super) const AGAIN_AFTER: TimeDelta = TimeDelta::seconds(1);

/// A command on its way to a lane.
#[derive(Debug, Clone, Copy)]
pub struct Parking<'a> {
    /// The command.
    pub command: &'a Command,
    /// When its author published it.
    pub sent_at: Option<DateTime<Utc>>,
    /// What its group is known by.
    pub keys: &'a [OrderKey],
    /// What it waits for.
    pub not_yet: &'a NotYet,
    /// Whether it waits for that itself, and not only for those before it.
    pub calls: bool,
    /// When it is expected to go on: after those that are parked before it.
    pub retry_at: Option<DateTime<Utc>>,
}

impl Lanes {
    /// Parks a command at the end of a lane. When this comes back, the copy is with the broker and
    /// noted, and what the command came by may be acknowledged.
    ///
    /// # Errors
    /// Only that the instance is no longer ours, or the worker is going down: nothing is noted, the
    /// command comes again, and a copy that was published already does not count.
    pub async fn park(
        &self,
        tenure: &Tenure,
        lane: Lane,
        parking: Parking<'_>,
    ) -> Result<(), Failure> {
        let Parking { command, not_yet, retry_at, .. } = parking;
        if self.lane_of(&command.id) == Some(lane) && !self.early().insert(command.id.clone()) {
            // It came up twice before the one that it has to follow.
            self.restock_before(tenure, &command.id, lane).await?;
        }
        if !self.board().knows(lane) {
            self.open(tenure, lane, not_yet).await?;
        }
        let (parked, body) = self.copy(lane, parking);
        self.publish(tenure, lane, command, &body).await?;
        cut("park_published");
        self.note(tenure, command, &parked, parking, Some(&body)).await?;
        cut("parked");
        self.change(|board| board.park(command.id.clone(), parked.clone()));
        tenure.shared.metrics.delayed(lane);
        self.changed.notify_waiters();
        tracing::info!(lane = %lane, code = not_yet.code, retry_at = retry_at.map(tracing::field::display), "a command was parked");
        let told =
            CommandDelayed { class: lane.to_string(), reason: not_yet.code.clone(), retry_at };
        let (instance, id) = (&command.instance, &command.id);
        let event_id = format!("{instance}:{id}:command.delayed:{}", parked.copy);
        let about = |event| Event {
            external_ref: command.external_ref.clone(),
            command_id: Some(id.clone()),
            ..event
        };
        tenure.shared.answers.tell(event_id, instance, &told, about).await;
        Ok(())
    }

    /// A lane's head stays there until its limit opens, and its lane sleeps.
    ///
    /// # Errors
    /// As for [`Lanes::park`].
    pub async fn stay(&self, tenure: &Tenure, parking: Parking<'_>) -> Result<(), Failure> {
        let parked = self.board().get(&parking.command.id).cloned();
        let Some(parked) = parked else { return Ok(()) };
        // It may have waited for those before it until now.
        let parked = Parked { calls: true, ..parked };
        self.note(tenure, parking.command, &parked, parking, None).await?;
        // What has opened meanwhile must not keep the other lanes from their turn.
        let soonest = tenure.shared.clock.now() + AGAIN_AFTER;
        let opens = parking.not_yet.opens.map(|opens| opens.max(soonest));
        let not_yet = NotYet { opens, ..parking.not_yet.clone() };
        let lane = parked.lane;
        self.change(|board| board.park(parking.command.id.clone(), parked));
        self.board().sleep(lane, &not_yet);
        self.changed.notify_waiters();
        Ok(())
    }

    /// A command has its answer: it is parked no more.
    ///
    /// # Errors
    /// As for [`Lanes::park`].
    pub async fn left(&self, tenure: &Tenure, id: &CommandId) -> Result<(), Failure> {
        let (lanes, lease) = (&tenure.shared.lanes, &tenure.lease);
        tenure.retry_store(|| lanes.leave(lease, id)).await?;
        self.change(|board| board.leave(id));
        self.early().clear();
        self.changed.notify_waiters();
        cut("left");
        Ok(())
    }

    fn copy(&self, lane: Lane, parking: Parking<'_>) -> (Parked, Vec<u8>) {
        let Parking { command, sent_at, keys, .. } = parking;
        let board = self.board();
        let parked = Parked {
            seq: board.seq_for(&command.id),
            lane,
            copy: self.copy_name(),
            key: board.key_for(&command.id, keys),
            deadline: command.deadline,
            calls: parking.calls,
        };
        let copy = LaneCopy {
            copy: parked.copy.clone(),
            seq: parked.seq,
            sent_at,
            command: command.clone(),
        };
        (parked, copy.encode())
    }

    /// The lane is noted first: a queue that nobody knows of would stay for ever.
    async fn open(&self, tenure: &Tenure, lane: Lane, not_yet: &NotYet) -> Result<(), Failure> {
        let (lanes, lease, name) = (&tenure.shared.lanes, &tenure.lease, lane.to_string());
        tenure.retry_store(|| lanes.open(lease, &name)).await?;
        cut("lane_noted");
        {
            let mut board = self.board();
            board.open(lane);
            board.sleep(lane, not_yet);
        }
        self.declare(tenure, lane).await
    }

    pub(super) async fn declare(&self, tenure: &Tenure, lane: Lane) -> Result<(), Failure> {
        let (mut backoff, name) = (bus::Backoff::BROKER, lane.to_string());
        loop {
            let declaring = tenure.shared.bus.declare_lane(&tenure.instance, &name);
            let Err(error) = declaring.await else { return Ok(()) };
            tracing::warn!(%error, lane = %lane, "a lane can't be declared; trying again");
            if !backoff.wait(&tenure.stopping).await {
                return Err(abandoned("the worker is going down"));
            }
        }
    }

    pub(super) async fn publish(
        &self,
        tenure: &Tenure,
        lane: Lane,
        command: &Command,
        body: &[u8],
    ) -> Result<(), Failure> {
        let queue = tenure.shared.names.lane_queue(&tenure.instance, &lane.to_string());
        let properties = Properties {
            content_type: Some("application/json".to_owned()),
            message_id: Some(command.id.to_string()),
            traceparent: command.traceparent.clone(),
            ..Properties::default()
        };
        let message = OutMessage { properties, ..OutMessage::to_queue(queue, body.to_vec()) };
        let mut backoff = bus::Backoff::BROKER;
        loop {
            let passing = tenure.shared.answers.pass_on(message.clone(), &tenure.stopping);
            match passing.await.map_err(|_| abandoned("the worker is going down"))? {
                Taken::Yes => return Ok(()),
                // Deleted by hand, or full: then it takes no more until something has left it.
                Taken::No => self.declare(tenure, lane).await?,
                Taken::Unheard => Box::pin(self.revive(tenure, lane)).await,
            }
            tracing::warn!(lane = %lane, "a lane does not take a command; trying again");
            if !backoff.wait(&tenure.stopping).await {
                return Err(abandoned("the worker is going down"));
            }
        }
    }

    async fn note(
        &self,
        tenure: &Tenure,
        command: &Command,
        parked: &Parked,
        parking: Parking<'_>,
        body: Option<&[u8]>,
    ) -> Result<(), Failure> {
        let entry = parked.write(&command.method, &parking.not_yet.code, parking.retry_at);
        let (lanes, lease) = (&tenure.shared.lanes, &tenure.lease);
        tenure.retry_store(|| lanes.park(lease, &command.id, &entry, body)).await
    }
}
