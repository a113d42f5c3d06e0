//! Basic groups as a whole: making, looking up, deleting.
use grammers_tl_types::functions::messages as f;
use grammers_tl_types::{enums, types};
use indexmap::IndexMap;

use crate::cx::Cx;
use crate::effect::{Effect, GroupKind};
use crate::rpc_error::{Reply, bad, not_acceptable};
use crate::world::{BasicGroup, Links, Member, PeerId, Role, UserId, rights};

crate::requests! {
    messages::CreateChat => create_chat {
        500 "CHAT_ID_GENERATE_FAILED" scripted, 400 "CHAT_INVALID" scripted, 400 "CHAT_MEMBER_ADD_FAILED" scripted, 400 "CHAT_TITLE_EMPTY",
        400 "INPUT_USER_DEACTIVATED", 400 "TTL_PERIOD_INVALID", 400 "USERS_TOO_FEW", 406 "USER_RESTRICTED",
        400 "USERS_TOO_MUCH" @ "https://core.telegram.org/method/messages.addChatUser",
        400 "USER_ID_INVALID" @ "https://core.telegram.org/method/messages.addChatUser",
        400 "MSG_ID_INVALID" @ "https://core.telegram.org/method/messages.addChatUser",
        400 "PEER_ID_INVALID" @ "https://core.telegram.org/method/messages.addChatUser",
        400 "CHAT_ID_INVALID" @ "https://core.telegram.org/method/messages.addChatUser",
        400 "CHANNEL_INVALID" @ "https://core.telegram.org/method/users.getUsers",
        400 "CHANNEL_PRIVATE" @ "https://core.telegram.org/method/users.getUsers",
    }
    messages::GetChats => get_chats { 400 "CHAT_ID_INVALID", 400 "PEER_ID_INVALID" }
    messages::DeleteChat => delete_chat {
        400 "CHAT_ADMIN_REQUIRED", 400 "CHAT_ID_INVALID", 400 "PEER_ID_INVALID",
    }
}

/// `messages.createChat`: people whose privacy forbids it come back in `missing_invitees`, the group is made all the
/// same, even with nobody else in it.
fn create_chat(cx: &mut Cx<'_>, r: f::CreateChat) -> Reply<enums::messages::InvitedUsers> {
    let title = group_title(cx, &r.title)?;
    if cx.user(cx.me)?.spam_restricted {
        return Err(not_acceptable("USER_RESTRICTED"));
    }
    if r.ttl_period.is_some_and(|s| s < 0) {
        return Err(bad("TTL_PERIOD_INVALID"));
    }
    let (me, now) = (cx.me, cx.now);
    let mut invited: Vec<UserId> = vec![];
    for input in &r.users {
        let user = cx.live_user(input)?;
        if user != me && !invited.contains(&user) {
            invited.push(user);
        }
    }
    if invited.is_empty() {
        return Err(bad("USERS_TOO_FEW"));
    }
    if invited.len() >= cx.world.limits.chat_members {
        return Err(bad("USERS_TOO_MUCH"));
    }
    let missing: Vec<_> = invited.iter().filter_map(|u| missing(cx, *u)).collect();
    invited.retain(|u| missing.iter().all(|m| m.user_id != u.0));

    let id = cx.world.next_chat_id();
    let creator = Role::Creator { rights: rights::all_admin_rights() };
    let creator = Member { role: creator, ..Member::plain(me, me, now) };
    cx.world.chats.insert(
        id,
        BasicGroup {
            id,
            title: title.clone(),
            about: String::new(),
            date: now,
            version: 0,
            members: IndexMap::new(),
            left: Default::default(),
            kicked: Default::default(),
            default_banned_rights: rights::default_restrictions(),
            links: Links::default(),
            migrated_to: None,
            deleted: false,
            ttl_period: r.ttl_period.filter(|s| *s > 0),
        },
    );
    cx.world.enter_chat(id, creator);
    for user in &invited {
        cx.world.enter_chat(id, Member::plain(*user, me, now));
    }
    let everybody: Vec<i64> = std::iter::once(me.0).chain(invited.iter().map(|u| u.0)).collect();
    cx.chat_participants_changed(id);
    let action = types::MessageActionChatCreate { title: title.clone(), users: everybody.clone() };
    cx.announce_in_chat(id, me, &[], action);
    let chat_id = id.bot_api();
    cx.effect(Effect::ChatCreated { chat_id, group: GroupKind::Basic, title, members: everybody });
    Ok(invited_users(cx, chat_id, missing))
}

/// `messages.getChats`: the caller's basic groups by number; any other number is an error.
fn get_chats(cx: &mut Cx<'_>, r: f::GetChats) -> Reply<enums::messages::Chats> {
    let mut chats = vec![];
    for id in r.id {
        let id = cx.chat(id)?.id;
        chats.push(cx.world.chat_view(cx.me, id));
    }
    Ok(types::messages::Chats { chats }.into())
}

/// `messages.deleteChat`: the creator deletes the group, with all messages, for everybody.
fn delete_chat(cx: &mut Cx<'_>, r: f::DeleteChat) -> Reply<bool> {
    let chat = cx.live_chat(r.chat_id)?;
    let (id, members) = (chat.id, chat.members.keys().copied().collect::<Vec<_>>());
    if chat.creator() != Some(cx.me) {
        return Err(bad("CHAT_ADMIN_REQUIRED"));
    }
    for user in &members {
        cx.world.quit_chat(id, *user, true);
    }
    let chat = cx.chat_mut(id)?;
    chat.deleted = true;
    let hashes: Vec<String> = chat.links.all.iter().map(|l| l.hash.clone()).collect();
    for hash in hashes {
        cx.world.links.remove(&hash);
    }
    for user in members {
        cx.notice(user, types::UpdateChat { chat_id: id.0 }.into(), &[id.into()]);
        cx.clear_conversation(user, PeerId::Chat(id));
    }
    cx.effect(Effect::ChatDeleted { chat_id: id.bot_api() });
    Ok(true)
}

/// A title as Telegram keeps it: trimmed, cut to its limit; `CHAT_TITLE_EMPTY` where nothing is left.
pub(super) fn group_title(cx: &Cx<'_>, title: &str) -> Reply<String> {
    let title: String = title.trim().chars().take(cx.world.limits.title_chars).collect();
    if title.is_empty() { Err(bad("CHAT_TITLE_EMPTY")) } else { Ok(title) }
}

/// Why somebody can't be added by the caller, as `missing_invitees` tells it: privacy, a block, or a bot that may not
/// be in groups.
fn missing(cx: &Cx<'_>, user: UserId) -> Option<types::MissingInvitee> {
    let bot_stays_out =
        cx.world.users.get(&user).and_then(|u| u.bot.as_ref()).is_some_and(|b| b.nochats);
    cx.world.invite_obstacle(user, cx.me).or_else(|| {
        (bot_stays_out || cx.world.has_blocked(user, cx.me)).then_some(types::MissingInvitee {
            premium_would_allow_invite: false,
            premium_required_for_pm: false,
            user_id: user.0,
        })
    })
}

/// The result of adding people: the updates, and who could not be added.
pub(super) fn invited_users(
    cx: &mut Cx<'_>,
    chat_id: i64,
    missing: Vec<types::MissingInvitee>,
) -> enums::messages::InvitedUsers {
    for m in &missing {
        cx.effect(Effect::MemberMissing { chat_id, user_id: m.user_id });
    }
    let missing_invitees = missing.into_iter().map(Into::into).collect();
    types::messages::InvitedUsers { updates: cx.answer(), missing_invitees }.into()
}
