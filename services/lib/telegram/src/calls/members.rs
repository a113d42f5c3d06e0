//! Who is in a group: adding, removing, banning, promoting, and reading the list.

use chrono::{DateTime, Utc};
use grammers_tl_types as tl;
use proto::UserId;
use serde::{Deserialize, Serialize};

use super::chats::{AdminRights, unasked_not_modified};
use super::groups::{Missing, missing};
use super::{basic, channel, note_updates, seconds, utc};
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

/// Puts one person into a basic group (`messages.addChatUser`), showing them the last `history` messages (up to 100).
/// Whom Telegram left out by their privacy settings is in the answer, not an error.
///
/// Nearly repeatable: the second time it answers `USER_ALREADY_PARTICIPANT`. Errors: `USER_PRIVACY_RESTRICTED`,
/// `USER_NOT_MUTUAL_CONTACT`, `USERS_TOO_MUCH`, `USER_ALREADY_PARTICIPANT`, `BOT_GROUPS_BLOCKED`,
/// `CHAT_ADMIN_REQUIRED`, `USER_IS_BLOCKED`, `INPUT_USER_DEACTIVATED`, `PEER_FLOOD`, `USER_ID_INVALID`.
pub async fn add_to_basic(
    account: &Account,
    group: &GroupPeer,
    user: &UserPeer,
    history: u32,
) -> Result<Vec<Missing>, CallError> {
    let request = tl::functions::messages::AddChatUser {
        chat_id: basic(group, "messages.addChatUser")?,
        user_id: user.input_user(),
        fwd_limit: i32::try_from(history.min(100)).unwrap_or(100),
    };
    let tl::enums::messages::InvitedUsers::Users(answer) = account.invoke(&request).await?;
    note_updates(account.peers(), answer.updates);
    Ok(missing(answer.missing_invitees))
}

/// Puts people into a supergroup (`channels.inviteToChannel`). One error concerns them all, so a truthful outcome for
/// each wants one person a call. Whom Telegram left out by their privacy settings is in the answer, not an error.
/// Those who are members already count as added.
///
/// Repeatable, though repeats feed `PEER_FLOOD`. Errors: `USER_PRIVACY_RESTRICTED`, `USER_NOT_MUTUAL_CONTACT`,
/// `USER_CHANNELS_TOO_MUCH`, `USERS_TOO_MUCH`, `BOT_GROUPS_BLOCKED`, `BOTS_TOO_MUCH`, `CHAT_ADMIN_REQUIRED`,
/// `USER_KICKED`, `USER_BLOCKED`, `USER_BOT`, `INPUT_USER_DEACTIVATED`, `PEER_FLOOD`, `USER_ID_INVALID`.
pub async fn invite(
    account: &Account,
    group: &GroupPeer,
    users: &[UserPeer],
) -> Result<Vec<Missing>, CallError> {
    limits::count("members", users.len(), 1, limits::INVITE_MAX)?;
    let request = tl::functions::channels::InviteToChannel {
        channel: channel(group, "channels.inviteToChannel")?,
        users: users.iter().map(UserPeer::input_user).collect(),
    };
    let tl::enums::messages::InvitedUsers::Users(answer) = account.invoke(&request).await?;
    note_updates(account.peers(), answer.updates);
    Ok(missing(answer.missing_invitees))
}

/// Takes a person out of a basic group (`messages.deleteChatUser`). They can come back by a link.
///
/// Repeatable: then it answers `USER_NOT_PARTICIPANT`. Errors: `CHAT_ADMIN_REQUIRED`, `USER_NOT_PARTICIPANT`,
/// `USER_ID_INVALID`.
pub async fn remove_from_basic(
    account: &Account,
    group: &GroupPeer,
    user: &UserPeer,
    revoke_history: bool,
) -> Result<(), CallError> {
    let request = tl::functions::messages::DeleteChatUser {
        revoke_history,
        chat_id: basic(group, "messages.deleteChatUser")?,
        user_id: user.input_user(),
    };
    note_updates(account.peers(), account.invoke(&request).await?);
    Ok(())
}

/// Bans a person from a supergroup (`channels.editBanned` without `view_messages`): they are thrown out and can't come
/// back. With `until`, only so long; Telegram takes less than 30 seconds, or more than 366 days, as for ever.
///
/// Repeatable. Errors: `CHAT_ADMIN_REQUIRED`, `USER_ADMIN_INVALID` (an admin whom this account did not make),
/// `USER_NOT_PARTICIPANT`, `PARTICIPANT_ID_INVALID`, `USER_ID_INVALID`.
pub async fn ban(
    account: &Account,
    group: &GroupPeer,
    user: &UserPeer,
    until: Option<DateTime<Utc>>,
) -> Result<(), CallError> {
    edit_banned(account, group, user, true, until.map_or(0, seconds)).await
}

/// Takes a ban back (`channels.editBanned` with no restriction). Of a person who is *in* the group it only lifts
/// restrictions. Throwing somebody out without banning them is [`ban`], then this.
///
/// Repeatable. Errors as for [`ban`].
pub async fn unban(account: &Account, group: &GroupPeer, user: &UserPeer) -> Result<(), CallError> {
    edit_banned(account, group, user, false, 0).await
}

async fn edit_banned(
    account: &Account,
    group: &GroupPeer,
    user: &UserPeer,
    banned: bool,
    until_date: i32,
) -> Result<(), CallError> {
    let request = tl::functions::channels::EditBanned {
        channel: channel(group, "channels.editBanned")?,
        participant: user.input_peer(),
        banned_rights: banned_rights(banned, until_date),
    };
    note_updates(account.peers(), account.invoke(&request).await?);
    Ok(())
}

/// Makes a person an admin with these rights, or changes an admin's rights (`channels.editAdmin`). A person who is not
/// in the supergroup is added, where their privacy allows. [`AdminRights::NONE`] makes an admin a member again.
///
/// For a basic group it is `messages.editChatAdmin`, where any right at all means "admin".
///
/// Repeatable. Errors: `CHAT_ADMIN_REQUIRED`, `RIGHT_FORBIDDEN`, `ADMINS_TOO_MUCH`, `USER_NOT_PARTICIPANT`,
/// `USER_PRIVACY_RESTRICTED`, `USER_CREATOR`, `BOT_CHANNELS_NA`, `FRESH_CHANGE_ADMINS_FORBIDDEN`.
pub async fn promote(
    account: &Account,
    group: &GroupPeer,
    user: &UserPeer,
    rights: AdminRights,
    rank: Option<&str>,
) -> Result<(), CallError> {
    if let Some(rank) = rank {
        limits::rank(rank)?;
    }
    if let Some(chat_id) = group.basic_id() {
        let request = tl::functions::messages::EditChatAdmin {
            chat_id,
            user_id: user.input_user(),
            is_admin: rights != AdminRights::NONE,
        };
        return account.invoke(&request).await.map(|_| ());
    }
    let request = tl::functions::channels::EditAdmin {
        channel: channel(group, "channels.editAdmin")?,
        user_id: user.input_user(),
        admin_rights: rights.to_telegram(),
        rank: rank.map(str::to_owned),
    };
    note_updates(account.peers(), account.invoke(&request).await?);
    Ok(())
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

fn banned_rights(banned: bool, until_date: i32) -> tl::enums::ChatBannedRights {
    tl::types::ChatBannedRights {
        view_messages: banned,
        send_messages: banned,
        send_media: banned,
        send_stickers: banned,
        send_gifs: banned,
        send_games: banned,
        send_inline: banned,
        embed_links: banned,
        send_polls: banned,
        change_info: banned,
        invite_users: banned,
        pin_messages: banned,
        manage_topics: banned,
        send_photos: banned,
        send_videos: banned,
        send_roundvideos: banned,
        send_audios: banned,
        send_voices: banned,
        send_docs: banned,
        send_plain: banned,
        edit_rank: false,
        send_reactions: false,
        manage_linked_peers: false,
        until_date,
    }
    .into()
}
