//! The history of a supergroup or channel: by id, marking as read, deleting.
use std::collections::BTreeSet;

use grammers_tl_types::functions::channels as f;
use grammers_tl_types::{enums, types};

use crate::cx::Cx;
use crate::effect::Effect;
use crate::rpc_error::{Reply, bad, forbidden, not_simulated};
use crate::world::{Cast, PeerId, UserId};

crate::requests! {
    channels::GetMessages => get_messages {
        400 "CHANNEL_INVALID", 406 "CHANNEL_PRIVATE", 400 "MESSAGE_IDS_EMPTY", 400 "MSG_ID_INVALID",
        400 "CHAT_NOT_MODIFIED" scripted, 400 "FROZEN_PARTICIPANT_MISSING" scripted,
        400 "USER_BANNED_IN_CHANNEL" scripted,
        400 "PEER_ID_INVALID" @ "https://core.telegram.org/method/messages.getHistory",
        400 "CHAT_ID_INVALID" @ "https://core.telegram.org/method/messages.getHistory",
    }
    channels::ReadHistory => read_history {
        400 "CHANNEL_INVALID", 406 "CHANNEL_PRIVATE", 400 "MSG_ID_INVALID",
        400 "PEER_ID_INVALID" @ "https://core.telegram.org/method/messages.getHistory",
        400 "CHAT_ID_INVALID" @ "https://core.telegram.org/method/messages.getHistory",
    }
    channels::DeleteMessages => delete_messages {
        400 "CHANNEL_INVALID", 406 "CHANNEL_PRIVATE", 403 "MESSAGE_DELETE_FORBIDDEN", 400 "MSG_ID_INVALID",
        400 "CHAT_ADMIN_REQUIRED" scripted, 420 "FROZEN_METHOD_INVALID" scripted,
        400 "PEER_ID_INVALID" @ "https://core.telegram.org/method/messages.getHistory",
        400 "CHAT_ID_INVALID" @ "https://core.telegram.org/method/messages.getHistory",
    }
    channels::DeleteHistory => delete_history {
        400 "CHANNEL_INVALID", 400 "CHANNEL_PARICIPANT_MISSING", 400 "CHANNEL_PRIVATE",
        400 "CHAT_ADMIN_REQUIRED", 400 "CHANNEL_TOO_BIG" scripted,
        400 "MSG_ID_INVALID" @ "https://core.telegram.org/method/channels.readHistory",
        400 "PEER_ID_INVALID" @ "https://core.telegram.org/method/messages.getHistory",
        400 "CHAT_ID_INVALID" @ "https://core.telegram.org/method/messages.getHistory",
    }
}

/// `channels.getMessages`: `messageEmpty` for what is not there, or not for the caller.
fn get_messages(cx: &mut Cx<'_>, r: f::GetMessages) -> Reply<enums::messages::Messages> {
    let id = cx.input_channel(&r.channel)?;
    let peer = PeerId::Channel(id);
    if r.id.is_empty() {
        return Err(bad("MESSAGE_IDS_EMPTY"));
    }
    let mut cast: Cast = [peer].into_iter().collect();
    let mut messages = vec![];
    for input in r.id.iter().take(cx.world.limits.page) {
        let (wanted, message) = match input {
            enums::InputMessage::Id(m) => (m.id, cx.readable(peer, m.id)),
            enums::InputMessage::ReplyTo(m) => {
                let answer = cx.readable(peer, m.id).and_then(|m| m.reply_to);
                (m.id, answer.and_then(|id| cx.readable(peer, id)))
            }
            enums::InputMessage::Pinned => {
                let newest = cx.channel(id)?.history.messages.values().rev().find(|m| m.pinned);
                (0, newest.and_then(|m| cx.readable(peer, m.id)))
            }
            enums::InputMessage::CallbackQuery(_) => return Err(not_simulated("callback_query")),
        };
        messages.push(match message {
            Some(m) => {
                cast.extend(m.peers());
                cx.world.message_view(cx.me, m)
            }
            None => types::MessageEmpty { id: wanted, peer_id: Some(peer.tl()) }.into(),
        });
    }
    let (users, chats) = cast.render(cx.world, cx.me);
    Ok(types::messages::ChannelMessages {
        inexact: false,
        pts: cx.channel(id)?.history.pts,
        count: i32::try_from(messages.len()).unwrap_or(i32::MAX),
        offset_id_offset: None,
        messages,
        topics: vec![],
        chats,
        users,
    }
    .into())
}

/// `channels.readHistory`: the caller's own devices hear how far it is read, and so do the authors.
fn read_history(cx: &mut Cx<'_>, r: f::ReadHistory) -> Reply<bool> {
    let id = cx.input_channel(&r.channel)?;
    let (me, peer) = (cx.me, PeerId::Channel(id));
    let channel = cx.channel_mut(id)?;
    let (last, pts) = (channel.history.last_id, channel.history.pts);
    let max_id = if r.max_id > 0 { r.max_id.min(last) } else { last };
    let Some(member) = channel.members.get_mut(&me) else { return Err(bad("CHANNEL_PRIVATE")) };
    let before = member.read_inbox_max_id;
    if max_id <= before {
        return Ok(false);
    }
    member.read_inbox_max_id = max_id;
    let foreign = |m: &&crate::world::Message| m.from != PeerId::User(me);
    let unread =
        channel.history.messages.range(max_id + 1..).map(|(_, m)| m).filter(foreign).count();
    let authors: BTreeSet<UserId> = channel
        .history
        .messages
        .range(before + 1..=max_id)
        .filter_map(|(_, m)| if let PeerId::User(author) = m.from { Some(author) } else { None })
        .filter(|author| *author != me)
        .collect();
    let update = types::UpdateReadChannelInbox {
        folder_id: None,
        channel_id: id.0,
        max_id,
        still_unread_count: i32::try_from(unread).unwrap_or(i32::MAX),
        pts,
    };
    cx.notice(me, update.into(), &[peer]);
    for author in authors {
        cx.notice(
            author,
            types::UpdateReadChannelOutbox { channel_id: id.0, max_id }.into(),
            &[peer],
        );
    }
    cx.effect(Effect::HistoryRead { chat_id: id.bot_api(), max_id });
    Ok(true)
}

/// `channels.deleteMessages`: one's own, or any for admins who may; always for everybody.
fn delete_messages(
    cx: &mut Cx<'_>,
    r: f::DeleteMessages,
) -> Reply<enums::messages::AffectedMessages> {
    let id = cx.input_channel(&r.channel)?;
    let member = cx.channel_member(id)?;
    let may_any = member.admin_rights().is_some_and(|r| r.delete_messages);
    let foreign = |wanted: &i32| {
        cx.readable(id.into(), *wanted).is_some_and(|m| m.from != PeerId::User(cx.me))
    };
    if !may_any && r.id.iter().any(foreign) {
        return Err(forbidden("MESSAGE_DELETE_FORBIDDEN"));
    }
    let (step, message_ids) = cx.erase_in_channel(id, &r.id);
    if !message_ids.is_empty() {
        let chat_id = Some(id.bot_api());
        cx.effect(Effect::MessagesDeleted { chat_id, message_ids, for_everyone: true });
    }
    Ok(types::messages::AffectedMessages { pts: step.pts, pts_count: step.pts_count }.into())
}

/// `channels.deleteHistory`: hides it from the caller, or deletes it for everybody (an admin's right).
fn delete_history(cx: &mut Cx<'_>, r: f::DeleteHistory) -> Reply<enums::Updates> {
    let id = cx.input_channel(&r.channel)?;
    let me = cx.me;
    let Some(member) = cx.channel(id)?.members.get(&me) else {
        return Err(bad("CHANNEL_PARICIPANT_MISSING"));
    };
    let may_delete = member.admin_rights().is_some_and(|r| r.delete_messages);
    let history = &cx.channel(id)?.history;
    let max_id = if r.max_id > 0 { r.max_id.min(history.last_id) } else { history.last_id };
    if r.for_everyone {
        if !may_delete {
            return Err(bad("CHAT_ADMIN_REQUIRED"));
        }
        let ids: Vec<i32> = history.messages.range(..=max_id).map(|(id, _)| *id).collect();
        cx.erase_in_channel(id, &ids);
    } else if let Some(member) = cx.channel_mut(id)?.members.get_mut(&me) {
        member.available_min_id = member.available_min_id.max(max_id);
        let update =
            types::UpdateChannelAvailableMessages { channel_id: id.0, available_min_id: max_id };
        cx.notice(me, update.into(), &[id.into()]);
    }
    cx.effect(Effect::HistoryDeleted {
        chat_id: id.bot_api(),
        max_id,
        for_everyone: r.for_everyone,
    });
    Ok(cx.answer())
}
