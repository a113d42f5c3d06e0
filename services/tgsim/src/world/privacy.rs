//! Privacy settings: who may invite, see the number, find by number.
//!
//! Source: <https://core.telegram.org/api/privacy>.
use std::collections::BTreeSet;

use serde::Deserialize;

use super::UserId;

/// The settings that can be made; those nothing depends on are only kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names are Telegram's inputPrivacyKey… constructors")]
pub enum PrivacyKey {
    StatusTimestamp,
    ChatInvite,
    PhoneCall,
    PhoneP2P,
    Forwards,
    ProfilePhoto,
    PhoneNumber,
    AddedByPhone,
    VoiceMessages,
    About,
    Birthday,
    StarGiftsAutoSave,
    NoPaidMessages,
    SavedMusic,
}

/// The base of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Audience {
    /// Anybody.
    #[default]
    Everybody,
    /// People in the owner's address book.
    Contacts,
    /// Nobody but the exceptions.
    Nobody,
}

/// One setting with its exceptions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PrivacyRule {
    /// Who, apart from the exceptions.
    pub audience: Audience,
    /// Always allowed.
    pub allow: BTreeSet<UserId>,
    /// Never allowed.
    pub disallow: BTreeSet<UserId>,
    /// Premium users are allowed (only with `Contacts` or `Nobody`).
    pub allow_premium: bool,
    /// Bots are allowed (`Some(true)`) or not (`Some(false)`).
    pub bots: Option<bool>,
}

impl From<Audience> for PrivacyRule {
    fn from(audience: Audience) -> Self {
        Self { audience, ..Self::default() }
    }
}

/// What the rule has to know of the one who asks.
#[derive(Debug, Clone, Copy)]
pub struct Asker {
    /// Who.
    pub id: UserId,
    /// In the owner's address book.
    pub contact: bool,
    /// Has Premium.
    pub premium: bool,
    /// Is a bot.
    pub bot: bool,
}

impl PrivacyRule {
    /// Whether `asker` is allowed. Exceptions by name are stronger than those by kind.
    pub fn allows(&self, asker: Asker) -> bool {
        if self.disallow.contains(&asker.id) {
            return false;
        }
        if self.allow.contains(&asker.id) {
            return true;
        }
        if asker.bot
            && let Some(allowed) = self.bots
        {
            return allowed;
        }
        if self.allow_premium && asker.premium {
            return true;
        }
        match self.audience {
            Audience::Everybody => true,
            Audience::Contacts => asker.contact,
            Audience::Nobody => false,
        }
    }
}
