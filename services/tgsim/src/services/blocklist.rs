//! Whom an account doesn't want to hear from.
use grammers_tl_types::functions::contacts as f;
use grammers_tl_types::{enums, types};

use crate::cx::Cx;
use crate::effect::Effect;
use crate::rpc_error::{Reply, RpcError, bad, not_simulated};
use crate::world::{Cast, PeerId};

crate::requests! {
    contacts::Block => block {
        400 "CHANNEL_PRIVATE", 400 "CONTACT_ID_INVALID", 400 "INPUT_USER_DEACTIVATED", 400 "MSG_ID_INVALID",
        400 "PEER_ID_INVALID",
        400 "CHANNEL_INVALID" @ "https://core.telegram.org/method/users.getUsers",
    }
    contacts::Unblock => unblock {
        400 "CHANNEL_PRIVATE", 400 "CONTACT_ID_INVALID", 400 "MSG_ID_INVALID", 400 "PEER_ID_INVALID",
        400 "CHANNEL_INVALID" @ "https://core.telegram.org/method/users.getUsers",
    }
    contacts::GetBlocked => get_blocked {}
}

/// `contacts.block`.
fn block(cx: &mut Cx<'_>, r: f::Block) -> Reply<bool> {
    set_blocked(cx, &r.id, r.my_stories_from, true)
}

/// `contacts.unblock`.
fn unblock(cx: &mut Cx<'_>, r: f::Unblock) -> Reply<bool> {
    set_blocked(cx, &r.id, r.my_stories_from, false)
}

/// `contacts.getBlocked`: newest first.
fn get_blocked(cx: &mut Cx<'_>, r: f::GetBlocked) -> Reply<enums::contacts::Blocked> {
    if r.my_stories_from {
        return Err(not_simulated("my_stories_from"));
    }
    let mut all: Vec<(PeerId, i32)> =
        cx.user(cx.me)?.blocked.iter().map(|(p, d)| (*p, *d)).collect();
    all.sort_by_key(|(peer, date)| (-i64::from(*date), *peer));
    let total = all.len();
    let chosen: Vec<_> = all
        .into_iter()
        .skip(r.offset.max(0) as usize)
        .take((r.limit.max(0) as usize).min(cx.world.limits.page))
        .collect();
    let cast: Cast = chosen.iter().map(|(peer, _)| *peer).collect();
    let (users, chats) = cast.render(cx.world, cx.me);
    let whole = chosen.len() == total;
    let blocked: Vec<_> = chosen
        .into_iter()
        .map(|(peer, date)| types::PeerBlocked { peer_id: peer.tl(), date }.into())
        .collect();
    if whole {
        return Ok(types::contacts::Blocked { blocked, chats, users }.into());
    }
    let count = i32::try_from(total).unwrap_or(i32::MAX);
    Ok(types::contacts::BlockedSlice { count, blocked, chats, users }.into())
}

fn set_blocked(
    cx: &mut Cx<'_>,
    input: &enums::InputPeer,
    stories: bool,
    blocked: bool,
) -> Reply<bool> {
    if stories {
        return Err(not_simulated("my_stories_from"));
    }
    let peer = cx.input_peer(input).map_err(|e| match e.name.as_str() {
        "CHAT_ID_INVALID" => bad("PEER_ID_INVALID"),
        _ => e,
    })?;
    if peer == PeerId::User(cx.me) {
        return Err(bad("CONTACT_ID_INVALID"));
    }
    if let PeerId::Chat(_) = peer {
        return Err(bad("PEER_ID_INVALID"));
    }
    if let PeerId::User(id) = peer
        && blocked
        && cx.user(id)?.deleted
    {
        return Err(RpcError::new(400, "INPUT_USER_DEACTIVATED"));
    }
    let (me, now) = (cx.me, cx.now);
    let Some(user) = cx.world.users.get_mut(&me) else { return Err(bad("PEER_ID_INVALID")) };
    let changed = match blocked {
        true => user.blocked.insert(peer, now).is_none(),
        false => user.blocked.remove(&peer).is_some(),
    };
    if changed {
        let update = types::UpdatePeerBlocked {
            blocked,
            blocked_my_stories_from: false,
            peer_id: peer.tl(),
        };
        cx.notice(me, update.into(), &[peer]);
        cx.effect(Effect::PeerBlocked { chat_id: peer.bot_api(), blocked });
    }
    Ok(true)
}
