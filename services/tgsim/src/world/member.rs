//! Members of groups: who, since when, by whom, as what.
use grammers_tl_types::types;

use super::UserId;

/// A member of a basic group or supergroup.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// Who.
    pub user: UserId,
    /// Who added them; themselves for those who joined by a link.
    pub inviter: UserId,
    /// Joined at, unix seconds.
    pub date: i32,
    /// What they are.
    pub role: Role,
    /// Custom title ("rank"), empty for none.
    pub rank: String,
    /// Came in by an approved join request.
    pub via_request: bool,
    /// Channels: incoming messages read up to here (basic groups keep it in the member's own dialog).
    pub read_inbox_max_id: i32,
    /// Channels: messages up to here are hidden from them (hidden history, or cleared).
    pub available_min_id: i32,
}

/// What a member is.
#[derive(Debug, Clone, PartialEq)]
pub enum Role {
    /// Made the group; exactly one.
    Creator {
        /// All of them, but possibly anonymous.
        rights: types::ChatAdminRights,
    },
    /// Admin. In a basic group the rights are always `rights::basic_admin_rights()`.
    Admin {
        /// What they may do.
        rights: types::ChatAdminRights,
        /// Who made them admin.
        promoted_by: UserId,
    },
    /// Neither.
    Plain,
    /// Member of a supergroup with restrictions (still in the group).
    Restricted {
        /// What they may not do, until when.
        rights: types::ChatBannedRights,
        /// By whom.
        by: UserId,
        /// Since.
        date: i32,
    },
}

/// Somebody who is not in the supergroup and may not come back before `rights.until_date`; or, with
/// `rights` that allow reading, somebody restricted who left.
#[derive(Debug, Clone, PartialEq)]
pub struct Banned {
    /// Who.
    pub user: UserId,
    /// By whom.
    pub by: UserId,
    /// Since.
    pub date: i32,
    /// `view_messages` is set for a real ban.
    pub rights: types::ChatBannedRights,
}

impl Member {
    /// A plain member.
    pub fn plain(user: UserId, inviter: UserId, date: i32) -> Self {
        Self {
            user,
            inviter,
            date,
            role: Role::Plain,
            rank: String::new(),
            via_request: false,
            read_inbox_max_id: 0,
            available_min_id: 0,
        }
    }

    /// Is the creator.
    pub fn is_creator(&self) -> bool {
        matches!(self.role, Role::Creator { .. })
    }

    /// Is the creator or an admin.
    pub fn is_admin(&self) -> bool {
        self.admin_rights().is_some()
    }

    /// Rights of the creator or an admin.
    pub fn admin_rights(&self) -> Option<&types::ChatAdminRights> {
        match &self.role {
            Role::Creator { rights } | Role::Admin { rights, .. } => Some(rights),
            Role::Plain | Role::Restricted { .. } => None,
        }
    }
}
