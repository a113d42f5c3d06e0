//! Sending: who may write where, and each message exactly once.
use grammers_tl_types::functions::messages as f;
use grammers_tl_types::{enums, types};

use super::PostOptions;
use crate::cx::Cx;
use crate::effect::Effect;
use crate::rpc_error::{Reply, RpcError, bad, forbidden, not_acceptable, not_simulated};
use crate::world::{Body, ChannelId, PeerId, Role, UserId};

crate::requests! {
    messages::SendMessage => send_message {
        400 "CHANNEL_INVALID", 406 "CHANNEL_PRIVATE", 403 "CHAT_ADMIN_REQUIRED",
        403 "CHAT_GUEST_SEND_FORBIDDEN", 400 "CHAT_ID_INVALID", 403 "CHAT_SEND_PLAIN_FORBIDDEN",
        403 "CHAT_WRITE_FORBIDDEN", 400 "INPUT_USER_DEACTIVATED", 400 "MESSAGE_EMPTY", 400 "MESSAGE_TOO_LONG",
        400 "MSG_ID_INVALID", 404 "PEER_ID_INVALID", 406 "PRIVACY_PREMIUM_REQUIRED", 500 "RANDOM_ID_DUPLICATE",
        400 "RANDOM_ID_EMPTY", 400 "REPLY_MESSAGE_ID_INVALID", 420 "SLOWMODE_WAIT_%d",
        400 "USER_BANNED_IN_CHANNEL", 403 "USER_IS_BLOCKED", 400 "USER_IS_BOT", 400 "YOU_BLOCKED_USER",
        400 "ADMIN_RIGHTS_EMPTY" scripted, 406 "ALLOW_PAYMENT_REQUIRED" scripted,
        403 "ALLOW_PAYMENT_REQUIRED_%d" scripted, 400 "BALANCE_TOO_LOW" scripted,
        400 "BOT_DOMAIN_INVALID" scripted, 400 "BOT_INVALID" scripted,
        400 "BUSINESS_CONNECTION_INVALID" scripted, 400 "BUSINESS_PEER_INVALID" scripted,
        400 "BUSINESS_PEER_USAGE_MISSING" scripted, 400 "BUTTON_COPY_TEXT_INVALID" scripted,
        400 "BUTTON_DATA_INVALID" scripted, 400 "BUTTON_ID_INVALID" scripted,
        400 "BUTTON_TYPE_INVALID" scripted, 400 "BUTTON_URL_INVALID" scripted,
        400 "BUTTON_USER_INVALID" scripted, 400 "BUTTON_USER_PRIVACY_RESTRICTED" scripted,
        400 "CHANNEL_MONOFORUM_UNSUPPORTED" scripted, 400 "CHAT_FORWARDS_RESTRICTED" scripted,
        400 "CHAT_RESTRICTED" scripted, 400 "DOCUMENT_INVALID" scripted, 400 "EFFECT_CHAT_INVALID" scripted,
        400 "ENCRYPTION_DECLINED" scripted, 400 "ENTITIES_TOO_LONG" scripted,
        400 "ENTITY_BOUNDS_INVALID" scripted, 400 "ENTITY_DATE_FORMAT_INVALID" scripted,
        400 "ENTITY_DATE_INVALID" scripted, 400 "ENTITY_DATE_TOO_LONG" scripted,
        400 "ENTITY_MENTION_USER_INVALID" scripted, 400 "FROM_MESSAGE_BOT_DISABLED" scripted,
        500 "MSG_WAIT_FAILED" scripted, 406 "PAYMENT_UNSUPPORTED" scripted, 400 "PEER_TYPES_INVALID" scripted,
        400 "PINNED_DIALOGS_TOO_MUCH" scripted, 400 "POLL_OPTION_INVALID" scripted,
        403 "PREMIUM_ACCOUNT_REQUIRED" scripted, 400 "QUICK_REPLIES_BOT_NOT_ALLOWED" scripted,
        400 "QUICK_REPLIES_TOO_MUCH" scripted, 400 "QUOTE_TEXT_INVALID" scripted,
        400 "REPLY_MARKUP_INVALID" scripted, 400 "REPLY_MARKUP_TOO_LONG" scripted,
        400 "REPLY_MESSAGES_TOO_MUCH" scripted, 400 "REPLY_TO_INVALID" scripted,
        400 "REPLY_TO_MONOFORUM_PEER_INVALID" scripted, 400 "REPLY_TO_USER_INVALID" scripted,
        400 "SCHEDULE_BOT_NOT_ALLOWED" scripted, 400 "SCHEDULE_DATE_TOO_LATE" scripted,
        400 "SCHEDULE_STATUS_PRIVATE" scripted, 400 "SCHEDULE_TOO_MUCH" scripted,
        400 "SEND_AS_PEER_INVALID" scripted, 400 "STORIES_NEVER_CREATED" scripted,
        400 "STORY_ID_INVALID" scripted, 400 "SUGGESTED_POST_AMOUNT_INVALID" scripted,
        400 "SUGGESTED_POST_PEER_INVALID" scripted, 406 "TOPIC_CLOSED" scripted, 406 "TOPIC_DELETED" scripted,
        400 "USER_BOT_TO_BOT_DISABLED" scripted, 400 "WC_CONVERT_URL_INVALID" scripted,
        400 "PEER_FLOOD" @ "https://core.telegram.org/api/errors",
    }
}

/// `messages.sendMessage`: a short answer for private chats and basic groups, full updates for supergroups, as
/// Telegram does.
fn send_message(cx: &mut Cx<'_>, r: f::SendMessage) -> Reply<enums::Updates> {
    refuse_unsimulated(&r)?;
    let peer = cx.input_peer(&r.peer)?;
    may_write(cx, peer)?;
    let text = r.message.trim().to_owned();
    if text.is_empty() {
        return Err(bad("MESSAGE_EMPTY"));
    }
    if text.chars().count() > cx.world.limits.message_chars {
        return Err(bad("MESSAGE_TOO_LONG"));
    }
    if r.random_id == 0 {
        return Err(bad("RANDOM_ID_EMPTY"));
    }
    let reply_to = match r.reply_to {
        None => None,
        Some(enums::InputReplyTo::Message(m)) => Some(existing(cx, peer, m.reply_to_msg_id)?),
        Some(_) => return Err(not_simulated("reply_to")),
    };
    once(cx, peer, r.random_id)?;
    let entities = r.entities.unwrap_or_default();
    let chars = text.chars().count();
    let options = PostOptions { silent: r.silent, reply_to };
    let id = post(cx, peer, Body::Text { text, entities: entities.clone() }, &options);
    sent(cx, peer, r.random_id, id);
    let random_id = r.random_id.to_string();
    cx.effect(Effect::MessageSent { chat_id: peer.bot_api(), message_id: id, random_id, chars });
    if let PeerId::Channel(_) = peer {
        let first = types::UpdateMessageId { id, random_id: r.random_id }.into();
        return Ok(cx.answer_with(vec![first]));
    }
    Ok(types::UpdateShortSentMessage {
        out: true,
        id,
        pts: cx.standing().pts,
        pts_count: 1,
        date: cx.now,
        media: None,
        entities: (!entities.is_empty()).then_some(entities),
        ttl_period: None,
    }
    .into())
}

/// Whether the caller may write a text to `peer`; if not, the error that says why.
pub(super) fn may_write(cx: &Cx<'_>, peer: PeerId) -> Reply<()> {
    match peer {
        PeerId::User(id) => may_write_to_user(cx, id),
        PeerId::Chat(id) => {
            let chat = cx.live_chat(id.0)?;
            let me = chat.members.get(&cx.me).ok_or_else(|| forbidden("CHAT_WRITE_FORBIDDEN"))?;
            if !me.is_admin() { writable(&chat.default_banned_rights) } else { Ok(()) }
        }
        PeerId::Channel(id) => may_write_in_channel(cx, id),
    }
}

fn may_write_to_user(cx: &Cx<'_>, to: UserId) -> Reply<()> {
    if to == cx.me {
        return Ok(());
    }
    let (me, target) = (cx.user(cx.me)?, cx.user(to)?);
    if target.deleted {
        return Err(bad("INPUT_USER_DEACTIVATED"));
    }
    if me.bot.is_some() && target.bot.is_some() {
        return Err(bad("USER_IS_BOT"));
    }
    if cx.world.has_blocked(cx.me, to) {
        return Err(bad("YOU_BLOCKED_USER"));
    }
    if cx.world.has_blocked(to, cx.me) {
        return Err(forbidden("USER_IS_BLOCKED"));
    }
    // A bot can't begin a conversation: the person has to write first.
    if me.bot.is_some() && !me.dialogs.contains_key(&to.into()) {
        return Err(bad("PEER_ID_INVALID"));
    }
    if cx.world.needs_premium_to_write(to, cx.me) {
        return Err(not_acceptable("PRIVACY_PREMIUM_REQUIRED"));
    }
    let stranger = !cx.world.is_contact(to, cx.me) && !me.dialogs.contains_key(&to.into());
    if me.spam_restricted && stranger && target.bot.is_none() {
        return Err(bad("PEER_FLOOD"));
    }
    Ok(())
}

fn may_write_in_channel(cx: &Cx<'_>, id: ChannelId) -> Reply<()> {
    let channel = cx.channel(id)?;
    let Some(me) = channel.members.get(&cx.me) else {
        let name =
            if channel.join_to_send { "CHAT_GUEST_SEND_FORBIDDEN" } else { "CHAT_WRITE_FORBIDDEN" };
        return Err(forbidden(name));
    };
    if let Some(rights) = me.admin_rights() {
        return match channel.broadcast && !rights.post_messages && !me.is_creator() {
            true => Err(forbidden("CHAT_ADMIN_REQUIRED")),
            false => Ok(()),
        };
    }
    if channel.broadcast {
        return Err(forbidden("CHAT_ADMIN_REQUIRED"));
    }
    if let Role::Restricted { rights, .. } = &me.role {
        let over = rights.until_date != 0 && rights.until_date <= cx.now;
        if rights.send_messages && !over {
            return Err(bad("USER_BANNED_IN_CHANNEL"));
        }
        if !over {
            writable(rights)?;
        }
    }
    writable(&channel.default_banned_rights)?;
    let mine = channel.history.messages.values().rev().find(|m| m.from == PeerId::User(cx.me));
    let wait = mine.map_or(0, |m| m.date + channel.slowmode_s - cx.now);
    if channel.slowmode_s > 0 && wait > 0 {
        return Err(RpcError::new(420, format!("SLOWMODE_WAIT_{wait}")));
    }
    Ok(())
}

fn writable(banned: &types::ChatBannedRights) -> Reply<()> {
    if banned.send_messages {
        Err(forbidden("CHAT_WRITE_FORBIDDEN"))
    } else if banned.send_plain {
        Err(forbidden("CHAT_SEND_PLAIN_FORBIDDEN"))
    } else {
        Ok(())
    }
}

fn post(cx: &mut Cx<'_>, peer: PeerId, body: Body, options: &PostOptions) -> i32 {
    let me = cx.me;
    match peer {
        PeerId::User(to) => cx.post_private(me, to, body, options),
        PeerId::Chat(id) => cx.post_chat(id, me, &[], body, options),
        PeerId::Channel(id) => {
            let channel = cx.world.channels.get(&id);
            let as_channel = channel.is_some_and(|c| {
                c.broadcast
                    || c.members
                        .get(&me)
                        .and_then(|m| m.admin_rights())
                        .is_some_and(|r| r.anonymous)
            });
            cx.post_channel(id, if as_channel { id.into() } else { me.into() }, body, options)
        }
    }
}

fn existing(cx: &Cx<'_>, peer: PeerId, id: i32) -> Reply<i32> {
    cx.readable(peer, id).map(|m| m.id).ok_or_else(|| bad("REPLY_MESSAGE_ID_INVALID"))
}

/// `RANDOM_ID_DUPLICATE` for an id that sent something there before:
/// <https://core.telegram.org/api/updates#sending-messages>.
fn once(cx: &Cx<'_>, peer: PeerId, random_id: i64) -> Reply<()> {
    let used = cx.user(cx.me)?.random_ids.contains_key(&(peer, random_id));
    if used { Err(RpcError::new(500, "RANDOM_ID_DUPLICATE")) } else { Ok(()) }
}

fn sent(cx: &mut Cx<'_>, peer: PeerId, random_id: i64, id: i32) {
    let limit = cx.world.limits.box_log;
    if let Some(me) = cx.world.users.get_mut(&cx.me) {
        me.random_ids.insert((peer, random_id), id);
        if me.random_ids.len() > limit {
            me.random_ids.shift_remove_index(0);
        }
    }
}

fn refuse_unsimulated(r: &f::SendMessage) -> Reply<()> {
    let unsimulated = [
        (r.schedule_date.is_some(), "schedule_date"),
        (r.reply_markup.is_some(), "reply_markup"),
        (r.quick_reply_shortcut.is_some(), "quick_reply_shortcut"),
        (r.suggested_post.is_some(), "suggested_post"),
        (r.effect.is_some(), "effect"),
        (r.send_as.is_some(), "send_as"),
    ];
    match unsimulated.into_iter().find(|(set, _)| *set) {
        Some((_, option)) => Err(not_simulated(option)),
        None => Ok(()),
    }
}
