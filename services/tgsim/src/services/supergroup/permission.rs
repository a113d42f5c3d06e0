//! Who may do what in a supergroup: rights of admins, and what plain members have left of theirs.
//!
//! Source: <https://core.telegram.org/api/rights>.
use grammers_tl_types::types;

use crate::cx::Cx;
use crate::rpc_error::{Reply, bad};
use crate::world::{Channel, ChannelId, Member, Role};

/// The rights that requests ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::services) enum Right {
    /// Title, description, settings.
    ChangeInfo,
    /// Add people; for links one must be an admin as well.
    InviteUsers,
    /// Ban and restrict.
    BanUsers,
    /// Make admins.
    AddAdmins,
    /// Delete others' messages.
    DeleteMessages,
}

impl Right {
    /// Whether an admin with these rights has it.
    pub(in crate::services) fn is_in(self, rights: &types::ChatAdminRights) -> bool {
        match self {
            Self::ChangeInfo => rights.change_info,
            Self::InviteUsers => rights.invite_users,
            Self::BanUsers => rights.ban_users,
            Self::AddAdmins => rights.add_admins,
            Self::DeleteMessages => rights.delete_messages,
        }
    }

    /// Whether plain members have it where these restrictions hold.
    fn is_left_by(self, forbidden: &types::ChatBannedRights) -> bool {
        match self {
            Self::ChangeInfo => !forbidden.change_info,
            Self::InviteUsers => !forbidden.invite_users,
            Self::BanUsers | Self::AddAdmins | Self::DeleteMessages => false,
        }
    }
}

impl Channel {
    /// Whether `member` has `right` here.
    pub(in crate::services) fn permits(&self, member: &Member, right: Right) -> bool {
        // In a public group only admins change its face, whatever the default rights say.
        let closed = self.broadcast || (right == Right::ChangeInfo && self.username.is_some());
        let by_default = !closed && right.is_left_by(&self.default_banned_rights);
        match &member.role {
            Role::Creator { .. } => true,
            Role::Admin { rights, .. } => right.is_in(rights) || by_default,
            Role::Plain => by_default,
            Role::Restricted { rights, .. } => by_default && right.is_left_by(rights),
        }
    }
}

impl Cx<'_> {
    /// The caller must have `right`: `CHAT_WRITE_FORBIDDEN` for those who are not in it (they can see a public
    /// group), `CHAT_ADMIN_REQUIRED` for members without the right.
    pub(in crate::services) fn may_in_channel(&self, id: ChannelId, right: Right) -> Reply<()> {
        let channel = self.channel(id)?;
        let Some(member) = channel.members.get(&self.me) else {
            return Err(bad("CHAT_WRITE_FORBIDDEN"));
        };
        if channel.permits(member, right) { Ok(()) } else { Err(bad("CHAT_ADMIN_REQUIRED")) }
    }

    /// The caller must be an admin with `right`; `CHAT_ADMIN_REQUIRED` for anybody else. For settings, which plain
    /// members can't change even where they may change the title.
    pub(in crate::services) fn admin_of_channel(&self, id: ChannelId, right: Right) -> Reply<()> {
        let rights = self.channel(id)?.members.get(&self.me).and_then(Member::admin_rights);
        if rights.is_some_and(|r| right.is_in(r)) {
            Ok(())
        } else {
            Err(bad("CHAT_ADMIN_REQUIRED"))
        }
    }

    /// Whether the caller is an admin of the channel at all.
    pub(in crate::services) fn is_admin_of_channel(&self, id: ChannelId) -> bool {
        self.world
            .channels
            .get(&id)
            .and_then(|c| c.members.get(&self.me))
            .is_some_and(Member::is_admin)
    }

    /// The caller must have created it.
    pub(in crate::services) fn creator_of_channel(&self, id: ChannelId) -> Reply<()> {
        let channel = self.channel(id)?;
        match channel.members.get(&self.me) {
            None => Err(bad("CHAT_WRITE_FORBIDDEN")),
            Some(member) if member.is_creator() => Ok(()),
            Some(_) => Err(bad("CHAT_ADMIN_REQUIRED")),
        }
    }
}
