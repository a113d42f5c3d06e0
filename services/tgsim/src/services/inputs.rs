//! From what a client names (`InputUser`, `InputPeer`, `InputChannel`) to who is meant.
//!
//! An access hash must be the caller's own: a hash that another account got, or none, is wrong, whatever the id.
//! `…FromMessage` forms name somebody seen in a message the caller can read, for `min` users:
//! <https://core.telegram.org/api/min>.
use grammers_tl_types::enums;

use crate::cx::Cx;
use crate::rpc_error::{Reply, bad};
use crate::world::{BasicGroup, Channel, ChannelId, ChatId, Member, Message, PeerId, User, UserId};

impl Cx<'_> {
    /// The caller's own account.
    pub fn user(&self, id: UserId) -> Reply<&User> {
        self.world.users.get(&id).ok_or_else(|| bad("USER_ID_INVALID"))
    }

    /// Who is meant, or `USER_ID_INVALID` / `MSG_ID_INVALID`. Deleted accounts are found too.
    pub fn input_user(&self, input: &enums::InputUser) -> Reply<UserId> {
        self.input_user_or(input, "USER_ID_INVALID")
    }

    /// Like `input_user`, with the name that this request has for a wrong user.
    pub fn input_user_or(&self, input: &enums::InputUser, wrong: &str) -> Reply<UserId> {
        match input {
            enums::InputUser::Empty => Err(bad(wrong)),
            enums::InputUser::UserSelf => Ok(self.me),
            enums::InputUser::User(u) => {
                let id = UserId(u.user_id);
                let right = u.access_hash == self.world.access_hash(self.me, id);
                let known = self.world.users.contains_key(&id);
                if known && (right || id == self.me) { Ok(id) } else { Err(bad(wrong)) }
            }
            enums::InputUser::FromMessage(u) => {
                self.seen_in_message(&u.peer, u.msg_id, UserId(u.user_id).into())?;
                Ok(UserId(u.user_id))
            }
        }
    }

    /// Like `input_user`, and `INPUT_USER_DEACTIVATED` for a deleted account.
    pub fn live_user(&self, input: &enums::InputUser) -> Reply<UserId> {
        let id = self.input_user(input)?;
        if self.user(id)?.deleted { Err(bad("INPUT_USER_DEACTIVATED")) } else { Ok(id) }
    }

    /// Which conversation is meant: `PEER_ID_INVALID`, `CHAT_ID_INVALID`, `CHANNEL_INVALID`, `CHANNEL_PRIVATE`.
    /// A basic group must have had the caller as a member.
    pub fn input_peer(&self, input: &enums::InputPeer) -> Reply<PeerId> {
        use enums::InputPeer as P;
        match input {
            P::Empty => Err(bad("PEER_ID_INVALID")),
            P::PeerSelf => Ok(self.me.into()),
            P::User(u) => {
                let input = grammers_tl_types::types::InputUser {
                    user_id: u.user_id,
                    access_hash: u.access_hash,
                };
                Ok(self.input_user_or(&input.into(), "PEER_ID_INVALID")?.into())
            }
            P::UserFromMessage(u) => {
                self.seen_in_message(&u.peer, u.msg_id, UserId(u.user_id).into())?;
                Ok(UserId(u.user_id).into())
            }
            P::Chat(c) => Ok(self.chat(c.chat_id)?.id.into()),
            P::Channel(c) => Ok(self.open_channel(c.channel_id, c.access_hash)?.id.into()),
            P::ChannelFromMessage(c) => {
                let id = ChannelId(c.channel_id);
                self.seen_in_message(&c.peer, c.msg_id, id.into())?;
                Ok(self.reachable(id)?.id.into())
            }
        }
    }

    /// Which supergroup is meant: `CHANNEL_INVALID` for a wrong hash, `CHANNEL_PRIVATE` where the caller has no
    /// access (deleted, banned, or private and not a member).
    pub fn input_channel(&self, input: &enums::InputChannel) -> Reply<ChannelId> {
        match input {
            enums::InputChannel::Empty => Err(bad("CHANNEL_INVALID")),
            enums::InputChannel::Channel(c) => {
                Ok(self.open_channel(c.channel_id, c.access_hash)?.id)
            }
            enums::InputChannel::FromMessage(c) => {
                let id = ChannelId(c.channel_id);
                self.seen_in_message(&c.peer, c.msg_id, id.into())?;
                Ok(self.reachable(id)?.id)
            }
        }
    }

    /// A supergroup by id and hash, whether or not the caller may look inside (`channelForbidden` and the like need
    /// it); `CHANNEL_INVALID` for a wrong hash.
    pub fn named_channel(&self, input: &enums::InputChannel) -> Reply<&Channel> {
        let enums::InputChannel::Channel(c) = input else {
            let id = self.input_channel(input)?;
            return self.channel(id);
        };
        let id = ChannelId(c.channel_id);
        if c.access_hash != self.world.access_hash(self.me, id) {
            return Err(bad("CHANNEL_INVALID"));
        }
        self.channel(id)
    }

    /// A supergroup by its id alone.
    pub fn channel(&self, id: ChannelId) -> Reply<&Channel> {
        self.world.channels.get(&id).ok_or_else(|| bad("CHANNEL_INVALID"))
    }

    /// The same, to change it.
    pub fn channel_mut(&mut self, id: ChannelId) -> Reply<&mut Channel> {
        self.world.channels.get_mut(&id).ok_or_else(|| bad("CHANNEL_INVALID"))
    }

    /// The caller's membership of a supergroup; `CHANNEL_PRIVATE` for none.
    pub fn channel_member(&self, id: ChannelId) -> Reply<&Member> {
        self.channel(id)?.members.get(&self.me).ok_or_else(|| bad("CHANNEL_PRIVATE"))
    }

    /// A basic group by its number (it has no access hash): `CHAT_ID_INVALID` if there is none, `PEER_ID_INVALID` if
    /// the caller never was in it. It may be gone, see `live_chat`.
    pub fn chat(&self, chat_id: i64) -> Reply<&BasicGroup> {
        let chat = self.world.chats.get(&ChatId(chat_id)).ok_or_else(|| bad("CHAT_ID_INVALID"))?;
        let was_here = chat.members.contains_key(&self.me)
            || chat.left.contains(&self.me)
            || chat.kicked.contains(&self.me);
        if was_here { Ok(chat) } else { Err(bad("PEER_ID_INVALID")) }
    }

    /// A basic group that is neither deleted nor migrated: else `CHAT_ID_INVALID`.
    pub fn live_chat(&self, chat_id: i64) -> Reply<&BasicGroup> {
        let chat = self.chat(chat_id)?;
        if chat.is_gone() { Err(bad("CHAT_ID_INVALID")) } else { Ok(chat) }
    }

    /// The same, to change it.
    pub fn chat_mut(&mut self, id: ChatId) -> Reply<&mut BasicGroup> {
        self.world.chats.get_mut(&id).ok_or_else(|| bad("CHAT_ID_INVALID"))
    }

    fn open_channel(&self, channel_id: i64, access_hash: i64) -> Reply<&Channel> {
        let id = ChannelId(channel_id);
        if access_hash != self.world.access_hash(self.me, id) {
            return Err(bad("CHANNEL_INVALID"));
        }
        self.reachable(id)
    }

    fn reachable(&self, id: ChannelId) -> Reply<&Channel> {
        let channel = self.channel(id)?;
        let member = channel.members.contains_key(&self.me);
        let public = channel.username.is_some();
        if channel.deleted || channel.bans(self.me, self.now) || !(member || public) {
            return Err(bad("CHANNEL_PRIVATE"));
        }
        Ok(channel)
    }

    fn seen_in_message(&self, peer: &enums::InputPeer, msg_id: i32, who: PeerId) -> Reply<()> {
        let message = self.readable_message(peer, msg_id)?;
        if message.peers().contains(&who) { Ok(()) } else { Err(bad("MSG_ID_INVALID")) }
    }

    fn readable_message(&self, peer: &enums::InputPeer, msg_id: i32) -> Reply<&Message> {
        let peer = self.input_peer(peer)?;
        let history = match peer {
            PeerId::Channel(id) => &self.channel(id)?.history,
            PeerId::User(_) | PeerId::Chat(_) => &self.user(self.me)?.mailbox,
        };
        history
            .messages
            .get(&msg_id)
            .filter(|m| m.peer == peer)
            .ok_or_else(|| bad("MSG_ID_INVALID"))
    }
}
