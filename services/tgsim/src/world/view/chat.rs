//! Basic groups and channels as one account sees them.
use grammers_tl_types::{enums, types};

use crate::blank;
use crate::world::{BasicGroup, Channel, ChannelId, ChatId, Member, Role, UserId, World, rights};

impl World {
    /// `chat`, or `chatForbidden` for those who never were, or no longer are, in it.
    pub fn chat_view(&self, viewer: UserId, id: ChatId) -> enums::Chat {
        let Some(chat) = self.chats.get(&id) else {
            return types::ChatEmpty { id: id.0 }.into();
        };
        let member = chat.members.get(&viewer);
        let left = chat.left.contains(&viewer);
        if chat.deleted || (member.is_none() && !left) {
            return types::ChatForbidden { id: id.0, title: chat.title.clone() }.into();
        }
        let admin = member.and_then(|m| match &m.role {
            Role::Admin { rights, .. } => Some(rights.clone().into()),
            _ => None,
        });
        types::Chat {
            creator: member.is_some_and(Member::is_creator),
            left: member.is_none(),
            deactivated: chat.migrated_to.is_some(),
            participants_count: if chat.migrated_to.is_some() {
                0
            } else {
                count(chat.members.len())
            },
            date: member.map_or(chat.date, |m| m.date),
            version: chat.version,
            migrated_to: chat.migrated_to.map(|to| self.input_channel(viewer, to)),
            admin_rights: admin,
            default_banned_rights: Some(chat.default_banned_rights.clone().into()),
            ..blank::chat(id.0, chat.title.clone())
        }
        .into()
    }

    /// `channel`, or `channelForbidden` for those banned, or where it is deleted or private and never joined.
    pub fn channel_view(&self, viewer: UserId, id: ChannelId) -> enums::Chat {
        let now = self.clock.now();
        let Some(channel) = self.channels.get(&id) else {
            return types::ChatEmpty { id: id.0 }.into();
        };
        let access_hash = self.access_hash(viewer, id);
        if channel.deleted || channel.bans(viewer, now) {
            let until_date = channel.banned.get(&viewer).map(|b| b.rights.until_date);
            return types::ChannelForbidden {
                broadcast: channel.broadcast,
                megagroup: !channel.broadcast,
                monoforum: false,
                id: id.0,
                access_hash,
                title: channel.title.clone(),
                until_date: until_date.filter(|_| !channel.deleted),
            }
            .into();
        }
        let member = channel.members.get(&viewer);
        let sees = member.is_some() || channel.username.is_some();
        types::Channel {
            creator: member.is_some_and(Member::is_creator),
            left: member.is_none(),
            broadcast: channel.broadcast,
            megagroup: !channel.broadcast,
            signatures: channel.signatures,
            slowmode_enabled: channel.slowmode_s > 0,
            noforwards: channel.noforwards,
            join_to_send: channel.join_to_send,
            join_request: channel.join_request,
            forum: channel.forum,
            access_hash: Some(access_hash),
            username: channel.username.clone(),
            date: member.map_or(channel.date, |m| m.date),
            admin_rights: member.and_then(|m| m.admin_rights()).map(|r| r.clone().into()),
            banned_rights: restriction(channel, viewer).map(Into::into),
            default_banned_rights: Some(channel.default_banned_rights.clone().into()),
            participants_count: sees.then(|| count(channel.members.len())),
            ..blank::channel(id.0, channel.title.clone())
        }
        .into()
    }

    /// `inputChannel` with `viewer`'s access hash.
    pub fn input_channel(&self, viewer: UserId, id: ChannelId) -> enums::InputChannel {
        types::InputChannel { channel_id: id.0, access_hash: self.access_hash(viewer, id) }.into()
    }

    /// `chatParticipants` of a basic group, as its members see it; `chatParticipantsForbidden` for others.
    pub fn chat_participants_view(
        &self,
        viewer: UserId,
        chat: &BasicGroup,
    ) -> enums::ChatParticipants {
        if !chat.members.contains_key(&viewer) {
            let self_participant = None;
            return types::ChatParticipantsForbidden { chat_id: chat.id.0, self_participant }
                .into();
        }
        types::ChatParticipants {
            chat_id: chat.id.0,
            participants: chat.members.values().map(chat_participant).collect(),
            version: chat.version,
        }
        .into()
    }
}

/// One member of a basic group.
pub fn chat_participant(member: &Member) -> enums::ChatParticipant {
    let user_id = member.user.0;
    let rank = (!member.rank.is_empty()).then(|| member.rank.clone());
    let (inviter_id, date) = (member.inviter.0, member.date);
    match member.role {
        Role::Creator { .. } => types::ChatParticipantCreator { user_id, rank }.into(),
        Role::Admin { .. } => {
            types::ChatParticipantAdmin { user_id, inviter_id, date, rank }.into()
        }
        Role::Plain | Role::Restricted { .. } => {
            types::ChatParticipant { user_id, inviter_id, date, rank }.into()
        }
    }
}

fn restriction(channel: &Channel, viewer: UserId) -> Option<types::ChatBannedRights> {
    let rights = match channel.members.get(&viewer).map(|m| &m.role) {
        Some(Role::Restricted { rights, .. }) => Some(rights.clone()),
        Some(_) => None,
        None => channel.banned.get(&viewer).map(|b| b.rights.clone()),
    };
    rights.filter(|r| !rights::is_unrestricted(r))
}

fn count(n: usize) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}
