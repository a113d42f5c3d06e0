//! Leaving a supergroup.
use grammers_tl_types::functions::channels as f;
use grammers_tl_types::{enums, types};

use crate::cx::Cx;
use crate::effect::Effect;
use crate::rpc_error::{Reply, bad};
use crate::world::{Banned, PeerId, Role};

crate::requests! {
    channels::LeaveChannel => leave_channel {
        400 "CHANNEL_INVALID", 406 "CHANNEL_PRIVATE", 403 "CHANNEL_PUBLIC_GROUP_NA" scripted,
        400 "CHAT_INVALID" scripted, 400 "MSG_ID_INVALID", 400 "USER_BANNED_IN_CHANNEL" scripted,
        400 "USER_CREATOR", 400 "USER_NOT_PARTICIPANT",
    }
}

/// `channels.leaveChannel`. A restriction outlives the leaving; the creator can't go, only delete.
fn leave_channel(cx: &mut Cx<'_>, r: f::LeaveChannel) -> Reply<enums::Updates> {
    let id = cx.channel_named(&r.channel)?;
    let (me, quiet) = (cx.me, cx.channel(id)?.broadcast);
    let Some(member) = cx.channel(id)?.members.get(&me) else {
        return Err(bad("USER_NOT_PARTICIPANT"));
    };
    if member.is_creator() {
        return Err(bad("USER_CREATOR"));
    }
    let restricted = match &member.role {
        Role::Restricted { rights, by, date } => {
            Some(Banned { user: me, by: *by, date: *date, rights: rights.clone() })
        }
        _ => None,
    };
    let before = cx.standing_in(id, me);
    cx.world.quit_channel(id, me, true);
    if let Some(banned) = restricted {
        cx.channel_mut(id)?.banned.insert(me, banned);
    }
    cx.tell_bots(id, me, &before, None);
    cx.channel_changed_for(id, &[me]);
    if !quiet {
        cx.announce_in_channel(id, me, types::MessageActionChatDeleteUser { user_id: me.0 });
    }
    cx.effect(Effect::MemberLeft { chat_id: id.bot_api(), user_id: me.0 });
    cx.mention([PeerId::Channel(id)]);
    Ok(cx.answer())
}
