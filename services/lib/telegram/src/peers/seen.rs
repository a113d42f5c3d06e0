//! Users and groups as Telegram shows them in its answers, in our words.

use grammers_tl_types as tl;

use super::GroupRecord;
use crate::peer::{GroupKind, GroupPeer, UserPeer, user_id};

/// A user as Telegram shows it. `None` for an empty one, and for a `min` one, whose access hash is not valid for calls.
pub(crate) fn user_peer(user: &tl::enums::User) -> Option<UserPeer> {
    let tl::enums::User::User(user) = user else { return None };
    if user.min {
        return None;
    }
    let access_hash = user.access_hash.or(user.is_self.then_some(0))?;
    Some(UserPeer {
        id: user_id(user.id)?,
        access_hash,
        username: main_username(user),
        first_name: user.first_name.clone().unwrap_or_default(),
        bot: user.bot,
        bot_blocks_groups: user.bot_nochats,
        contact: user.contact,
        is_self: user.is_self,
        deleted: user.deleted,
    })
}

fn main_username(user: &tl::types::User) -> Option<String> {
    user.username.clone().or_else(|| {
        let active = |name: &tl::enums::Username| match name {
            tl::enums::Username::Username(name) => name.active.then(|| name.username.clone()),
        };
        user.usernames.as_deref().unwrap_or_default().iter().find_map(active)
    })
}

/// A group as Telegram shows it. `None` for an empty one and a `min` one.
pub(crate) fn group_record(chat: &tl::enums::Chat) -> Option<GroupRecord> {
    match chat {
        tl::enums::Chat::Chat(chat) => Some(GroupRecord {
            peer: GroupPeer::basic_by_id(chat.id)?,
            kind: GroupKind::Basic,
            title: chat.title.clone(),
            migrated_to: chat.migrated_to.as_ref().and_then(supergroup_peer),
        }),
        tl::enums::Chat::Forbidden(chat) => Some(GroupRecord {
            peer: GroupPeer::basic_by_id(chat.id)?,
            kind: GroupKind::Basic,
            title: chat.title.clone(),
            migrated_to: None,
        }),
        tl::enums::Chat::Channel(channel) if !channel.min => Some(GroupRecord {
            peer: GroupPeer::supergroup_by_id(channel.id, channel.access_hash?)?,
            kind: if channel.broadcast { GroupKind::Channel } else { GroupKind::Supergroup },
            title: channel.title.clone(),
            migrated_to: None,
        }),
        tl::enums::Chat::ChannelForbidden(channel) => Some(GroupRecord {
            peer: GroupPeer::supergroup_by_id(channel.id, channel.access_hash)?,
            kind: if channel.broadcast { GroupKind::Channel } else { GroupKind::Supergroup },
            title: channel.title.clone(),
            migrated_to: None,
        }),
        _ => None,
    }
}

/// The supergroup that an `InputChannel` in an answer names (`chat.migrated_to`).
pub(crate) fn supergroup_peer(channel: &tl::enums::InputChannel) -> Option<GroupPeer> {
    match channel {
        tl::enums::InputChannel::Channel(channel) => {
            GroupPeer::supergroup_by_id(channel.channel_id, channel.access_hash)
        }
        _ => None,
    }
}
