//! Members of basic groups: adding, taking out, leaving, admins.
use grammers_tl_types::functions::messages as f;
use grammers_tl_types::{enums, types};

use super::chats::invited_users;
use crate::cx::Cx;
use crate::effect::Effect;
use crate::rpc_error::{Reply, bad, forbidden};
use crate::world::{BasicGroup, ChatId, Member, PeerId, Role, UserId, rights};

crate::requests! {
    messages::AddChatUser => add_chat_user {
        400 "BOT_GROUPS_BLOCKED", 403 "CHAT_ADMIN_REQUIRED", 400 "CHAT_ID_INVALID", 400 "CHAT_INVALID" scripted,
        400 "CHAT_MEMBER_ADD_FAILED" scripted, 403 "CHAT_WRITE_FORBIDDEN", 400 "INPUT_USER_DEACTIVATED",
        400 "MSG_ID_INVALID", 400 "PEER_ID_INVALID", 400 "USERS_TOO_MUCH", 400 "USER_ALREADY_PARTICIPANT",
        400 "USER_ID_INVALID", 400 "USER_IS_BLOCKED", 403 "USER_NOT_MUTUAL_CONTACT",
        403 "USER_PRIVACY_RESTRICTED" scripted, 400 "YOU_BLOCKED_USER",
        400 "CHANNEL_INVALID" @ "https://core.telegram.org/method/users.getUsers",
        400 "CHANNEL_PRIVATE" @ "https://core.telegram.org/method/users.getUsers",
    }
    messages::DeleteChatUser => delete_chat_user {
        400 "CHAT_ADMIN_REQUIRED", 400 "CHAT_ID_INVALID", 400 "INPUT_USER_DEACTIVATED" scripted, 400 "PEER_ID_INVALID",
        400 "USER_ID_INVALID", 400 "USER_NOT_PARTICIPANT",
        400 "MSG_ID_INVALID" @ "https://core.telegram.org/method/messages.addChatUser",
        400 "CHANNEL_INVALID" @ "https://core.telegram.org/method/users.getUsers",
        400 "CHANNEL_PRIVATE" @ "https://core.telegram.org/method/users.getUsers",
    }
    messages::EditChatAdmin => edit_chat_admin {
        400 "CHAT_ID_INVALID", 400 "PEER_ID_INVALID", 400 "USER_ID_INVALID", 400 "USER_NOT_PARTICIPANT",
        400 "CHAT_ADMIN_REQUIRED" @ "https://core.telegram.org/method/messages.editChatTitle",
        400 "MSG_ID_INVALID" @ "https://core.telegram.org/method/messages.addChatUser",
        400 "CHANNEL_INVALID" @ "https://core.telegram.org/method/users.getUsers",
        400 "CHANNEL_PRIVATE" @ "https://core.telegram.org/method/users.getUsers",
    }
}

/// `messages.addChatUser`: privacy is no error but a `missing_invitees` entry. The last `fwd_limit` messages are
/// copied to a person (never to a bot).
fn add_chat_user(cx: &mut Cx<'_>, r: f::AddChatUser) -> Reply<enums::messages::InvitedUsers> {
    let id = cx.live_chat(r.chat_id)?.id;
    let user = cx.live_user(&r.user_id)?;
    let chat = cx.live_chat(r.chat_id)?;
    let me = chat.members.get(&cx.me).ok_or_else(|| forbidden("CHAT_WRITE_FORBIDDEN"))?;
    if !me.is_admin() && (chat.default_banned_rights.invite_users || chat.kicked.contains(&user)) {
        return Err(forbidden("CHAT_ADMIN_REQUIRED"));
    }
    if chat.members.contains_key(&user) {
        return Err(bad("USER_ALREADY_PARTICIPANT"));
    }
    let bot = cx.user(user)?.bot.clone();
    if bot.as_ref().is_some_and(|b| b.nochats) {
        return Err(bad("BOT_GROUPS_BLOCKED"));
    }
    if chat.members.len() >= cx.world.limits.chat_members {
        return Err(bad("USERS_TOO_MUCH"));
    }
    if cx.world.has_blocked(cx.me, user) {
        return Err(bad("YOU_BLOCKED_USER"));
    }
    if cx.world.has_blocked(user, cx.me) {
        return Err(bad("USER_IS_BLOCKED"));
    }
    if chat.left.contains(&user) && !cx.world.is_mutual_contact(cx.me, user) {
        return Err(forbidden("USER_NOT_MUTUAL_CONTACT"));
    }
    if let Some(missing) = cx.world.invite_obstacle(user, cx.me) {
        return Ok(invited_users(cx, id.bot_api(), vec![missing]));
    }
    let (by, now) = (cx.me, cx.now);
    if bot.is_none() {
        copy_history(cx, id, user, r.fwd_limit);
    }
    cx.world.enter_chat(id, Member::plain(user, by, now));
    cx.chat_participants_changed(id);
    cx.announce_in_chat(id, by, &[], types::MessageActionChatAddUser { users: vec![user.0] });
    cx.effect(Effect::MemberAdded { chat_id: id.bot_api(), user_id: user.0, by: by.0 });
    Ok(invited_users(cx, id.bot_api(), vec![]))
}

/// `messages.deleteChatUser`: take somebody out, or leave. Admins may take out plain members, anybody may take out
/// people they brought themselves.
fn delete_chat_user(cx: &mut Cx<'_>, r: f::DeleteChatUser) -> Reply<enums::Updates> {
    let id = cx.live_chat(r.chat_id)?.id;
    let user = cx.input_user(&r.user_id)?;
    let chat = cx.live_chat(r.chat_id)?;
    let Some(target) = chat.members.get(&user) else {
        return Err(bad("USER_NOT_PARTICIPANT"));
    };
    if user != cx.me && !may_remove(chat, cx.me, target) {
        return Err(bad("CHAT_ADMIN_REQUIRED"));
    }
    if r.revoke_history {
        cx.delete_messages_of(id, user);
    }
    let by = cx.me;
    cx.world.quit_chat(id, user, user != by);
    cx.chat_participants_changed(id);
    cx.announce_in_chat(id, by, &[user], types::MessageActionChatDeleteUser { user_id: user.0 });
    let (chat_id, user_id) = (id.bot_api(), user.0);
    cx.effect(match user == by {
        true => Effect::MemberLeft { chat_id, user_id },
        false => Effect::MemberRemoved { chat_id, user_id, by: by.0 },
    });
    Ok(cx.answer())
}

/// `messages.editChatAdmin`: only the creator names admins of a basic group.
fn edit_chat_admin(cx: &mut Cx<'_>, r: f::EditChatAdmin) -> Reply<bool> {
    let id = cx.live_chat(r.chat_id)?.id;
    let user = cx.input_user(&r.user_id)?;
    let (me, is_admin) = (cx.me, r.is_admin);
    let chat = cx.chat_mut(id)?;
    if chat.creator() != Some(me) {
        return Err(bad("CHAT_ADMIN_REQUIRED"));
    }
    let member = chat.members.get_mut(&user).ok_or_else(|| bad("USER_NOT_PARTICIPANT"))?;
    if member.is_creator() {
        return Err(bad("USER_ID_INVALID"));
    }
    if member.is_admin() == is_admin {
        return Ok(true);
    }
    member.role = match is_admin {
        true => Role::Admin { rights: rights::basic_admin_rights(), promoted_by: me },
        false => Role::Plain,
    };
    chat.version += 1;
    cx.chat_participants_changed(id);
    let (chat_id, user_id, by) = (id.bot_api(), user.0, me.0);
    cx.effect(match is_admin {
        true => Effect::AdminSet {
            chat_id,
            user_id,
            by,
            rights: rights::admin_right_names(&rights::basic_admin_rights()),
            rank: String::new(),
        },
        false => Effect::AdminRemoved { chat_id, user_id, by },
    });
    Ok(true)
}

fn may_remove(chat: &BasicGroup, me: UserId, target: &Member) -> bool {
    let Some(mine) = chat.members.get(&me) else { return false };
    mine.is_creator() || target.inviter == me || (mine.is_admin() && !target.is_admin())
}

/// Gives a newcomer the last messages of the group, as the one who adds them has them.
fn copy_history(cx: &mut Cx<'_>, chat: ChatId, to: UserId, fwd_limit: i32) {
    let limit = fwd_limit.clamp(0, cx.world.limits.forwarded) as usize;
    let Some(me) = cx.world.users.get(&cx.me) else { return };
    let mut last: Vec<_> = me.mailbox.with_peer(PeerId::Chat(chat)).take(limit).cloned().collect();
    last.reverse();
    for message in last {
        cx.deliver_copy(to, message);
    }
}
