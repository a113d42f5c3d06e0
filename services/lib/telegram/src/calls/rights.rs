//! Who may do what in a group: the account's own standing, admins' rights, and what ordinary members may do.

use grammers_tl_types as tl;
use serde::{Deserialize, Serialize};

/// What this account is in a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It made the group.
    Creator,
    /// It is an admin, with these rights.
    Admin(AdminRights),
    /// It is a member.
    Member,
    /// It is not in the group: it left, was never in, or the group is closed.
    Outside,
    /// It was thrown out, or the group was deleted.
    Forbidden,
}

/// What an admin may do. In basic groups Telegram knows only "admin or not": there all of these come together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdminRights {
    /// Change title, photo, description.
    pub change_info: bool,
    /// Delete others' messages.
    pub delete_messages: bool,
    /// Restrict and remove members.
    pub ban_users: bool,
    /// Add people, make invite links, approve join requests.
    pub invite_users: bool,
    /// Pin messages.
    pub pin_messages: bool,
    /// Make others admins.
    pub add_admins: bool,
    /// Act in the group's name.
    pub anonymous: bool,
    /// Start and run voice chats.
    pub manage_call: bool,
    /// Make, rename, close topics of a forum.
    pub manage_topics: bool,
}

impl AdminRights {
    /// None at all: takes the admin title away.
    pub const NONE: Self = Self {
        change_info: false,
        delete_messages: false,
        ban_users: false,
        invite_users: false,
        pin_messages: false,
        add_admins: false,
        anonymous: false,
        manage_call: false,
        manage_topics: false,
    };

    /// What Telegram's own apps tick for a new admin: all but making admins and acting anonymously.
    pub const USUAL: Self = Self {
        change_info: true,
        delete_messages: true,
        ban_users: true,
        invite_users: true,
        pin_messages: true,
        add_admins: false,
        anonymous: false,
        manage_call: true,
        manage_topics: true,
    };

    pub(super) fn to_telegram(self) -> tl::enums::ChatAdminRights {
        tl::types::ChatAdminRights {
            change_info: self.change_info,
            post_messages: false,
            edit_messages: false,
            delete_messages: self.delete_messages,
            ban_users: self.ban_users,
            invite_users: self.invite_users,
            pin_messages: self.pin_messages,
            add_admins: self.add_admins,
            anonymous: self.anonymous,
            manage_call: self.manage_call,
            other: false,
            manage_topics: self.manage_topics,
            post_stories: false,
            edit_stories: false,
            delete_stories: false,
            manage_direct_messages: false,
            manage_ranks: false,
            manage_linked_peers: false,
            manage_welcome_messages: false,
        }
        .into()
    }

    pub(super) fn from_telegram(rights: &tl::enums::ChatAdminRights) -> Self {
        let tl::enums::ChatAdminRights::Rights(rights) = rights;
        Self {
            change_info: rights.change_info,
            delete_messages: rights.delete_messages,
            ban_users: rights.ban_users,
            invite_users: rights.invite_users,
            pin_messages: rights.pin_messages,
            add_admins: rights.add_admins,
            anonymous: rights.anonymous,
            manage_call: rights.manage_call,
            manage_topics: rights.manage_topics,
        }
    }
}

/// What ordinary members may do, by the group's default rights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberRights {
    /// Add people.
    pub invite_users: bool,
    /// Change title, photo, description.
    pub change_info: bool,
    /// Pin messages.
    pub pin_messages: bool,
}

pub(super) fn basic_standing(chat: &tl::types::Chat) -> Standing {
    if chat.left || chat.deactivated {
        Standing::Outside
    } else if chat.creator {
        Standing::Creator
    } else {
        admin_or_member(chat.admin_rights.as_ref())
    }
}

pub(super) fn channel_standing(channel: &tl::types::Channel) -> Standing {
    if channel.left {
        Standing::Outside
    } else if channel.creator {
        Standing::Creator
    } else {
        admin_or_member(channel.admin_rights.as_ref())
    }
}

fn admin_or_member(rights: Option<&tl::enums::ChatAdminRights>) -> Standing {
    rights.map_or(Standing::Member, |rights| Standing::Admin(AdminRights::from_telegram(rights)))
}

pub(super) fn member_rights(banned: Option<&tl::enums::ChatBannedRights>) -> MemberRights {
    match banned {
        None => MemberRights { invite_users: true, change_info: true, pin_messages: true },
        Some(tl::enums::ChatBannedRights::Rights(banned)) => MemberRights {
            invite_users: !banned.invite_users,
            change_info: !banned.change_info,
            pin_messages: !banned.pin_messages,
        },
    }
}
