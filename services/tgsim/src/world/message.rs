//! Messages, message boxes and their `pts`.
//!
//! Every user has one box for private chats and basic groups, every channel has its own. A box gives ids, counts
//! `pts` (one per event) and remembers the events, so that a client that missed some can ask for the difference.
//! Source: <https://core.telegram.org/api/updates>.
use std::collections::{BTreeMap, VecDeque};

use grammers_tl_types::enums;

use super::{PeerId, UserId};

/// One message in one box.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Id in this box.
    pub id: i32,
    /// The same for all copies of one message in different boxes.
    pub global: u64,
    /// The conversation, as this box's owner sees it.
    pub peer: PeerId,
    /// Who wrote it; the channel itself for posts and anonymous admins.
    pub from: PeerId,
    /// Sent by the box's owner.
    pub out: bool,
    /// Unix seconds.
    pub date: i32,
    /// Last edited at.
    pub edit_date: Option<i32>,
    /// Text or service action.
    pub body: Body,
    /// Answers this message.
    pub reply_to: Option<i32>,
    /// No sound.
    pub silent: bool,
    /// Pinned.
    pub pinned: bool,
    /// Vanishes after so many seconds.
    pub ttl_period: Option<i32>,
}

/// What a message says.
#[derive(Debug, Clone, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "few exist, and a box would be in every reader's way"
)]
pub enum Body {
    /// Written by somebody.
    Text {
        /// The text.
        text: String,
        /// Its formatting.
        entities: Vec<enums::MessageEntity>,
    },
    /// "X added Y" and the like.
    Service(enums::MessageAction),
}

/// A message box: history and the log of events behind `pts`.
#[derive(Debug, Clone, Default)]
pub struct MessageBox {
    /// What exists, by id.
    pub messages: BTreeMap<i32, Message>,
    /// The last id given.
    pub last_id: i32,
    /// Where the box stands. 1 in a new box, as at Telegram.
    pub pts: i32,
    /// Secret chats and bot events; nothing here raises it.
    pub qts: i32,
    /// Numbers containers of updates that have no `pts`.
    pub seq: i32,
    /// Events with `pts`, oldest first, bounded.
    pub log: VecDeque<Event>,
    /// Updates without `pts`, oldest first, bounded: given by date.
    pub notices: VecDeque<Notice>,
    /// Events up to this `pts` are forgotten: older states are "too long".
    pub forgotten_pts: i32,
}

/// One thing that happened in a box.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Where the box stood after it.
    pub pts: i32,
    /// How many steps it took (1; for deletions the number of messages).
    pub pts_count: i32,
    /// When.
    pub date: i32,
    /// What.
    pub change: Change,
}

/// What an event was.
#[derive(Debug, Clone, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "few exist, and a box would be in every reader's way"
)]
pub enum Change {
    /// A message appeared: told as `new_messages`.
    New(i32),
    /// It was edited.
    Edited(i32),
    /// Any other update that carries this `pts`, told as it is.
    Update {
        /// As sent.
        update: enums::Update,
        /// Who is named in it.
        peers: Vec<PeerId>,
    },
}

/// An update without `pts`.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// When.
    pub date: i32,
    /// As sent.
    pub update: enums::Update,
    /// Who is named in it.
    pub peers: Vec<PeerId>,
}

impl Message {
    /// Who is named in it: conversation, author, and the people of a service action.
    pub fn peers(&self) -> Vec<PeerId> {
        let mut peers = vec![self.peer, self.from];
        if let Body::Service(action) = &self.body {
            peers.extend(action_users(action).into_iter().map(PeerId::User));
        }
        peers
    }
}

fn action_users(action: &enums::MessageAction) -> Vec<UserId> {
    use enums::MessageAction as A;
    match action {
        A::ChatCreate(a) => a.users.iter().copied().map(UserId).collect(),
        A::ChatAddUser(a) => a.users.iter().copied().map(UserId).collect(),
        A::ChatDeleteUser(a) => vec![UserId(a.user_id)],
        A::ChatJoinedByLink(a) => vec![UserId(a.inviter_id)],
        _ => Vec::new(),
    }
}
