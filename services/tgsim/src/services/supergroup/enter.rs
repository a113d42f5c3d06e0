//! Being added to a supergroup, and joining a public one.
use grammers_tl_types::functions::channels as f;
use grammers_tl_types::{enums, types};

use super::Obstacle;
use super::membership::missing;
use super::permission::Right;
use crate::cx::Cx;
use crate::effect::Effect;
use crate::rpc_error::{Reply, bad};
use crate::world::{JoinRequest, Member, PeerId, UserId};

crate::requests! {
    channels::InviteToChannel => invite_to_channel {
        400 "BOTS_TOO_MUCH", 400 "BOT_GROUPS_BLOCKED", 400 "CHANNEL_INVALID",
        400 "CHANNEL_MONOFORUM_UNSUPPORTED" scripted, 406 "CHANNEL_PRIVATE", 403 "CHAT_ADMIN_REQUIRED",
        400 "CHAT_INVALID" scripted, 400 "CHAT_MEMBER_ADD_FAILED" scripted, 403 "CHAT_WRITE_FORBIDDEN",
        400 "INPUT_USER_DEACTIVATED", 400 "MSG_ID_INVALID", 400 "USERS_TOO_MUCH", 400 "USER_BANNED_IN_CHANNEL",
        400 "USER_BLOCKED", 400 "USER_BOT", 403 "USER_CHANNELS_TOO_MUCH", 400 "USER_ID_INVALID", 400 "USER_KICKED",
        403 "USER_NOT_MUTUAL_CONTACT", 403 "USER_PRIVACY_RESTRICTED" scripted,
    }
    channels::JoinChannel => join_channel {
        400 "CHANNELS_TOO_MUCH", 400 "CHANNEL_INVALID", 400 "CHANNEL_MONOFORUM_UNSUPPORTED" scripted,
        406 "CHANNEL_PRIVATE", 400 "CHAT_INVALID" scripted, 420 "FROZEN_METHOD_INVALID" scripted,
        400 "INVITE_HASH_EMPTY" scripted, 406 "INVITE_HASH_EXPIRED" scripted, 400 "INVITE_HASH_INVALID" scripted,
        400 "INVITE_REQUEST_SENT", 400 "MSG_ID_INVALID", 400 "PEER_ID_INVALID" scripted, 400 "USERS_TOO_MUCH",
        400 "USER_ALREADY_PARTICIPANT" scripted, 400 "USER_BANNED_IN_CHANNEL" scripted,
        400 "USER_CHANNELS_TOO_MUCH" scripted,
    }
}

/// `channels.inviteToChannel`. Those whom privacy keeps out are told in `missing_invitees`. Anything else that keeps
/// one out is an error where one person was asked for; among several, the others are added all the same. Who is in
/// it already is passed over in silence.
fn invite_to_channel(
    cx: &mut Cx<'_>,
    r: f::InviteToChannel,
) -> Reply<enums::messages::InvitedUsers> {
    let id = cx.channel_named(&r.channel)?;
    cx.may_in_channel(id, Right::InviteUsers)?;
    if cx.user(cx.me)?.spam_restricted {
        return Err(bad("USER_BANNED_IN_CHANNEL"));
    }
    if r.users.len() > cx.world.limits.invite_batch {
        return Err(bad("USERS_TOO_MUCH"));
    }
    let mut asked: Vec<UserId> = vec![];
    for input in &r.users {
        let user = cx.live_user_named(input)?;
        if !asked.contains(&user) {
            asked.push(user);
        }
    }
    let alone = asked.len() == 1;
    let (mut added, mut kept_out) = (vec![], vec![]);
    for user in asked {
        if cx.channel(id)?.members.contains_key(&user) {
            continue;
        }
        match cx.obstacle(id, user)? {
            None => {
                cx.enter_channel(id, Member::plain(user, cx.me, cx.now), None);
                added.push(user);
            }
            Some(Obstacle::Privacy(missing)) => kept_out.push(missing),
            Some(Obstacle::Refused(error)) if alone => return Err(error),
            Some(Obstacle::Refused(_)) => kept_out.push(missing(user)),
        }
    }
    if !added.is_empty() {
        cx.channel_changed_for(id, &added);
        let quiet = cx.channel(id)?.broadcast;
        let users = added.iter().map(|u| u.0).collect();
        if !quiet {
            cx.announce_in_channel(id, cx.me, types::MessageActionChatAddUser { users });
        }
    }
    let (chat_id, by) = (id.bot_api(), cx.me.0);
    for user in &added {
        cx.effect(Effect::MemberAdded { chat_id, user_id: user.0, by });
    }
    for missing in &kept_out {
        cx.effect(Effect::MemberMissing { chat_id, user_id: missing.user_id });
    }
    cx.mention([PeerId::Channel(id)]);
    cx.mention(kept_out.iter().map(|m| PeerId::User(UserId(m.user_id))));
    let missing_invitees = kept_out.into_iter().map(Into::into).collect();
    Ok(types::messages::InvitedUsers { updates: cx.answer(), missing_invitees }.into())
}

/// `channels.joinChannel`: a public one; where it lets people in on approval, a request is left. Joining where one is
/// already changes nothing.
fn join_channel(
    cx: &mut Cx<'_>,
    r: f::JoinChannel,
) -> Reply<enums::messages::ChatInviteJoinResult> {
    let id = cx.channel_named(&r.channel)?;
    let (me, now, chat_id) = (cx.me, cx.now, id.bot_api());
    let channel = cx.channel(id)?;
    let (on_approval, quiet) = (channel.join_request, channel.broadcast);
    if !channel.members.contains_key(&me) {
        if cx.world.channels_full(me) {
            return Err(bad("CHANNELS_TOO_MUCH"));
        }
        cx.room_in_channel(id)?;
        if on_approval {
            if cx.ask_to_join(id.into(), JoinRequest { user: me, date: now, hash: None }) {
                cx.effect(Effect::JoinRequested { chat_id, user_id: me.0, link: None });
            }
            return Err(bad("INVITE_REQUEST_SENT"));
        }
        cx.enter_channel(id, Member::plain(me, me, now), None);
        cx.channel_changed_for(id, &[me]);
        if !quiet {
            cx.announce_in_channel(id, me, types::MessageActionChatAddUser { users: vec![me.0] });
        }
        cx.effect(Effect::MemberJoined { chat_id, user_id: me.0, link: None, approved_by: None });
    }
    cx.mention([PeerId::Channel(id)]);
    Ok(types::messages::ChatInviteJoinResultOk { updates: cx.answer() }.into())
}
