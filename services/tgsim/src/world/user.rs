//! One account: person or bot, with its privacy, contacts, blocks and message box.
use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;

use super::{ChannelId, ChatId, MessageBox, PeerId, PrivacyKey, PrivacyRule, UserId};

/// A user, as the server knows it (nobody sees all of this).
#[derive(Debug, Clone)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// Digits only, no `+`; empty for bots and deleted accounts.
    pub phone: String,
    /// First name.
    pub first_name: String,
    /// Last name, may be empty.
    pub last_name: String,
    /// Bio.
    pub about: String,
    /// Current username without `@`, in its owner's spelling.
    pub username: Option<String>,
    /// Set for bots.
    pub bot: Option<Bot>,
    /// Has Telegram Premium.
    pub premium: bool,
    /// The account was deleted: others see an empty name and no phone.
    pub deleted: bool,
    /// Reported for spam: can't create groups (`USER_RESTRICTED`) nor write to strangers (`PEER_FLOOD`).
    pub spam_restricted: bool,
    /// Only contacts and Premium users may write first (`globalPrivacySettings.new_noncontact_peers_require_premium`).
    pub new_chats_require_premium: bool,
    /// 2FA password; `None` where the account has none.
    pub password: Option<Password>,
    /// Who may do what; a key that is absent has Telegram's default (everybody).
    pub privacy: BTreeMap<PrivacyKey, PrivacyRule>,
    /// The address book: people this account saved, with the names it gave them.
    pub contacts: BTreeMap<UserId, Contact>,
    /// Numbers saved that belong to no account yet.
    pub phone_book: BTreeMap<String, Contact>,
    /// Whom this account blocked, and when.
    pub blocked: BTreeMap<PeerId, i32>,
    /// People whose profile this account added with `add_phone_privacy_exception`: they see the phone number.
    pub phone_shared_with: BTreeSet<UserId>,
    /// Private chats and basic groups: one message box for all of them.
    pub mailbox: MessageBox,
    /// Conversations in which this account has something, apart from its channels.
    pub dialogs: BTreeMap<PeerId, Dialog>,
    /// Basic groups it is a member of (redundant with the groups' own lists; kept for common chats).
    pub chats: BTreeSet<ChatId>,
    /// Supergroups and channels it is a member of.
    pub channels: BTreeSet<ChannelId>,
    /// Set by `account.updateStatus`; `None` is "last seen recently".
    pub status: Option<Presence>,
    /// `random_id`s of the newest messages sent, with the id that came of each, against sending twice.
    pub random_ids: IndexMap<(PeerId, i64), i32>,
}

/// What makes a user a bot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bot {
    /// Its owner switched groups off (BotFather's /setjoingroups): it can't be added to one.
    pub nochats: bool,
    /// Privacy mode off: reads every message of its groups.
    pub chat_history: bool,
    /// The token it logs in with.
    pub token: String,
}

/// One entry of an address book.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contact {
    /// The name given by the owner of the book.
    pub first_name: String,
    /// Ditto.
    pub last_name: String,
    /// The number it was saved under; may be empty.
    pub phone: String,
}

/// The verifier of a 2FA password (SRP): never the password itself.
#[derive(Clone)]
pub struct Password {
    /// Client's salt of the KDF.
    pub salt1: Vec<u8>,
    /// Server's salt of the KDF.
    pub salt2: Vec<u8>,
    /// Generator.
    pub g: i32,
    /// `g^x mod p`, 256 bytes.
    pub verifier: Vec<u8>,
    /// The hint shown with the question.
    pub hint: Option<String>,
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(…)")
    }
}

/// One conversation of the private box.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dialog {
    /// The newest message that exists; 0 for none.
    pub top_message: i32,
    /// Incoming messages up to here are read.
    pub read_inbox_max_id: i32,
    /// Outgoing messages up to here were read by somebody.
    pub read_outbox_max_id: i32,
    /// Pinned to the top.
    pub pinned: bool,
    /// Marked unread by hand.
    pub unread_mark: bool,
}

/// What `account.updateStatus` said last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Online until then.
    Online(i32),
    /// Offline since then.
    Offline(i32),
}
