//! Whom a call is about: people, bots and groups, with the access hashes that make Telegram accept them.
//!
//! An access hash is valid for one account only and is learnt from Telegram's answers; see [`crate::peers`].

use grammers_tl_types as tl;
use proto::{ChatId, ChatKind, UserId};
use serde::{Deserialize, Serialize};

/// A person or bot that this account can name to Telegram.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserPeer {
    /// Telegram's number of the user.
    pub id: UserId,
    /// This account's access hash of them.
    pub access_hash: i64,
    /// Their main username, without `@`.
    pub username: Option<String>,
    /// Their first name; empty for deleted accounts.
    pub first_name: String,
    /// A bot.
    pub bot: bool,
    /// A bot that can't be added to groups (`bot_nochats`).
    pub bot_blocks_groups: bool,
    /// In the account's address book.
    pub contact: bool,
    /// The account itself.
    pub is_self: bool,
    /// A deleted account.
    pub deleted: bool,
}

/// A group that this account can name to Telegram. Whether it is a basic group or a supergroup shows in its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct GroupPeer {
    chat_id: ChatId,
    access_hash: i64,
}

/// What kind of chat it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupKind {
    /// A basic group: up to 200 members, no access hash, one list of admins without rights.
    Basic,
    /// A supergroup.
    Supergroup,
    /// A broadcast channel, which is no group: kept apart so that nobody treats it as one.
    Channel,
}

impl GroupPeer {
    /// A basic group, which needs no access hash. `None` if the number is a supergroup's.
    pub fn basic(chat_id: ChatId) -> Option<Self> {
        (chat_id.kind() == ChatKind::Basic).then_some(Self { chat_id, access_hash: 0 })
    }

    /// A supergroup (or broadcast channel) with this account's access hash. `None` if the number is a basic group's.
    pub fn supergroup(chat_id: ChatId, access_hash: i64) -> Option<Self> {
        (chat_id.kind() == ChatKind::Supergroup).then_some(Self { chat_id, access_hash })
    }

    /// The id that callers see: `-…` for a basic group, `-100…` for a supergroup.
    pub fn chat_id(&self) -> ChatId {
        self.chat_id
    }

    /// True for a basic group.
    pub fn is_basic(&self) -> bool {
        self.chat_id.kind() == ChatKind::Basic
    }

    /// By Telegram's own number, which is positive for both kinds.
    pub(crate) fn basic_by_id(id: i64) -> Option<Self> {
        ChatId::basic(id).ok().map(|chat_id| Self { chat_id, access_hash: 0 })
    }

    pub(crate) fn supergroup_by_id(id: i64, access_hash: i64) -> Option<Self> {
        ChatId::supergroup(id).ok().map(|chat_id| Self { chat_id, access_hash })
    }

    pub(crate) fn input_peer(&self) -> tl::enums::InputPeer {
        let id = self.chat_id.bare_id();
        match self.chat_id.kind() {
            ChatKind::Basic => tl::types::InputPeerChat { chat_id: id }.into(),
            ChatKind::Supergroup => {
                let access_hash = self.access_hash;
                tl::types::InputPeerChannel { channel_id: id, access_hash }.into()
            }
        }
    }

    /// Telegram's own number of a basic group; `None` for a supergroup.
    pub(crate) fn basic_id(&self) -> Option<i64> {
        self.is_basic().then(|| self.chat_id.bare_id())
    }

    pub(crate) fn input_channel(&self) -> Option<tl::enums::InputChannel> {
        if self.is_basic() {
            return None;
        }
        let channel_id = self.chat_id.bare_id();
        Some(tl::types::InputChannel { channel_id, access_hash: self.access_hash }.into())
    }
}

impl UserPeer {
    pub(crate) fn input_user(&self) -> tl::enums::InputUser {
        if self.is_self {
            return tl::enums::InputUser::UserSelf;
        }
        tl::types::InputUser { user_id: self.id.get(), access_hash: self.access_hash }.into()
    }

    pub(crate) fn input_peer(&self) -> tl::enums::InputPeer {
        if self.is_self {
            return tl::enums::InputPeer::PeerSelf;
        }
        tl::types::InputPeerUser { user_id: self.id.get(), access_hash: self.access_hash }.into()
    }
}

/// A user's number as Telegram sends it; `None` where it is none.
pub(crate) fn user_id(id: i64) -> Option<UserId> {
    UserId::try_from(id).ok()
}
