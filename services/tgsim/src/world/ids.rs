//! Identifiers of the world, each its own type, and their Bot API form.
//!
//! Source of the Bot API form: <https://core.telegram.org/api/bots/ids>.
use grammers_tl_types::{enums, types};
use serde::Serialize;

/// A user or bot. `UserId(0)` stands for "nobody logged in".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct UserId(pub i64);

/// A basic group (`chat` in the API).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct ChatId(pub i64);

/// A supergroup or channel (`channel` in the API).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct ChannelId(pub i64);

/// The 64-bit id of an auth key: names a login for as long as it lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct AuthKeyId(pub i64);

/// Anything that can be written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub enum PeerId {
    /// A user or bot.
    User(UserId),
    /// A basic group.
    Chat(ChatId),
    /// A supergroup or channel.
    Channel(ChannelId),
}

impl UserId {
    /// Before login.
    pub const NOBODY: Self = Self(0);
}

impl ChatId {
    /// `-id`, the Bot API form.
    pub fn bot_api(self) -> i64 {
        -self.0
    }
}

impl ChannelId {
    /// `-100…`, the Bot API form.
    pub fn bot_api(self) -> i64 {
        -1_000_000_000_000 - self.0
    }
}

impl PeerId {
    /// The id in Bot API form, as the journal's effects give it.
    pub fn bot_api(self) -> i64 {
        match self {
            Self::User(id) => id.0,
            Self::Chat(id) => id.bot_api(),
            Self::Channel(id) => id.bot_api(),
        }
    }

    /// The TL form.
    pub fn tl(self) -> enums::Peer {
        match self {
            Self::User(id) => types::PeerUser { user_id: id.0 }.into(),
            Self::Chat(id) => types::PeerChat { chat_id: id.0 }.into(),
            Self::Channel(id) => types::PeerChannel { channel_id: id.0 }.into(),
        }
    }
}

impl From<UserId> for PeerId {
    fn from(id: UserId) -> Self {
        Self::User(id)
    }
}
impl From<ChatId> for PeerId {
    fn from(id: ChatId) -> Self {
        Self::Chat(id)
    }
}
impl From<ChannelId> for PeerId {
    fn from(id: ChannelId) -> Self {
        Self::Channel(id)
    }
}
