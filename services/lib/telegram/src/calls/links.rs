//! Invite links: making, listing, editing, revoking, and looking behind one.

use chrono::{DateTime, Utc};
use grammers_tl_types as tl;
use proto::UserId;
use serde::{Deserialize, Serialize};

pub use super::invites::{InvitePreview, check, hash_of};
use super::{seconds, utc};
use crate::account::Account;
use crate::error::CallError;
use crate::limits;
use crate::peer::{GroupPeer, UserPeer, user_id};

/// An invite link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The whole address, `https://t.me/+…`.
    pub url: String,
    /// Its title, which only admins see.
    pub title: Option<String>,
    /// Its maker's primary link, of which each admin has one.
    pub primary: bool,
    /// It no longer works.
    pub revoked: bool,
    /// Who opens it asks to join; an admin must approve.
    pub approval: bool,
    /// When it stops working.
    pub expires_at: Option<DateTime<Utc>>,
    /// How many people can join by it.
    pub usage_limit: Option<u32>,
    /// How many have.
    pub usage: u32,
    /// How many wait for approval.
    pub requested: u32,
    /// Who made it.
    pub creator_id: Option<UserId>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

impl Link {
    /// True where somebody could join by it now.
    pub fn works(&self, now: DateTime<Utc>) -> bool {
        !self.revoked
            && self.expires_at.is_none_or(|expires_at| expires_at > now)
            && self.usage_limit.is_none_or(|limit| self.usage < limit)
    }
}

/// The terms of a new link. All default: it works for ever, for everybody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkOptions {
    /// When it stops working.
    pub expires_at: Option<DateTime<Utc>>,
    /// How many people can join by it, 1 to 99 999. Not together with `approval`.
    pub usage_limit: Option<u32>,
    /// Who opens it asks to join; an admin must approve.
    pub approval: bool,
    /// A title that only admins see, up to 32 characters.
    pub title: Option<String>,
}

/// What to change about a link; `None` leaves it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkEdit {
    /// `Some(None)` takes the expiry away.
    pub expires_at: Option<Option<DateTime<Utc>>>,
    /// `Some(None)` takes the limit away.
    pub usage_limit: Option<Option<u32>>,
    /// Whether joining wants approval.
    pub approval: Option<bool>,
    /// Its title; empty takes it away.
    pub title: Option<String>,
}

/// One page of links, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Links {
    /// How many there are in all.
    pub count: u32,
    /// Those of this page.
    pub links: Vec<Link>,
}

/// What revoking or looking up a link shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revoked {
    /// The link itself.
    pub link: Link,
    /// The new primary link, where the revoked one was the primary link.
    pub new_link: Option<Link>,
}

/// Makes another invite link (`messages.exportChatInvite`), for basic groups and supergroups. The primary link is not
/// touched: Telegram makes that one itself, see [`super::groups::GroupInfo::primary_link`] and [`list`].
///
/// Not repeatable: each call makes one more. Errors: `CHAT_ADMIN_REQUIRED`, `EXPIRE_DATE_INVALID`,
/// `USAGE_LIMIT_INVALID`, `CHAT_WRITE_FORBIDDEN`.
pub async fn export(
    account: &Account,
    group: &GroupPeer,
    options: &LinkOptions,
) -> Result<Link, CallError> {
    check_terms(
        options.title.as_deref(),
        options.usage_limit,
        options.approval,
        options.expires_at,
    )?;
    let request = tl::functions::messages::ExportChatInvite {
        legacy_revoke_permanent: false,
        request_needed: options.approval,
        peer: group.input_peer(),
        expire_date: options.expires_at.map(seconds),
        usage_limit: options.usage_limit.and_then(|limit| i32::try_from(limit).ok()),
        title: options.title.clone(),
        subscription_pricing: None,
    };
    readable(&account.invoke(&request).await?)
}

/// A page of the links that one admin made, newest first, at most 100 (`messages.getExportedChatInvites`). `admin`
/// none means this account; `after` is the last link of the page before.
///
/// Errors: `CHAT_ADMIN_REQUIRED`, `CHAT_CREATOR_REQUIRED` (another's links), `ADMIN_ID_INVALID`.
pub async fn list(
    account: &Account,
    group: &GroupPeer,
    admin: Option<&UserPeer>,
    revoked: bool,
    after: Option<&Link>,
    limit: u32,
) -> Result<Links, CallError> {
    let request = tl::functions::messages::GetExportedChatInvites {
        revoked,
        peer: group.input_peer(),
        admin_id: admin.map_or(tl::enums::InputUser::UserSelf, UserPeer::input_user),
        offset_date: after.map(|link| seconds(link.created_at)),
        offset_link: after.map(|link| link.url.clone()),
        limit: i32::try_from(limit.clamp(1, 100)).unwrap_or(100),
    };
    let tl::enums::messages::ExportedChatInvites::Invites(answer) =
        account.invoke(&request).await?;
    account.peers().note_users(&answer.users);
    Ok(Links {
        count: u32::try_from(answer.count).unwrap_or(0),
        links: answer.invites.iter().filter_map(link).collect(),
    })
}

/// One link (`messages.getExportedChatInvite`).
///
/// Errors: `INVITE_HASH_EXPIRED`, `INVITE_HASH_INVALID`, `CHAT_ADMIN_REQUIRED`.
pub async fn get(account: &Account, group: &GroupPeer, url: &str) -> Result<Link, CallError> {
    limits::invite_url(url)?;
    let request = tl::functions::messages::GetExportedChatInvite {
        peer: group.input_peer(),
        link: url.to_owned(),
    };
    exported(account, account.invoke(&request).await?).map(|seen| seen.link)
}

/// Changes a link's terms (`messages.editExportedChatInvite`). Primary links have none. Repeatable.
///
/// Errors: `INVITE_HASH_EXPIRED`, `CHAT_ADMIN_REQUIRED`, `EDIT_BOT_INVITE_FORBIDDEN`, `USAGE_LIMIT_INVALID`.
pub async fn edit(
    account: &Account,
    group: &GroupPeer,
    url: &str,
    edit: &LinkEdit,
) -> Result<Link, CallError> {
    limits::invite_url(url)?;
    check_terms(
        edit.title.as_deref(),
        edit.usage_limit.flatten(),
        edit.approval.unwrap_or(false),
        edit.expires_at.flatten(),
    )?;
    let request = tl::functions::messages::EditExportedChatInvite {
        revoked: false,
        peer: group.input_peer(),
        link: url.to_owned(),
        expire_date: edit.expires_at.map(|at| at.map_or(0, seconds)),
        usage_limit: edit
            .usage_limit
            .map(|limit| limit.and_then(|limit| i32::try_from(limit).ok()).unwrap_or(0)),
        request_needed: edit.approval,
        title: edit.title.clone(),
    };
    exported(account, account.invoke(&request).await?).map(|seen| seen.link)
}

/// Revokes a link (`messages.editExportedChatInvite` with `revoked`). Of the primary link Telegram makes a new one at
/// once, which is in the answer.
///
/// Not repeatable without a look: a revoked link answers `INVITE_HASH_EXPIRED`. Errors: `INVITE_HASH_EXPIRED`,
/// `INVITE_REVOKED_MISSING`, `CHAT_ADMIN_REQUIRED`, `EDIT_BOT_INVITE_FORBIDDEN`.
pub async fn revoke(account: &Account, group: &GroupPeer, url: &str) -> Result<Revoked, CallError> {
    limits::invite_url(url)?;
    let request = tl::functions::messages::EditExportedChatInvite {
        revoked: true,
        peer: group.input_peer(),
        link: url.to_owned(),
        expire_date: None,
        usage_limit: None,
        request_needed: None,
        title: None,
    };
    exported(account, account.invoke(&request).await?)
}

/// Removes a revoked link from the list (`messages.deleteExportedChatInvite`).
///
/// Errors: `INVITE_REVOKED_MISSING` (it still works), `INVITE_HASH_EXPIRED`.
pub async fn delete(account: &Account, group: &GroupPeer, url: &str) -> Result<(), CallError> {
    limits::invite_url(url)?;
    let request = tl::functions::messages::DeleteExportedChatInvite {
        peer: group.input_peer(),
        link: url.to_owned(),
    };
    account.invoke(&request).await.map(|_| ())
}

/// Removes all revoked links of one admin (of this account where none is named) from the list
/// (`messages.deleteRevokedExportedChatInvites`). Repeatable.
pub async fn delete_revoked(
    account: &Account,
    group: &GroupPeer,
    admin: Option<&UserPeer>,
) -> Result<(), CallError> {
    let request = tl::functions::messages::DeleteRevokedExportedChatInvites {
        peer: group.input_peer(),
        admin_id: admin.map_or(tl::enums::InputUser::UserSelf, UserPeer::input_user),
    };
    account.invoke(&request).await.map(|_| ())
}

fn check_terms(
    title: Option<&str>,
    usage_limit: Option<u32>,
    approval: bool,
    expires_at: Option<DateTime<Utc>>,
) -> Result<(), CallError> {
    if let Some(title) = title {
        limits::link_title(title)?;
    }
    if let Some(usage_limit) = usage_limit {
        limits::link_uses(usage_limit, approval)?;
    }
    if let Some(expires_at) = expires_at {
        limits::link_expiry(expires_at, Utc::now())?;
    }
    Ok(())
}

fn exported(
    account: &Account,
    answer: tl::enums::messages::ExportedChatInvite,
) -> Result<Revoked, CallError> {
    match answer {
        tl::enums::messages::ExportedChatInvite::Invite(answer) => {
            account.peers().note_users(&answer.users);
            Ok(Revoked { link: readable(&answer.invite)?, new_link: None })
        }
        tl::enums::messages::ExportedChatInvite::Replaced(answer) => {
            account.peers().note_users(&answer.users);
            Ok(Revoked {
                link: readable(&answer.invite)?,
                new_link: Some(readable(&answer.new_invite)?),
            })
        }
    }
}

fn readable(invite: &tl::enums::ExportedChatInvite) -> Result<Link, CallError> {
    link(invite).ok_or_else(|| CallError::Undecodable("no link in the answer".to_owned()))
}

/// `None` for the pseudo link under which a public group's join requests are shown.
pub(super) fn link(invite: &tl::enums::ExportedChatInvite) -> Option<Link> {
    let tl::enums::ExportedChatInvite::ChatInviteExported(invite) = invite else { return None };
    let count = |count: Option<i32>| count.and_then(|count| u32::try_from(count).ok());
    Some(Link {
        url: invite.link.clone(),
        title: invite.title.clone().filter(|title| !title.is_empty()),
        primary: invite.permanent,
        revoked: invite.revoked,
        approval: invite.request_needed,
        expires_at: invite.expire_date.filter(|date| *date > 0).map(utc),
        usage_limit: count(invite.usage_limit).filter(|limit| *limit > 0),
        usage: count(invite.usage).unwrap_or(0),
        requested: count(invite.requested).unwrap_or(0),
        creator_id: user_id(invite.admin_id),
        created_at: utc(invite.date),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_works_until_it_is_used_up_or_over() {
        let now = utc(1_800_000_000);
        let fresh = Link {
            url: "https://t.me/+x".to_owned(),
            title: None,
            primary: false,
            revoked: false,
            approval: false,
            expires_at: Some(utc(1_800_000_001)),
            usage_limit: Some(2),
            usage: 1,
            requested: 0,
            creator_id: user_id(1),
            created_at: utc(1),
        };
        assert!(fresh.works(now));
        assert!(!Link { usage: 2, ..fresh.clone() }.works(now));
        assert!(!Link { revoked: true, ..fresh.clone() }.works(now));
        assert!(!fresh.works(utc(1_800_000_001)));
    }
}
