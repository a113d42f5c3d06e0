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
    /// How many may join by it.
    pub usage_limit: Option<i32>,
    /// Joining needs an admin's approval.
    pub request_needed: bool,
    /// Name given by the admin, empty for none.
    pub title: String,
    /// The admin's primary link.
    pub permanent: bool,
    /// No longer usable.
    pub revoked: bool,
    /// Who joined by it, in order.
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

    /// How many joined by it.
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
