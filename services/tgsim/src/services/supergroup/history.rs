//! What only supergroups do with their history: delete all of one member, and link to a message.
use grammers_tl_types::functions::channels as f;
use grammers_tl_types::{enums, types};

use super::permission::Right;
use crate::cx::Cx;
use crate::effect::Effect;
use crate::rpc_error::{Reply, bad};

crate::requests! {
    channels::DeleteParticipantHistory => delete_participant_history {
        400 "CHANNEL_INVALID", 400 "CHANNEL_PRIVATE", 400 "CHAT_ADMIN_REQUIRED", 403 "CHAT_WRITE_FORBIDDEN",
        400 "MSG_ID_INVALID", 400 "PARTICIPANT_ID_INVALID",
        400 "USER_ID_INVALID" @ "https://core.telegram.org/api/errors",
    }
    channels::ExportMessageLink => export_message_link {
        400 "CHANNEL_INVALID", 400 "CHANNEL_PRIVATE", 400 "MESSAGE_ID_INVALID", 400 "MSG_ID_INVALID",
    }
}

/// `channels.deleteParticipantHistory`: all that one member wrote.
fn delete_participant_history(
    cx: &mut Cx<'_>,
    r: f::DeleteParticipantHistory,
) -> Reply<enums::messages::AffectedHistory> {
    let id = cx.channel_named(&r.channel)?;
    let user = cx.participant(&r.participant)?;
    cx.may_in_channel(id, Right::DeleteMessages)?;
    let messages = &cx.channel(id)?.history.messages;
    let theirs: Vec<i32> =
        messages.values().filter(|m| m.from == user.into()).map(|m| m.id).collect();
    let (step, message_ids) = cx.erase_in_channel(id, &theirs);
    if !message_ids.is_empty() {
        cx.effect(Effect::MessagesDeleted {
            chat_id: Some(id.bot_api()),
            message_ids,
            for_everyone: true,
        });
    }
    Ok(types::messages::AffectedHistory { pts: step.pts, pts_count: step.pts_count, offset: 0 }
        .into())
}

/// `channels.exportMessageLink`.
fn export_message_link(
    cx: &mut Cx<'_>,
    r: f::ExportMessageLink,
) -> Reply<enums::ExportedMessageLink> {
    let id = cx.channel_named(&r.channel)?;
    let channel = cx.channel(id)?;
    if !channel.history.messages.contains_key(&r.id) {
        return Err(bad("MESSAGE_ID_INVALID"));
    }
    let link = match &channel.username {
        Some(name) => format!("https://t.me/{name}/{}", r.id),
        None => format!("https://t.me/c/{}/{}", id.0, r.id),
    };
    Ok(types::ExportedMessageLink { link, html: String::new() }.into())
}
