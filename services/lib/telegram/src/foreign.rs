//! Logins that other programs made: the session strings of Telethon and Pyrogram, which people have where they come
//! from elsewhere.
//!
//! What such a string says of addresses is not used. An address from outside is not dialled: the data centre's number
//! is looked up among those that we know.

mod accept;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::account::Telegram;
use crate::secret::SessionString;
use crate::session::{AuthKey, SessionRecord, UpdateMark};

const KEY_BYTES: usize = 256;
/// More than the longest form decodes to.
const BYTES_MAX: usize = 288;
/// What a Telethon string begins with: the version of its form.
const TELETHON_VERSION: u8 = b'1';

/// A login that another program made and may go on using.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignSession {
    dc: i32,
    /// The application by which it was made, where that is told.
    api_id: Option<i32>,
    key: AuthKey,
}

/// Why a text is no session that can be used. Quotes nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ForeignError {
    /// It has characters that no session string has, or ends in the middle.
    #[error("not a session string: it is not base64url")]
    NotBase64,
    /// No form has so many characters.
    #[error("not a session string of Telethon or Pyrogram: none of them has {0} characters")]
    Length(usize),
    /// It is as long as one of Telethon, but of another version of its form.
    #[error("not a session string of a known version of Telethon")]
    Version,
    /// The account is a bot, which can't open groups.
    #[error("this is a bot's session; only a person's account can be connected")]
    Bot,
    /// It belongs to a data centre that we have no address of.
    #[error("the session belongs to data centre {0}, which is not known here")]
    DataCentre(i32),
}

/// Where in the decoded bytes things stand. Every form has another length.
struct Form {
    /// Characters without padding; Telethon's with its version before them.
    chars: usize,
    is_telethon: bool,
    key_at: usize,
    /// Where the application's number begins (32 bits, the highest first).
    api_id_at: Option<usize>,
    /// Where it is said whether the account is a bot.
    bot_at: Option<usize>,
}

const FORMS: [Form; 5] = [
    // Telethon: data centre, IPv4 address, port, key.
    Form { chars: 352, is_telethon: true, key_at: 7, api_id_at: None, bot_at: None },
    // The same with an IPv6 address.
    Form { chars: 368, is_telethon: true, key_at: 19, api_id_at: None, bot_at: None },
    // Pyrogram before it knew users' numbers of 64 bits: data centre, test mode, key, user (32 bits), bot.
    Form { chars: 351, is_telethon: false, key_at: 2, api_id_at: None, bot_at: Some(262) },
    // Pyrogram 1: the same, user of 64 bits.
    Form { chars: 356, is_telethon: false, key_at: 2, api_id_at: None, bot_at: Some(266) },
    // Pyrogram 2: data centre, api_id, test mode, key, user (64 bits), bot.
    Form { chars: 362, is_telethon: false, key_at: 6, api_id_at: Some(1), bot_at: Some(270) },
];

impl ForeignSession {
    /// Reads a session string. Its work is bounded, whatever the text.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn read(text: &SessionString) -> Result<Self, ForeignError> {
        // Some copy it without the padding that Telethon writes.
        let text = text.expose().trim().trim_end_matches('=').as_bytes();
        let form = FORMS.iter().find(|form| form.chars == text.len());
        let form = form.ok_or(ForeignError::Length(text.len()))?;
        let coded = match text.split_first() {
            Some((&TELETHON_VERSION, coded)) if form.is_telethon => coded,
            _ if form.is_telethon => return Err(ForeignError::Version),
            _ => text,
        };
        let mut bytes = Zeroizing::new([0_u8; BYTES_MAX]);
        let decoded = BASE64_URL_SAFE_NO_PAD.decode_slice(coded, bytes.as_mut_slice());
        let bytes = decoded.ok().and_then(|length| bytes.get(..length));
        let bytes = bytes.ok_or(ForeignError::NotBase64)?;
        let key = bytes.get(form.key_at..).and_then(|rest| rest.first_chunk::<KEY_BYTES>());
        let (Some(dc), Some(key)) = (bytes.first(), key) else {
            return Err(ForeignError::NotBase64);
        };
        if form.bot_at.is_some_and(|at| bytes.get(at).is_some_and(|bot| *bot != 0)) {
            return Err(ForeignError::Bot);
        }
        let api_id = form.api_id_at.and_then(|at| bytes.get(at..)?.first_chunk::<4>());
        // One that is none is not believed; the rest may be right all the same.
        let api_id = api_id.map(|id| i32::from_be_bytes(*id)).filter(|id| *id > 0);
        Ok(Self { dc: i32::from(*dc), key: AuthKey::new(*key), api_id })
    }

    /// The session that an account is opened with where the key itself is taken over. Nobody is logged in by it before
    /// [`crate::Login::adopt`] has shown that somebody is.
    ///
    /// # Errors
    /// [`ForeignError::DataCentre`].
    pub fn take_over(&self, telegram: &Telegram) -> Result<SessionRecord, ForeignError> {
        self.among(SessionRecord::fresh(telegram.shared().config.server.as_ref()))
    }

    /// A session with this key alone, at an address that `known` has.
    fn among(&self, known: SessionRecord) -> Result<SessionRecord, ForeignError> {
        let mut record = SessionRecord {
            home_dc: self.dc,
            user: None,
            api_id: self.api_id,
            mark: UpdateMark::default(),
            channel_pts: Vec::new(),
            ..known
        };
        for dc in &mut record.dcs {
            dc.auth_key = (dc.id == self.dc).then(|| self.key.clone());
        }
        let is_known = record.dcs.iter().any(|dc| dc.id == self.dc);
        if is_known { Ok(record) } else { Err(ForeignError::DataCentre(self.dc)) }
    }
}

#[cfg(test)]
mod tests;
