//! Which command lies in which lane, and what follows from it for the next one that comes up. Pure:
//! broker and Redis are its actor's business.
//!
//! Order per key always holds. Of all parked commands of a key the one with the lowest `seq` may be
//! worked on; every other one goes behind those before it. A lane is a queue, so within one lane the
//! broker keeps the order most of the time; what it gives out too early goes to the lane's end. Between
//! lanes this board keeps it.
//!
//! Who waits only for those before it, and not for a call of its lane's class, is freed when they have
//! left, wherever it lies.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use proto::CommandId;

use super::key::OrderKey;
use crate::limits::{Lane, NotYet};

/// A parked command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parked {
    /// Its place among everything parked of its instance.
    pub seq: u64,
    /// The lane that it lies in.
    pub lane: Lane,
    /// The copy in the lane that counts.
    pub copy: String,
    /// What it keeps its order with.
    pub key: Option<OrderKey>,
    /// When it is answered in any case.
    pub deadline: DateTime<Utc>,
    /// Whether it waits for a call of the lane's class itself, and not only for those before it.
    pub calls: bool,
}

/// Where a delivery came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The instance's command queue.
    Queue,
    /// A lane, as this copy.
    Lane(Lane, String),
}

/// What is to be done with a command that comes up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// It is its key's first: work on it.
    First,
    /// Others of its key are parked before it: it goes to the end of this lane.
    Behind(Lane),
    /// It is parked, and this is not the copy that counts.
    Elsewhere,
}

/// What becomes of a command that a limit holds back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// It stays where it is, at its lane's head.
    Stay,
    /// It goes to the end of this lane.
    Move(Lane),
}

/// When a lane is to be worked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// At once.
    Now,
    /// At this time.
    At(DateTime<Utc>),
    /// When a person has resumed it.
    Resumed,
}

/// Everything that is parked of one instance.
#[derive(Debug, Default)]
pub struct Board {
    parked: HashMap<CommandId, Parked>,
    keys: HashMap<OrderKey, BTreeMap<u64, CommandId>>,
    lanes: BTreeMap<Lane, LaneState>,
    due: BTreeSet<(DateTime<Utc>, CommandId)>,
    freed: BTreeSet<(u64, CommandId)>,
    next_seq: u64,
}

#[derive(Debug)]
struct LaneState {
    parked: usize,
    calls: usize,
    wake: Wake,
    code: String,
}

impl Default for LaneState {
    fn default() -> Self {
        Self { parked: 0, calls: 0, wake: Wake::Now, code: String::new() }
    }
}

impl From<&NotYet> for Wake {
    fn from(not_yet: &NotYet) -> Self {
        not_yet.opens.map_or(Self::Resumed, Self::At)
    }
}

impl Board {
    /// What is to be done with a command that comes from `source`. Of `keys` the last one is its
    /// key from now on; those before it are what it was known by.
    pub fn place(&self, id: &CommandId, source: &Source, keys: &[OrderKey]) -> Place {
        if let Some(parked) = self.parked.get(id) {
            if *source != Source::Lane(parked.lane, parked.copy.clone()) {
                return Place::Elsewhere;
            }
            return self.before(parked).map_or(Place::First, |before| Place::Behind(before.lane));
        }
        let last = keys.iter().find_map(|key| self.last_before(key, u64::MAX));
        last.map_or(Place::First, |last| Place::Behind(last.lane))
    }

    /// The key that a command is parked under: the one under which others of its group are parked,
    /// else its last.
    pub fn key_for(&self, id: &CommandId, keys: &[OrderKey]) -> Option<OrderKey> {
        if let Some(parked) = self.parked.get(id) {
            return parked.key.clone();
        }
        keys.iter().find(|key| self.keys.contains_key(key)).or(keys.last()).cloned()
    }

    /// What becomes of a command that must wait for `lane`. Its key's first can't go behind later
    /// ones of it: then it waits where it is. Any other one goes to the end of its own lane, too.
    pub fn next(&self, id: &CommandId, lane: Lane) -> Next {
        let Some(parked) = self.parked.get(id) else { return Next::Move(lane) };
        let is_first = self.before(parked).is_none();
        match is_first && (parked.lane == lane || self.has_later_in(id, lane)) {
            true => Next::Stay,
            false => Next::Move(lane),
        }
    }

    /// Whether newer calls of a lane's class have to wait for those that are parked there: not for
    /// the ones that lie there themselves, nor where those behind are of one's own key.
    pub fn bars(&self, id: &CommandId, lane: Lane) -> bool {
        let at_home = self.parked.get(id).is_some_and(|parked| parked.lane == lane);
        self.parked_in(lane) > 0 && !at_home && !self.has_later_in(id, lane)
    }

    /// The place for a command that is parked now: the one that it has, or a new one.
    pub fn seq_for(&self, id: &CommandId) -> u64 {
        self.parked.get(id).map_or(self.next_seq, |parked| parked.seq)
    }

    /// Notes where a command is parked.
    pub fn park(&mut self, id: CommandId, parked: Parked) {
        self.leave(&id);
        if let Some(key) = &parked.key {
            self.keys.entry(key.clone()).or_default().insert(parked.seq, id.clone());
        }
        let lane = self.lanes.entry(parked.lane).or_default();
        lane.parked += 1;
        lane.calls += usize::from(parked.calls);
        self.due.insert((parked.deadline, id.clone()));
        self.next_seq = self.next_seq.max(parked.seq + 1);
        let next = parked.key.clone();
        self.parked.insert(id.clone(), parked);
        if let Some(mates) = next.as_ref().and_then(|key| self.keys.get(key)) {
            // Read back in any order: one before it takes the place of who was thought first.
            for (seq, mate) in mates.iter().skip(1) {
                self.freed.remove(&(*seq, mate.clone()));
            }
        }
        match next {
            Some(key) => self.free_first(&key),
            None => self.free(&id),
        }
    }

    /// Notes that a command is parked no more.
    pub fn leave(&mut self, id: &CommandId) -> Option<Parked> {
        let parked = self.parked.remove(id)?;
        self.freed.remove(&(parked.seq, id.clone()));
        if let Some(key) = &parked.key
            && let Some(mates) = self.keys.get_mut(key)
        {
            mates.remove(&parked.seq);
            match mates.is_empty() {
                true => drop(self.keys.remove(key)),
                false => self.free_first(key),
            }
        }
        if let Some(lane) = self.lanes.get_mut(&parked.lane) {
            lane.parked -= 1;
            lane.calls -= usize::from(parked.calls);
            if lane.parked == 0 {
                // Its queue is to go, whatever its limit says.
                lane.wake = Wake::Now;
            }
        }
        self.due.remove(&(parked.deadline, id.clone()));
        Some(parked)
    }

    /// Notes that a lane's queue may exist.
    pub fn open(&mut self, lane: Lane) {
        self.lanes.entry(lane).or_default();
    }

    /// Notes that a lane's queue is gone.
    pub fn close(&mut self, lane: Lane) {
        self.lanes.remove(&lane);
    }

    /// A lane's head, or all that would go there, has to wait.
    pub fn sleep(&mut self, lane: Lane, not_yet: &NotYet) {
        if let Some(state) = self.lanes.get_mut(&lane) {
            (state.wake, state.code) = (Wake::from(not_yet), not_yet.code.clone());
        }
    }

    /// Limits have changed: every lane is to be looked at again.
    pub fn wake(&mut self) {
        self.lanes.values_mut().for_each(|state| state.wake = Wake::Now);
    }

    /// The lane that is to be worked next, and when; `None` where all wait for a person, or there is
    /// none.
    pub fn next_lane(&self) -> Option<(Lane, Wake)> {
        let time = |wake: Wake| match wake {
            Wake::Now => Some(DateTime::<Utc>::MIN_UTC),
            Wake::At(at) => Some(at),
            Wake::Resumed => None,
        };
        let timed = self.lanes.iter().filter_map(|(lane, state)| Some((time(state.wake)?, lane)));
        timed.min().map(|(_, lane)| (*lane, self.lanes[lane].wake))
    }

    /// What a lane waits for.
    pub fn waits_for(&self, lane: Lane) -> Option<NotYet> {
        let state = self.lanes.get(&lane)?;
        let opens = match state.wake {
            Wake::Now => return None,
            Wake::At(at) => Some(at),
            Wake::Resumed => None,
        };
        Some(NotYet { opens, code: state.code.clone(), lane })
    }

    /// The next command that has to be answered in its lane, and when.
    pub fn next_due(&self) -> Option<(DateTime<Utc>, CommandId)> {
        self.due.first().cloned()
    }

    /// A parked command can't be answered before it gets to the head of its lane.
    pub fn not_due(&mut self, id: &CommandId) {
        if let Some(parked) = self.parked.get(id) {
            self.due.remove(&(parked.deadline, id.clone()));
        }
    }

    /// The next command that nothing keeps from going on any more.
    pub fn next_freed(&self) -> Option<CommandId> {
        self.freed.first().map(|(_, id)| id.clone())
    }

    /// A freed command can't be worked on before it gets to the head of its lane.
    pub fn not_freed(&mut self, id: &CommandId) {
        if let Some(parked) = self.parked.get(id) {
            self.freed.remove(&(parked.seq, id.clone()));
        }
    }

    /// The one of its key that has to leave a parked command's own lane before it.
    pub fn before_in_lane(&self, id: &CommandId) -> Option<CommandId> {
        let parked = self.parked.get(id)?;
        let mates = self.keys.get(parked.key.as_ref()?)?.range(..parked.seq);
        let in_lane =
            |mate: &&CommandId| self.parked.get(*mate).is_some_and(|mate| mate.lane == parked.lane);
        mates.map(|(_, mate)| mate).find(in_lane).cloned()
    }

    /// What is known of a parked command.
    pub fn get(&self, id: &CommandId) -> Option<&Parked> {
        self.parked.get(id)
    }

    /// How many commands lie in a lane.
    pub fn parked_in(&self, lane: Lane) -> usize {
        self.lanes.get(&lane).map_or(0, |state| state.parked)
    }

    /// How many commands in a lane wait for a call of its class themselves.
    pub fn calls_in(&self, lane: Lane) -> usize {
        self.lanes.get(&lane).map_or(0, |state| state.calls)
    }

    /// How many calls of a lane's class have to be made before a command with these keys goes on that
    /// only follows others: those up to the last of them.
    pub fn calls_up_to_last(&self, keys: &[OrderKey], lane: Lane) -> usize {
        let last = keys.iter().find_map(|key| self.last_before(key, u64::MAX));
        let seq = last.map_or(0, |last| last.seq);
        let before = |parked: &&Parked| parked.lane == lane && parked.calls && parked.seq <= seq;
        self.parked.values().filter(before).count()
    }

    /// How many commands are parked.
    pub fn len(&self) -> usize {
        self.parked.len()
    }

    /// Every lane whose queue may exist.
    pub fn lanes(&self) -> Vec<Lane> {
        self.lanes.keys().copied().collect()
    }

    /// Whether a lane's queue may exist.
    pub fn knows(&self, lane: Lane) -> bool {
        self.lanes.contains_key(&lane)
    }

    /// The commands of a lane in their order.
    pub fn in_lane(&self, lane: Lane) -> Vec<CommandId> {
        let mut found: Vec<_> =
            self.parked.iter().filter(|(_, parked)| parked.lane == lane).collect();
        found.sort_by_key(|(_, parked)| parked.seq);
        found.into_iter().map(|(id, _)| id.clone()).collect()
    }

    fn free_first(&mut self, key: &OrderKey) {
        let first = self.keys.get(key).and_then(|mates| mates.values().next().cloned());
        if let Some(first) = first {
            self.free(&first);
        }
    }

    fn free(&mut self, id: &CommandId) {
        if let Some(parked) = self.parked.get(id).filter(|parked| !parked.calls) {
            self.freed.insert((parked.seq, id.clone()));
        }
    }

    /// The last one of its key that is parked before a parked command.
    fn before(&self, parked: &Parked) -> Option<&Parked> {
        self.last_before(parked.key.as_ref()?, parked.seq)
    }

    fn last_before(&self, key: &OrderKey, seq: u64) -> Option<&Parked> {
        let (_, id) = self.keys.get(key)?.range(..seq).next_back()?;
        self.parked.get(id)
    }

    /// Whether later ones of a parked command's key lie in a lane.
    fn has_later_in(&self, id: &CommandId, lane: Lane) -> bool {
        let Some(parked) = self.parked.get(id) else { return false };
        let mates = parked.key.as_ref().and_then(|key| self.keys.get(key));
        let later = mates.into_iter().flat_map(|mates| mates.range(parked.seq + 1..));
        later.filter_map(|(_, mate)| self.parked.get(mate)).any(|mate| mate.lane == lane)
    }
}

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
