//! Members of a supergroup as one account sees them: who made whom an admin, who banned whom.
use grammers_tl_types::{enums, types};

use crate::world::{Banned, Channel, Member, PeerId, Role, UserId};

impl Channel {
    /// `channelParticipant…` of a member, as `viewer` sees it.
    pub fn participant_view(&self, viewer: UserId, member: &Member) -> enums::ChannelParticipant {
        let user_id = member.user.0;
        let rank = (!member.rank.is_empty()).then(|| member.rank.clone());
        let is_self = member.user == viewer;
        match &member.role {
            Role::Creator { rights } => {
                let admin_rights = rights.clone().into();
                types::ChannelParticipantCreator { user_id, admin_rights, rank }.into()
            }
            Role::Admin { rights, promoted_by } => types::ChannelParticipantAdmin {
                can_edit: self.may_edit_admin(viewer, member.user),
                is_self,
                user_id,
                inviter_id: is_self.then_some(member.inviter.0),
                promoted_by: promoted_by.0,
                date: member.date,
                admin_rights: rights.clone().into(),
                rank,
            }
            .into(),
            Role::Plain if is_self => types::ChannelParticipantSelf {
                via_request: member.via_request,
                user_id,
                inviter_id: member.inviter.0,
                date: member.date,
                subscription_until_date: None,
                rank,
            }
            .into(),
            Role::Plain => types::ChannelParticipant {
                user_id,
                date: member.date,
                subscription_until_date: None,
                rank,
            }
            .into(),
            Role::Restricted { rights, by, date } => types::ChannelParticipantBanned {
                left: false,
                peer: PeerId::User(member.user).tl(),
                kicked_by: by.0,
                date: *date,
                banned_rights: rights.clone().into(),
                rank,
            }
            .into(),
        }
    }

    /// Whether `viewer` may change or end the post of admin `user`: the creator may, and whoever made them an
    /// admin, or made *that* one an admin, and so on (<https://core.telegram.org/api/rights>).
    pub fn may_edit_admin(&self, viewer: UserId, user: UserId) -> bool {
        if self.creator() == Some(viewer) {
            return self.creator() != Some(user);
        }
        let may_add = |user| {
            self.members.get(&user).and_then(Member::admin_rights).is_some_and(|r| r.add_admins)
        };
        let mut at = user;
        // Bounded: a chain of posts is never longer than the list of members.
        for _ in 0..self.members.len() {
            match self.members.get(&at).map(|m| &m.role) {
                Some(Role::Admin { promoted_by, .. }) if *promoted_by == viewer => {
                    return may_add(viewer);
                }
                Some(Role::Admin { promoted_by, .. }) if *promoted_by != at => at = *promoted_by,
                _ => return false,
            }
        }
        false
    }
}

/// `channelParticipantBanned` of somebody who is not in the group.
pub fn banned_participant(banned: &Banned) -> enums::ChannelParticipant {
    types::ChannelParticipantBanned {
        left: true,
        peer: PeerId::User(banned.user).tl(),
        kicked_by: banned.by.0,
        date: banned.date,
        banned_rights: banned.rights.clone().into(),
        rank: None,
    }
    .into()
}
