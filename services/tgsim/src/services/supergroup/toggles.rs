//! Switches of a supergroup: hidden history, joining on approval, slow mode and the like.
//!
//! One shape for all: an admin's right, `CHAT_NOT_MODIFIED` where the switch stands so already, `updateChannel`.
use grammers_tl_types::enums;
use grammers_tl_types::functions::channels as f;
use serde_json::Value;

use super::permission::Right;
use crate::cx::Cx;
use crate::effect::Effect;
use crate::rpc_error::{Reply, bad, not_simulated};
use crate::world::{Channel, ChannelId};

crate::requests! {
    channels::TogglePreHistoryHidden => toggle_pre_history_hidden {
        400 "CHANNEL_INVALID", 400 "CHANNEL_PRIVATE", 400 "CHAT_ADMIN_REQUIRED", 400 "CHAT_ID_INVALID",
        400 "CHAT_LINK_EXISTS", 400 "CHAT_NOT_MODIFIED", 400 "FORUM_ENABLED",
        400 "MSG_ID_INVALID" @ "https://core.telegram.org/api/errors",
    }
    channels::ToggleJoinRequest => toggle_join_request {
        400 "CHANNEL_INVALID", 400 "CHAT_ADMIN_REQUIRED", 400 "CHAT_ID_INVALID", 400 "CHAT_NOT_MODIFIED",
        400 "CHAT_PUBLIC_REQUIRED",
        400 "MSG_ID_INVALID" @ "https://core.telegram.org/api/errors",
        400 "CHANNEL_PRIVATE" @ "https://core.telegram.org/api/errors",
    }
    channels::ToggleJoinToSend => toggle_join_to_send {
        400 "CHANNEL_INVALID", 400 "CHAT_ADMIN_REQUIRED", 400 "CHAT_ID_INVALID", 400 "CHAT_NOT_MODIFIED",
        400 "MSG_ID_INVALID" @ "https://core.telegram.org/api/errors",
        400 "CHANNEL_PRIVATE" @ "https://core.telegram.org/api/errors",
    }
    channels::ToggleSlowMode => toggle_slow_mode {
        400 "CHANNEL_INVALID", 400 "CHAT_ADMIN_REQUIRED", 400 "CHAT_ID_INVALID", 400 "CHAT_NOT_MODIFIED",
        400 "SECONDS_INVALID",
        400 "MSG_ID_INVALID" @ "https://core.telegram.org/api/errors",
        400 "CHANNEL_PRIVATE" @ "https://core.telegram.org/api/errors",
    }
    channels::ToggleSignatures => toggle_signatures {
        400 "CHANNEL_INVALID", 400 "CHAT_ADMIN_REQUIRED", 400 "CHAT_ID_INVALID", 400 "CHAT_NOT_MODIFIED",
        400 "MSG_ID_INVALID" @ "https://core.telegram.org/api/errors",
        400 "CHANNEL_PRIVATE" @ "https://core.telegram.org/api/errors",
    }
    channels::ToggleParticipantsHidden => toggle_participants_hidden {
        400 "CHANNEL_INVALID", 400 "CHAT_ADMIN_REQUIRED", 400 "CHAT_NOT_MODIFIED", 400 "PARTICIPANTS_TOO_FEW",
        400 "CHAT_ID_INVALID" @ "https://core.telegram.org/api/errors",
        400 "MSG_ID_INVALID" @ "https://core.telegram.org/api/errors",
        400 "CHANNEL_PRIVATE" @ "https://core.telegram.org/api/errors",
    }
}

/// What slow mode can be set to, in seconds: <https://core.telegram.org/method/channels.toggleSlowMode>.
const SLOW_MODE_S: [i32; 8] = [0, 5, 10, 30, 60, 300, 900, 3600];
/// Smaller groups can't hide their members: `hidden_members_group_size_min`,
/// <https://core.telegram.org/api/config#client-configuration>.
const HIDDEN_MEMBERS_MIN: usize = 100;

fn toggle_pre_history_hidden(
    cx: &mut Cx<'_>,
    r: f::TogglePreHistoryHidden,
) -> Reply<enums::Updates> {
    let id = supergroup(cx, &r.channel, Right::ChangeInfo)?;
    let channel = cx.channel(id)?;
    if r.enabled && channel.username.is_some() {
        return Err(bad("CHAT_LINK_EXISTS"));
    }
    if r.enabled && channel.forum {
        return Err(bad("FORUM_ENABLED"));
    }
    switch(cx, id, "hidden_prehistory", |c| &mut c.hidden_prehistory, r.enabled)
}

/// Only a public group has a join button; guard bots are not simulated.
fn toggle_join_request(cx: &mut Cx<'_>, r: f::ToggleJoinRequest) -> Reply<enums::Updates> {
    let id = supergroup(cx, &r.channel, Right::ChangeInfo)?;
    if r.guard_bot.is_some() || r.apply_to_invites {
        return Err(not_simulated("guard_bot"));
    }
    if r.enabled && cx.channel(id)?.username.is_none() {
        return Err(bad("CHAT_PUBLIC_REQUIRED"));
    }
    switch(cx, id, "join_request", |c| &mut c.join_request, r.enabled)
}

fn toggle_join_to_send(cx: &mut Cx<'_>, r: f::ToggleJoinToSend) -> Reply<enums::Updates> {
    let id = supergroup(cx, &r.channel, Right::ChangeInfo)?;
    switch(cx, id, "join_to_send", |c| &mut c.join_to_send, r.enabled)
}

fn toggle_slow_mode(cx: &mut Cx<'_>, r: f::ToggleSlowMode) -> Reply<enums::Updates> {
    let id = supergroup(cx, &r.channel, Right::BanUsers)?;
    if !SLOW_MODE_S.contains(&r.seconds) {
        return Err(bad("SECONDS_INVALID"));
    }
    switch(cx, id, "slowmode_s", |c| &mut c.slowmode_s, r.seconds)
}

/// The one switch here that only broadcast channels have.
fn toggle_signatures(cx: &mut Cx<'_>, r: f::ToggleSignatures) -> Reply<enums::Updates> {
    let id = cx.channel_named(&r.channel)?;
    if !cx.channel(id)?.broadcast {
        return Err(bad("CHAT_ID_INVALID"));
    }
    cx.admin_of_channel(id, Right::ChangeInfo)?;
    if r.profiles_enabled {
        return Err(not_simulated("profiles_enabled"));
    }
    switch(cx, id, "signatures", |c| &mut c.signatures, r.signatures_enabled)
}

fn toggle_participants_hidden(
    cx: &mut Cx<'_>,
    r: f::ToggleParticipantsHidden,
) -> Reply<enums::Updates> {
    let id = supergroup(cx, &r.channel, Right::BanUsers)?;
    if r.enabled && cx.channel(id)?.members.len() < HIDDEN_MEMBERS_MIN {
        return Err(bad("PARTICIPANTS_TOO_FEW"));
    }
    switch(cx, id, "participants_hidden", |c| &mut c.participants_hidden, r.enabled)
}

/// `CHAT_ID_INVALID` for a broadcast channel, which has no such switch.
fn supergroup(cx: &Cx<'_>, channel: &enums::InputChannel, right: Right) -> Reply<ChannelId> {
    let id = cx.channel_named(channel)?;
    if cx.channel(id)?.broadcast {
        return Err(bad("CHAT_ID_INVALID"));
    }
    cx.admin_of_channel(id, right)?;
    Ok(id)
}

fn switch<T: PartialEq + Copy + Into<Value>>(
    cx: &mut Cx<'_>,
    id: ChannelId,
    setting: &'static str,
    field: fn(&mut Channel) -> &mut T,
    to: T,
) -> Reply<enums::Updates> {
    let stands = field(cx.channel_mut(id)?);
    if *stands == to {
        return Err(bad("CHAT_NOT_MODIFIED"));
    }
    *stands = to;
    cx.channel_changed(id, &[]);
    cx.effect(Effect::ChatSettingEdited { chat_id: id.bot_api(), setting, value: to.into() });
    Ok(cx.answer())
}
