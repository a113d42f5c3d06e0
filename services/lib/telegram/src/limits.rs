//! Telegram's limits on texts and counts, checked before anything is sent.
//!
//! Beyond politeness: a request of more than a megabyte makes the protocol library panic, so nothing unbounded may
//! reach it. Lengths are in characters (Unicode scalar values), as Telegram counts them. Sources: the Bot API manual
//! (`setChatTitle`, `setChatDescription`, `createChatInviteLink`, `sendMessage`), core.telegram.org/method pages, and
//! the `config` object of the API (`chat_size_max`).

use chrono::{DateTime, Utc};
use thiserror::Error;

/// A group's title: 1 to 128 characters.
pub const TITLE_MAX: usize = 128;
/// A group's description: up to 255 characters.
pub const ABOUT_MAX: usize = 255;
/// An invite link's title, which only admins see: up to 32 characters.
pub const LINK_TITLE_MAX: usize = 32;
/// Joins that a link can be limited to.
pub const LINK_USES_MAX: u32 = 99_999;
/// Members that a basic group can have, its creator included.
pub const BASIC_GROUP_MAX: usize = 200;
/// People in one `channels.inviteToChannel`.
pub const INVITE_MAX: usize = 200;
/// People in one page of `channels.getParticipants`, groups in one of `messages.getCommonChats`, and so on.
pub const PAGE_MAX: u32 = 200;
/// An admin's custom title: up to 16 characters.
pub const RANK_MAX: usize = 16;
/// A username: up to 32 characters.
pub const USERNAME_MAX: usize = 32;
/// The part of an invite link after `t.me/+`: far longer than any real one.
pub const INVITE_HASH_MAX: usize = 64;
/// A contact's first or last name: up to 64 characters.
pub const CONTACT_NAME_MAX: usize = 64;

/// An argument past one of Telegram's limits.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{what} {problem}")]
pub struct LimitError {
    /// Which argument.
    pub what: &'static str,
    /// What is wrong with it, as the rest of a sentence.
    pub problem: String,
}

impl LimitError {
    fn new(what: &'static str, problem: impl Into<String>) -> Self {
        Self { what, problem: problem.into() }
    }
}

/// A group's title. Telegram trims spaces, so a title of spaces alone is empty.
pub fn title(title: &str) -> Result<(), LimitError> {
    text("title", title, 1, TITLE_MAX)
}

/// A group's description; empty removes it.
pub fn about(about: &str) -> Result<(), LimitError> {
    text("about", about, 0, ABOUT_MAX)
}

/// An invite link's title.
pub fn link_title(title: &str) -> Result<(), LimitError> {
    text("title", title, 0, LINK_TITLE_MAX)
}

/// How often a link can be used. Not together with approval by an admin, which Telegram refuses
/// (`USAGE_LIMIT_INVALID` is for the count, `EXPIRE_DATE_INVALID` for the date).
pub fn link_uses(usage_limit: u32, approval: bool) -> Result<(), LimitError> {
    if approval {
        return Err(LimitError::new("usage_limit", "can't be combined with approval"));
    }
    if !(1..=LINK_USES_MAX).contains(&usage_limit) {
        return Err(LimitError::new("usage_limit", format!("must be 1 to {LINK_USES_MAX}")));
    }
    Ok(())
}

/// When a link expires: in the future, and before 2038, where Telegram's 32-bit seconds end.
pub fn link_expiry(expires_at: DateTime<Utc>, now: DateTime<Utc>) -> Result<(), LimitError> {
    if expires_at <= now {
        return Err(LimitError::new("expires_at", "must be in the future"));
    }
    i32::try_from(expires_at.timestamp())
        .map(|_| ())
        .map_err(|_| LimitError::new("expires_at", "must be before 2038-01-19"))
}

/// An admin's custom title.
pub fn rank(rank: &str) -> Result<(), LimitError> {
    text("rank", rank, 0, RANK_MAX)
}

/// A username, without `@`: letters, digits and underscores.
pub fn username(username: &str) -> Result<(), LimitError> {
    text("username", username, 1, USERNAME_MAX)?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if !username.bytes().all(allowed) {
        return Err(LimitError::new("username", "may have only a-z, A-Z, 0-9 and _"));
    }
    Ok(())
}

/// The hash of an invite link.
pub fn invite_hash(hash: &str) -> Result<(), LimitError> {
    text("invite link", hash, 1, INVITE_HASH_MAX)?;
    if !hash.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_') {
        return Err(LimitError::new("invite link", "has characters that no invite link has"));
    }
    Ok(())
}

/// An invite link in whole, as Telegram gave it out.
pub fn invite_url(url: &str) -> Result<(), LimitError> {
    text("link", url, 1, 256)
}

/// A name under which a contact is saved.
pub fn contact_name(what: &'static str, name: &str) -> Result<(), LimitError> {
    text(what, name, 0, CONTACT_NAME_MAX)
}

/// A number of people or groups in one request.
pub fn count(what: &'static str, count: usize, min: usize, max: usize) -> Result<(), LimitError> {
    if (min..=max).contains(&count) {
        return Ok(());
    }
    Err(LimitError::new(what, format!("must be {min} to {max}, not {count}")))
}

fn text(what: &'static str, text: &str, min: usize, max: usize) -> Result<(), LimitError> {
    // Counting characters walks the text: the byte length bounds that first.
    let length = if text.len() > max * 4 { text.len() } else { text.trim().chars().count() };
    if (min..=max).contains(&length) {
        return Ok(());
    }
    Err(LimitError::new(what, format!("must have {min} to {max} characters, not {length}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_in_characters() {
        title(&"ш".repeat(128)).unwrap();
        assert!(title(&"ш".repeat(129)).is_err());
        assert!(title("   ").is_err());
        assert!(title(&"x".repeat(2_000_000)).is_err());
        about("").unwrap();
        about(&"🦀".repeat(255)).unwrap();
        assert!(about(&"🦀".repeat(256)).is_err());
    }

    #[test]
    fn a_link_has_sane_terms() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        link_expiry(now + chrono::TimeDelta::seconds(1), now).unwrap();
        assert!(link_expiry(now, now).is_err());
        assert!(link_expiry(DateTime::from_timestamp(2_147_483_648, 0).unwrap(), now).is_err());
        link_uses(1, false).unwrap();
        link_uses(99_999, false).unwrap();
        for (uses, approval) in [(0, false), (100_000, false), (1, true)] {
            assert!(link_uses(uses, approval).is_err(), "{uses} {approval}");
        }
    }

    #[test]
    fn names_and_hashes_have_an_alphabet() {
        username("durov_1").unwrap();
        assert!(username("@durov").is_err());
        assert!(username("ду").is_err());
        invite_hash("AAAAAE_x-9").unwrap();
        assert!(invite_hash("a/b").is_err());
    }
}
