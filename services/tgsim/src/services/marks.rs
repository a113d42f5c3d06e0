//! Private chats and basic groups: marking as read, deleting, clearing.
//!
//! The supergroup's own requests for the same are in `supergroup/history.rs`.
use grammers_tl_types::functions::messages;
use grammers_tl_types::{enums, types};

use crate::cx::Cx;
use crate::effect::Effect;
use crate::rpc_error::{Reply, bad, forbidden, not_simulated};
use crate::world::{Member, PeerId, UserId};

crate::requests! {
    messages::ReadHistory => read_history {
        400 "CHANNEL_PRIVATE", 400 "CHAT_ID_INVALID", 400 "MSG_ID_INVALID", 400 "PEER_ID_INVALID",
        400 "BUSINESS_CONNECTION_INVALID" scripted,
        400 "CHANNEL_INVALID" @ "https://core.telegram.org/method/channels.readHistory",
    }
    messages::DeleteMessages => delete_messages {
        403 "MESSAGE_DELETE_FORBIDDEN", 400 "MESSAGE_ID_INVALID" scripted, 403 "BOT_ACCESS_FORBIDDEN" scripted,
        400 "BUSINESS_CONNECTION_INVALID" scripted, 400 "SELF_DELETE_RESTRICTED" scripted,
    }
    messages::DeleteHistory => delete_history {
        400 "CHANNEL_PRIVATE", 400 "CHAT_ADMIN_REQUIRED", 400 "CHAT_ID_INVALID",
        400 "CHAT_REVOKE_DATE_UNSUPPORTED", 400 "MAX_DATE_INVALID" scripted, 400 "MESSAGE_ID_INVALID" scripted,
        400 "MIN_DATE_INVALID" scripted, 400 "MSG_ID_INVALID", 400 "PEER_ID_INVALID",
        400 "CHANNEL_INVALID" @ "https://core.telegram.org/method/channels.deleteHistory",
    }
}

/// `messages.readHistory`: private chats and basic groups. Everybody whose messages were read learns it.
fn read_history(
    cx: &mut Cx<'_>,
    r: messages::ReadHistory,
) -> Reply<enums::messages::AffectedMessages> {
    let peer = cx.input_peer(&r.peer)?;
    if let PeerId::Channel(_) = peer {
        return Err(bad("PEER_ID_INVALID"));
    }
    let (me, date, limit) = (cx.me, cx.now, cx.world.limits.box_log);
    let mailbox = &cx.user(me)?.mailbox;
    let newest = mailbox.with_peer(peer).next().map_or(0, |m| m.id);
    let max_id = if r.max_id > 0 { r.max_id.min(newest) } else { newest };
    let before = cx.user(me)?.dialogs.get(&peer).map_or(0, |d| d.read_inbox_max_id);
    if max_id <= before {
        let step = cx.standing();
        return Ok(types::messages::AffectedMessages { pts: step.pts, pts_count: 0 }.into());
    }
    let mailbox = &cx.user(me)?.mailbox;
    let still_unread_count =
        mailbox.with_peer(peer).filter(|m| !m.out && m.id > max_id).count() as i32;
    let read: Vec<u64> = mailbox
        .with_peer(peer)
        .filter(|m| !m.out && m.id > before && m.id <= max_id)
        .map(|m| m.global)
        .collect();
    let Some(user) = cx.world.users.get_mut(&me) else { return Err(bad("PEER_ID_INVALID")) };
    user.dialogs.entry(peer).or_default().read_inbox_max_id = max_id;
    let (update, step) = user.mailbox.happened(1, date, vec![peer], limit, |s| {
        types::UpdateReadHistoryInbox {
            folder_id: None,
            peer: peer.tl(),
            top_msg_id: None,
            max_id,
            still_unread_count,
            pts: s.pts,
            pts_count: s.pts_count,
        }
        .into()
    });
    cx.tell(me, update, &[peer]);
    tell_authors(cx, peer, &read);
    cx.effect(Effect::HistoryRead { chat_id: peer.bot_api(), max_id });
    Ok(types::messages::AffectedMessages { pts: step.pts, pts_count: step.pts_count }.into())
}

/// `messages.deleteMessages`: from the caller's box, with `revoke` from everybody's. In a basic group only one's own
/// messages can be revoked, unless one is an admin.
fn delete_messages(
    cx: &mut Cx<'_>,
    r: messages::DeleteMessages,
) -> Reply<enums::messages::AffectedMessages> {
    if r.revoke {
        for id in &r.id {
            let Some(message) = cx.user(cx.me)?.mailbox.messages.get(id) else { continue };
            if let PeerId::Chat(chat) = message.peer
                && !message.out
                && !cx.chat(chat.0)?.members.get(&cx.me).is_some_and(Member::is_admin)
            {
                return Err(forbidden("MESSAGE_DELETE_FORBIDDEN"));
            }
        }
    }
    let (step, message_ids) = cx.erase(&r.id, r.revoke);
    if !message_ids.is_empty() {
        cx.effect(Effect::MessagesDeleted { chat_id: None, message_ids, for_everyone: r.revoke });
    }
    Ok(types::messages::AffectedMessages { pts: step.pts, pts_count: step.pts_count }.into())
}

/// `messages.deleteHistory`: private chats and basic groups, at once (`offset` is always 0).
fn delete_history(
    cx: &mut Cx<'_>,
    r: messages::DeleteHistory,
) -> Reply<enums::messages::AffectedHistory> {
    let peer = cx.input_peer(&r.peer)?;
    if r.min_date.is_some() || r.max_date.is_some() {
        let error = if matches!(peer, PeerId::User(_)) {
            None
        } else {
            Some("CHAT_REVOKE_DATE_UNSUPPORTED")
        };
        return Err(error.map_or_else(|| not_simulated("min_date"), bad));
    }
    match peer {
        PeerId::Channel(_) => return Err(bad("PEER_ID_INVALID")),
        PeerId::Chat(id) if r.revoke => {
            if cx.chat(id.0)?.creator() != Some(cx.me) {
                return Err(bad("CHAT_ADMIN_REQUIRED"));
            }
        }
        PeerId::Chat(_) | PeerId::User(_) => {}
    }
    let mailbox = &cx.user(cx.me)?.mailbox;
    let below = |id: i32| r.max_id <= 0 || id <= r.max_id;
    let ids: Vec<i32> = mailbox.with_peer(peer).map(|m| m.id).filter(|id| below(*id)).collect();
    let (step, gone) = cx.erase(&ids, r.revoke);
    if !r.just_clear
        && let Some(me) = cx.world.users.get_mut(&cx.me)
        && me.dialogs.get(&peer).is_some_and(|d| d.top_message == 0)
    {
        me.dialogs.remove(&peer);
    }
    let max_id = gone.iter().max().copied().unwrap_or(0);
    cx.effect(Effect::HistoryDeleted { chat_id: peer.bot_api(), max_id, for_everyone: r.revoke });
    Ok(types::messages::AffectedHistory { pts: step.pts, pts_count: step.pts_count, offset: 0 }
        .into())
}

/// `updateReadHistoryOutbox` for the authors of the messages just read.
fn tell_authors(cx: &mut Cx<'_>, peer: PeerId, read: &[u64]) {
    let (me, date, limit) = (cx.me, cx.now, cx.world.limits.box_log);
    let mut newest: std::collections::BTreeMap<UserId, i32> = Default::default();
    for global in read {
        for (owner, id) in cx.world.copies.get(global).into_iter().flatten() {
            let out = cx
                .world
                .users
                .get(owner)
                .and_then(|u| u.mailbox.messages.get(id))
                .is_some_and(|m| m.out);
            if *owner != me && out {
                let top = newest.entry(*owner).or_default();
                *top = (*top).max(*id);
            }
        }
    }
    for (author, max_id) in newest {
        let seen_as = if let PeerId::User(_) = peer { PeerId::User(me) } else { peer };
        let Some(user) = cx.world.users.get_mut(&author) else { continue };
        let dialog = user.dialogs.entry(seen_as).or_default();
        if dialog.read_outbox_max_id >= max_id {
            continue;
        }
        dialog.read_outbox_max_id = max_id;
        let (update, _) = user.mailbox.happened(1, date, vec![seen_as], limit, |s| {
            let (pts, pts_count) = (s.pts, s.pts_count);
            types::UpdateReadHistoryOutbox { peer: seen_as.tl(), max_id, pts, pts_count }.into()
        });
        cx.tell(author, update, &[seen_as]);
    }
}
