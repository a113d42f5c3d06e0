//! Basic groups and supergroups.
//!
//! A basic group has no messages of its own: each member has a copy in their message box. A supergroup (and a
//! broadcast channel) has one history, one `pts`, and needs an access hash. The difference is Telegram's:
//! <https://core.telegram.org/api/channel>.
use std::collections::BTreeSet;

use grammers_tl_types::types;
use indexmap::IndexMap;

use super::{Banned, ChannelId, ChatId, Links, Member, MessageBox, UserId};

/// A basic group.
#[derive(Debug, Clone)]
pub struct BasicGroup {
    /// Its id.
    pub id: ChatId,
    /// Title.
    pub title: String,
    /// Description.
    pub about: String,
    /// Made at.
    pub date: i32,
    /// Counts every change of members and rights.
    pub version: i32,
    /// In the order they came.
    pub members: IndexMap<UserId, Member>,
    /// People who left by themselves: only a mutual contact can bring them back.
    pub left: BTreeSet<UserId>,
    /// People whom an admin removed.
    pub kicked: BTreeSet<UserId>,
    /// What plain members may not do.
    pub default_banned_rights: types::ChatBannedRights,
    /// Links and requests.
    pub links: Links,
    /// The supergroup it became; it is `deactivated` then.
    pub migrated_to: Option<ChannelId>,
    /// Deleted by its creator.
    pub deleted: bool,
    /// Seconds after which messages vanish.
    pub ttl_period: Option<i32>,
}

/// A supergroup or broadcast channel.
#[derive(Debug, Clone)]
pub struct Channel {
    /// Its id.
    pub id: ChannelId,
    /// Title.
    pub title: String,
    /// Description.
    pub about: String,
    /// Public name.
    pub username: Option<String>,
    /// Made at.
    pub date: i32,
    /// Only admins write; not a group.
    pub broadcast: bool,
    /// In the order they came.
    pub members: IndexMap<UserId, Member>,
    /// Banned people, and restricted ones who left.
    pub banned: IndexMap<UserId, Banned>,
    /// People who left by themselves: only a mutual contact can bring them back.
    pub left: BTreeSet<UserId>,
    /// What plain members may not do.
    pub default_banned_rights: types::ChatBannedRights,
    /// Links and requests.
    pub links: Links,
    /// The one history, with the channel's `pts`.
    pub history: MessageBox,
    /// The basic group it was, and that group's last message id for its creator.
    pub migrated_from: Option<(ChatId, i32)>,
    /// Deleted by its creator.
    pub deleted: bool,
    /// New members don't see older messages.
    pub hidden_prehistory: bool,
    /// Only admins see who is a member.
    pub participants_hidden: bool,
    /// Seconds between two messages of a plain member; 0 is off.
    pub slowmode_s: i32,
    /// Messages are signed.
    pub signatures: bool,
    /// One must join before writing.
    pub join_to_send: bool,
    /// Joining a public group needs approval.
    pub join_request: bool,
    /// Topics are on.
    pub forum: bool,
    /// Content is protected.
    pub noforwards: bool,
    /// Seconds after which messages vanish.
    pub ttl_period: Option<i32>,
}

impl BasicGroup {
    /// Nobody can do anything in it any more.
    pub fn is_gone(&self) -> bool {
        self.deleted || self.migrated_to.is_some()
    }

    /// Its creator, unless they left.
    pub fn creator(&self) -> Option<UserId> {
        self.members.values().find(|m| m.is_creator()).map(|m| m.user)
    }
}

impl Channel {
    /// Its creator, unless they left.
    pub fn creator(&self) -> Option<UserId> {
        self.members.values().find(|m| m.is_creator()).map(|m| m.user)
    }

    /// Whether `user` is banned at `now` (and not only restricted).
    pub fn bans(&self, user: UserId, now: i32) -> bool {
        self.banned.get(&user).is_some_and(|b| {
            b.rights.view_messages && (b.rights.until_date == 0 || b.rights.until_date > now)
        })
    }
}
