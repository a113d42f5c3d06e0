//! The journal: what was asked of the server and what came of it, in order. The oracle of tests.
//!
//! Bounded: the oldest entries are dropped, and a reader who asks for them is told the first kept.

use std::collections::VecDeque;

use chrono::{SecondsFormat, Utc};
use serde::Serialize;
use serde_json::Value;

use crate::world::{AuthKeyId, UserId};

/// How many entries are kept.
const ENTRIES_MAX: usize = 200_000;

/// What an entry is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A request, entered when its answer is decided.
    Request,
    /// A TCP connection was accepted.
    ConnectionOpened,
    /// It ended, by either side.
    ConnectionClosed,
    /// An auth key was made.
    KeyMade,
    /// Two connections used one key: it is dead.
    KeyDuplicated,
    /// A message was answered by a transport error that the script ordered, whatever was in it.
    TransportError,
    /// Somebody acted over the admin port rather than over a connection.
    Admin,
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entry {
    /// Its number, from 1, without holes.
    pub n: u64,
    /// RFC 3339 in UTC with milliseconds.
    pub at: String,
    /// What it is about.
    pub kind: Kind,
    /// Who was logged in when it was asked.
    pub user_id: Option<i64>,
    /// Decimal, as a string: 64 bits don't fit every reader's numbers.
    pub auth_key_id: Option<String>,
    /// The number of the connection.
    pub connection: Option<u64>,
    /// TL name, e.g. `messages.createChat`; an unknown one is `unknown#` and its id.
    pub request: Option<String>,
    /// What changed in the world: nothing, one object, or a list of several.
    pub effect: Value,
    /// The RPC error's name.
    pub error: Option<String>,
    /// The script's fault that this request met: its id and what it did.
    pub fault: Option<Value>,
}

/// An entry before it has its number.
#[derive(Debug, Clone, Default)]
pub struct Line {
    /// See [`Entry::user_id`].
    pub user: Option<UserId>,
    /// See [`Entry::auth_key_id`].
    pub key: Option<AuthKeyId>,
    /// See [`Entry::connection`].
    pub connection: Option<u64>,
    /// See [`Entry::request`].
    pub request: Option<String>,
    /// See [`Entry::effect`].
    pub effects: Vec<Value>,
    /// See [`Entry::error`].
    pub error: Option<String>,
    /// See [`Entry::fault`].
    pub fault: Option<Value>,
}

/// All that is kept.
#[derive(Debug, Default)]
pub struct Journal {
    entries: VecDeque<Entry>,
    last: u64,
}

impl Journal {
    /// Enters a line and gives its number.
    pub fn enter(&mut self, kind: Kind, mut line: Line) -> u64 {
        self.last += 1;
        let effect = match line.effects.len() {
            0 => Value::Null,
            1 => line.effects.remove(0),
            _ => Value::Array(line.effects),
        };
        self.entries.push_back(Entry {
            n: self.last,
            at: Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true),
            kind,
            user_id: line.user.map(|user| user.0),
            auth_key_id: line.key.map(|key| key.0.to_string()),
            connection: line.connection,
            request: line.request,
            effect,
            error: line.error,
            fault: line.fault,
        });
        if self.entries.len() > ENTRIES_MAX {
            self.entries.pop_front();
        }
        self.last
    }

    /// At most `limit` entries after number `n`.
    pub fn after(&self, n: u64, limit: usize) -> Vec<Entry> {
        let skip = usize::try_from(n.saturating_sub(self.first() - 1)).unwrap_or(usize::MAX);
        self.entries.iter().skip(skip).take(limit).cloned().collect()
    }

    /// The number of the oldest entry that is kept (or of the next one, if none is).
    pub fn first(&self) -> u64 {
        self.entries.front().map_or(self.last + 1, |entry| entry.n)
    }

    /// The number of the newest entry; 0 before the first.
    pub fn last(&self) -> u64 {
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn effects(list: &[i64]) -> Line {
        Line { effects: list.iter().map(|n| Value::from(*n)).collect(), ..Line::default() }
    }

    #[test]
    fn entries_are_numbered_and_read_after_a_number() {
        let mut journal = Journal::default();
        assert_eq!((journal.first(), journal.last()), (1, 0));
        for _ in 0..5 {
            journal.enter(Kind::Request, Line::default());
        }
        let numbers = |n, limit| journal.after(n, limit).iter().map(|e| e.n).collect::<Vec<_>>();
        assert_eq!(numbers(0, 9), [1, 2, 3, 4, 5]);
        assert_eq!(numbers(3, 9), [4, 5]);
        assert_eq!(numbers(1, 2), [2, 3]);
        assert_eq!(numbers(5, 9), [0; 0]);
        assert_eq!(numbers(99, 9), [0; 0]);
    }

    #[test]
    fn one_effect_stands_alone_and_several_are_a_list() {
        let mut journal = Journal::default();
        journal.enter(Kind::Request, effects(&[]));
        journal.enter(Kind::Request, effects(&[1]));
        journal.enter(Kind::Request, effects(&[1, 2]));
        let seen: Vec<Value> = journal.after(0, 9).into_iter().map(|e| e.effect).collect();
        assert_eq!(seen, [Value::Null, 1.into(), vec![1, 2].into()]);
    }

    #[test]
    fn the_oldest_are_dropped_and_the_rest_keep_their_numbers() {
        let mut journal = Journal::default();
        for _ in 0..ENTRIES_MAX + 3 {
            journal.enter(Kind::Request, Line::default());
        }
        assert_eq!(journal.first(), 4);
        assert_eq!(journal.after(0, 1)[0].n, 4);
        assert_eq!(journal.after(10, 1)[0].n, 11);
    }
}
