//! Coming into a supergroup and going out of it: the bookkeeping shared by invitation, links, requests and bans.
use grammers_tl_types::{enums, types};

use crate::cx::Cx;
use crate::rpc_error::{Reply, RpcError, bad, forbidden};
use crate::world::{Banned, Channel, ChannelId, Member, UserId, banned_participant};

/// Why somebody can't be added.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::services) enum Obstacle {
    /// Their privacy: told in `missing_invitees`.
    Privacy(types::MissingInvitee),
    /// Anything else: an error where one person was asked for.
    Refused(RpcError),
}

/// How somebody stands to a supergroup.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::services) enum Standing {
    /// Never was in it, or left.
    Out,
    /// In it.
    In(Member),
    /// Kept out.
    KeptOut(Banned),
}

impl Standing {
    /// As a channel participant, for `viewer`.
    fn view(&self, channel: &Channel, viewer: UserId) -> Option<enums::ChannelParticipant> {
        match self {
            Self::Out => None,
            Self::In(member) => Some(channel.participant_view(viewer, member)),
            Self::KeptOut(banned) => Some(banned_participant(banned)),
        }
    }
}

impl Cx<'_> {
    /// How `user` stands to a supergroup now.
    pub(in crate::services) fn standing_in(&self, id: ChannelId, user: UserId) -> Standing {
        let Some(channel) = self.world.channels.get(&id) else { return Standing::Out };
        if let Some(member) = channel.members.get(&user) {
            return Standing::In(member.clone());
        }
        channel.banned.get(&user).cloned().map_or(Standing::Out, Standing::KeptOut)
    }

    /// What keeps the caller from adding `user` (who is not in it).
    pub(in crate::services) fn obstacle(
        &self,
        id: ChannelId,
        user: UserId,
    ) -> Reply<Option<Obstacle>> {
        let refused = |error| Ok(Some(Obstacle::Refused(error)));
        let (channel, account) = (self.channel(id)?, self.user(user)?);
        if let Some(bot) = &account.bot {
            if channel.broadcast {
                return refused(bad("USER_BOT"));
            }
            if bot.nochats {
                return refused(bad("BOT_GROUPS_BLOCKED"));
            }
            if self.bots_in(channel) >= self.world.limits.bots {
                return refused(bad("BOTS_TOO_MUCH"));
            }
        }
        if channel.bans(user, self.now)
            && self.admin_of_channel(id, super::Right::BanUsers).is_err()
        {
            return refused(bad("USER_KICKED"));
        }
        if self.world.has_blocked(self.me, user) {
            return refused(bad("USER_BLOCKED"));
        }
        if self.world.has_blocked(user, self.me) {
            return Ok(Some(Obstacle::Privacy(missing(user))));
        }
        if let Some(missing) = self.world.invite_obstacle(user, self.me) {
            return Ok(Some(Obstacle::Privacy(missing)));
        }
        if channel.left.contains(&user) && !self.world.is_mutual_contact(self.me, user) {
            return refused(forbidden("USER_NOT_MUTUAL_CONTACT"));
        }
        if self.world.channels_full(user) {
            return refused(forbidden("USER_CHANNELS_TOO_MUCH"));
        }
        Ok(self.room_in_channel(id).err().map(Obstacle::Refused))
    }

    /// `USERS_TOO_MUCH` where nobody more fits in.
    pub(in crate::services) fn room_in_channel(&self, id: ChannelId) -> Reply<()> {
        let full = self.channel(id)?.members.len() >= self.world.limits.megagroup_members;
        if full { Err(bad("USERS_TOO_MUCH")) } else { Ok(()) }
    }

    /// Puts somebody in. Tells nobody but bots: the caller announces it.
    pub(in crate::services) fn enter_channel(
        &mut self,
        id: ChannelId,
        member: Member,
        invite: Option<enums::ExportedChatInvite>,
    ) {
        let (user, before) = (member.user, self.standing_in(id, member.user));
        self.world.enter_channel(id, member);
        self.tell_bots(id, user, &before, invite);
    }

    /// Tells these accounts that the channel looks different to them now (`updateChannel`).
    pub(in crate::services) fn channel_changed_for(&mut self, id: ChannelId, users: &[UserId]) {
        for user in users {
            self.notice(*user, types::UpdateChannel { channel_id: id.0 }.into(), &[id.into()]);
        }
    }

    /// Bots that are admins hear of every change of a member (`updateChannelParticipant`); people don't.
    pub(in crate::services) fn tell_bots(
        &mut self,
        id: ChannelId,
        user: UserId,
        before: &Standing,
        invite: Option<enums::ExportedChatInvite>,
    ) {
        let after = self.standing_in(id, user);
        let Some(channel) = self.world.channels.get(&id) else { return };
        let bots: Vec<_> = channel
            .members
            .values()
            .filter(|m| {
                m.is_admin() && self.world.users.get(&m.user).is_some_and(|u| u.bot.is_some())
            })
            .map(|m| (m.user, before.view(channel, m.user), after.view(channel, m.user)))
            .collect();
        let (date, actor) = (self.now, self.me);
        for (bot, prev_participant, new_participant) in bots {
            let qts = self.next_qts(bot);
            let update = types::UpdateChannelParticipant {
                via_chatlist: false,
                channel_id: id.0,
                date,
                actor_id: actor.0,
                user_id: user.0,
                prev_participant,
                new_participant,
                invite: invite.clone(),
                qts,
            };
            self.notice(bot, update.into(), &[id.into(), actor.into(), user.into()]);
        }
    }

    /// The next number of a bot's own events.
    pub(in crate::services) fn next_qts(&mut self, bot: UserId) -> i32 {
        self.world.users.get_mut(&bot).map_or(0, |user| {
            user.mailbox.qts += 1;
            user.mailbox.qts
        })
    }

    fn bots_in(&self, channel: &Channel) -> usize {
        channel
            .members
            .keys()
            .filter(|u| self.world.users.get(u).is_some_and(|u| u.bot.is_some()))
            .count()
    }
}

/// Left out, with no word of Premium.
pub(in crate::services) fn missing(user: UserId) -> types::MissingInvitee {
    types::MissingInvitee {
        premium_would_allow_invite: false,
        premium_required_for_pm: false,
        user_id: user.0,
    }
}
