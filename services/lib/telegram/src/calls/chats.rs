//! Groups as they appear in lists: dialogs, common groups, and looking groups up by number.

use grammers_tl_types as tl;
use proto::UserId;
use serde::{Deserialize, Serialize};

use super::messages::{MessageBrief, brief};
pub use super::rights::{AdminRights, MemberRights, Standing};
use super::rights::{basic_standing, channel_standing, member_rights};
use super::{chats_of, seconds, utc};
use crate::account::Account;
use crate::error::CallError;
use crate::limits;
use crate::peer::{GroupKind, GroupPeer, UserPeer};
use crate::peers::{group_record, user_peer};

/// A group as Telegram shows it to one account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupSummary {
    /// How to name it.
    pub group: GroupPeer,
    /// Its kind.
    pub kind: GroupKind,
    /// Its title.
    pub title: String,
    /// Its public username, if it has one.
    pub username: Option<String>,
    /// Number of members, where Telegram tells.
    pub member_count: Option<u32>,
    /// What this account is in it.
    pub standing: Standing,
    /// What ordinary members may do.
    pub members_may: MemberRights,
    /// For a basic group that became a supergroup: that supergroup. The basic group itself is then dead.
    pub migrated_to: Option<GroupPeer>,
}

impl GroupSummary {
    /// True where this account is in the group and the group is alive.
    pub fn is_member(&self) -> bool {
        self.migrated_to.is_none()
            && matches!(self.standing, Standing::Creator | Standing::Admin(_) | Standing::Member)
    }

    /// This account may remove members (others than admins).
    pub fn can_remove(&self) -> bool {
        self.admin(|rights| rights.ban_users)
    }

    /// This account may add people.
    pub fn can_invite(&self) -> bool {
        self.admin(|rights| rights.invite_users)
            || (self.is_member() && self.members_may.invite_users)
    }

    /// This account may rename the group.
    pub fn can_change_info(&self) -> bool {
        self.admin(|rights| rights.change_info)
            || (self.is_member() && self.members_may.change_info)
    }

    /// This account may make invite links: only admins can.
    pub fn can_make_links(&self) -> bool {
        self.admin(|rights| rights.invite_users)
    }

    /// This account may delete the group.
    pub fn can_delete(&self) -> bool {
        self.is_member() && self.standing == Standing::Creator
    }

    fn admin(&self, allowed: impl Fn(&AdminRights) -> bool) -> bool {
        self.is_member()
            && match &self.standing {
                Standing::Creator => true,
                Standing::Admin(rights) => allowed(rights),
                _ => false,
            }
    }
}

/// One page of dialogs, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dialogs {
    /// The groups (and channels) among them.
    pub groups: Vec<GroupSummary>,
    /// The people and bots among them, and who else is mentioned.
    pub users: Vec<UserPeer>,
    /// The newest message of each dialog.
    pub newest: Vec<MessageBrief>,
    /// Where the next page begins; `None` after the last one.
    pub next: Option<DialogCursor>,
}

/// Where a page of dialogs begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DialogCursor {
    date_s: i32,
    message_id: i32,
    peer: CursorPeer,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum CursorPeer {
    Group(GroupPeer),
    User { id: UserId, access_hash: i64 },
}

/// Where a dialog is kept (peer folders, <https://core.telegram.org/api/folders#peer-folders>).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Folder {
    /// The list that one sees.
    Main,
    /// The archive.
    Archive,
}

/// The account's dialogs, newest first, at most 100 a page (`messages.getDialogs`). Archived ones are not among them.
pub async fn dialogs(
    account: &Account,
    limit: u32,
    after: Option<&DialogCursor>,
) -> Result<Dialogs, CallError> {
    dialogs_in(account, Folder::Main, limit, after).await
}

/// The same of one folder.
pub async fn dialogs_in(
    account: &Account,
    folder: Folder,
    limit: u32,
    after: Option<&DialogCursor>,
) -> Result<Dialogs, CallError> {
    let limit = limit.clamp(1, 100);
    let request = tl::functions::messages::GetDialogs {
        exclude_pinned: after.is_some(),
        folder_id: match folder {
            Folder::Main => None,
            Folder::Archive => Some(1),
        },
        offset_date: after.map_or(0, |cursor| cursor.date_s),
        offset_id: after.map_or(0, |cursor| cursor.message_id),
        offset_peer: after.map_or(tl::enums::InputPeer::Empty, |cursor| cursor.peer.input_peer()),
        limit: i32::try_from(limit).unwrap_or(100),
        hash: 0,
    };
    let (dialogs, messages, chats, users, more) = match account.invoke(&request).await? {
        tl::enums::messages::Dialogs::Dialogs(all) => {
            (all.dialogs, all.messages, all.chats, all.users, false)
        }
        tl::enums::messages::Dialogs::Slice(slice) => {
            let more = slice.dialogs.len() >= limit as usize;
            (slice.dialogs, slice.messages, slice.chats, slice.users, more)
        }
        tl::enums::messages::Dialogs::NotModified(_) => return Err(unasked_not_modified()),
    };
    account.peers().note_chats(&chats);
    let known = account.peers().note_users(&users);
    let newest: Vec<MessageBrief> = messages.iter().filter_map(brief).collect();
    let next = if more { cursor(&dialogs, &newest, &chats, &users) } else { None };
    Ok(Dialogs { groups: chats.iter().filter_map(summary).collect(), users: known, newest, next })
}

/// The groups that this account and a user are both in (`messages.getCommonChats`): those whose number, in Bot API
/// form without its prefix, is below that of the last page's last one (`max_id`; 0 for the first page). Ask until a
/// page is empty.
///
/// Errors: `USER_ID_INVALID`, `MSG_ID_INVALID`.
pub async fn common(
    account: &Account,
    user: &UserPeer,
    max_id: i64,
    limit: u32,
) -> Result<Vec<GroupSummary>, CallError> {
    let request = tl::functions::messages::GetCommonChats {
        user_id: user.input_user(),
        max_id,
        limit: i32::try_from(limit.clamp(1, 100)).unwrap_or(100),
    };
    let chats = chats_of(account.invoke(&request).await?);
    account.peers().note_chats(&chats);
    Ok(chats.iter().filter_map(summary).collect())
}

/// Looks basic groups up (`messages.getChats`). Those that don't exist for this account make the whole request fail
/// with `CHAT_ID_INVALID`; supergroups among the numbers are ignored by Telegram.
pub async fn get_basic(
    account: &Account,
    groups: &[GroupPeer],
) -> Result<Vec<GroupSummary>, CallError> {
    limits::count("chats", groups.len(), 1, limits::PAGE_MAX as usize)?;
    let ids: Result<Vec<i64>, CallError> =
        groups.iter().map(|group| super::basic(group, "messages.getChats")).collect();
    let chats = chats_of(account.invoke(&tl::functions::messages::GetChats { id: ids? }).await?);
    account.peers().note_chats(&chats);
    Ok(chats.iter().filter_map(summary).collect())
}

/// Looks supergroups up (`channels.getChannels`).
///
/// Errors: `CHANNEL_INVALID`, `CHANNEL_PRIVATE`.
pub async fn get_supergroups(
    account: &Account,
    groups: &[GroupPeer],
) -> Result<Vec<GroupSummary>, CallError> {
    limits::count("chats", groups.len(), 1, limits::PAGE_MAX as usize)?;
    let ids: Result<Vec<_>, CallError> =
        groups.iter().map(|group| super::channel(group, "channels.getChannels")).collect();
    let chats = chats_of(account.invoke(&tl::functions::channels::GetChannels { id: ids? }).await?);
    account.peers().note_chats(&chats);
    Ok(chats.iter().filter_map(summary).collect())
}

/// Looks one group up, of either kind; `None` where Telegram shows nothing of it.
///
/// Errors: those of [`get_basic`] and [`get_supergroups`].
pub async fn get(account: &Account, group: &GroupPeer) -> Result<Option<GroupSummary>, CallError> {
    let one = std::slice::from_ref(group);
    let found = if group.is_basic() {
        get_basic(account, one).await?
    } else {
        get_supergroups(account, one).await?
    };
    Ok(found.into_iter().find(|found| found.group.chat_id() == group.chat_id()))
}

/// Telegram says "not modified" only to those who name what they have, which nobody here does.
pub(super) fn unasked_not_modified() -> CallError {
    CallError::Undecodable("\"not modified\" to a request that named no version".to_owned())
}

pub(super) fn summary(chat: &tl::enums::Chat) -> Option<GroupSummary> {
    let record = group_record(chat)?;
    let (standing, members_may, member_count, username) = match chat {
        tl::enums::Chat::Chat(chat) => (
            basic_standing(chat),
            member_rights(chat.default_banned_rights.as_ref()),
            u32::try_from(chat.participants_count).ok(),
            None,
        ),
        tl::enums::Chat::Channel(channel) => (
            channel_standing(channel),
            member_rights(channel.default_banned_rights.as_ref()),
            channel.participants_count.and_then(|count| u32::try_from(count).ok()),
            channel.username.clone(),
        ),
        _ => (Standing::Forbidden, MemberRights::default(), None, None),
    };
    Some(GroupSummary {
        group: record.peer,
        kind: record.kind,
        title: record.title,
        username,
        member_count,
        standing,
        members_may,
        migrated_to: record.migrated_to,
    })
}

/// The cursor after the last dialog of a page whose newest message and access hash are in the same answer.
fn cursor(
    dialogs: &[tl::enums::Dialog],
    newest: &[MessageBrief],
    chats: &[tl::enums::Chat],
    users: &[tl::enums::User],
) -> Option<DialogCursor> {
    dialogs.iter().rev().find_map(|dialog| {
        let tl::enums::Dialog::Dialog(dialog) = dialog else { return None };
        let peer = match &dialog.peer {
            tl::enums::Peer::User(peer) => users
                .iter()
                .filter_map(user_peer)
                .find(|user| user.id.get() == peer.user_id)
                .map(|user| CursorPeer::User { id: user.id, access_hash: user.access_hash }),
            tl::enums::Peer::Chat(peer) => {
                GroupPeer::basic_by_id(peer.chat_id).map(CursorPeer::Group)
            }
            tl::enums::Peer::Channel(peer) => chats
                .iter()
                .filter_map(group_record)
                .map(|record| record.peer)
                .find(|group| !group.is_basic() && group.chat_id().bare_id() == peer.channel_id)
                .map(CursorPeer::Group),
        }?;
        let message = newest
            .iter()
            .find(|message| message.id == dialog.top_message && message.is_in(&dialog.peer))?;
        Some(DialogCursor { date_s: seconds(message.at), message_id: message.id, peer })
    })
}

impl CursorPeer {
    fn input_peer(&self) -> tl::enums::InputPeer {
        match *self {
            Self::Group(group) => group.input_peer(),
            Self::User { id, access_hash } => {
                tl::types::InputPeerUser { user_id: id.get(), access_hash }.into()
            }
        }
    }
}

impl DialogCursor {
    /// When the last message before it was sent.
    pub fn at(&self) -> chrono::DateTime<chrono::Utc> {
        utc(self.date_s)
    }
}
