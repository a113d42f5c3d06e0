//! Banning, restricting, and lifting both. Kicking is a ban that is lifted at once.
//!
//! Source: <https://core.telegram.org/api/rights#banned-rights>.
use grammers_tl_types::functions::channels as f;
use grammers_tl_types::{enums, types};

use super::permission::Right;
use crate::cx::Cx;
use crate::effect::Effect;
use crate::rpc_error::{Reply, bad, not_acceptable};
use crate::world::{Banned, ChannelId, Member, PeerId, Role, UserId, rights};

crate::requests! {
    channels::EditBanned => edit_banned {
        406 "BANNED_RIGHTS_INVALID", 400 "CHANNEL_INVALID", 406 "CHANNEL_PRIVATE", 403 "CHAT_ADMIN_REQUIRED",
        403 "CHAT_WRITE_FORBIDDEN", 400 "INPUT_USER_DEACTIVATED" scripted, 400 "MSG_ID_INVALID",
        400 "PARTICIPANT_ID_INVALID", 400 "PEER_ID_INVALID" scripted, 400 "USER_ADMIN_INVALID",
        400 "USER_ID_INVALID",
    }
}

/// Shorter than 30 seconds or longer than 366 days from now is for ever,
/// <https://core.telegram.org/constructor/chatBannedRights>.
const SHORTEST_S: i32 = 30;
const LONGEST_S: i32 = 366 * 86_400;

/// `channels.editBanned`, also for people who are not in the group: they are kept from coming.
fn edit_banned(cx: &mut Cx<'_>, r: f::EditBanned) -> Reply<enums::Updates> {
    let id = cx.channel_named(&r.channel)?;
    let user = cx.participant(&r.participant)?;
    cx.may_in_channel(id, Right::BanUsers)?;
    let enums::ChatBannedRights::Rights(mut new) = r.banned_rights;
    let channel = cx.channel(id)?;
    let target = channel.members.get(&user);
    if target.is_some_and(Member::is_admin) && !channel.may_edit_admin(cx.me, user) {
        return Err(bad("USER_ADMIN_INVALID"));
    }
    let lifted = rights::is_unrestricted(&new);
    if channel.broadcast && !lifted && !new.view_messages {
        return Err(not_acceptable("BANNED_RIGHTS_INVALID"));
    }
    let until = i64::from(new.until_date) - i64::from(cx.now);
    if !(i64::from(SHORTEST_S)..=i64::from(LONGEST_S)).contains(&until) {
        new.until_date = i32::MAX;
    }
    let before = cx.standing_in(id, user);
    if lifted {
        lift(cx, id, user)?;
    } else if new.view_messages {
        ban(cx, id, user, rights::full_ban(new.until_date))?;
    } else {
        restrict(cx, id, user, new)?;
    }
    cx.tell_bots(id, user, &before, None);
    cx.channel_changed_for(id, &[cx.me, user]);
    cx.mention([PeerId::User(user)]);
    Ok(cx.answer())
}

fn ban(cx: &mut Cx<'_>, id: ChannelId, user: UserId, rights: types::ChatBannedRights) -> Reply<()> {
    let (me, now, until_date) = (cx.me, cx.now, rights.until_date);
    let was_in = cx.world.quit_channel(id, user, false).is_some();
    let channel = cx.channel_mut(id)?;
    channel.left.remove(&user);
    channel.links.requests.shift_remove(&user);
    channel.banned.insert(user, Banned { user, by: me, date: now, rights });
    if was_in && !channel.broadcast {
        cx.announce_in_channel(id, me, types::MessageActionChatDeleteUser { user_id: user.0 });
    }
    cx.effect(Effect::MemberBanned {
        chat_id: id.bot_api(),
        user_id: user.0,
        by: me.0,
        until_date: if until_date == i32::MAX { 0 } else { until_date },
    });
    Ok(())
}

fn restrict(
    cx: &mut Cx<'_>,
    id: ChannelId,
    user: UserId,
    rights: types::ChatBannedRights,
) -> Reply<()> {
    let (by, date, until_date) = (cx.me, cx.now, rights.until_date);
    let forbidden = rights::banned_right_names(&rights);
    let channel = cx.channel_mut(id)?;
    match channel.members.get_mut(&user) {
        Some(member) => {
            member.role = Role::Restricted { rights, by, date };
            member.rank.clear();
        }
        None => {
            channel.banned.insert(user, Banned { user, by, date, rights });
        }
    }
    cx.effect(Effect::MemberRestricted {
        chat_id: id.bot_api(),
        user_id: user.0,
        by: by.0,
        until_date: if until_date == i32::MAX { 0 } else { until_date },
        forbidden,
    });
    Ok(())
}

fn lift(cx: &mut Cx<'_>, id: ChannelId, user: UserId) -> Reply<()> {
    let channel = cx.channel_mut(id)?;
    let mut lifted = channel.banned.shift_remove(&user).is_some();
    if let Some(member) = channel.members.get_mut(&user)
        && !matches!(member.role, Role::Plain)
    {
        // What is left of an admin or a restricted member without rights and restrictions.
        lifted = true;
        member.role = Role::Plain;
        member.rank.clear();
    }
    if lifted {
        cx.effect(Effect::MemberUnbanned { chat_id: id.bot_api(), user_id: user.0, by: cx.me.0 });
    }
    Ok(())
}
