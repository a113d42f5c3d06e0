//! Reading what happened: the newest messages of a chat, and the difference since a remembered mark.
//!
//! What for: after a crash the worker looks for the service message of a group that it may or may not have made. The
//! *text* of messages stays inside: nothing here shows it.

use chrono::{DateTime, Utc};
use grammers_tl_types as tl;
use proto::{ChatId, UserId};
use serde::{Deserialize, Serialize};

use super::chats::{GroupSummary, summary, unasked_not_modified};
use super::utc;
use crate::account::Account;
use crate::error::CallError;
use crate::peer::{GroupPeer, user_id};
use crate::session::UpdateMark;

/// A message, without its content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageBrief {
    /// Its number: per account in basic groups and private chats, per group in supergroups.
    pub id: i32,
    /// The group it is in; `None` for a private chat.
    pub chat_id: Option<ChatId>,
    /// For a private chat: with whom.
    pub with: Option<UserId>,
    /// When.
    pub at: DateTime<Utc>,
    /// Who wrote it, where that is a user.
    pub from: Option<UserId>,
    /// This account wrote it.
    pub own: bool,
    /// What happened, for a service message.
    pub action: Option<Action>,
}

/// What a service message says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// A basic group was made.
    BasicGroupCreated {
        /// With this title.
        title: String,
        /// And these people.
        users: Vec<UserId>,
    },
    /// A supergroup or channel was made.
    ChannelCreated {
        /// With this title.
        title: String,
    },
    /// People were put in, or joined a public group.
    MembersAdded {
        /// Who.
        users: Vec<UserId>,
    },
    /// Somebody left or was taken out.
    MemberRemoved {
        /// Who.
        user: UserId,
    },
    /// The writer joined by an invite link.
    JoinedByLink {
        /// Who made the link.
        inviter: UserId,
    },
    /// The writer joined after an admin approved.
    JoinedByRequest,
    /// The group was renamed.
    TitleChanged {
        /// The new title.
        title: String,
    },
    /// The basic group became a supergroup.
    MigratedTo {
        /// That one.
        chat_id: ChatId,
    },
    /// The supergroup was made of a basic group.
    MigratedFrom {
        /// That one.
        chat_id: ChatId,
        /// Its title.
        title: String,
    },
    /// Anything else.
    Other,
}

/// What happened since a mark.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Difference {
    /// Nothing.
    Empty,
    /// These messages; where `last` is false there is more after `next`.
    Part {
        /// Messages of private chats and basic groups, oldest first. Supergroups have streams of their own: one that
        /// this account made or joined shows in `groups`.
        messages: Vec<MessageBrief>,
        /// Groups that are mentioned.
        groups: Vec<GroupSummary>,
        /// Where to go on.
        next: UpdateMark,
        /// This is all.
        last: bool,
    },
    /// Too much happened; Telegram won't list it. Look at the dialogs instead.
    TooLong,
}

/// The newest messages of a group, at most 100, newest first (`messages.getHistory`).
///
/// Errors: `CHANNEL_PRIVATE`, `CHANNEL_INVALID`, `CHAT_ID_INVALID`, `PEER_ID_INVALID`.
pub async fn newest(
    account: &Account,
    group: &GroupPeer,
    limit: u32,
) -> Result<Vec<MessageBrief>, CallError> {
    before(account, group, 0, limit).await
}

/// The first messages of a supergroup, at most `most` and 100, newest first: it counts its own, from 1, and 1 says that
/// it was made (`messages.getHistory`). A basic group's numbers are the account's.
///
/// Errors: `CHANNEL_PRIVATE`, `CHANNEL_INVALID`.
pub async fn first(
    account: &Account,
    group: &GroupPeer,
    most: u32,
) -> Result<Vec<MessageBrief>, CallError> {
    let most = most.clamp(1, 100);
    before(account, group, i32::try_from(most + 1).unwrap_or(i32::MAX), most).await
}

async fn before(
    account: &Account,
    group: &GroupPeer,
    offset_id: i32,
    limit: u32,
) -> Result<Vec<MessageBrief>, CallError> {
    let request = tl::functions::messages::GetHistory {
        peer: group.input_peer(),
        offset_id,
        offset_date: 0,
        add_offset: 0,
        limit: i32::try_from(limit.clamp(1, 100)).unwrap_or(100),
        max_id: 0,
        min_id: 0,
        hash: 0,
    };
    let (messages, chats, users) = match account.invoke(&request).await? {
        tl::enums::messages::Messages::Messages(all) => (all.messages, all.chats, all.users),
        tl::enums::messages::Messages::Slice(slice) => (slice.messages, slice.chats, slice.users),
        tl::enums::messages::Messages::ChannelMessages(of_channel) => {
            (of_channel.messages, of_channel.chats, of_channel.users)
        }
        tl::enums::messages::Messages::NotModified(_) => return Err(unasked_not_modified()),
    };
    account.peers().note_users(&users);
    account.peers().note_chats(&chats);
    Ok(messages.iter().filter_map(brief).collect())
}

/// What happened since `mark`, at most `limit` events (`updates.getDifference`).
///
/// Errors: `PERSISTENT_TIMESTAMP_EMPTY`, `PERSISTENT_TIMESTAMP_INVALID`.
pub async fn difference(
    account: &Account,
    mark: &UpdateMark,
    limit: u32,
) -> Result<Difference, CallError> {
    let request = tl::functions::updates::GetDifference {
        pts: mark.pts,
        pts_limit: Some(i32::try_from(limit.clamp(1, 1_000)).unwrap_or(1_000)),
        pts_total_limit: None,
        date: mark.date,
        qts: mark.qts,
        qts_limit: None,
    };
    use tl::enums::updates::Difference as Wire;
    let (new, others, chats, users, state, last) = match account.invoke(&request).await? {
        Wire::Empty(_) => return Ok(Difference::Empty),
        Wire::TooLong(_) => return Ok(Difference::TooLong),
        Wire::Difference(all) => {
            (all.new_messages, all.other_updates, all.chats, all.users, all.state, true)
        }
        Wire::Slice(part) => (
            part.new_messages,
            part.other_updates,
            part.chats,
            part.users,
            part.intermediate_state,
            false,
        ),
    };
    account.peers().note_users(&users);
    account.peers().note_chats(&chats);
    let of_channels = others.iter().filter_map(|update| match update {
        tl::enums::Update::NewMessage(update) => Some(&update.message),
        tl::enums::Update::NewChannelMessage(update) => Some(&update.message),
        _ => None,
    });
    Ok(Difference::Part {
        messages: new.iter().chain(of_channels).filter_map(brief).collect(),
        groups: chats.iter().filter_map(summary).collect(),
        next: super::myself::mark(&state),
        last,
    })
}

impl MessageBrief {
    pub(super) fn is_in(&self, peer: &tl::enums::Peer) -> bool {
        let (chat_id, with) = place(peer);
        self.chat_id == chat_id && self.with == with
    }
}

/// `None` for an empty message.
pub(super) fn brief(message: &tl::enums::Message) -> Option<MessageBrief> {
    let (id, peer, date, from, own, action) = match message {
        tl::enums::Message::Empty(_) => return None,
        tl::enums::Message::Message(message) => {
            (message.id, &message.peer_id, message.date, &message.from_id, message.out, None)
        }
        tl::enums::Message::Service(message) => (
            message.id,
            &message.peer_id,
            message.date,
            &message.from_id,
            message.out,
            Some(action(&message.action)),
        ),
    };
    let (chat_id, with) = place(peer);
    let from = match from {
        Some(tl::enums::Peer::User(user)) => user_id(user.user_id),
        _ => None,
    };
    Some(MessageBrief { id, chat_id, with, at: utc(date), from, own, action })
}

fn place(peer: &tl::enums::Peer) -> (Option<ChatId>, Option<UserId>) {
    match peer {
        tl::enums::Peer::User(peer) => (None, user_id(peer.user_id)),
        tl::enums::Peer::Chat(peer) => (ChatId::basic(peer.chat_id).ok(), None),
        tl::enums::Peer::Channel(peer) => (ChatId::supergroup(peer.channel_id).ok(), None),
    }
}

fn action(action: &tl::enums::MessageAction) -> Action {
    known_action(action).unwrap_or(Action::Other)
}

fn known_action(action: &tl::enums::MessageAction) -> Option<Action> {
    use tl::enums::MessageAction as Wire;
    let people = |users: &[i64]| users.iter().copied().filter_map(user_id).collect();
    Some(match action {
        Wire::ChatCreate(made) => {
            Action::BasicGroupCreated { title: made.title.clone(), users: people(&made.users) }
        }
        Wire::ChannelCreate(made) => Action::ChannelCreated { title: made.title.clone() },
        Wire::ChatAddUser(added) => Action::MembersAdded { users: people(&added.users) },
        Wire::ChatDeleteUser(gone) => Action::MemberRemoved { user: user_id(gone.user_id)? },
        Wire::ChatJoinedByLink(joined) => {
            Action::JoinedByLink { inviter: user_id(joined.inviter_id)? }
        }
        Wire::ChatJoinedByRequest => Action::JoinedByRequest,
        Wire::ChatEditTitle(edit) => Action::TitleChanged { title: edit.title.clone() },
        Wire::ChatMigrateTo(migrated) => {
            Action::MigratedTo { chat_id: ChatId::supergroup(migrated.channel_id).ok()? }
        }
        Wire::ChannelMigrateFrom(migrated) => Action::MigratedFrom {
            chat_id: ChatId::basic(migrated.chat_id).ok()?,
            title: migrated.title.clone(),
        },
        _ => return None,
    })
}
