//! Channels and people named *by a message* (`…FromMessage`), where a request knows few names of errors.
//!
//! Whatever is wrong with the message itself, or with the conversation it should be in, is `MSG_ID_INVALID` here.
use grammers_tl_types::{enums, types};

use crate::cx::Cx;
use crate::rpc_error::{Reply, RpcError, bad};
use crate::world::{ChannelId, UserId};

impl Cx<'_> {
    /// Like `input_channel`.
    pub(super) fn channel_named(&self, input: &enums::InputChannel) -> Reply<ChannelId> {
        let found = self.input_channel(input);
        match input {
            enums::InputChannel::FromMessage(_) => found.map_err(of_message),
            enums::InputChannel::Empty | enums::InputChannel::Channel(_) => found,
        }
    }

    /// Like `input_user_or`.
    pub(super) fn user_named(&self, input: &enums::InputUser, wrong: &str) -> Reply<UserId> {
        let found = self.input_user_or(input, wrong);
        match input {
            enums::InputUser::FromMessage(_) => found.map_err(|_| bad("MSG_ID_INVALID")),
            _ => found,
        }
    }

    /// Like `live_user`.
    pub(super) fn live_user_named(&self, input: &enums::InputUser) -> Reply<UserId> {
        let id = self.user_named(input, "USER_ID_INVALID")?;
        if self.user(id)?.deleted { Err(bad("INPUT_USER_DEACTIVATED")) } else { Ok(id) }
    }

    /// Who is meant by `participant`: `PARTICIPANT_ID_INVALID` for what is no person, `USER_ID_INVALID` for a wrong
    /// access hash.
    pub(super) fn participant(&self, peer: &enums::InputPeer) -> Reply<UserId> {
        use enums::InputPeer as P;
        let input = match peer {
            P::PeerSelf => return Ok(self.me),
            P::User(u) => {
                types::InputUser { user_id: u.user_id, access_hash: u.access_hash }.into()
            }
            P::UserFromMessage(u) => {
                let (peer, msg_id, user_id) = (u.peer.clone(), u.msg_id, u.user_id);
                types::InputUserFromMessage { peer, msg_id, user_id }.into()
            }
            P::Empty | P::Chat(_) | P::Channel(_) | P::ChannelFromMessage(_) => {
                return Err(bad("PARTICIPANT_ID_INVALID"));
            }
        };
        self.user_named(&input, "USER_ID_INVALID")
    }
}

/// What a request about a channel can say of a channel named by a message.
pub(super) fn of_message(error: RpcError) -> RpcError {
    match error.name.as_str() {
        "CHANNEL_INVALID" | "CHANNEL_PRIVATE" => error,
        _ => bad("MSG_ID_INVALID"),
    }
}
