//! Groups as such: making them, their title and description, what they are, leaving and deleting them.

use grammers_tl_types as tl;
use proto::{ChatId, UserId};
use serde::{Deserialize, Serialize};

use super::chats::{GroupSummary, summary};
use super::links::{Link, link};
use super::participants::{Participant, basic_participants};
use super::{basic, channel, note_updates};
use crate::account::Account;
use crate::error::CallError;
use crate::limits;
use crate::peer::{GroupPeer, UserPeer, user_id};
use crate::peers::group_record;

/// A group that was just made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewGroup {
    /// How to name it.
    pub group: GroupPeer,
    /// Its title as Telegram kept it (trimmed).
    pub title: String,
    /// Who was *not* put in although the request succeeded. Empty for a supergroup, which is made empty.
    pub missing: Vec<Missing>,
}

/// A person whom Telegram did not put in, although it reported no error (`missingInvitee`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// Who.
    pub user_id: UserId,
    /// An inviter with Telegram Premium could have added them.
    pub premium_would_allow: bool,
    /// Even a link can't be sent to them without Telegram Premium.
    pub premium_required_for_pm: bool,
}

/// What there is to know about one group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupInfo {
    /// Title, kind, own standing and rights, where it migrated to.
    pub summary: GroupSummary,
    /// Its description; empty where there is none.
    pub about: String,
    /// Everybody in it, for a basic group where the list may be seen. `None` for supergroups: see
    /// [`super::members::participants`].
    pub members: Option<Vec<Participant>>,
    /// Number of members, where Telegram tells.
    pub member_count: Option<u32>,
    /// This account's primary invite link. `None` where it never had one, or may not make links.
    pub primary_link: Option<Link>,
    /// For a supergroup: the basic group it was made of.
    pub migrated_from: Option<ChatId>,
    /// The member list may be read.
    pub can_view_members: bool,
}

/// Makes a basic group (`messages.createChat`). The people must not all refuse: Telegram answers `USERS_TOO_FEW` to an
/// empty list. Whom it left out by their privacy settings is in `missing`, not an error.
///
/// Not repeatable. Errors: `USERS_TOO_FEW`, `USER_RESTRICTED`, `CHAT_TITLE_EMPTY`, `CHAT_MEMBER_ADD_FAILED`.
pub async fn create_basic(
    account: &Account,
    title: &str,
    users: &[UserPeer],
) -> Result<NewGroup, CallError> {
    limits::title(title)?;
    limits::count("members", users.len(), 0, limits::BASIC_GROUP_MAX - 1)?;
    let request = tl::functions::messages::CreateChat {
        users: users.iter().map(UserPeer::input_user).collect(),
        title: title.to_owned(),
        ttl_period: None,
    };
    let tl::enums::messages::InvitedUsers::Users(answer) = account.invoke(&request).await?;
    let chats = note_updates(account.peers(), answer.updates);
    new_group(&chats, missing(answer.missing_invitees))
}

/// Makes a supergroup without members (`channels.createChannel` with `megagroup`).
///
/// Not repeatable. Errors: `CHANNELS_TOO_MUCH`, `CHANNELS_ADMIN_LOCATED_TOO_MUCH`, `USER_RESTRICTED`,
/// `CHAT_TITLE_EMPTY`, `CHAT_ABOUT_TOO_LONG`.
pub async fn create_supergroup(
    account: &Account,
    title: &str,
    about: &str,
) -> Result<NewGroup, CallError> {
    limits::title(title)?;
    limits::about(about)?;
    let request = tl::functions::channels::CreateChannel {
        broadcast: false,
        megagroup: true,
        for_import: false,
        forum: false,
        title: title.to_owned(),
        about: about.to_owned(),
        geo_point: None,
        address: None,
        ttl_period: None,
    };
    let chats = note_updates(account.peers(), account.invoke(&request).await?);
    new_group(&chats, Vec::new())
}

/// Renames a group (`messages.editChatTitle`, `channels.editTitle`). Repeatable: `CHAT_NOT_MODIFIED` means that it has
/// this title already.
///
/// Errors: `CHAT_ADMIN_REQUIRED`, `CHAT_WRITE_FORBIDDEN`, `CHAT_TITLE_EMPTY`, `CHAT_NOT_MODIFIED`.
pub async fn edit_title(
    account: &Account,
    group: &GroupPeer,
    title: &str,
) -> Result<(), CallError> {
    limits::title(title)?;
    let updates = match group.basic_id() {
        Some(chat_id) => {
            let request =
                tl::functions::messages::EditChatTitle { chat_id, title: title.to_owned() };
            account.invoke(&request).await?
        }
        None => {
            let request = tl::functions::channels::EditTitle {
                channel: channel(group, "channels.editTitle")?,
                title: title.to_owned(),
            };
            account.invoke(&request).await?
        }
    };
    note_updates(account.peers(), updates);
    Ok(())
}

/// Changes a group's description (`messages.editChatAbout`, for both kinds). Repeatable: `CHAT_ABOUT_NOT_MODIFIED`
/// means that it has this description already.
pub async fn edit_about(
    account: &Account,
    group: &GroupPeer,
    about: &str,
) -> Result<(), CallError> {
    limits::about(about)?;
    let request = tl::functions::messages::EditChatAbout {
        peer: group.input_peer(),
        about: about.to_owned(),
    };
    account.invoke(&request).await.map(|_| ())
}

/// Deletes a group for everybody (`messages.deleteChat`, `channels.deleteChannel`). Only its creator can. Repeatable:
/// a group that is gone answers `CHAT_ID_INVALID`, `CHANNEL_INVALID` or `CHANNEL_PRIVATE`.
///
/// Errors: `CHAT_ADMIN_REQUIRED`, `CHAT_WRITE_FORBIDDEN`, `CHANNEL_TOO_LARGE` (more than 1000 members).
pub async fn delete(account: &Account, group: &GroupPeer) -> Result<(), CallError> {
    match group.basic_id() {
        Some(chat_id) => {
            let request = tl::functions::messages::DeleteChat { chat_id };
            account.invoke(&request).await.map(|_| ())
        }
        None => {
            let channel = channel(group, "channels.deleteChannel")?;
            let request = tl::functions::channels::DeleteChannel { channel };
            note_updates(account.peers(), account.invoke(&request).await?);
            Ok(())
        }
    }
}

/// Leaves a group (`messages.deleteChatUser` of oneself, `channels.leaveChannel`). Repeatable: then it answers
/// `USER_NOT_PARTICIPANT`. A creator can leave a supergroup only where that does not fail with
/// `USER_CREATOR`.
pub async fn leave(account: &Account, group: &GroupPeer) -> Result<(), CallError> {
    let updates = match group.basic_id() {
        Some(chat_id) => {
            let request = tl::functions::messages::DeleteChatUser {
                revoke_history: false,
                chat_id,
                user_id: tl::enums::InputUser::UserSelf,
            };
            account.invoke(&request).await?
        }
        None => {
            let channel = channel(group, "channels.leaveChannel")?;
            account.invoke(&tl::functions::channels::LeaveChannel { channel }).await?
        }
    };
    note_updates(account.peers(), updates);
    Ok(())
}

/// Turns a basic group into a supergroup (`messages.migrateChat`); its creator can. Not repeatable: a second time it
/// answers `CHAT_ID_INVALID`, and [`full`] tells where it went.
pub async fn migrate(account: &Account, group: &GroupPeer) -> Result<NewGroup, CallError> {
    let chat_id = basic(group, "messages.migrateChat")?;
    let request = tl::functions::messages::MigrateChat { chat_id };
    let chats = note_updates(account.peers(), account.invoke(&request).await?);
    let supergroups: Vec<_> =
        chats.into_iter().filter(|chat| matches!(chat, tl::enums::Chat::Channel(_))).collect();
    new_group(&supergroups, Vec::new())
}

/// All there is to know about a group (`messages.getFullChat`, `channels.getFullChannel`).
///
/// Errors: `CHAT_ID_INVALID`, `PEER_ID_INVALID`; `CHANNEL_INVALID`, `CHANNEL_PRIVATE` where the account is no member.
pub async fn full(account: &Account, group: &GroupPeer) -> Result<GroupInfo, CallError> {
    let answer = match group.basic_id() {
        Some(chat_id) => account.invoke(&tl::functions::messages::GetFullChat { chat_id }).await?,
        None => {
            let channel = channel(group, "channels.getFullChannel")?;
            account.invoke(&tl::functions::channels::GetFullChannel { channel }).await?
        }
    };
    let tl::enums::messages::ChatFull::Full(answer) = answer;
    account.peers().note_users(&answer.users);
    account.peers().note_chats(&answer.chats);
    let summary = answer
        .chats
        .iter()
        .filter_map(summary)
        .find(|summary| summary.group.chat_id() == group.chat_id())
        .ok_or_else(|| CallError::Undecodable("the group is not in its own answer".to_owned()))?;
    Ok(info(summary, answer.full_chat))
}

fn info(summary: GroupSummary, full: tl::enums::ChatFull) -> GroupInfo {
    match full {
        tl::enums::ChatFull::Full(full) => {
            let members = basic_participants(&full.participants);
            GroupInfo {
                member_count: members
                    .as_ref()
                    .map_or(summary.member_count, |members| u32::try_from(members.len()).ok()),
                can_view_members: members.is_some(),
                members,
                about: full.about,
                primary_link: full.exported_invite.as_ref().and_then(link),
                migrated_from: None,
                summary,
            }
        }
        tl::enums::ChatFull::ChannelFull(full) => GroupInfo {
            member_count: full
                .participants_count
                .and_then(|count| u32::try_from(count).ok())
                .or(summary.member_count),
            can_view_members: full.can_view_participants,
            members: None,
            about: full.about,
            primary_link: full.exported_invite.as_ref().and_then(link),
            migrated_from: full.migrated_from_chat_id.and_then(|id| ChatId::basic(id).ok()),
            summary,
        },
        tl::enums::ChatFull::CommunityFull(_) => GroupInfo {
            member_count: summary.member_count,
            can_view_members: false,
            members: None,
            about: String::new(),
            primary_link: None,
            migrated_from: None,
            summary,
        },
    }
}

pub(super) fn missing(missing: Vec<tl::enums::MissingInvitee>) -> Vec<Missing> {
    missing
        .into_iter()
        .filter_map(|tl::enums::MissingInvitee::Invitee(missing)| {
            Some(Missing {
                user_id: user_id(missing.user_id)?,
                premium_would_allow: missing.premium_would_allow_invite,
                premium_required_for_pm: missing.premium_required_for_pm,
            })
        })
        .collect()
}

fn new_group(chats: &[tl::enums::Chat], missing: Vec<Missing>) -> Result<NewGroup, CallError> {
    let record = chats
        .iter()
        .find_map(group_record)
        .ok_or_else(|| CallError::Undecodable("no group in the answer".to_owned()))?;
    Ok(NewGroup { group: record.peer, title: record.title, missing })
}
