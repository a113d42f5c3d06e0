//! The title of a supergroup. Its description and default rights are edited by requests that serve basic groups too
//! (`chat_settings`).
use grammers_tl_types::functions::channels as f;
use grammers_tl_types::{enums, types};

use super::permission::Right;
use crate::cx::Cx;
use crate::effect::Effect;
use crate::rpc_error::{Reply, bad};
use crate::services::chats::group_title;
use crate::world::PeerId;

crate::requests! {
    channels::EditTitle => edit_title {
        400 "CHANNEL_INVALID", 400 "CHANNEL_PRIVATE", 403 "CHAT_ADMIN_REQUIRED", 400 "CHAT_INVALID" scripted,
        400 "CHAT_NOT_MODIFIED", 400 "CHAT_TITLE_EMPTY", 403 "CHAT_WRITE_FORBIDDEN",
        400 "MSG_ID_INVALID" @ "https://core.telegram.org/api/errors",
    }
}

/// `channels.editTitle`.
fn edit_title(cx: &mut Cx<'_>, r: f::EditTitle) -> Reply<enums::Updates> {
    let id = cx.channel_named(&r.channel)?;
    cx.may_in_channel(id, Right::ChangeInfo)?;
    let title = group_title(cx, &r.title)?;
    let channel = cx.channel_mut(id)?;
    if channel.title == title {
        return Err(bad("CHAT_NOT_MODIFIED"));
    }
    channel.title.clone_from(&title);
    let from = if channel.broadcast { PeerId::Channel(id) } else { cx.me.into() };
    cx.channel_changed(id, &[]);
    cx.announce_in_channel(id, from, types::MessageActionChatEditTitle { title: title.clone() });
    cx.effect(Effect::ChatRenamed { chat_id: id.bot_api(), title });
    Ok(cx.answer())
}
