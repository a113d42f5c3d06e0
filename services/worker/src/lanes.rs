//! Lanes: where an instance's commands wait for a limit, so that the rest of its queue goes on.
//!
//! A command is parked by publishing a copy of it to its lane's queue, noting that copy on the
//! instance's board, and only then acknowledging what it came by. The board decides where a command
//! may go (`board`, pure); `parking` carries it out, `tend` works the lanes when their limits open,
//! `due` answers what can't wait any longer, `regain` rebuilds the board where Redis lost it.

mod board;
mod due;
mod key;
mod parking;
mod refill;
mod regain;
mod tend;

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use prometheus::IntGauge;
use proto::fault::code;
use proto::{CommandId, MethodName};
use store::{Lease, ParkedEntry, StoreError};
use tokio::sync::Notify;

use crate::limits::{Lane, NotYet};

pub use board::{Next, Place, Source};
pub use key::{OrderKey, keys_of};
pub use parking::Parking;
pub use tend::tend;

use board::{Board, Parked};

/// One instance's lanes, for its owner.
pub struct Lanes {
    board: Mutex<Board>,
    /// Told when what is to be done next may have changed; who waits begins to before it looks.
    changed: Notify,
    /// Names copies, together with the lease's epoch.
    copies: AtomicU64,
    epoch: u64,
    /// Counts what is parked, for all instances of this worker together.
    count: IntGauge,
    /// Who went to the end of their own lane, since somebody last left one.
    early: Mutex<HashSet<CommandId>>,
    /// The generation of Redis' data in which all of this is noted there.
    whole_in: Mutex<String>,
}

impl Lanes {
    /// Nothing parked.
    pub fn new(lease: &Lease, count: IntGauge) -> Self {
        Self {
            board: Mutex::default(),
            changed: Notify::new(),
            copies: AtomicU64::new(0),
            epoch: lease.epoch,
            count,
            early: Mutex::default(),
            whole_in: Mutex::default(),
        }
    }

    /// What is to be done with a command that comes up.
    pub fn place(&self, id: &CommandId, source: &Source, keys: &[OrderKey]) -> Place {
        self.board().place(id, source, keys)
    }

    /// Whether a call of this lane's class has to wait although its limit is open: others wait there.
    pub fn bars(&self, id: &CommandId, lane: Lane) -> bool {
        self.board().bars(id, lane)
    }

    /// What becomes of a command that must wait for `lane`.
    pub fn next(&self, id: &CommandId, lane: Lane) -> Next {
        self.board().next(id, lane)
    }

    /// What somebody at the end of a lane waits for. A lane that is being worked waits for nothing but
    /// those who came before.
    pub fn waits_for(&self, lane: Lane, now: DateTime<Utc>) -> NotYet {
        let behind = || NotYet { opens: Some(now), code: code::BUDGET_SPENT.to_owned(), lane };
        self.board().waits_for(lane).unwrap_or_else(behind)
    }

    /// Every lane whose queue may exist.
    pub fn known(&self) -> Vec<Lane> {
        self.board().lanes()
    }

    /// The lane that a command is parked in, if it is.
    pub fn lane_of(&self, id: &CommandId) -> Option<Lane> {
        self.board().get(id).map(|parked| parked.lane)
    }

    /// How many commands in a lane wait for a call of its class themselves.
    pub fn calls_in(&self, lane: Lane) -> usize {
        self.board().calls_in(lane)
    }

    /// How many of them have to be made before a command with these keys that only follows others.
    pub fn calls_up_to_last(&self, keys: &[OrderKey], lane: Lane) -> usize {
        self.board().calls_up_to_last(keys, lane)
    }

    fn parked_in(&self, lane: Lane) -> usize {
        self.board().parked_in(lane)
    }

    /// How many commands are parked.
    pub fn parked(&self) -> usize {
        self.board().len()
    }

    /// Limits were changed or resumed: every lane is looked at again.
    pub fn wake(&self) {
        self.board().wake();
        self.changed.notify_waiters();
    }

    /// A name for a copy that no other copy has had or will have.
    fn copy_name(&self) -> String {
        format!("{}.{}", self.epoch, self.copies.fetch_add(1, Ordering::Relaxed))
    }

    /// Changes what is parked, and counts it.
    fn change<T>(&self, change: impl FnOnce(&mut Board) -> T) -> T {
        let mut board = self.board();
        let before = board.len();
        let changed = change(&mut board);
        self.count.add(count(board.len()) - count(before));
        changed
    }

    fn early(&self) -> MutexGuard<'_, HashSet<CommandId>> {
        self.early.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn whole_in(&self) -> String {
        self.whole_in.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn is_whole_in(&self, generation: String) {
        *self.whole_in.lock().unwrap_or_else(PoisonError::into_inner) = generation;
    }

    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what the board in Redis says.
    fn take_over(
        &self,
        lanes: &[String],
        parked: Vec<(CommandId, ParkedEntry)>,
    ) -> Result<(), StoreError> {
        for lane in lanes {
            self.board().open(read(lane)?);
        }
        for (id, entry) in parked {
            let parked = Parked::read(entry)?;
            self.change(|board| board.park(id, parked));
        }
        Ok(())
    }
}

/// A parked command, as it stands on the board in Redis and back.
impl Parked {
    fn read(entry: ParkedEntry) -> Result<Self, StoreError> {
        Ok(Self {
            seq: entry.seq,
            lane: read(&entry.lane)?,
            copy: entry.copy,
            key: entry.key.as_deref().map(read).transpose()?,
            deadline: entry.deadline,
            calls: entry.calls,
        })
    }

    /// `code` and `opens` are what people are told that it waits for.
    fn write(&self, method: &MethodName, code: &str, opens: Option<DateTime<Utc>>) -> ParkedEntry {
        ParkedEntry {
            method: method.clone(),
            seq: self.seq,
            lane: self.lane.to_string(),
            copy: self.copy.clone(),
            key: self.key.as_ref().map(ToString::to_string),
            deadline: self.deadline,
            calls: self.calls,
            opens,
            code: code.to_owned(),
        }
    }
}

impl Drop for Lanes {
    fn drop(&mut self) {
        self.count.sub(count(self.parked()));
    }
}

fn count(commands: usize) -> i64 {
    i64::try_from(commands).unwrap_or(i64::MAX)
}

fn read<T: std::str::FromStr>(text: &str) -> Result<T, StoreError>
where
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|error: T::Err| StoreError::Corrupt {
        what: "the board of parked commands".to_owned(),
        why: error.to_string(),
    })
}
