//! People who act without a client: joining by a link, leaving, blocking, writing.
//!
//! They go through the same handlers as everybody's requests, with the same rules and updates; in the
//! journal they are of kind `admin`.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use grammers_tl_types::{
    Deserializable, Identifiable, RemoteCall, Serializable, enums, functions as f, types,
};
use serde::Deserialize;
use serde_json::json;

use super::answer::{Answer, Refused, read, user};
use crate::cx::Cx;
use crate::hub::{Hub, Sim};
use crate::journal::{Kind, Line};
use crate::requests;
use crate::rpc_error::{Reply, RpcError};
use crate::wire::msg_id;
use crate::world::{AuthKeyId, ChannelId, ChatId, UserId, World};

/// The layer in which requests of this port are written.
const LAYER: i32 = grammers_tl_types::LAYER;

/// Does something in the name of a user who has no connection: effects go into the journal under
/// `request`, updates to everybody concerned.
pub(super) fn within<T>(
    sim: &mut Sim,
    user: UserId,
    request: &str,
    work: impl FnOnce(&mut Cx<'_>) -> Reply<T>,
) -> Reply<T> {
    let dc = sim.world.cluster.home_of(user);
    let mut cx = Cx::new(&mut sim.world, user, AuthKeyId(0), LAYER, dc);
    let reply = work(&mut cx);
    cx.flush();
    let (effects, mut pushes) = (cx.effects, cx.outbox);
    // There is no connection that has these in its answer.
    for push in &mut pushes {
        push.not_to_caller = false;
    }
    let line = Line {
        user: Some(user),
        request: Some(request.to_owned()),
        effects,
        error: reply.as_ref().err().map(|error| error.name.clone()),
        ..Line::default()
    };
    sim.enter(Kind::Admin, line);
    sim.deliver(pushes, None, msg_id::now_ns());
    reply
}

/// Executes a request in the name of a user.
///
/// # Errors
/// Those of the request.
pub fn as_user<R>(sim: &mut Sim, user: UserId, request: &R) -> Reply<R::Return>
where
    R: RemoteCall + Identifiable + Serializable,
{
    let name = grammers_tl_types::name_for_id(R::CONSTRUCTOR_ID);
    let body = request.to_bytes();
    let answer = within(sim, user, name, |cx| {
        let unknown = || RpcError::new(400, "METHOD_INVALID");
        requests::dispatch(R::CONSTRUCTOR_ID, &body[4..], cx).ok_or_else(unknown)?
    })?;
    R::Return::from_bytes(&answer).map_err(|_| RpcError::new(500, "INTERNAL"))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Join {
    /// `https://t.me/+…`, or the part behind the plus.
    link: String,
}

/// `POST /users/{id}/join`
pub async fn join(State(hub): State<Arc<Hub>>, Path(id): Path<String>, body: Bytes) -> Answer {
    let join: Join = read(&body)?;
    let hash = join.link.rsplit(['+', '/']).next().unwrap_or_default().to_owned();
    hub.with(|sim| {
        let id = user(&sim.world, &id)?;
        let joined = as_user(sim, id, &f::messages::ImportChatInvite { hash });
        match joined {
            Ok(_) => Ok(Json(json!({ "joined": true }))),
            Err(error) if error.name == "INVITE_REQUEST_SENT" => {
                Ok(Json(json!({ "joined": false, "requested": true })))
            }
            Err(error) => Err(Refused::new("link", error.name)),
        }
    })
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Leave {
    /// In Bot API form.
    chat_id: i64,
}

/// `POST /users/{id}/leave`
pub async fn leave(State(hub): State<Arc<Hub>>, Path(id): Path<String>, body: Bytes) -> Answer {
    let leave: Leave = read(&body)?;
    hub.with(|sim| {
        let id = user(&sim.world, &id)?;
        match input_peer(&sim.world, id, leave.chat_id)? {
            enums::InputPeer::Channel(channel) => {
                let (channel_id, access_hash) = (channel.channel_id, channel.access_hash);
                let channel = types::InputChannel { channel_id, access_hash }.into();
                as_user(sim, id, &f::channels::LeaveChannel { channel })?;
            }
            enums::InputPeer::Chat(chat) => {
                let request = f::messages::DeleteChatUser {
                    revoke_history: false,
                    chat_id: chat.chat_id,
                    user_id: enums::InputUser::UserSelf,
                };
                as_user(sim, id, &request)?;
            }
            _ => return Err(Refused::new("chat_id", "not a group")),
        }
        Ok(Json(json!({ "left": true })))
    })
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Block {
    user_id: i64,
}

/// `POST /users/{id}/block`
pub async fn block(State(hub): State<Arc<Hub>>, Path(id): Path<String>, body: Bytes) -> Answer {
    let block: Block = read(&body)?;
    hub.with(|sim| {
        let me = user(&sim.world, &id)?;
        let id = input_peer(&sim.world, me, block.user_id)?;
        as_user(sim, me, &f::contacts::Block { my_stories_from: false, id })?;
        Ok(Json(json!({ "blocked": true })))
    })
}

/// `POST /users/{id}/unblock`
pub async fn unblock(State(hub): State<Arc<Hub>>, Path(id): Path<String>, body: Bytes) -> Answer {
    let block: Block = read(&body)?;
    hub.with(|sim| {
        let me = user(&sim.world, &id)?;
        let id = input_peer(&sim.world, me, block.user_id)?;
        as_user(sim, me, &f::contacts::Unblock { my_stories_from: false, id })?;
        Ok(Json(json!({ "blocked": false })))
    })
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Send {
    /// In Bot API form; a user's id for a private message.
    chat_id: i64,
    text: String,
}

/// `POST /users/{id}/send`
pub async fn send(State(hub): State<Arc<Hub>>, Path(id): Path<String>, body: Bytes) -> Answer {
    let send: Send = read(&body)?;
    hub.with(|sim| {
        let me = user(&sim.world, &id)?;
        let peer = input_peer(&sim.world, me, send.chat_id)?;
        // Only what a plain text message has: read as the request is, the rest is absent.
        let mut bytes = f::messages::SendMessage::CONSTRUCTOR_ID.to_bytes();
        0_i32.serialize(&mut bytes);
        peer.serialize(&mut bytes);
        send.text.serialize(&mut bytes);
        rand::random::<i64>().serialize(&mut bytes);
        let request = f::messages::SendMessage::from_bytes(&bytes[4..])
            .map_err(|_| Refused::new("text", "can't be sent"))?;
        as_user(sim, me, &request)?;
        Ok(Json(json!({ "sent": true })))
    })
}

/// A peer with the access hash that `viewer` has for it.
pub(super) fn input_peer(
    world: &World,
    viewer: UserId,
    id: i64,
) -> Result<enums::InputPeer, Refused> {
    const CHANNELS: i64 = -1_000_000_000_000;
    if id > 0 {
        let other =
            user(world, &id.to_string()).map_err(|_| Refused::new("user_id", "no such user"))?;
        let access_hash = world.access_hash(viewer, other);
        return Ok(types::InputPeerUser { user_id: id, access_hash }.into());
    }
    if id < CHANNELS {
        let channel = ChannelId(CHANNELS - id);
        if world.channels.contains_key(&channel) {
            let access_hash = world.access_hash(viewer, channel);
            return Ok(types::InputPeerChannel { channel_id: channel.0, access_hash }.into());
        }
    } else if world.chats.contains_key(&ChatId(-id)) {
        return Ok(types::InputPeerChat { chat_id: -id }.into());
    }
    Err(Refused::new("chat_id", "there is no such group"))
}
