//! Taking messages out of boxes, for one person or for all, with the `pts` that each box counts for it.
use std::collections::BTreeMap;

use grammers_tl_types::types;

use crate::cx::Cx;
use crate::world::{ChannelId, ChatId, PeerId, Step, UserId};

impl Cx<'_> {
    /// Removes messages from the caller's box; with `revoke` from every other box that has a copy too.
    /// Returns the step of the caller's box, and the ids that existed there.
    pub fn erase(&mut self, ids: &[i32], revoke: bool) -> (Step, Vec<i32>) {
        let mut by_box: BTreeMap<UserId, Vec<i32>> = BTreeMap::new();
        for id in ids {
            let Some(message) =
                self.world.users.get(&self.me).and_then(|u| u.mailbox.messages.get(id))
            else {
                continue;
            };
            let copies = self.world.copies.get(&message.global).cloned().unwrap_or_default();
            for (owner, id) in copies {
                if revoke || owner == self.me {
                    by_box.entry(owner).or_default().push(id);
                }
            }
        }
        let mine = by_box.get(&self.me).cloned().unwrap_or_default();
        let mut step = self.standing();
        for (owner, ids) in by_box {
            if let Some(s) = self.erase_in_box(owner, ids)
                && owner == self.me
            {
                step = s;
            }
        }
        (step, mine)
    }

    /// Where the caller's box stands when nothing happened to it.
    pub fn standing(&self) -> Step {
        let pts = self.world.users.get(&self.me).map_or(0, |u| u.mailbox.pts);
        Step { pts, pts_count: 0 }
    }

    /// Removes every message of one conversation from one person's box, and the conversation itself.
    pub fn clear_conversation(&mut self, owner: UserId, peer: PeerId) {
        let ids =
            self.world.users.get(&owner).map(|u| u.mailbox.with_peer(peer).map(|m| m.id).collect());
        self.erase_in_box(owner, ids.unwrap_or_default());
        if let Some(user) = self.world.users.get_mut(&owner) {
            user.dialogs.remove(&peer);
        }
    }

    /// Removes, for everybody, what one person wrote in a basic group.
    pub fn delete_messages_of(&mut self, chat: ChatId, author: UserId) {
        let mut by_box: BTreeMap<UserId, Vec<i32>> = BTreeMap::new();
        for (owner, user) in &self.world.users {
            let ids = user.mailbox.with_peer(chat.into()).filter(|m| m.from == author.into());
            by_box.insert(*owner, ids.map(|m| m.id).collect());
        }
        for (owner, ids) in by_box {
            self.erase_in_box(owner, ids);
        }
    }

    /// Removes messages of a supergroup for everybody. Returns the channel's step and the ids that existed.
    pub fn erase_in_channel(&mut self, channel: ChannelId, ids: &[i32]) -> (Step, Vec<i32>) {
        let (date, limit) = (self.now, self.world.limits.box_log);
        let Some(target) = self.world.channels.get_mut(&channel) else {
            return (Step { pts: 0, pts_count: 0 }, vec![]);
        };
        let gone: Vec<i32> =
            ids.iter().copied().filter(|id| target.history.messages.remove(id).is_some()).collect();
        let count = i32::try_from(gone.len()).unwrap_or(i32::MAX);
        if gone.is_empty() {
            return (Step { pts: target.history.pts, pts_count: 0 }, gone);
        }
        let members: Vec<UserId> = target.members.keys().copied().collect();
        let messages = gone.clone();
        let (update, step) =
            target.history.happened(count, date, vec![channel.into()], limit, |s| {
                let (pts, pts_count) = (s.pts, s.pts_count);
                types::UpdateDeleteChannelMessages {
                    channel_id: channel.0,
                    messages,
                    pts,
                    pts_count,
                }
                .into()
            });
        for user in members {
            self.tell(user, update.clone(), &[channel.into()]);
        }
        (step, gone)
    }

    fn erase_in_box(&mut self, owner: UserId, ids: Vec<i32>) -> Option<Step> {
        let (date, limit) = (self.now, self.world.limits.box_log);
        let user = self.world.users.get_mut(&owner)?;
        let mut gone = vec![];
        for id in ids {
            let Some(message) = user.mailbox.messages.remove(&id) else { continue };
            gone.push(id);
            if let Some(copies) = self.world.copies.get_mut(&message.global) {
                copies.retain(|copy| *copy != (owner, id));
            }
            let newest = user.mailbox.with_peer(message.peer).next().map_or(0, |m| m.id);
            if let Some(dialog) = user.dialogs.get_mut(&message.peer) {
                dialog.top_message = newest;
            }
        }
        if gone.is_empty() {
            return None;
        }
        let count = i32::try_from(gone.len()).unwrap_or(i32::MAX);
        let (update, step) = user.mailbox.happened(count, date, vec![], limit, |s| {
            let (pts, pts_count) = (s.pts, s.pts_count);
            types::UpdateDeleteMessages { messages: gone, pts, pts_count }.into()
        });
        self.tell(owner, update, &[]);
        Some(step)
    }
}
