//! Admins of supergroups: making, changing and ending them.
use grammers_tl_types::functions::channels as f;
use grammers_tl_types::{enums, types};

use super::Obstacle;
use super::permission::Right;
use crate::cx::Cx;
use crate::effect::Effect;
use crate::rpc_error::{Reply, bad, forbidden};
use crate::world::{ChannelId, Member, PeerId, Role, UserId, rights};

crate::requests! {
    channels::EditAdmin => edit_admin {
        400 "ADMINS_TOO_MUCH", 400 "ADMIN_RANK_EMOJI_NOT_ALLOWED", 400 "ADMIN_RANK_INVALID", 400 "BOTS_TOO_MUCH",
        400 "BOT_CHANNELS_NA" scripted, 400 "BOT_GROUPS_BLOCKED", 400 "CHANNEL_INVALID",
        400 "CHANNEL_MONOFORUM_UNSUPPORTED" scripted, 400 "CHANNEL_PRIVATE", 403 "CHAT_ADMIN_INVITE_REQUIRED",
        403 "CHAT_ADMIN_REQUIRED", 403 "CHAT_WRITE_FORBIDDEN", 406 "FRESH_CHANGE_ADMINS_FORBIDDEN" scripted,
        400 "INPUT_USER_DEACTIVATED", 400 "MSG_ID_INVALID", 400 "PEER_ID_INVALID" scripted, 403 "RIGHT_FORBIDDEN",
        400 "USERS_TOO_MUCH", 400 "USER_BLOCKED", 403 "USER_CHANNELS_TOO_MUCH", 400 "USER_CREATOR",
        400 "USER_ID_INVALID", 400 "USER_KICKED", 403 "USER_NOT_MUTUAL_CONTACT", 403 "USER_PRIVACY_RESTRICTED",
        403 "USER_RESTRICTED",
    }
}

/// `channels.editAdmin`: rights that are all off end the post. Somebody who is not in the group is added first, so
/// whatever keeps people out is an error here.
fn edit_admin(cx: &mut Cx<'_>, r: f::EditAdmin) -> Reply<enums::Updates> {
    let id = cx.channel_named(&r.channel)?;
    let user = cx.live_user_named(&r.user_id)?;
    let enums::ChatAdminRights::Rights(new) = r.admin_rights;
    let rank = checked_rank(r.rank.unwrap_or_default(), cx.world.limits.rank_chars)?;
    cx.may_in_channel(id, Right::AddAdmins)?;
    let me = cx.me;
    let channel = cx.channel(id)?;
    let (target, mine) = (channel.members.get(&user).cloned(), channel.members.get(&me).cloned());
    if target.as_ref().is_some_and(Member::is_creator) {
        return edit_creator(cx, id, user, new, rank);
    }
    let i_created = mine.as_ref().is_some_and(Member::is_creator);
    let is_admin = target.as_ref().is_some_and(Member::is_admin);
    if is_admin && !channel.may_edit_admin(me, user) {
        return Err(forbidden("CHAT_ADMIN_REQUIRED"));
    }
    let none = rights::no_admin_rights();
    let held = mine.as_ref().and_then(Member::admin_rights).unwrap_or(&none);
    if !i_created && !covers(held, &new) {
        return Err(forbidden("RIGHT_FORBIDDEN"));
    }
    if rights::is_no_admin(&new) {
        return dismiss(cx, id, user, is_admin);
    }
    let admins = channel.members.values().filter(|m| m.is_admin()).count();
    if !is_admin && admins >= cx.world.limits.admins {
        return Err(bad("ADMINS_TOO_MUCH"));
    }
    if target.is_none() {
        add_first(cx, id, user)?;
    }
    let before = cx.standing_in(id, user);
    if let Some(member) = cx.channel_mut(id)?.members.get_mut(&user) {
        // A change of rights leaves the post with whoever gave it.
        let promoted_by = match &member.role {
            Role::Admin { promoted_by, .. } => *promoted_by,
            _ => me,
        };
        member.role = Role::Admin { rights: new.clone(), promoted_by };
        member.rank.clone_from(&rank);
    }
    cx.tell_bots(id, user, &before, None);
    cx.channel_changed_for(id, &[me, user]);
    let rights = rights::admin_right_names(&new);
    cx.effect(Effect::AdminSet { chat_id: id.bot_api(), user_id: user.0, by: me.0, rights, rank });
    cx.mention([PeerId::User(user)]);
    Ok(cx.answer())
}

/// The creator may change the own title and be anonymous; nobody else touches the creator.
fn edit_creator(
    cx: &mut Cx<'_>,
    id: ChannelId,
    user: UserId,
    new: types::ChatAdminRights,
    rank: String,
) -> Reply<enums::Updates> {
    if user != cx.me {
        return Err(bad("USER_CREATOR"));
    }
    let mut names = vec![];
    if let Some(member) = cx.channel_mut(id)?.members.get_mut(&user)
        && let Role::Creator { rights } = &mut member.role
    {
        rights.anonymous = new.anonymous;
        names = rights::admin_right_names(rights);
        member.rank.clone_from(&rank);
    }
    cx.channel_changed_for(id, &[user]);
    cx.effect(Effect::AdminSet {
        chat_id: id.bot_api(),
        user_id: user.0,
        by: user.0,
        rights: names,
        rank,
    });
    Ok(cx.answer())
}

fn dismiss(cx: &mut Cx<'_>, id: ChannelId, user: UserId, is_admin: bool) -> Reply<enums::Updates> {
    if is_admin {
        let before = cx.standing_in(id, user);
        if let Some(member) = cx.channel_mut(id)?.members.get_mut(&user) {
            member.role = Role::Plain;
            member.rank.clear();
        }
        cx.tell_bots(id, user, &before, None);
        cx.channel_changed_for(id, &[cx.me, user]);
        cx.effect(Effect::AdminRemoved { chat_id: id.bot_api(), user_id: user.0, by: cx.me.0 });
    }
    cx.mention([PeerId::Channel(id), PeerId::User(user)]);
    Ok(cx.answer())
}

/// Adds somebody who is about to become an admin. A bot may come into a broadcast channel only so.
fn add_first(cx: &mut Cx<'_>, id: ChannelId, user: UserId) -> Reply<()> {
    if cx.may_in_channel(id, Right::InviteUsers).is_err() {
        return Err(forbidden("CHAT_ADMIN_INVITE_REQUIRED"));
    }
    if cx.user(cx.me)?.spam_restricted {
        return Err(forbidden("USER_RESTRICTED"));
    }
    match cx.obstacle(id, user)? {
        None => {}
        Some(Obstacle::Refused(error)) if error.name == "USER_BOT" => {}
        Some(Obstacle::Refused(error)) => return Err(error),
        Some(Obstacle::Privacy(_)) => return Err(forbidden("USER_PRIVACY_RESTRICTED")),
    }
    let (me, quiet) = (cx.me, cx.channel(id)?.broadcast);
    cx.enter_channel(id, Member::plain(user, me, cx.now), None);
    if !quiet {
        cx.announce_in_channel(id, me, types::MessageActionChatAddUser { users: vec![user.0] });
    }
    cx.effect(Effect::MemberAdded { chat_id: id.bot_api(), user_id: user.0, by: me.0 });
    Ok(())
}

/// Whether nothing is granted that the one who grants does not have.
fn covers(held: &types::ChatAdminRights, granted: &types::ChatAdminRights) -> bool {
    let held = rights::admin_right_names(held);
    // `other` and `anonymous` give nothing away.
    let free = ["other", "anonymous"];
    rights::admin_right_names(granted).iter().all(|name| held.contains(name) || free.contains(name))
}

/// An admin's title: short, and no emoji (<https://core.telegram.org/api/rights#admin-rank>).
fn checked_rank(rank: String, longest: usize) -> Reply<String> {
    if rank.chars().count() > longest {
        return Err(bad("ADMIN_RANK_INVALID"));
    }
    if rank.chars().any(is_emoji) {
        return Err(bad("ADMIN_RANK_EMOJI_NOT_ALLOWED"));
    }
    Ok(rank)
}

/// The blocks of Unicode that hold what phones draw as emoji.
fn is_emoji(c: char) -> bool {
    matches!(u32::from(c), 0x1F000..=0x1FAFF | 0x2600..=0x27BF | 0x2B00..=0x2BFF | 0xFE0F | 0x20E3)
}
