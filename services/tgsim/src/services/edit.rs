//! Changing a message that was sent: its text, its pin.
use grammers_tl_types::functions::messages as f;
use grammers_tl_types::{enums, types};

use crate::cx::Cx;
use crate::effect::Effect;
use crate::rpc_error::{Reply, bad, forbidden, not_simulated};
use crate::world::{Body, Message, PeerId, UserId};

crate::requests! {
    messages::EditMessage => edit_message {
        400 "CHANNEL_INVALID", 406 "CHANNEL_PRIVATE", 403 "CHAT_ADMIN_REQUIRED", 403 "CHAT_WRITE_FORBIDDEN",
        400 "INPUT_USER_DEACTIVATED" scripted, 403 "MESSAGE_AUTHOR_REQUIRED", 400 "MESSAGE_EDIT_TIME_EXPIRED",
        400 "MESSAGE_EMPTY", 400 "MESSAGE_ID_INVALID", 400 "MESSAGE_NOT_MODIFIED", 400 "MESSAGE_TOO_LONG",
        400 "MSG_ID_INVALID", 400 "PEER_ID_INVALID", 400 "USER_BANNED_IN_CHANNEL" scripted,
        400 "BOT_DOMAIN_INVALID" scripted, 400 "BOT_INVALID" scripted,
        400 "BUSINESS_CONNECTION_INVALID" scripted, 400 "BUSINESS_PEER_INVALID" scripted,
        400 "BUTTON_COPY_TEXT_INVALID" scripted, 400 "BUTTON_DATA_INVALID" scripted,
        400 "BUTTON_TYPE_INVALID" scripted, 400 "BUTTON_URL_INVALID" scripted,
        400 "BUTTON_USER_PRIVACY_RESTRICTED" scripted, 400 "CHAT_FORWARDS_RESTRICTED" scripted,
        403 "CHAT_SEND_GIFS_FORBIDDEN" scripted, 400 "DOCUMENT_INVALID" scripted,
        406 "EDIT_MESSAGE_TEMP_RESTRICTED" scripted, 400 "ENTITIES_TOO_LONG" scripted,
        400 "ENTITY_BOUNDS_INVALID" scripted, 400 "FILE_PARTS_INVALID" scripted,
        400 "IMAGE_PROCESS_FAILED" scripted, 403 "INLINE_BOT_REQUIRED" scripted,
        400 "MEDIA_CAPTION_TOO_LONG" scripted, 400 "MEDIA_EMPTY" scripted, 400 "MEDIA_GROUPED_INVALID" scripted,
        400 "MEDIA_INVALID" scripted, 400 "MEDIA_NEW_INVALID" scripted, 400 "MEDIA_PREV_INVALID" scripted,
        400 "MEDIA_TTL_INVALID" scripted, 500 "MSG_WAIT_FAILED" scripted, 400 "PEER_TYPES_INVALID" scripted,
        400 "PHOTO_EXT_INVALID" scripted, 400 "PHOTO_INVALID_DIMENSIONS" scripted,
        400 "PHOTO_SAVE_FILE_INVALID" scripted, 400 "REPLY_MARKUP_INVALID" scripted,
        400 "REPLY_MARKUP_TOO_LONG" scripted, 400 "SCHEDULE_DATE_INVALID" scripted,
        400 "TODO_ITEMS_EMPTY" scripted, 400 "TODO_ITEM_DUPLICATE" scripted, 400 "WEBPAGE_NOT_FOUND" scripted,
        400 "CHAT_ID_INVALID" @ "https://core.telegram.org/method/messages.sendMessage",
    }
    messages::UpdatePinnedMessage => update_pinned_message {
        400 "CHANNEL_PRIVATE", 400 "CHAT_ADMIN_REQUIRED", 400 "CHAT_NOT_MODIFIED", 403 "CHAT_WRITE_FORBIDDEN",
        400 "INPUT_USER_DEACTIVATED", 400 "MESSAGE_ID_INVALID", 400 "PEER_ID_INVALID", 400 "PIN_RESTRICTED" scripted,
        400 "USER_BANNED_IN_CHANNEL" scripted, 400 "BOT_ONESIDE_NOT_AVAIL" scripted,
        400 "BUSINESS_CONNECTION_INVALID" scripted, 400 "BUSINESS_PEER_INVALID" scripted,
        400 "CHAT_INVALID" scripted,
        400 "CHANNEL_INVALID" @ "https://core.telegram.org/method/messages.editMessage",
        400 "CHAT_ID_INVALID" @ "https://core.telegram.org/method/messages.sendMessage",
        400 "MSG_ID_INVALID" @ "https://core.telegram.org/method/messages.editMessage",
    }
}

/// `messages.editMessage`: the author's own text, within two days.
fn edit_message(cx: &mut Cx<'_>, r: f::EditMessage) -> Reply<enums::Updates> {
    if r.media.is_some() || r.reply_markup.is_some() || r.schedule_date.is_some() {
        return Err(not_simulated("media"));
    }
    let peer = cx.input_peer(&r.peer)?;
    let message = cx.readable(peer, r.id).ok_or_else(|| bad("MESSAGE_ID_INVALID"))?;
    let Body::Text { text: old, .. } = &message.body else {
        return Err(bad("MESSAGE_ID_INVALID"));
    };
    let posted_by_channel = message.from == peer && matches!(peer, PeerId::Channel(_));
    if message.from != PeerId::User(cx.me) && !posted_by_channel {
        return Err(forbidden("MESSAGE_AUTHOR_REQUIRED"));
    }
    if let PeerId::Channel(id) = peer
        && posted_by_channel
        && !cx
            .channel_member(id)?
            .admin_rights()
            .is_some_and(|r| r.edit_messages || r.post_messages)
        && cx.channel(id)?.creator() != Some(cx.me)
    {
        return Err(forbidden("CHAT_ADMIN_REQUIRED"));
    }
    still_in(cx, peer)?;
    let text = r.message.unwrap_or_default().trim().to_owned();
    if text.is_empty() {
        return Err(bad("MESSAGE_EMPTY"));
    }
    if text.chars().count() > cx.world.limits.message_chars {
        return Err(bad("MESSAGE_TOO_LONG"));
    }
    if text == *old {
        return Err(bad("MESSAGE_NOT_MODIFIED"));
    }
    if cx.now - message.date > cx.world.limits.edit_s
        && !matches!(peer, PeerId::User(id) if id == cx.me)
    {
        return Err(bad("MESSAGE_EDIT_TIME_EXPIRED"));
    }
    let (global, now, chars) = (message.global, cx.now, text.chars().count());
    let entities = r.entities.unwrap_or_default();
    change(cx, peer, r.id, global, |m| {
        m.body = Body::Text { text: text.clone(), entities: entities.clone() };
        m.edit_date = Some(now);
    });
    cx.effect(Effect::MessageEdited { chat_id: peer.bot_api(), message_id: r.id, chars });
    Ok(cx.answer())
}

/// `messages.updatePinnedMessage`: in groups by those who may pin, with a service message unless it is undone.
fn update_pinned_message(cx: &mut Cx<'_>, r: f::UpdatePinnedMessage) -> Reply<enums::Updates> {
    let peer = cx.input_peer(&r.peer)?;
    may_pin(cx, peer)?;
    let message = cx.readable(peer, r.id).ok_or_else(|| bad("MESSAGE_ID_INVALID"))?;
    let pinned = !r.unpin;
    if message.pinned == pinned {
        return Err(bad("CHAT_NOT_MODIFIED"));
    }
    let global = message.global;
    for (owner, id) in copies(cx, peer, r.id, global, r.pm_oneside) {
        tell_pinned(cx, peer, owner, id, pinned);
    }
    if pinned && !r.pm_oneside {
        let action = enums::MessageAction::PinMessage;
        let options = super::PostOptions { silent: r.silent, reply_to: Some(r.id) };
        match peer {
            PeerId::User(to) => cx.post_private(cx.me, to, Body::Service(action), &options),
            PeerId::Chat(id) => cx.post_chat(id, cx.me, &[], Body::Service(action), &options),
            PeerId::Channel(id) => {
                cx.post_channel(id, cx.me.into(), Body::Service(action), &options)
            }
        };
    }
    cx.effect(Effect::MessagePinned { chat_id: peer.bot_api(), message_id: r.id, pinned });
    Ok(cx.answer())
}

/// What was written stays, but those who are out can't touch it any more: `CHAT_WRITE_FORBIDDEN`.
fn still_in(cx: &Cx<'_>, peer: PeerId) -> Reply<()> {
    let inside = match peer {
        PeerId::User(_) => true,
        PeerId::Chat(id) => cx.live_chat(id.0)?.members.contains_key(&cx.me),
        PeerId::Channel(id) => cx.channel(id)?.members.contains_key(&cx.me),
    };
    if inside { Ok(()) } else { Err(forbidden("CHAT_WRITE_FORBIDDEN")) }
}

fn may_pin(cx: &Cx<'_>, peer: PeerId) -> Reply<()> {
    let allowed = match peer {
        PeerId::User(id) => {
            return if cx.user(id)?.deleted { Err(bad("INPUT_USER_DEACTIVATED")) } else { Ok(()) };
        }
        PeerId::Chat(id) => {
            let chat = cx.live_chat(id.0)?;
            let me = chat.members.get(&cx.me).ok_or_else(|| forbidden("CHAT_WRITE_FORBIDDEN"))?;
            me.is_admin() || !chat.default_banned_rights.pin_messages
        }
        PeerId::Channel(id) => {
            let channel = cx.channel(id)?;
            let me =
                channel.members.get(&cx.me).ok_or_else(|| forbidden("CHAT_WRITE_FORBIDDEN"))?;
            match me.admin_rights() {
                Some(rights) => rights.pin_messages || me.is_creator(),
                None => !channel.broadcast && !channel.default_banned_rights.pin_messages,
            }
        }
    };
    if allowed { Ok(()) } else { Err(bad("CHAT_ADMIN_REQUIRED")) }
}

/// Box owners and ids of a message outside channels; the channel's own id otherwise (owner: the caller).
fn copies(cx: &Cx<'_>, peer: PeerId, id: i32, global: u64, only_mine: bool) -> Vec<(UserId, i32)> {
    match peer {
        PeerId::Channel(_) => vec![(cx.me, id)],
        PeerId::User(_) | PeerId::Chat(_) => {
            let all = cx.world.copies.get(&global).cloned().unwrap_or_default();
            all.into_iter().filter(|(owner, _)| !only_mine || *owner == cx.me).collect()
        }
    }
}

/// Changes a message in every box that has it, and tells the owners.
fn change(cx: &mut Cx<'_>, peer: PeerId, id: i32, global: u64, edit: impl Fn(&mut Message)) {
    let (date, limit) = (cx.now, cx.world.limits.box_log);
    if let PeerId::Channel(channel) = peer {
        let Some(target) = cx.world.channels.get_mut(&channel) else { return };
        let Some(message) = target.history.messages.get_mut(&id) else { return };
        edit(message);
        let message = message.clone();
        let step = target.history.edited(id, date, limit);
        let members: Vec<UserId> = target.members.keys().copied().collect();
        for user in members {
            let message_tl = cx.world.message_view(user, &message);
            let (pts, pts_count) = (step.pts, step.pts_count);
            let update = types::UpdateEditChannelMessage { message: message_tl, pts, pts_count };
            cx.tell_min(user, update.into(), &message.peers());
        }
        return;
    }
    for (owner, id) in copies(cx, peer, id, global, false) {
        let Some(user) = cx.world.users.get_mut(&owner) else { continue };
        let Some(message) = user.mailbox.messages.get_mut(&id) else { continue };
        edit(message);
        let message = message.clone();
        let step = user.mailbox.edited(id, date, limit);
        let message_tl = cx.world.message_view(owner, &message);
        let (pts, pts_count) = (step.pts, step.pts_count);
        let update = types::UpdateEditMessage { message: message_tl, pts, pts_count };
        cx.tell(owner, update.into(), &message.peers());
    }
}

fn tell_pinned(cx: &mut Cx<'_>, peer: PeerId, owner: UserId, id: i32, pinned: bool) {
    let (date, limit) = (cx.now, cx.world.limits.box_log);
    if let PeerId::Channel(channel) = peer {
        let Some(target) = cx.world.channels.get_mut(&channel) else { return };
        if let Some(message) = target.history.messages.get_mut(&id) {
            message.pinned = pinned;
        }
        let members: Vec<UserId> = target.members.keys().copied().collect();
        let (update, _) = target.history.happened(1, date, vec![peer], limit, |s| {
            let (channel_id, messages) = (channel.0, vec![id]);
            let (pts, pts_count) = (s.pts, s.pts_count);
            types::UpdatePinnedChannelMessages { pinned, channel_id, messages, pts, pts_count }
                .into()
        });
        for user in members {
            cx.tell(user, update.clone(), &[peer]);
        }
        return;
    }
    let Some(user) = cx.world.users.get_mut(&owner) else { return };
    let Some(message) = user.mailbox.messages.get_mut(&id) else { return };
    message.pinned = pinned;
    let seen_as = message.peer;
    let (update, _) = user.mailbox.happened(1, date, vec![seen_as], limit, |s| {
        let (pts, pts_count) = (s.pts, s.pts_count);
        types::UpdatePinnedMessages {
            pinned,
            peer: seen_as.tl(),
            messages: vec![id],
            pts,
            pts_count,
        }
        .into()
    });
    cx.tell(owner, update, &[seen_as]);
}
