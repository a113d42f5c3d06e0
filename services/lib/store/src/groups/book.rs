//! What is known of an instance's groups, and the rules by which it changes. Pure: where it is kept
//! is not its business.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use proto::{ChatId, CommandId, ExternalRef, InstanceId};
use serde::{Deserialize, Serialize};

use crate::error::StoreError;

const VERSION: u32 = 1;
/// Ids from before a migration that are remembered for groups that are not kept here.
const ALIASES_MAX: usize = 10_000;

/// How a group came to be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Queuegram made it.
    Created,
    /// It was made by others and bound to a caller's key.
    Bound,
}

/// One group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupRecord {
    /// Its present id.
    pub chat_id: ChatId,
    /// The caller's key that was bound to it last.
    pub external_ref: Option<ExternalRef>,
    /// How it came to be known.
    pub origin: Origin,
    /// The command that made it, which no other may take for its own work. `None` for one that was
    /// bound, or made by a release that did not note it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_by: Option<CommandId>,
    /// Since when.
    #[serde(with = "proto::time::rfc3339_ms")]
    pub at: DateTime<Utc>,
}

/// All groups of one instance. A group may have several keys, a key names one group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Book {
    groups: BTreeMap<ChatId, GroupRecord>,
    refs: BTreeMap<ExternalRef, ChatId>,
    aliases: BTreeMap<ChatId, ChatId>,
}

/// The book as it is stored.
#[derive(Serialize, Deserialize)]
struct Written {
    v: u32,
    groups: Vec<GroupRecord>,
    refs: Vec<(ExternalRef, ChatId)>,
    aliases: Vec<(ChatId, ChatId)>,
}

impl Book {
    pub fn read(instance: &InstanceId, content: &[u8]) -> Result<Self, StoreError> {
        let what = || format!("the groups of {instance}");
        let written: Written =
            serde_json::from_slice(content).map_err(|error| StoreError::corrupt(what(), error))?;
        if written.v > VERSION {
            return Err(StoreError::Version { what: what(), found: written.v });
        }
        Ok(Self {
            groups: written.groups.into_iter().map(|group| (group.chat_id, group)).collect(),
            refs: written.refs.into_iter().collect(),
            aliases: written.aliases.into_iter().collect(),
        })
    }

    pub fn write(&self) -> Result<Vec<u8>, StoreError> {
        let written = Written {
            v: VERSION,
            groups: self.groups.values().cloned().collect(),
            refs: self.refs.iter().map(|(name, chat)| (name.clone(), *chat)).collect(),
            aliases: self.aliases.iter().map(|(from, to)| (*from, *to)).collect(),
        };
        serde_json::to_vec(&written).map_err(|error| StoreError::corrupt("the groups", error))
    }

    pub fn chat_of(&self, external_ref: &ExternalRef) -> Option<ChatId> {
        self.refs.get(external_ref).copied()
    }

    pub fn get(&self, chat_id: ChatId) -> Option<&GroupRecord> {
        self.groups.get(&self.present(chat_id))
    }

    /// The newest, where an id was used anew after its command was forgotten.
    pub fn made_by(&self, command: &CommandId) -> Option<&GroupRecord> {
        let made = self.groups.values().filter(|group| group.made_by.as_ref() == Some(command));
        made.max_by_key(|group| group.at)
    }

    pub fn newest(&self, most: usize) -> Vec<ChatId> {
        let mut groups: Vec<&GroupRecord> = self.groups.values().collect();
        groups.sort_by_key(|group| std::cmp::Reverse((group.at, group.chat_id)));
        groups.into_iter().take(most).map(|group| group.chat_id).collect()
    }

    pub fn put(
        &mut self,
        chat_id: ChatId,
        external_ref: Option<&ExternalRef>,
        origin: Origin,
        made_by: Option<&CommandId>,
        at: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let chat_id = self.present(chat_id);
        if let Some(name) = external_ref
            && let Some(other) = self.chat_of(name)
            && other != chat_id
        {
            return Err(StoreError::RefTaken(other));
        }
        let before = self.clone();
        let made_by = made_by.cloned();
        let new = GroupRecord { chat_id, external_ref: None, origin, made_by, at };
        let group = self.groups.entry(chat_id).or_insert(new);
        if let Some(name) = external_ref {
            group.external_ref = Some(name.clone());
            self.refs.insert(name.clone(), chat_id);
        }
        Ok(*self != before)
    }

    pub fn remove(&mut self, chat_id: ChatId) -> bool {
        let chat_id = self.present(chat_id);
        let before = self.refs.len() + self.aliases.len();
        self.refs.retain(|_, chat| *chat != chat_id);
        self.aliases.retain(|_, to| *to != chat_id);
        let known = self.groups.remove(&chat_id).is_some();
        known || self.refs.len() + self.aliases.len() != before
    }

    pub fn migrate(&mut self, from: ChatId, to: ChatId) -> bool {
        if from == to || self.aliases.get(&from) == Some(&to) {
            return false;
        }
        for chat in self.refs.values_mut().chain(self.aliases.values_mut()) {
            if *chat == from {
                *chat = to;
            }
        }
        if let Some(group) = self.groups.remove(&from) {
            self.groups.entry(to).or_insert(GroupRecord { chat_id: to, ..group });
        }
        self.aliases.insert(from, to);
        while self.aliases.len() > ALIASES_MAX {
            // Ids of basic groups fall with time, so the greatest is the oldest.
            self.aliases.pop_last();
        }
        true
    }

    fn present(&self, chat_id: ChatId) -> ChatId {
        self.aliases.get(&chat_id).copied().unwrap_or(chat_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn basic(id: i64) -> ChatId {
        ChatId::basic(id).unwrap()
    }

    fn supergroup(id: i64) -> ChatId {
        ChatId::supergroup(id).unwrap()
    }

    fn name(text: &str) -> ExternalRef {
        text.parse().unwrap()
    }

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_795_417_200 + second, 0).unwrap()
    }

    fn book() -> Book {
        let mut book = Book::default();
        assert!(book.put(basic(1), Some(&name("deal-1")), Origin::Created, None, at(1)).unwrap());
        assert!(book.put(supergroup(2), None, Origin::Created, None, at(2)).unwrap());
        book
    }

    #[test]
    fn a_key_names_one_group_and_a_group_may_have_several() {
        let mut book = book();
        assert_eq!(book.chat_of(&name("deal-1")), Some(basic(1)));
        let taken = book.put(supergroup(2), Some(&name("deal-1")), Origin::Bound, None, at(3));
        assert!(matches!(taken, Err(StoreError::RefTaken(chat)) if chat == basic(1)));
        assert!(book.put(basic(1), Some(&name("deal-2")), Origin::Bound, None, at(3)).unwrap());
        assert_eq!(book.chat_of(&name("deal-1")), book.chat_of(&name("deal-2")));
        let group = book.get(basic(1)).unwrap();
        assert_eq!((&group.external_ref, group.origin), (&Some(name("deal-2")), Origin::Created));
        assert!(!book.put(basic(1), Some(&name("deal-2")), Origin::Bound, None, at(4)).unwrap());
    }

    #[test]
    fn a_removed_group_frees_its_keys() {
        let mut book = book();
        assert!(book.remove(basic(1)));
        assert_eq!((book.chat_of(&name("deal-1")), book.get(basic(1))), (None, None));
        assert!(!book.remove(basic(1)));
        assert!(
            book.put(supergroup(2), Some(&name("deal-1")), Origin::Bound, None, at(3)).unwrap()
        );
    }

    #[test]
    fn a_migrated_group_is_followed() {
        let mut book = book();
        assert!(book.migrate(basic(1), supergroup(9)));
        assert!(!book.migrate(basic(1), supergroup(9)));
        assert_eq!(book.chat_of(&name("deal-1")), Some(supergroup(9)));
        for id in [basic(1), supergroup(9)] {
            assert_eq!(book.get(id).map(|group| group.chat_id), Some(supergroup(9)));
        }
        assert!(book.put(basic(1), Some(&name("deal-3")), Origin::Bound, None, at(5)).unwrap());
        assert_eq!(book.chat_of(&name("deal-3")), Some(supergroup(9)));
        assert!(book.remove(basic(1)));
        assert_eq!(book.get(supergroup(9)), None);
        assert!(book.migrate(basic(7), supergroup(8)), "a group that is not kept here");
    }

    #[test]
    fn a_group_is_found_by_the_command_that_made_it() {
        let (maker, other) = ("deal-9:create".parse().unwrap(), "deal-8:create".parse().unwrap());
        let mut book = book();
        book.put(basic(5), None, Origin::Created, Some(&maker), at(3)).unwrap();
        let made_by = |book: &Book, id| book.made_by(id).map(|group| group.chat_id);
        assert_eq!((made_by(&book, &maker), made_by(&book, &other)), (Some(basic(5)), None));
        book.migrate(basic(5), supergroup(6));
        let acme = "acme".parse().unwrap();
        let mut read = Book::read(&acme, &book.write().unwrap()).unwrap();
        assert_eq!(made_by(&read, &maker), Some(supergroup(6)));
        read.remove(supergroup(6));
        assert_eq!(made_by(&read, &maker), None);
    }

    #[test]
    fn the_newest_come_first() {
        assert_eq!(book().newest(5), [supergroup(2), basic(1)]);
        assert_eq!(book().newest(1), [supergroup(2)]);
    }

    #[test]
    fn what_is_written_is_read() {
        let mut book = book();
        book.migrate(basic(1), supergroup(9));
        let acme = "acme".parse().unwrap();
        assert_eq!(Book::read(&acme, &book.write().unwrap()).unwrap(), book);
        let newer = br#"{"v":2,"groups":[],"refs":[],"aliases":[]}"#;
        assert!(matches!(Book::read(&acme, newer), Err(StoreError::Version { found: 2, .. })));
        assert!(matches!(Book::read(&acme, b"{"), Err(StoreError::Corrupt { .. })));
    }
}
