//! Looking behind an invite link, and reading its hash.

use grammers_tl_types as tl;
use serde::{Deserialize, Serialize};

use super::chats::{GroupSummary, summary};
use crate::account::Account;
use crate::error::CallError;
use crate::limits;

/// What is behind an invite link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InvitePreview {
    /// The account is in that group already.
    Member(GroupSummary),
    /// The group can be looked into before joining, for a while.
    Peek(GroupSummary),
    /// A group that the account is not in.
    Outside {
        /// Its title.
        title: String,
        /// Its description.
        about: Option<String>,
        /// Number of members.
        member_count: u32,
        /// Joining needs an admin's approval.
        approval: bool,
    },
}

/// What is behind an invite link (`messages.checkChatInvite`), without joining. See [`hash_of`].
///
/// Errors: `INVITE_HASH_EXPIRED` (revoked, used up or past its date), `INVITE_HASH_INVALID`, `INVITE_HASH_EMPTY`.
pub async fn check(account: &Account, hash: &str) -> Result<InvitePreview, CallError> {
    limits::invite_hash(hash)?;
    let request = tl::functions::messages::CheckChatInvite { hash: hash.to_owned() };
    let seen = |chat: tl::enums::Chat| {
        account.peers().note_chats(std::slice::from_ref(&chat));
        summary(&chat).ok_or_else(|| CallError::Undecodable("a link to no group".to_owned()))
    };
    match account.invoke(&request).await? {
        tl::enums::ChatInvite::Already(already) => Ok(InvitePreview::Member(seen(already.chat)?)),
        tl::enums::ChatInvite::Peek(peek) => Ok(InvitePreview::Peek(seen(peek.chat)?)),
        tl::enums::ChatInvite::Invite(invite) => {
            account.peers().note_users(invite.participants.as_deref().unwrap_or_default());
            Ok(InvitePreview::Outside {
                title: invite.title,
                about: invite.about,
                member_count: u32::try_from(invite.participants_count).unwrap_or(0),
                approval: invite.request_needed,
            })
        }
    }
}

/// The hash in an invite link: `https://t.me/+HASH`, `t.me/joinchat/HASH` (also telegram.me, telegram.dog),
/// `tg://join?invite=HASH`, or a bare `+HASH`. `None` for anything else.
pub fn hash_of(link: &str) -> Option<&str> {
    let link = link.trim();
    if let Some(rest) = link.strip_prefix("tg://join?invite=") {
        return valid(rest.split('&').next()?);
    }
    let without_scheme =
        link.strip_prefix("https://").or_else(|| link.strip_prefix("http://")).unwrap_or(link);
    let path = ["t.me/", "telegram.me/", "telegram.dog/"]
        .iter()
        .find_map(|host| {
            let head = without_scheme.get(..host.len())?;
            head.eq_ignore_ascii_case(host).then(|| &without_scheme[host.len()..])
        })
        .or_else(|| link.starts_with('+').then_some(link))?;
    let hash = path.strip_prefix('+').or_else(|| path.strip_prefix("joinchat/"))?;
    valid(hash.split(['?', '/', '#']).next()?)
}

fn valid(hash: &str) -> Option<&str> {
    limits::invite_hash(hash).is_ok().then_some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invite_hash_is_found_in_every_form_of_link() {
        for link in [
            "https://t.me/+AbC_-1",
            "http://T.me/+AbC_-1",
            "t.me/joinchat/AbC_-1?x=y",
            "https://telegram.me/+AbC_-1/",
            "tg://join?invite=AbC_-1&z",
            "+AbC_-1",
        ] {
            assert_eq!(hash_of(link), Some("AbC_-1"), "{link}");
        }
        for link in ["https://t.me/durov", "https://example.org/+AbC", "t.me/+", "", "t.me/+a b"] {
            assert_eq!(hash_of(link), None, "{link}");
        }
    }
}
