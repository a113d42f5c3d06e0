//! The peer book: whom this account has met, so that it can name them to Telegram again.
//!
//! Telegram accepts a user or a supergroup only with the access hash that it gave *this* account, and grammers does
//! not keep those from raw answers. So every answer's `users` and `chats` are entered here, by the call that got them.
//! The book is bounded (least recently used out first) and remembers what changed since it was last saved.

mod seen;

use std::collections::{HashMap, HashSet};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use grammers_tl_types as tl;
use lru::LruCache;
use proto::{ChatId, UserId};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

pub(crate) use self::seen::{group_record, user_peer};
use crate::peer::{GroupKind, GroupPeer, UserPeer};

/// One entry, as it is stored. Version 1; a reader must accept this and the previous version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "t", rename_all = "snake_case")]
pub enum PeerRecord {
    /// A person or bot.
    User(UserPeer),
    /// A group.
    Group(GroupRecord),
}

/// A group as the book knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupRecord {
    /// How to name it to Telegram.
    pub peer: GroupPeer,
    /// Its kind.
    pub kind: GroupKind,
    /// Its title when last seen.
    pub title: String,
    /// For a basic group that became a supergroup: that supergroup.
    pub migrated_to: Option<GroupPeer>,
}

/// What identifies an entry: the Bot API number, which is positive for users and negative for groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PeerKey(i64);

impl PeerKey {
    /// The number, also good as a key in a store.
    pub fn get(self) -> i64 {
        self.0
    }
}

impl PeerRecord {
    /// What identifies it.
    pub fn key(&self) -> PeerKey {
        match self {
            Self::User(user) => PeerKey(user.id.get()),
            Self::Group(group) => PeerKey(group.peer.chat_id().get()),
        }
    }
}

/// One account's book. Clones share it.
#[derive(Clone)]
pub struct PeerBook(Arc<Shared>);

struct Shared {
    inner: Mutex<Inner>,
    changed: Notify,
}

struct Inner {
    entries: LruCache<PeerKey, PeerRecord>,
    by_username: HashMap<String, UserId>,
    dirty: HashSet<PeerKey>,
}

impl PeerBook {
    /// A book for at most `max` entries, with what was stored; where there is more, the last ones given stay.
    pub fn new(max: usize, stored: impl IntoIterator<Item = PeerRecord>) -> Self {
        let max = NonZeroUsize::new(max).unwrap_or(NonZeroUsize::MIN);
        let mut inner = Inner {
            entries: LruCache::new(max),
            by_username: HashMap::new(),
            dirty: HashSet::new(),
        };
        for record in stored {
            inner.enter(record);
        }
        inner.dirty.clear();
        Self(Arc::new(Shared { inner: Mutex::new(inner), changed: Notify::new() }))
    }

    /// The user of this number, if ever met with an access hash.
    pub fn user(&self, id: UserId) -> Option<UserPeer> {
        match self.lock().entries.get(&PeerKey(id.get())) {
            Some(PeerRecord::User(user)) => Some(user.clone()),
            _ => None,
        }
    }

    /// The user last seen with this username (with or without `@`, in any case). Usernames change hands: where that
    /// matters, ask Telegram.
    pub fn by_username(&self, username: &str) -> Option<UserPeer> {
        let id = self.lock().by_username.get(&username_key(username)).copied()?;
        self.user(id)
    }

    /// The group of this number. Basic groups need no access hash, so one that was never met is answered too.
    pub fn group(&self, chat_id: ChatId) -> Option<GroupPeer> {
        if let Some(record) = self.group_record(chat_id) {
            return Some(record.peer);
        }
        GroupPeer::basic(chat_id)
    }

    /// All that is known of a group.
    pub fn group_record(&self, chat_id: ChatId) -> Option<GroupRecord> {
        match self.lock().entries.get(&PeerKey(chat_id.get())) {
            Some(PeerRecord::Group(group)) => Some(group.clone()),
            _ => None,
        }
    }

    /// Enters or betters one entry.
    pub fn note(&self, record: PeerRecord) {
        self.lock().enter(record);
        self.0.changed.notify_one();
    }

    /// Forgets one user: for when Telegram says that the access hash is wrong.
    pub fn forget_user(&self, id: UserId) {
        let mut inner = self.lock();
        let key = PeerKey(id.get());
        if let Some(PeerRecord::User(user)) = inner.entries.pop(&key) {
            inner.forget_username(&user);
        }
        inner.dirty.remove(&key);
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.lock().entries.len()
    }

    /// True before anybody was met.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Every entry, least recently used first, so that reading them back in this order keeps it.
    pub fn records(&self) -> Vec<PeerRecord> {
        self.lock().entries.iter().rev().map(|(_, record)| record.clone()).collect()
    }

    /// Takes what changed since the last call. Give it back with [`PeerBook::put_back`] if it could not be saved.
    pub fn take_dirty(&self) -> Vec<PeerRecord> {
        let mut inner = self.lock();
        let keys = std::mem::take(&mut inner.dirty);
        keys.iter().filter_map(|key| inner.entries.peek(key).cloned()).collect()
    }

    /// Marks entries as changed again.
    pub fn put_back(&self, records: &[PeerRecord]) {
        let mut inner = self.lock();
        for record in records {
            if inner.entries.contains(&record.key()) {
                inner.dirty.insert(record.key());
            }
        }
    }

    /// True where something waits to be saved.
    pub fn has_dirty(&self) -> bool {
        !self.lock().dirty.is_empty()
    }

    pub(crate) fn note_users(&self, users: &[tl::enums::User]) -> Vec<UserPeer> {
        let mut inner = self.lock();
        let mut met = Vec::with_capacity(users.len());
        for user in users.iter().filter_map(user_peer) {
            inner.enter(PeerRecord::User(user.clone()));
            met.push(user);
        }
        drop(inner);
        self.0.changed.notify_one();
        met
    }

    pub(crate) fn note_chats(&self, chats: &[tl::enums::Chat]) {
        let mut inner = self.lock();
        for record in chats.iter().filter_map(group_record) {
            inner.enter(PeerRecord::Group(record));
        }
        drop(inner);
        self.0.changed.notify_one();
    }

    /// Returns after something may have changed.
    pub(crate) async fn changed(&self) {
        self.0.changed.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Every change is made whole before the lock is given up, so a panic elsewhere left nothing half done.
        self.0.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn enter(&mut self, record: PeerRecord) {
        let key = record.key();
        if self.entries.get(&key) == Some(&record) {
            return;
        }
        if let Some(PeerRecord::User(old)) = self.entries.peek(&key).cloned() {
            self.forget_username(&old);
        }
        if let PeerRecord::User(UserPeer { username: Some(username), id, .. }) = &record {
            self.by_username.insert(username_key(username), *id);
        }
        self.dirty.insert(key);
        if let Some((evicted_key, evicted)) = self.entries.push(key, record)
            && evicted_key != key
        {
            self.dirty.remove(&evicted_key);
            if let PeerRecord::User(user) = &evicted {
                self.forget_username(user);
            }
        }
    }

    fn forget_username(&mut self, user: &UserPeer) {
        let Some(key) = user.username.as_deref().map(username_key) else { return };
        if self.by_username.get(&key) == Some(&user.id) {
            self.by_username.remove(&key);
        }
    }
}

fn username_key(username: &str) -> String {
    username.trim_start_matches('@').to_ascii_lowercase()
}

#[cfg(test)]
mod tests;
