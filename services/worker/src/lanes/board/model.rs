//! The board against random schedules: commands of a few chats, gates that shut and open, deadlines,
//! cancels, and crashes at every point at which parking or settling can break off. The broker's
//! queues and what Redis keeps are played here as simply as they are; the board is the real one.
//!
//! Whatever happens, no two commands of a chat are done in another order than they were published
//! in, and each is answered once, with nothing left in any lane.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use chrono::TimeDelta;
use proptest::prelude::*;

use super::*;
use crate::limits::Class;

const CLASSES: [Class; 3] = [Class::Create, Class::Invite, Class::Link];

/// What may happen.
#[derive(Debug, Clone)]
enum Happens {
    /// A command for one of the chats is published, with calls of these classes.
    Publish { chat: usize, calls: Vec<usize>, lives_s: i64 },
    /// A gate is shut for so long.
    Shut { class: usize, for_s: i64 },
    /// Time passes.
    Pass { seconds: i64 },
    /// One of the commands is cancelled.
    Cancel { nth: usize },
    /// The broker gives a lane out in another order, as after many deliveries came back at once.
    Scramble { lane: usize, by: usize },
    /// The owner works on the next command of its queue, or of a lane, and may die over it.
    Work { lane: Option<usize>, dies: Option<Dies> },
}

/// Where the owner dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dies {
    Published,
    Noted,
    Answered,
    Left,
}

struct Command {
    key: OrderKey,
    calls: Vec<Lane>,
    made: usize,
    deadline: DateTime<Utc>,
    cancelled: bool,
}

/// What is left when the owner dies: broker, Redis, Telegram's gates.
#[derive(Default)]
struct World {
    commands: Vec<(CommandId, Command)>,
    queue: VecDeque<CommandId>,
    lanes: BTreeMap<Lane, VecDeque<(CommandId, String)>>,
    noted: HashMap<CommandId, Parked>,
    gates: BTreeMap<Lane, DateTime<Utc>>,
    now: DateTime<Utc>,
    done: Vec<CommandId>,
    answered: HashSet<CommandId>,
    copies: usize,
    board: Board,
}

/// The owner died.
struct Died;

impl World {
    fn happen(&mut self, happens: Happens) {
        match happens {
            Happens::Publish { chat, calls, lives_s } => {
                let id: CommandId = format!("c-{}", self.commands.len()).parse().unwrap();
                let command = Command {
                    key: OrderKey::Ref(format!("deal-{chat}").parse().unwrap()),
                    calls: calls.into_iter().map(|nth| Lane::Class(CLASSES[nth])).collect(),
                    made: 0,
                    deadline: self.now + TimeDelta::seconds(lives_s),
                    cancelled: false,
                };
                self.commands.push((id.clone(), command));
                self.queue.push_back(id);
            }
            Happens::Shut { class, for_s } => {
                let opens = self.now + TimeDelta::seconds(for_s);
                self.gates.insert(Lane::Class(CLASSES[class]), opens);
            }
            Happens::Pass { seconds } => {
                self.now += TimeDelta::seconds(seconds);
                self.answer_due();
            }
            Happens::Cancel { nth } => {
                let count = self.commands.len().max(1);
                if let Some((id, command)) = self.commands.get_mut(nth % count)
                    && command.made == 0
                    && !self.answered.contains(id)
                {
                    command.cancelled = true;
                    let id = id.clone();
                    self.answer_parked(&id);
                }
            }
            Happens::Scramble { lane, by } => {
                if let Some(queue) = self.lanes.get_mut(&Lane::Class(CLASSES[lane]))
                    && !queue.is_empty()
                {
                    queue.rotate_left(by % queue.len());
                    let half = queue.len() / 2;
                    queue.make_contiguous()[..half].reverse();
                }
            }
            Happens::Work { lane, dies } => {
                let lane = lane.map(|nth| Lane::Class(CLASSES[nth]));
                let worked = self.work(lane, dies).and_then(|()| self.work_freed());
                if worked.is_err() {
                    // The next owner knows what Redis keeps.
                    self.board = Board::default();
                    for lane in self.lanes.keys() {
                        self.board.open(*lane);
                    }
                    for (id, parked) in &self.noted {
                        self.board.park(id.clone(), parked.clone());
                    }
                }
            }
        }
    }

    /// What can't wait until it gets to the head of its lane is answered where it lies.
    fn answer_due(&mut self) {
        while let Some((_, id)) = self.board.next_due().filter(|(at, _)| *at <= self.now) {
            self.answered.insert(id.clone());
            self.leave(&id);
        }
    }

    fn answer_parked(&mut self, id: &CommandId) {
        if self.board.get(id).is_some() {
            self.answered.insert(id.clone());
            self.leave(id);
        }
    }

    fn leave(&mut self, id: &CommandId) {
        self.noted.remove(id);
        self.board.leave(id);
    }

    fn work(&mut self, lane: Option<Lane>, dies: Option<Dies>) -> Result<(), Died> {
        let (id, source) = match lane {
            None => match self.queue.front() {
                Some(id) => (id.clone(), Source::Queue),
                None => return Ok(()),
            },
            Some(lane) => match self.lanes.get(&lane).and_then(VecDeque::front) {
                Some((id, copy)) => (id.clone(), Source::Lane(lane, copy.clone())),
                None => return Ok(()),
            },
        };
        if self.take(&id, &source, dies)? {
            match lane {
                None => drop(self.queue.pop_front()),
                Some(lane) => drop(self.lanes.get_mut(&lane).and_then(VecDeque::pop_front)),
            }
        }
        Ok(())
    }

    /// Works on whatever waits for nothing any more, wherever it lies: what is left of it in its lane
    /// counts no more.
    fn work_freed(&mut self) -> Result<(), Died> {
        while let Some(id) = self.board.next_freed() {
            let parked = self.board.get(&id).unwrap();
            let source = Source::Lane(parked.lane, parked.copy.clone());
            if !self.take(&id, &source, None)? {
                // It waits for its own lane's class: from now on as any other there.
                let parked = Parked { calls: true, ..self.board.get(&id).unwrap().clone() };
                self.noted.insert(id.clone(), parked.clone());
                self.board.park(id, parked);
            }
        }
        Ok(())
    }

    /// Works on a delivery; true where it is to be acknowledged.
    fn take(&mut self, id: &CommandId, source: &Source, dies: Option<Dies>) -> Result<bool, Died> {
        let key = [self.command(id).key.clone()];
        match self.board.place(id, source, &key) {
            Place::Elsewhere => return Ok(true),
            Place::Behind(lane) if !self.answered.contains(id) => {
                return self.wait_for(id, lane, false, dies);
            }
            Place::Behind(_) | Place::First => {}
        }
        if !self.answered.contains(id) {
            let (cancelled, deadline) = (self.command(id).cancelled, self.command(id).deadline);
            let begun = self.command(id).made > 0;
            if !begun && (cancelled || deadline <= self.now) {
                self.answered.insert(id.clone());
            } else if let Some(lane) = self.carry_out(id) {
                return self.wait_for(id, lane, true, dies);
            } else {
                self.done.push(id.clone());
                self.answered.insert(id.clone());
            }
        }
        die(dies, Dies::Answered)?;
        if *source != Source::Queue {
            self.leave(id);
            die(dies, Dies::Left)?;
        }
        Ok(true)
    }

    fn wait_for(
        &mut self,
        id: &CommandId,
        lane: Lane,
        calls: bool,
        dies: Option<Dies>,
    ) -> Result<bool, Died> {
        match self.board.next(id, lane) {
            Next::Stay => Ok(false),
            Next::Move(lane) => self.park(id, lane, calls, dies).map(|()| true),
        }
    }

    /// Makes the calls that are left, up to the first that has to wait.
    fn carry_out(&mut self, id: &CommandId) -> Option<Lane> {
        loop {
            let command = self.command(id);
            let lane = *command.calls.get(command.made)?;
            let shut = self.gates.get(&lane).is_some_and(|opens| *opens > self.now);
            if shut || self.board.bars(id, lane) {
                return Some(lane);
            }
            self.command_mut(id).made += 1;
        }
    }

    fn park(
        &mut self,
        id: &CommandId,
        lane: Lane,
        calls: bool,
        dies: Option<Dies>,
    ) -> Result<(), Died> {
        self.copies += 1;
        let key = [self.command(id).key.clone()];
        let parked = Parked {
            seq: self.board.seq_for(id),
            lane,
            copy: self.copies.to_string(),
            key: self.board.key_for(id, &key),
            deadline: self.command(id).deadline,
            calls,
        };
        self.board.open(lane);
        self.lanes.entry(lane).or_default().push_back((id.clone(), parked.copy.clone()));
        die(dies, Dies::Published)?;
        self.noted.insert(id.clone(), parked.clone());
        die(dies, Dies::Noted)?;
        self.board.park(id.clone(), parked);
        Ok(())
    }

    fn command(&self, id: &CommandId) -> &Command {
        &self.commands.iter().find(|(known, _)| known == id).unwrap().1
    }

    fn command_mut(&mut self, id: &CommandId) -> &mut Command {
        &mut self.commands.iter_mut().find(|(known, _)| known == id).unwrap().1
    }

    /// Every gate opens, and the owner works until nothing is left.
    fn end(&mut self) {
        self.gates.clear();
        for _ in 0..20 * (self.commands.len() + 1) {
            self.happen(Happens::Work { lane: None, dies: None });
            for nth in 0..CLASSES.len() {
                self.happen(Happens::Work { lane: Some(nth), dies: None });
            }
        }
    }

    /// The commands of each chat that were carried out, in the order in which they ended.
    fn done_by_chat(&self) -> BTreeMap<OrderKey, Vec<usize>> {
        let mut by_chat: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for id in &self.done {
            let nth = self.commands.iter().position(|(known, _)| known == id).unwrap();
            by_chat.entry(self.commands[nth].1.key.clone()).or_default().push(nth);
        }
        by_chat
    }
}

fn die(dies: Option<Dies>, here: Dies) -> Result<(), Died> {
    if dies == Some(here) { Err(Died) } else { Ok(()) }
}

fn happens() -> impl Strategy<Value = Happens> {
    let dies = prop_oneof![
        4 => Just(None),
        1 => prop_oneof![
            Just(Dies::Published), Just(Dies::Noted), Just(Dies::Answered), Just(Dies::Left)
        ].prop_map(Some),
    ];
    let calls = prop::collection::vec(0..CLASSES.len(), 0..6);
    prop_oneof![
        3 => (0..2_usize, calls, 100..20_000_i64)
            .prop_map(|(chat, calls, lives_s)| Happens::Publish { chat, calls, lives_s }),
        4 => (0..CLASSES.len(), 1..100_i64)
            .prop_map(|(class, for_s)| Happens::Shut { class, for_s }),
        3 => (1..60_i64).prop_map(|seconds| Happens::Pass { seconds }),
        1 => (0..40_usize).prop_map(|nth| Happens::Cancel { nth }),
        1 => (0..CLASSES.len(), 0..9_usize).prop_map(|(lane, by)| Happens::Scramble { lane, by }),
        14 => (prop::option::of(0..CLASSES.len()), dies)
            .prop_map(|(lane, dies)| Happens::Work { lane, dies }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_two_of_a_chat_change_places_and_none_is_forgotten(
        schedule in prop::collection::vec(happens(), 1..120)
    ) {
        let mut world = World::default();
        for happens in schedule {
            world.happen(happens);
        }
        world.end();
        for (chat, done) in world.done_by_chat() {
            prop_assert!(done.is_sorted_by(|a, b| a < b), "{chat}: {done:?}");
        }
        prop_assert_eq!(world.answered.len(), world.commands.len());
        prop_assert!(world.queue.is_empty());
        prop_assert!(world.lanes.values().all(VecDeque::is_empty));
        prop_assert_eq!((world.board.len(), world.noted.len()), (0, 0));
    }
}
