//! Reading who is in a group.

use chrono::{DateTime, Utc};
use grammers_tl_types as tl;
use proto::UserId;
use serde::{Deserialize, Serialize};

use super::chats::{AdminRights, unasked_not_modified};
use super::{channel, utc};
use crate::account::Account;
use crate::error::CallError;
use crate::limits;
use crate::peer::{GroupPeer, UserPeer, user_id};

/// A person's place in a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Participant {
    /// Who.
    pub user_id: UserId,
    /// As what.
    pub role: Role,
    /// Since when, where Telegram tells.
    pub joined_at: Option<DateTime<Utc>>,
    /// Who brought them in, where Telegram tells.
    pub inviter_id: Option<UserId>,
}

/// What a person is in a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Made the group.
    Creator,
    /// An admin.
    Admin {
        /// With these rights; for basic groups the usual ones.
        rights: AdminRights,
        /// This account may change them.
        can_edit: bool,
    },
    /// A member.
    Member,
    /// A member who may not do everything.
    Restricted,
    /// Thrown out, and can't come back until unbanned.
    Banned,
    /// Not in the group.
    Left,
}

impl Participant {
    /// True for everybody who is in the group now.
    pub fn is_member(&self) -> bool {
        matches!(self.role, Role::Creator | Role::Admin { .. } | Role::Member | Role::Restricted)
    }

    /// True for the creator and admins.
    pub fn is_admin(&self) -> bool {
        matches!(self.role, Role::Creator | Role::Admin { .. })
    }
}

/// Which part of a supergroup's list to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    /// Members, newest first.
    Recent,
    /// Admins and the creator.
    Admins,
    /// Bots.
    Bots,
    /// Those who were thrown out.
    Kicked,
    /// Members whose name or username begins so; empty for all.
    Search(String),
}

/// One page of a supergroup's list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Participants {
    /// How many there are in all.
    pub count: u32,
    /// Those of this page.
    pub participants: Vec<Participant>,
    /// Who they are, with access hashes.
    pub users: Vec<UserPeer>,
}

/// One person's place in a supergroup (`channels.getParticipant`); `None` for a person who was never in it. For a basic
/// group, [`super::groups::full`] lists them all.
///
/// Errors: `CHANNEL_PRIVATE`, `CHAT_ADMIN_REQUIRED`, `PARTICIPANT_ID_INVALID`, `USER_ID_INVALID`.
pub async fn participant(
    account: &Account,
    group: &GroupPeer,
    user: &UserPeer,
) -> Result<Option<Participant>, CallError> {
    let request = tl::functions::channels::GetParticipant {
        channel: channel(group, "channels.getParticipant")?,
        participant: user.input_peer(),
    };
    match account.invoke(&request).await {
        Ok(tl::enums::channels::ChannelParticipant::Participant(answer)) => {
            account.peers().note_users(&answer.users);
            account.peers().note_chats(&answer.chats);
            Ok(channel_participant(&answer.participant))
        }
        Err(error) if error.is("USER_NOT_PARTICIPANT") => Ok(None),
        Err(error) => Err(error),
    }
}

/// A page of a supergroup's list, at most 200 (`channels.getParticipants`). Telegram shows at most the first 10 000
/// in this way.
///
/// Errors: `CHANNEL_PRIVATE`, `CHAT_ADMIN_REQUIRED` (where the list is hidden).
pub async fn participants(
    account: &Account,
    group: &GroupPeer,
    filter: &Filter,
    offset: u32,
    limit: u32,
) -> Result<Participants, CallError> {
    let request = tl::functions::channels::GetParticipants {
        channel: channel(group, "channels.getParticipants")?,
        filter: filter.to_telegram()?,
        offset: i32::try_from(offset).unwrap_or(i32::MAX),
        limit: i32::try_from(limit.clamp(1, limits::PAGE_MAX)).unwrap_or(1),
        hash: 0,
    };
    match account.invoke(&request).await? {
        tl::enums::channels::ChannelParticipants::Participants(answer) => {
            account.peers().note_chats(&answer.chats);
            Ok(Participants {
                count: u32::try_from(answer.count).unwrap_or(0),
                participants: answer.participants.iter().filter_map(channel_participant).collect(),
                users: account.peers().note_users(&answer.users),
            })
        }
        tl::enums::channels::ChannelParticipants::NotModified => Err(unasked_not_modified()),
    }
}

impl Filter {
    fn to_telegram(&self) -> Result<tl::enums::ChannelParticipantsFilter, CallError> {
        Ok(match self {
            Self::Recent => tl::enums::ChannelParticipantsFilter::ChannelParticipantsRecent,
            Self::Admins => tl::enums::ChannelParticipantsFilter::ChannelParticipantsAdmins,
            Self::Bots => tl::enums::ChannelParticipantsFilter::ChannelParticipantsBots,
            Self::Kicked => tl::types::ChannelParticipantsKicked { q: String::new() }.into(),
            Self::Search(query) => {
                limits::count("query", query.chars().count(), 0, limits::TITLE_MAX)?;
                tl::types::ChannelParticipantsSearch { q: query.clone() }.into()
            }
        })
    }
}

/// The members of a basic group; `None` where the list may not be read.
pub(super) fn basic_participants(list: &tl::enums::ChatParticipants) -> Option<Vec<Participant>> {
    let tl::enums::ChatParticipants::Participants(list) = list else { return None };
    Some(list.participants.iter().filter_map(basic_participant).collect())
}

fn basic_participant(participant: &tl::enums::ChatParticipant) -> Option<Participant> {
    let (id, role, inviter_id, date) = match participant {
        tl::enums::ChatParticipant::Participant(member) => {
            (member.user_id, Role::Member, Some(member.inviter_id), Some(member.date))
        }
        tl::enums::ChatParticipant::Creator(creator) => {
            (creator.user_id, Role::Creator, None, None)
        }
        tl::enums::ChatParticipant::Admin(admin) => (
            admin.user_id,
            Role::Admin { rights: AdminRights::USUAL, can_edit: false },
            Some(admin.inviter_id),
            Some(admin.date),
        ),
    };
    Some(Participant {
        user_id: user_id(id)?,
        role,
        joined_at: date.map(utc),
        inviter_id: inviter_id.and_then(user_id),
    })
}

/// `None` for an anonymous admin, who is shown as a channel.
fn channel_participant(participant: &tl::enums::ChannelParticipant) -> Option<Participant> {
    use tl::enums::ChannelParticipant as Wire;
    let (id, role, inviter_id, date) = match participant {
        Wire::Participant(member) => (member.user_id, Role::Member, None, Some(member.date)),
        Wire::ParticipantSelf(myself) => {
            (myself.user_id, Role::Member, Some(myself.inviter_id), Some(myself.date))
        }
        Wire::Creator(creator) => (creator.user_id, Role::Creator, None, None),
        Wire::Admin(admin) => (
            admin.user_id,
            Role::Admin {
                rights: AdminRights::from_telegram(&admin.admin_rights),
                can_edit: admin.can_edit,
            },
            admin.inviter_id,
            Some(admin.date),
        ),
        Wire::Banned(banned) => {
            let tl::enums::ChatBannedRights::Rights(rights) = &banned.banned_rights;
            let role = match (rights.view_messages, banned.left) {
                (true, _) => Role::Banned,
                (false, true) => Role::Left,
                (false, false) => Role::Restricted,
            };
            (user_of(&banned.peer)?, role, None, Some(banned.date))
        }
        Wire::Left(left) => (user_of(&left.peer)?, Role::Left, None, None),
    };
    Some(Participant {
        user_id: user_id(id)?,
        role,
        joined_at: date.map(utc),
        inviter_id: inviter_id.and_then(user_id),
    })
}

fn user_of(peer: &tl::enums::Peer) -> Option<i64> {
    match peer {
        tl::enums::Peer::User(peer) => Some(peer.user_id),
        _ => None,
    }
}
