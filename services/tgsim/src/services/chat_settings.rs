//! Title, description and default rights of a group. The last two requests serve basic groups and supergroups alike.
use grammers_tl_types::functions::messages as f;
use grammers_tl_types::{enums, types};

use super::chats::group_title;
use crate::cx::Cx;
use crate::effect::Effect;
use crate::rpc_error::{Reply, bad, forbidden};
use crate::world::{BasicGroup, PeerId, UserId, rights};

crate::requests! {
    messages::EditChatTitle => edit_chat_title {
        400 "CHAT_ADMIN_REQUIRED", 400 "CHAT_ID_INVALID", 400 "CHAT_NOT_MODIFIED", 400 "CHAT_TITLE_EMPTY",
        400 "PEER_ID_INVALID",
    }
    messages::EditChatAbout => edit_chat_about {
        400 "CHANNEL_INVALID", 400 "CHANNEL_PRIVATE", 400 "CHAT_ABOUT_NOT_MODIFIED", 400 "CHAT_ABOUT_TOO_LONG",
        400 "CHAT_ADMIN_REQUIRED", 400 "CHAT_ID_INVALID", 400 "CHAT_NOT_MODIFIED" scripted, 403 "CHAT_WRITE_FORBIDDEN",
        400 "PEER_ID_INVALID",
        400 "MSG_ID_INVALID" @ "https://core.telegram.org/method/messages.getHistory",
    }
    messages::EditChatDefaultBannedRights => edit_default_banned_rights {
        400 "BANNED_RIGHTS_INVALID", 400 "CHANNEL_INVALID", 400 "CHANNEL_PRIVATE", 400 "CHAT_ADMIN_REQUIRED",
        400 "CHAT_ID_INVALID", 400 "CHAT_NOT_MODIFIED", 403 "CHAT_WRITE_FORBIDDEN", 400 "PEER_ID_INVALID",
        400 "UNTIL_DATE_INVALID",
        400 "MSG_ID_INVALID" @ "https://core.telegram.org/method/messages.getHistory",
    }
}

/// `messages.editChatTitle`: any member may, unless the default rights say otherwise.
fn edit_chat_title(cx: &mut Cx<'_>, r: f::EditChatTitle) -> Reply<enums::Updates> {
    let chat = cx.live_chat(r.chat_id)?;
    if !may_change_info(chat, cx.me) {
        return Err(bad("CHAT_ADMIN_REQUIRED"));
    }
    let title = group_title(cx, &r.title)?;
    if title == chat.title {
        return Err(bad("CHAT_NOT_MODIFIED"));
    }
    let id = chat.id;
    cx.chat_mut(id)?.title.clone_from(&title);
    cx.announce_in_chat(id, cx.me, &[], types::MessageActionChatEditTitle { title: title.clone() });
    cx.effect(Effect::ChatRenamed { chat_id: id.bot_api(), title });
    Ok(cx.answer())
}

/// `messages.editChatAbout`.
fn edit_chat_about(cx: &mut Cx<'_>, r: f::EditChatAbout) -> Reply<bool> {
    let about = r.about.trim().to_owned();
    let peer = cx.input_peer(&r.peer)?;
    let too_long = about.chars().count() > cx.world.limits.chat_about_chars;
    let check = |old: &str| {
        if too_long {
            Err(bad("CHAT_ABOUT_TOO_LONG"))
        } else if old == about {
            Err(bad("CHAT_ABOUT_NOT_MODIFIED"))
        } else {
            Ok(())
        }
    };
    match peer {
        PeerId::User(_) => return Err(bad("PEER_ID_INVALID")),
        PeerId::Chat(id) => {
            let chat = cx.live_chat(id.0)?;
            if !chat.members.contains_key(&cx.me) {
                return Err(forbidden("CHAT_WRITE_FORBIDDEN"));
            }
            if !may_change_info(chat, cx.me) {
                return Err(bad("CHAT_ADMIN_REQUIRED"));
            }
            check(&chat.about)?;
            let members: Vec<UserId> = chat.members.keys().copied().collect();
            cx.chat_mut(id)?.about.clone_from(&about);
            for user in members {
                cx.notice(user, types::UpdateChat { chat_id: id.0 }.into(), &[id.into()]);
            }
        }
        PeerId::Channel(id) => {
            let member = cx.channel_member(id)?;
            let restricted = cx.channel(id)?.default_banned_rights.change_info;
            let allowed = match member.admin_rights() {
                Some(rights) => rights.change_info,
                None => !restricted && !cx.channel(id)?.broadcast,
            };
            if !allowed {
                return Err(bad("CHAT_ADMIN_REQUIRED"));
            }
            check(&cx.channel(id)?.about)?;
            cx.channel_mut(id)?.about.clone_from(&about);
            cx.channel_changed(id, &[]);
        }
    }
    cx.effect(Effect::ChatAboutEdited { chat_id: peer.bot_api(), about });
    Ok(true)
}

/// `messages.editChatDefaultBannedRights`: what plain members may not do.
fn edit_default_banned_rights(
    cx: &mut Cx<'_>,
    r: f::EditChatDefaultBannedRights,
) -> Reply<enums::Updates> {
    let enums::ChatBannedRights::Rights(new) = r.banned_rights;
    let peer = cx.input_peer(&r.peer)?;
    if new.view_messages {
        return Err(bad("BANNED_RIGHTS_INVALID"));
    }
    if new.until_date != 0 && new.until_date != i32::MAX {
        return Err(bad("UNTIL_DATE_INVALID"));
    }
    let new = types::ChatBannedRights { until_date: i32::MAX, ..new };
    let (old, members, version) = match peer {
        PeerId::User(_) => return Err(bad("PEER_ID_INVALID")),
        PeerId::Chat(id) => {
            let me = cx.me;
            cx.live_chat(id.0)?;
            let chat = cx.chat_mut(id)?;
            let mine = chat.members.get(&me).ok_or_else(|| forbidden("CHAT_WRITE_FORBIDDEN"))?;
            if !mine.is_admin() {
                return Err(bad("CHAT_ADMIN_REQUIRED"));
            }
            chat.version += 1;
            let members: Vec<UserId> = chat.members.keys().copied().collect();
            (&mut chat.default_banned_rights, members, chat.version)
        }
        PeerId::Channel(id) => {
            if !cx.channel_member(id)?.admin_rights().is_some_and(|r| r.ban_users) {
                return Err(bad("CHAT_ADMIN_REQUIRED"));
            }
            let channel = cx.channel_mut(id)?;
            let members: Vec<UserId> = channel.members.keys().copied().collect();
            (&mut channel.default_banned_rights, members, 0)
        }
    };
    if *old == new {
        return Err(bad("CHAT_NOT_MODIFIED"));
    }
    *old = new.clone();
    for user in members {
        let default_banned_rights = new.clone().into();
        let update = types::UpdateChatDefaultBannedRights {
            peer: peer.tl(),
            default_banned_rights,
            version,
        };
        cx.notice(user, update.into(), &[peer]);
    }
    let forbidden = rights::banned_right_names(&new);
    cx.effect(Effect::ChatDefaultRightsEdited { chat_id: peer.bot_api(), forbidden });
    Ok(cx.answer())
}

fn may_change_info(chat: &BasicGroup, me: UserId) -> bool {
    let plain_may = !chat.default_banned_rights.change_info;
    chat.members.get(&me).is_some_and(|m| m.is_admin() || plain_may)
}
