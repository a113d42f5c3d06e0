//! Putting a message into the world: into every box where it belongs, with the update for everybody concerned.
//!
//! Private chats and basic groups: a copy with its own id in each person's box (`updateNewMessage`). Supergroups: one
//! message in the channel's history (`updateNewChannelMessage`).
use grammers_tl_types::{enums, types};

use crate::cx::Cx;
use crate::world::{Body, ChannelId, ChatId, Message, PeerId, UserId};

/// What a message may have besides author and text.
#[derive(Debug, Clone, Default)]
pub struct PostOptions {
    /// No sound.
    pub silent: bool,
    /// Answers that message, by its id in the author's box (or the channel).
    pub reply_to: Option<i32>,
}

impl Cx<'_> {
    /// A message between two people. Returns its id in the author's box.
    pub fn post_private(
        &mut self,
        from: UserId,
        to: UserId,
        body: Body,
        options: &PostOptions,
    ) -> i32 {
        let global = self.world.next_global();
        let own = self.deliver(from, to.into(), from, global, &body, options);
        if to != from {
            self.deliver(to, from.into(), from, global, &body, options);
        }
        own
    }

    /// A message in a basic group, for its members and `also` (somebody just removed). Returns its id in the
    /// author's box.
    pub fn post_chat(
        &mut self,
        chat: ChatId,
        from: UserId,
        also: &[UserId],
        body: Body,
        options: &PostOptions,
    ) -> i32 {
        let global = self.world.next_global();
        let mut to: Vec<UserId> = self
            .world
            .chats
            .get(&chat)
            .map(|c| c.members.keys().copied().collect())
            .unwrap_or_default();
        to.extend(also.iter().copied().filter(|u| !to.contains(u)).collect::<Vec<_>>());
        let mut own = 0;
        for user in to {
            let id = self.deliver(user, chat.into(), from, global, &body, options);
            if user == from {
                own = id;
            }
        }
        own
    }

    /// "X added Y" and the like in a basic group.
    pub fn announce_in_chat(
        &mut self,
        chat: ChatId,
        from: UserId,
        also: &[UserId],
        action: impl Into<enums::MessageAction>,
    ) -> i32 {
        self.post_chat(chat, from, also, Body::Service(action.into()), &PostOptions::default())
    }

    /// A message in a supergroup or channel, told to its members. Returns its id.
    pub fn post_channel(
        &mut self,
        channel: ChannelId,
        from: PeerId,
        body: Body,
        options: &PostOptions,
    ) -> i32 {
        let (global, date, limit) = (self.world.next_global(), self.now, self.world.limits.box_log);
        let Some(target) = self.world.channels.get_mut(&channel) else { return 0 };
        let message = Message {
            id: 0,
            global,
            peer: channel.into(),
            from,
            out: false,
            date,
            edit_date: None,
            body,
            reply_to: options.reply_to,
            silent: options.silent,
            pinned: false,
            ttl_period: target.ttl_period,
        };
        let (id, step) = target.history.put(message.clone(), limit);
        let message = Message { id, ..message };
        if let PeerId::User(author) = from
            && let Some(member) = target.members.get_mut(&author)
        {
            member.read_inbox_max_id = id;
        }
        let members: Vec<UserId> = target.members.keys().copied().collect();
        let peers = message.peers();
        for user in members {
            let message = self.world.message_view(user, &message);
            let update = types::UpdateNewChannelMessage {
                message,
                pts: step.pts,
                pts_count: step.pts_count,
            };
            self.tell_min(user, update.into(), &peers);
        }
        id
    }

    /// "X added Y" and the like in a supergroup.
    pub fn announce_in_channel(
        &mut self,
        channel: ChannelId,
        from: impl Into<PeerId>,
        action: impl Into<enums::MessageAction>,
    ) -> i32 {
        self.post_channel(
            channel,
            from.into(),
            Body::Service(action.into()),
            &PostOptions::default(),
        )
    }

    /// Tells every member of a supergroup that its data changed (`updateChannel`), and `also` those no longer in it.
    pub fn channel_changed(&mut self, channel: ChannelId, also: &[UserId]) {
        let members =
            self.world.channels.get(&channel).map(|c| c.members.keys().copied().collect());
        let mut to: Vec<UserId> = members.unwrap_or_default();
        to.extend(also.iter().copied());
        for user in to {
            self.notice(
                user,
                types::UpdateChannel { channel_id: channel.0 }.into(),
                &[channel.into()],
            );
        }
    }

    /// Tells every member of a basic group who its members are now (`updateChatParticipants`).
    pub fn chat_participants_changed(&mut self, chat: ChatId) {
        let Some(group) = self.world.chats.get(&chat).cloned() else { return };
        let mut peers: Vec<PeerId> = group.members.keys().copied().map(PeerId::User).collect();
        peers.push(chat.into());
        for user in group.members.keys() {
            let participants = self.world.chat_participants_view(*user, &group);
            self.notice(*user, types::UpdateChatParticipants { participants }.into(), &peers);
        }
    }

    /// Puts a copy of an existing message into one more box (history shown to a newcomer).
    pub fn deliver_copy(&mut self, to: UserId, original: Message) -> i32 {
        let out = original.from == PeerId::User(to);
        self.put_in_box(to, Message { out, reply_to: None, pinned: false, ..original })
    }

    fn deliver(
        &mut self,
        to: UserId,
        peer: PeerId,
        from: UserId,
        global: u64,
        body: &Body,
        options: &PostOptions,
    ) -> i32 {
        let message = Message {
            id: 0,
            global,
            peer,
            from: from.into(),
            out: to == from,
            date: self.now,
            edit_date: None,
            body: body.clone(),
            reply_to: self.reply_in_box_of(to, from, options.reply_to),
            silent: options.silent,
            pinned: false,
            ttl_period: match peer {
                PeerId::Chat(id) => self.world.chats.get(&id).and_then(|c| c.ttl_period),
                PeerId::User(_) | PeerId::Channel(_) => None,
            },
        };
        self.put_in_box(to, message)
    }

    fn put_in_box(&mut self, to: UserId, message: Message) -> i32 {
        let limit = self.world.limits.box_log;
        let Some(user) = self.world.users.get_mut(&to) else { return 0 };
        let (id, step) = user.mailbox.put(message.clone(), limit);
        self.world.copies.entry(message.global).or_default().push((to, id));
        let dialog = user.dialogs.entry(message.peer).or_default();
        dialog.top_message = id;
        if message.out {
            dialog.read_inbox_max_id = id;
        }
        let message = Message { id, ..message };
        let (pts, pts_count) = (step.pts, step.pts_count);
        let update = types::UpdateNewMessage {
            message: self.world.message_view(to, &message),
            pts,
            pts_count,
        };
        self.tell(to, update.into(), &message.peers());
        id
    }

    /// The copy, in another one's box, of the message that is answered.
    fn reply_in_box_of(&self, to: UserId, from: UserId, reply_to: Option<i32>) -> Option<i32> {
        let id = reply_to?;
        if to == from {
            return Some(id);
        }
        let global = self.world.users.get(&from)?.mailbox.messages.get(&id)?.global;
        let copies = self.world.copies.get(&global)?;
        copies.iter().find(|(owner, _)| *owner == to).map(|(_, id)| *id)
    }
}
