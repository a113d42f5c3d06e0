//! Basic groups: making them.
use grammers_tl_types::functions::messages as f;
use grammers_tl_types::{enums, types};
use indexmap::IndexMap;

use crate::cx::Cx;
use crate::effect::{Effect, GroupKind};
use crate::rpc_error::{Reply, bad, not_acceptable};
use crate::world::{BasicGroup, Links, Member, Role, UserId, rights};

crate::requests! {
    messages::CreateChat => create_chat {
        500 "CHAT_ID_GENERATE_FAILED", 400 "CHAT_INVALID", 400 "CHAT_MEMBER_ADD_FAILED", 400 "CHAT_TITLE_EMPTY",
        400 "INPUT_USER_DEACTIVATED", 400 "TTL_PERIOD_INVALID", 400 "USERS_TOO_FEW", 406 "USER_RESTRICTED",
        400 "USER_ID_INVALID" @ "https://core.telegram.org/api/errors",
    }
}

/// `messages.createChat`: people whose privacy forbids it come back in `missing_invitees`, the group is made all the same.
pub fn create_chat(cx: &mut Cx<'_>, r: f::CreateChat) -> Reply<enums::messages::InvitedUsers> {
    let title = r.title.trim().to_owned();
    if title.is_empty() {
        return Err(bad("CHAT_TITLE_EMPTY"));
    }
    if cx.user(cx.me)?.spam_restricted {
        return Err(not_acceptable("USER_RESTRICTED"));
    }
    let mut invited: Vec<UserId> = vec![];
    for input in &r.users {
        let user = cx.live_user(input)?;
        if user != cx.me && !invited.contains(&user) {
            invited.push(user);
        }
    }
    if invited.is_empty() {
        return Err(bad("USERS_TOO_FEW"));
    }
    let (me, now) = (cx.me, cx.now);
    let missing: Vec<_> = invited.iter().filter_map(|u| cx.world.invite_obstacle(*u, me)).collect();
    invited.retain(|u| missing.iter().all(|m| m.user_id != u.0));

    let id = cx.world.next_chat_id();
    let creator = Member {
        role: Role::Creator { rights: rights::all_admin_rights() },
        ..Member::plain(me, me, now)
    };
    let mut members = IndexMap::from([(me, creator)]);
    members.extend(invited.iter().map(|u| (*u, Member::plain(*u, me, now))));
    for user in members.keys() {
        if let Some(user) = cx.world.users.get_mut(user) {
            user.chats.insert(id);
        }
    }
    let everybody: Vec<i64> = members.keys().map(|u| u.0).collect();
    let group = BasicGroup {
        id,
        title: title.clone(),
        about: String::new(),
        date: now,
        version: 1,
        members,
        left: Default::default(),
        kicked: Default::default(),
        default_banned_rights: rights::default_restrictions(),
        links: Links::default(),
        migrated_to: None,
        deleted: false,
        ttl_period: r.ttl_period,
    };
    cx.world.chats.insert(id, group);
    cx.chat_participants_changed(id);
    cx.announce_in_chat(
        id,
        me,
        &[],
        types::MessageActionChatCreate { title: title.clone(), users: everybody.clone() },
    );
    cx.effect(Effect::ChatCreated {
        chat_id: id.bot_api(),
        group: GroupKind::Basic,
        title,
        members: everybody,
    });
    let missing_invitees = missing.into_iter().map(Into::into).collect();
    Ok(types::messages::InvitedUsers { updates: cx.answer(), missing_invitees }.into())
}
