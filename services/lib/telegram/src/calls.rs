//! Telegram's requests, one per function: own words in, own words out.
//!
//! Each function sends **exactly one** request and never repeats it, so that the worker can make each a durable step
//! of its own. Arguments are checked against [`crate::limits`] first; the users and groups that an answer mentions are
//! entered in the account's [`crate::PeerBook`]. Every answer can be stored and read back (serde). Errors are
//! [`CallError`]: ask [`CallError::outcome_unknown`] before repeating anything. Error names in the doc comments are
//! the ones that core.telegram.org lists for the request and that callers tell apart.

pub mod chats;
pub mod groups;
mod invites;
pub mod links;
pub mod members;
pub mod messages;
pub mod myself;
mod participants;
pub mod people;
mod rights;

use chrono::{DateTime, Utc};
use grammers_tl_types as tl;

use crate::error::CallError;
use crate::peer::GroupPeer;
use crate::peers::PeerBook;

/// Telegram's 32-bit Unix seconds.
fn utc(seconds: i32) -> DateTime<Utc> {
    DateTime::from_timestamp(i64::from(seconds), 0).unwrap_or_default()
}

/// The same the other way round; a date past 2038 becomes the last one there is.
fn seconds(at: DateTime<Utc>) -> i32 {
    i32::try_from(at.timestamp()).unwrap_or(i32::MAX)
}

fn channel(group: &GroupPeer, request: &'static str) -> Result<tl::enums::InputChannel, CallError> {
    group.input_channel().ok_or(CallError::WrongKind { request })
}

fn basic(group: &GroupPeer, request: &'static str) -> Result<i64, CallError> {
    group.basic_id().ok_or(CallError::WrongKind { request })
}

/// Enters whom the updates mention, and gives the groups among them back.
fn note_updates(peers: &PeerBook, updates: tl::enums::Updates) -> Vec<tl::enums::Chat> {
    let (users, chats) = match updates {
        tl::enums::Updates::Updates(updates) => (updates.users, updates.chats),
        tl::enums::Updates::Combined(updates) => (updates.users, updates.chats),
        _ => return Vec::new(),
    };
    peers.note_users(&users);
    peers.note_chats(&chats);
    chats
}

/// The groups of a `messages.Chats` answer, whole or a slice.
fn chats_of(answer: tl::enums::messages::Chats) -> Vec<tl::enums::Chat> {
    match answer {
        tl::enums::messages::Chats::Chats(answer) => answer.chats,
        tl::enums::messages::Chats::Slice(answer) => answer.chats,
    }
}
