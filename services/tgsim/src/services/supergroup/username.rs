//! Public names of supergroups and channels.
//!
//! Source: <https://core.telegram.org/api/invites#public-usernames>.
use grammers_tl_types::functions::channels as f;
use grammers_tl_types::{enums, types};

use crate::cx::Cx;
use crate::effect::Effect;
use crate::rpc_error::{Reply, bad};
use crate::world::{ChannelId, PeerId, UserId, is_username};

crate::requests! {
    channels::UpdateUsername => update_username {
        400 "CHANNELS_ADMIN_PUBLIC_TOO_MUCH", 400 "CHANNEL_INVALID", 400 "CHANNEL_PRIVATE",
        403 "CHAT_ADMIN_REQUIRED", 400 "CHAT_NOT_MODIFIED" scripted, 403 "CHAT_WRITE_FORBIDDEN",
        400 "USERNAME_INVALID", 400 "USERNAME_NOT_MODIFIED", 400 "USERNAME_OCCUPIED",
        400 "USERNAME_PURCHASE_AVAILABLE" scripted,
        400 "MSG_ID_INVALID" @ "https://core.telegram.org/api/errors",
    }
    channels::CheckUsername => check_username {
        400 "CHANNELS_ADMIN_PUBLIC_TOO_MUCH", 400 "CHANNEL_INVALID", 400 "CHANNEL_PRIVATE",
        400 "CHAT_ID_INVALID" scripted, 400 "MSG_ID_INVALID", 400 "PEER_ID_INVALID" scripted,
        400 "USERNAME_INVALID", 400 "USERNAME_OCCUPIED", 400 "USERNAME_PURCHASE_AVAILABLE" scripted,
    }
    channels::GetAdminedPublicChannels => get_admined_public_channels {
        400 "CHANNELS_ADMIN_LOCATED_TOO_MUCH" scripted, 400 "CHANNELS_ADMIN_PUBLIC_TOO_MUCH",
    }
}

/// `channels.updateUsername`: the creator's; an empty name makes it private again.
fn update_username(cx: &mut Cx<'_>, r: f::UpdateUsername) -> Reply<bool> {
    let id = cx.channel_named(&r.channel)?;
    cx.creator_of_channel(id)?;
    let old = cx.channel(id)?.username.clone();
    let new = (!r.username.is_empty()).then(|| r.username.clone());
    if old == new {
        return Err(bad("USERNAME_NOT_MODIFIED"));
    }
    if let Some(name) = &new {
        free(cx, name, Some(id))?;
        if old.is_none() && too_many_public(cx) {
            return Err(bad("CHANNELS_ADMIN_PUBLIC_TOO_MUCH"));
        }
    }
    if let Some(old) = old {
        cx.world.usernames.remove(&old.to_lowercase());
    }
    if let Some(name) = &new {
        cx.world.usernames.insert(name.to_lowercase(), id.into());
    }
    let channel = cx.channel_mut(id)?;
    channel.username.clone_from(&new);
    if channel.username.is_none() {
        channel.join_request = false;
    } else {
        channel.hidden_prehistory = false;
    }
    cx.channel_changed(id, &[]);
    cx.effect(Effect::UsernameSet { chat_id: id.bot_api(), username: new });
    Ok(true)
}

/// `channels.checkUsername`; with `inputChannelEmpty` for a channel that is still to be made.
fn check_username(cx: &mut Cx<'_>, r: f::CheckUsername) -> Reply<bool> {
    let id = match &r.channel {
        enums::InputChannel::Empty => None,
        named => Some(cx.channel_named(named)?),
    };
    free(cx, &r.username, id)?;
    let is_public =
        id.is_some_and(|id| cx.world.channels.get(&id).is_some_and(|c| c.username.is_some()));
    if !is_public && too_many_public(cx) {
        return Err(bad("CHANNELS_ADMIN_PUBLIC_TOO_MUCH"));
    }
    Ok(true)
}

/// `channels.getAdminedPublicChannels`; with `check_limit` an error where no further one may be made.
fn get_admined_public_channels(
    cx: &mut Cx<'_>,
    r: f::GetAdminedPublicChannels,
) -> Reply<enums::messages::Chats> {
    if r.check_limit && too_many_public(cx) {
        return Err(bad("CHANNELS_ADMIN_PUBLIC_TOO_MUCH"));
    }
    let chats =
        public_ones(cx, cx.me).into_iter().map(|id| cx.world.channel_view(cx.me, id)).collect();
    Ok(types::messages::Chats { chats }.into())
}

fn free(cx: &Cx<'_>, name: &str, for_channel: Option<ChannelId>) -> Reply<()> {
    if !is_username(name) {
        return Err(bad("USERNAME_INVALID"));
    }
    match cx.world.usernames.get(&name.to_lowercase()) {
        Some(owner) if for_channel.map(PeerId::Channel) != Some(*owner) => {
            Err(bad("USERNAME_OCCUPIED"))
        }
        _ => Ok(()),
    }
}

fn too_many_public(cx: &Cx<'_>) -> bool {
    let limits = &cx.world.limits;
    let premium = cx.world.users.get(&cx.me).is_some_and(|u| u.premium);
    let limit = if premium { limits.public_channels_premium } else { limits.public_channels };
    public_ones(cx, cx.me).len() >= limit
}

fn public_ones(cx: &Cx<'_>, owner: UserId) -> Vec<ChannelId> {
    let mine = cx.world.users.get(&owner).map(|u| u.channels.iter().copied()).into_iter().flatten();
    let public = |id: &ChannelId| {
        cx.world
            .channels
            .get(id)
            .is_some_and(|c| c.username.is_some() && c.creator() == Some(owner))
    };
    mine.filter(public).collect()
}
