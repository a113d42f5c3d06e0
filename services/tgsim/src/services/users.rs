//! Looking at people.
use grammers_tl_types::functions::users as f;
use grammers_tl_types::{enums, types};

use crate::blank;
use crate::cx::Cx;
use crate::rpc_error::Reply;
use crate::world::{Cast, PeerId, PrivacyKey, UserId};

crate::requests! {
    users::GetUsers => get_users {
        400 "CHANNEL_INVALID", 400 "CHANNEL_PRIVATE", 400 "MSG_ID_INVALID", 400 "PEER_ID_INVALID",
        400 "USER_BANNED_IN_CHANNEL" scripted, 400 "CHANNEL_MONOFORUM_UNSUPPORTED" scripted,
        400 "FROM_MESSAGE_BOT_DISABLED" scripted,
        400 "CHAT_ID_INVALID" @ "https://core.telegram.org/method/messages.getHistory",
    }
    users::GetFullUser => get_full_user {
        400 "CHANNEL_INVALID", 400 "CHANNEL_PRIVATE", 400 "MSG_ID_INVALID", 400 "USER_ID_INVALID",
        400 "USERNAME_OCCUPIED" scripted,
        400 "PEER_ID_INVALID" @ "https://core.telegram.org/method/users.getUsers",
        400 "CHAT_ID_INVALID" @ "https://core.telegram.org/method/messages.getHistory",
    }
    users::GetRequirementsToContact => get_requirements_to_contact {
        400 "USER_ID_INVALID" @ "https://core.telegram.org/method/users.getFullUser",
        400 "CHANNEL_INVALID" @ "https://core.telegram.org/method/users.getUsers",
        400 "CHANNEL_PRIVATE" @ "https://core.telegram.org/method/users.getUsers",
        400 "MSG_ID_INVALID" @ "https://core.telegram.org/method/users.getUsers",
        400 "PEER_ID_INVALID" @ "https://core.telegram.org/method/users.getUsers",
        400 "CHAT_ID_INVALID" @ "https://core.telegram.org/method/messages.getHistory",
    }
}

/// `users.getUsers`: a person named with a wrong hash is left out as `userEmpty`; a wrong message is an error.
fn get_users(cx: &mut Cx<'_>, r: f::GetUsers) -> Reply<Vec<enums::User>> {
    let mut users = vec![];
    for input in &r.id {
        users.push(match cx.input_user(input) {
            Ok(id) => cx.world.user_view(cx.me, id, false),
            Err(error) if error.name == "USER_ID_INVALID" => {
                let id = if let enums::InputUser::User(u) = input { u.user_id } else { 0 };
                types::UserEmpty { id }.into()
            }
            Err(error) => return Err(error),
        });
    }
    Ok(users)
}

/// `users.getFullUser`.
fn get_full_user(cx: &mut Cx<'_>, r: f::GetFullUser) -> Reply<enums::users::UserFull> {
    let id = cx.input_user(&r.id)?;
    let user = cx.user(id)?;
    let bot_info = user
        .bot
        .as_ref()
        .map(|_| types::BotInfo { user_id: Some(id.0), ..blank::bot_info() }.into());
    let about = (!user.about.is_empty() && cx.world.allows(id, PrivacyKey::About, cx.me))
        .then(|| user.about.clone());
    let phone_calls = user.bot.is_none() && !user.deleted && id != cx.me;
    let may_call = phone_calls && cx.world.allows(id, PrivacyKey::PhoneCall, cx.me);
    let full_user = types::UserFull {
        blocked: cx.world.has_blocked(cx.me, id),
        phone_calls_available: may_call,
        phone_calls_private: phone_calls && !may_call,
        video_calls_available: may_call,
        can_pin_message: true,
        contact_require_premium: cx.world.needs_premium_to_write(id, cx.me),
        about,
        settings: peer_settings(cx, id),
        bot_info,
        common_chats_count: common_chats(cx, id),
        ..blank::user_full(id.0)
    };
    let cast: Cast = [PeerId::User(id)].into_iter().collect();
    let (users, chats) = cast.render(cx.world, cx.me);
    Ok(types::users::UserFull { full_user: full_user.into(), chats, users }.into())
}

/// `users.getRequirementsToContact`: Premium is the only requirement anybody has here.
fn get_requirements_to_contact(
    cx: &mut Cx<'_>,
    r: f::GetRequirementsToContact,
) -> Reply<Vec<enums::RequirementToContact>> {
    let mut answers = vec![];
    for input in &r.id {
        let id = cx.input_user(input)?;
        answers.push(match cx.world.needs_premium_to_write(id, cx.me) {
            true => enums::RequirementToContact::Premium,
            false => enums::RequirementToContact::Empty,
        });
    }
    Ok(answers)
}

/// The action bar over a chat with somebody: <https://core.telegram.org/api/action-bar>.
pub(super) fn peer_settings(cx: &Cx<'_>, id: UserId) -> enums::PeerSettings {
    let stranger = id != cx.me && !cx.world.is_contact(cx.me, id);
    let bot = cx.world.users.get(&id).is_some_and(|u| u.bot.is_some());
    let wrote = cx.world.users.get(&cx.me).is_some_and(|u| {
        u.mailbox.with_peer(id.into()).any(|m| !m.out)
            && !u.mailbox.with_peer(id.into()).any(|m| m.out)
    });
    types::PeerSettings {
        report_spam: stranger && wrote,
        add_contact: stranger && !bot,
        block_contact: stranger && wrote,
        share_contact: !stranger && id != cx.me && !cx.world.sees_phone(id, cx.me),
        need_contacts_exception: !stranger && id != cx.me && !cx.world.sees_phone(id, cx.me),
        ..blank::peer_settings()
    }
    .into()
}

fn common_chats(cx: &Cx<'_>, other: UserId) -> i32 {
    let (Some(me), Some(other)) = (cx.world.users.get(&cx.me), cx.world.users.get(&other)) else {
        return 0;
    };
    if me.id == other.id {
        return 0;
    }
    let groups =
        |c: &&crate::world::ChannelId| cx.world.channels.get(c).is_some_and(|c| !c.broadcast);
    let count = me.chats.intersection(&other.chats).count()
        + me.channels.intersection(&other.channels).filter(groups).count();
    i32::try_from(count).unwrap_or(i32::MAX)
}
