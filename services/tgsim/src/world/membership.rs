//! Coming into a group and leaving it: the group's list, the person's list and the traces, changed together.
use super::{ChannelId, ChatId, Member, UserId, World};

impl World {
    /// Puts somebody into a basic group.
    pub fn enter_chat(&mut self, chat: ChatId, member: Member) {
        let user = member.user;
        let Some(group) = self.chats.get_mut(&chat) else { return };
        group.left.remove(&user);
        group.kicked.remove(&user);
        group.links.requests.shift_remove(&user);
        group.members.insert(user, member);
        group.version += 1;
        if let Some(user) = self.users.get_mut(&user) {
            user.chats.insert(chat);
        }
    }

    /// Takes somebody out of a basic group; `kicked` by an admin, or left.
    pub fn quit_chat(&mut self, chat: ChatId, user: UserId, kicked: bool) {
        let Some(group) = self.chats.get_mut(&chat) else { return };
        if group.members.shift_remove(&user).is_none() {
            return;
        }
        group.links.went_out(user);
        group.version += 1;
        if kicked {
            group.kicked.insert(user)
        } else {
            group.left.insert(user)
        };
        if let Some(user) = self.users.get_mut(&user) {
            user.chats.remove(&chat);
        }
    }

    /// Puts somebody into a supergroup or channel; a ban is lifted, older messages are hidden where the group hides them.
    pub fn enter_channel(&mut self, channel: ChannelId, mut member: Member) {
        let user = member.user;
        let Some(group) = self.channels.get_mut(&channel) else { return };
        group.left.remove(&user);
        group.banned.shift_remove(&user);
        group.links.requests.shift_remove(&user);
        if group.hidden_prehistory && !member.is_creator() {
            member.available_min_id = group.history.last_id;
        }
        member.read_inbox_max_id = group.history.last_id;
        group.members.insert(user, member);
        if let Some(user) = self.users.get_mut(&user) {
            user.channels.insert(channel);
        }
    }

    /// Takes somebody out of a supergroup or channel. `left` by themselves: only a mutual contact can bring them back.
    pub fn quit_channel(&mut self, channel: ChannelId, user: UserId, left: bool) -> Option<Member> {
        let group = self.channels.get_mut(&channel)?;
        let member = group.members.shift_remove(&user)?;
        group.links.went_out(user);
        if left {
            group.left.insert(user);
        }
        if let Some(user) = self.users.get_mut(&user) {
            user.channels.remove(&channel);
        }
        Some(member)
    }

    /// Whether an account is at its limit of supergroups and channels.
    pub fn channels_full(&self, user: UserId) -> bool {
        self.users.get(&user).is_some_and(|u| {
            let limit = if u.premium { self.limits.channels_premium } else { self.limits.channels };
            u.channels.len() >= limit
        })
    }
}
