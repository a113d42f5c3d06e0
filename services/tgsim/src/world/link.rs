//! Invite links and join requests of a group.
//!
//! Source: <https://core.telegram.org/api/invites>.
use indexmap::IndexMap;

use super::UserId;

/// All links and requests of one group (basic or super).
#[derive(Debug, Clone, Default)]
pub struct Links {
    /// Every link ever made and not deleted, oldest first; each admin has one that is `permanent` and not revoked.
    pub all: Vec<InviteLink>,
    /// People waiting for approval, oldest first.
    pub requests: IndexMap<UserId, JoinRequest>,
}

/// An invite link.
#[derive(Debug, Clone, PartialEq)]
pub struct InviteLink {
    /// What stands after `https://t.me/+`.
    pub hash: String,
    /// Which admin made it.
    pub admin: UserId,
    /// Made at.
    pub date: i32,
    /// When its limit or date was last changed (`start_date`).
    pub start_date: Option<i32>,
    /// Can't be used from then on.
    pub expire_date: Option<i32>,
    /// How many who joined by it may be in the group at one time.
    pub usage_limit: Option<i32>,
    /// Joining needs an admin's approval.
    pub request_needed: bool,
    /// Name given by the admin, empty for none.
    pub title: String,
    /// The admin's primary link.
    pub permanent: bool,
    /// No longer usable.
    pub revoked: bool,
    /// Who joined by it and is still there, in order: the limit is of people who are in at one time.
    pub joined: Vec<Joined>,
}

/// One use of a link.
#[derive(Debug, Clone, PartialEq)]
pub struct Joined {
    /// Who.
    pub user: UserId,
    /// When.
    pub date: i32,
    /// The admin who let them in, where approval was needed.
    pub approved_by: Option<UserId>,
}

/// Somebody waiting.
#[derive(Debug, Clone, PartialEq)]
pub struct JoinRequest {
    /// Who.
    pub user: UserId,
    /// Since.
    pub date: i32,
    /// The link used; `None` for a public group's own join button.
    pub hash: Option<String>,
}

impl InviteLink {
    /// The whole link.
    pub fn url(&self) -> String {
        format!("https://t.me/+{}", self.hash)
    }

    /// How many of those who joined by it are in the group.
    pub fn usage(&self) -> i32 {
        i32::try_from(self.joined.len()).unwrap_or(i32::MAX)
    }

    /// Whether nobody can join by it any more.
    pub fn is_dead(&self, now: i32) -> bool {
        self.revoked
            || self.expire_date.is_some_and(|at| at <= now)
            || self.usage_limit.is_some_and(|limit| self.usage() >= limit)
    }
}

impl Links {
    /// The link with this hash, if it is one of this group's.
    pub fn link(&self, hash: &str) -> Option<&InviteLink> {
        self.all.iter().find(|link| link.hash == hash)
    }

    /// The same, to change it.
    pub fn link_mut(&mut self, hash: &str) -> Option<&mut InviteLink> {
        self.all.iter_mut().find(|link| link.hash == hash)
    }

    /// An admin's primary link.
    pub fn primary(&self, admin: UserId) -> Option<&InviteLink> {
        self.all.iter().find(|link| link.permanent && !link.revoked && link.admin == admin)
    }

    /// The links of one admin, newest first: those still open or only expired, or the revoked ones.
    pub fn of_admin(&self, admin: UserId, revoked: bool) -> Vec<&InviteLink> {
        self.all
            .iter()
            .rev()
            .filter(|link| link.admin == admin && link.revoked == revoked)
            .collect()
    }

    /// Somebody went out: their place on the link they came by is free again.
    pub fn went_out(&mut self, user: UserId) {
        for link in &mut self.all {
            link.joined.retain(|joined| joined.user != user);
        }
    }

    /// The newest waiting people, as admins are shown them.
    pub fn recent_requesters(&self) -> Vec<i64> {
        self.requests.keys().rev().take(3).map(|user| user.0).collect()
    }
}
