//! What a handler sees: the world, who asks, and where effects and outgoing updates are collected.
//!
//! A handler *tells* people updates (`tell`, `notice`); `answer` gives back those that are for the caller as the
//! request's result, `flush` (done by the dispatcher) makes one container per other person. Names and access hashes
//! are rendered at the end, for each reader their own.
use std::collections::BTreeMap;

use grammers_tl_types::{enums, types};
use serde_json::Value;

use crate::world::{AuthKeyId, Cast, Notice, PeerId, UserId, World};

/// One request's context.
pub struct Cx<'a> {
    /// Everything.
    pub world: &'a mut World,
    /// Who is logged in on this connection; `UserId::NOBODY` before login.
    pub me: UserId,
    /// The auth key the request came on.
    pub key: AuthKeyId,
    /// The API layer the client said.
    pub layer: i32,
    /// The data centre the request came to.
    pub dc: i32,
    /// Unix seconds, by the world's clock.
    pub now: i32,
    /// For the journal.
    pub effects: Vec<Value>,
    /// For the wire.
    pub outbox: Vec<Push>,
    told: BTreeMap<UserId, Told>,
}

/// Updates for the live connections of one user.
#[derive(Debug, Clone)]
pub struct Push {
    /// Whose connections.
    pub to: UserId,
    /// What they get.
    pub updates: enums::Updates,
    /// Not for the connection that made the request: it has them in its answer.
    pub not_to_caller: bool,
    /// Only connections of this auth key (`updateLoginToken` and the like).
    pub only_key: Option<AuthKeyId>,
}

#[derive(Debug, Default)]
struct Told {
    updates: Vec<enums::Update>,
    cast: Cast,
    /// Something in it has a `pts` (its own order), so that the container needs no `seq`.
    ordered: bool,
    /// Built already, as the caller's answer.
    sealed: Option<enums::Updates>,
}

impl<'a> Cx<'a> {
    /// A context for one request; `now` is read from the world's clock.
    pub fn new(world: &'a mut World, me: UserId, key: AuthKeyId, layer: i32, dc: i32) -> Self {
        let now = world.clock.now();
        Self {
            world,
            me,
            key,
            layer,
            dc,
            now,
            effects: vec![],
            outbox: vec![],
            told: BTreeMap::new(),
        }
    }

    /// Notes a change for the journal: an `Effect`, or any JSON object with a `kind`.
    pub fn effect(&mut self, effect: impl Into<Value>) {
        self.effects.push(effect.into());
    }

    /// Sends a ready-made container: to all live connections of `to`, except the one that asks.
    pub fn push(&mut self, to: UserId, updates: enums::Updates) {
        let not_to_caller = to == self.me;
        self.outbox.push(Push { to, updates, not_to_caller, only_key: None });
    }

    /// Tells `to` an update that is recorded in a message box already (it has a `pts`).
    pub fn tell(&mut self, to: UserId, update: enums::Update, peers: &[PeerId]) {
        let told = self.told.entry(to).or_default();
        told.updates.push(update);
        told.cast.extend(peers.iter().copied());
        told.ordered = true;
    }

    /// Tells `to` an update without `pts`, and remembers it for `getDifference`.
    pub fn notice(&mut self, to: UserId, update: enums::Update, peers: &[PeerId]) {
        let limit = self.world.limits.box_log;
        let Some(user) = self.world.users.get_mut(&to) else { return };
        let notice = Notice { date: self.now, update: update.clone(), peers: peers.to_vec() };
        user.mailbox.remember_notice(notice, limit);
        let told = self.told.entry(to).or_default();
        told.updates.push(update);
        told.cast.extend(peers.iter().copied());
    }

    /// People seen in what `to` is told come without access hash (`min`), unless `to` knows them: what Telegram does
    /// in pushes from supergroups.
    pub fn tell_min(&mut self, to: UserId, update: enums::Update, peers: &[PeerId]) {
        self.tell(to, update, peers);
        if to != self.me
            && let Some(told) = self.told.get_mut(&to)
        {
            told.cast.min = true;
        }
    }

    /// More people or groups that the caller's answer must describe.
    pub fn mention(&mut self, peers: impl IntoIterator<Item = PeerId>) {
        self.told.entry(self.me).or_default().cast.extend(peers);
    }

    /// The request's result: everything told to the caller, `first` (for this connection only) in front.
    pub fn answer_with(&mut self, first: Vec<enums::Update>) -> enums::Updates {
        let mut told = self.told.remove(&self.me).unwrap_or_default();
        let container = self.container(self.me, &told);
        let mut answer = container.clone();
        if let enums::Updates::Updates(u) = &mut answer {
            u.updates.splice(0..0, first);
        }
        told.sealed = Some(container);
        self.told.insert(self.me, told);
        answer
    }

    /// The request's result: everything told to the caller.
    pub fn answer(&mut self) -> enums::Updates {
        self.answer_with(Vec::new())
    }

    /// Turns what was told into containers in `outbox`. The dispatcher calls it once the handler is done.
    pub fn flush(&mut self) {
        for (to, mut told) in std::mem::take(&mut self.told) {
            if told.updates.is_empty() {
                continue;
            }
            let answered = told.sealed.is_some();
            let updates = told.sealed.take().unwrap_or_else(|| self.container(to, &told));
            // A container with a `seq` must reach the asking connection too, or it would see a gap in the next one.
            let sequenced = matches!(&updates, enums::Updates::Updates(u) if u.seq != 0);
            let not_to_caller = to == self.me && (answered || !sequenced);
            self.outbox.push(Push { to, updates, not_to_caller, only_key: None });
        }
    }

    fn container(&mut self, to: UserId, told: &Told) -> enums::Updates {
        let (users, chats) = told.cast.render(self.world, to);
        let mut seq = 0;
        if !told.ordered
            && !told.updates.is_empty()
            && let Some(user) = self.world.users.get_mut(&to)
        {
            user.mailbox.seq += 1;
            seq = user.mailbox.seq;
        }
        types::Updates { updates: told.updates.clone(), users, chats, date: self.now, seq }.into()
    }
}
