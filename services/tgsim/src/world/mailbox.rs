//! How a message box grows: ids, `pts`, and what it remembers for those who were away.
use grammers_tl_types::enums;

use super::PeerId;
use super::message::{Change, Event, Message, MessageBox, Notice};

/// Where a box stands after an event: what the update about it carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// After the event.
    pub pts: i32,
    /// How many steps it took.
    pub pts_count: i32,
}

impl MessageBox {
    /// An empty box, standing at `pts` 1 as a new account's does.
    pub fn new() -> Self {
        Self { pts: 1, seq: 1, ..Self::default() }
    }

    /// Takes in a message, gives it the next id of this box.
    pub fn put(&mut self, mut message: Message, limit: usize) -> (i32, Step) {
        self.last_id += 1;
        let (id, date) = (self.last_id, message.date);
        message.id = id;
        self.messages.insert(id, message);
        (id, self.step(1, date, Change::New(id), limit))
    }

    /// Notes that a message was edited.
    pub fn edited(&mut self, id: i32, date: i32, limit: usize) -> Step {
        self.step(1, date, Change::Edited(id), limit)
    }

    /// Notes any other event; `update` gets the step to build itself with.
    pub fn happened(
        &mut self,
        pts_count: i32,
        date: i32,
        peers: Vec<PeerId>,
        limit: usize,
        update: impl FnOnce(Step) -> enums::Update,
    ) -> (enums::Update, Step) {
        let step = Step { pts: self.pts + pts_count, pts_count };
        let update = update(step);
        self.step(pts_count, date, Change::Update { update: update.clone(), peers }, limit);
        (update, step)
    }

    /// Remembers an update without `pts`.
    pub fn remember_notice(&mut self, notice: Notice, limit: usize) {
        self.notices.push_back(notice);
        while self.notices.len() > limit {
            self.notices.pop_front();
        }
    }

    /// Ids of the messages with `peer`, newest first.
    pub fn with_peer(&self, peer: PeerId) -> impl Iterator<Item = &Message> {
        self.messages.values().rev().filter(move |m| m.peer == peer)
    }

    fn step(&mut self, pts_count: i32, date: i32, change: Change, limit: usize) -> Step {
        self.pts += pts_count;
        self.log.push_back(Event { pts: self.pts, pts_count, date, change });
        while self.log.len() > limit {
            if let Some(event) = self.log.pop_front() {
                self.forgotten_pts = event.pts;
            }
        }
        Step { pts: self.pts, pts_count }
    }
}
