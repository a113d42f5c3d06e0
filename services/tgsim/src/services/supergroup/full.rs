//! Looking at supergroups: `channel` for a list, `channelFull` for one.
use grammers_tl_types::functions::channels as f;
use grammers_tl_types::{enums, types};

use crate::blank;
use crate::cx::Cx;
use crate::rpc_error::{Reply, bad};
use crate::world::{Cast, Channel, Member, PeerId, Role, UserId};

crate::requests! {
    channels::GetChannels => get_channels {
        400 "CHANNEL_INVALID", 406 "CHANNEL_PRIVATE", 400 "MSG_ID_INVALID",
        400 "USER_BANNED_IN_CHANNEL" scripted,
    }
    channels::GetFullChannel => get_full_channel {
        400 "CHANNEL_INVALID", 406 "CHANNEL_PRIVATE", 403 "CHANNEL_PUBLIC_GROUP_NA" scripted,
        400 "CHAT_NOT_MODIFIED" scripted, 400 "MSG_ID_INVALID",
    }
}

/// `channels.getChannels`: `channelForbidden` for one that is deleted or bans the caller; one that is private and that
/// the caller is not in is an error.
fn get_channels(cx: &mut Cx<'_>, r: f::GetChannels) -> Reply<enums::messages::Chats> {
    let mut chats = vec![];
    for input in &r.id {
        let channel = cx.named_channel(input)?;
        let inside = channel.members.contains_key(&cx.me);
        let knocked =
            channel.deleted || channel.bans(cx.me, cx.now) || channel.left.contains(&cx.me);
        if !inside && !knocked && channel.username.is_none() {
            return Err(bad("CHANNEL_PRIVATE"));
        }
        chats.push(cx.world.channel_view(cx.me, channel.id));
    }
    Ok(types::messages::Chats { chats }.into())
}

/// `channels.getFullChannel`. An admin who may invite gets the own primary link, made now if there was none.
fn get_full_channel(cx: &mut Cx<'_>, r: f::GetFullChannel) -> Reply<enums::messages::ChatFull> {
    let id = cx.channel_named(&r.channel)?;
    let exported_invite = cx.own_primary_link(id.into());
    let (me, channel) = (cx.me, cx.channel(id)?);
    let member = channel.members.get(&me);
    let is_admin = member.is_some_and(Member::is_admin);
    let is_creator = member.is_some_and(Member::is_creator);
    let read_to = member.map_or(0, |m| m.read_inbox_max_id);
    let restricted = |m: &&Member| matches!(m.role, Role::Restricted { .. });
    let kicked = channel.banned.values().filter(|b| b.rights.view_messages).count();
    let banned =
        channel.banned.len() - kicked + channel.members.values().filter(restricted).count();
    let pending = &channel.links.requests;
    let for_admin = |n: usize| is_admin.then(|| count(n));
    let full = types::ChannelFull {
        can_view_participants: is_admin || !(channel.broadcast || channel.participants_hidden),
        can_set_username: is_creator,
        hidden_prehistory: channel.hidden_prehistory,
        participants_hidden: channel.participants_hidden,
        can_delete_channel: is_creator,
        about: channel.about.clone(),
        participants_count: Some(count(channel.members.len())),
        admins_count: for_admin(channel.members.values().filter(|m| m.is_admin()).count()),
        kicked_count: for_admin(kicked),
        banned_count: for_admin(banned),
        read_inbox_max_id: read_to,
        read_outbox_max_id: read_by_others(channel, me),
        unread_count: unread(channel, me, read_to),
        exported_invite,
        migrated_from_chat_id: channel.migrated_from.map(|(chat, _)| chat.0),
        migrated_from_max_id: channel.migrated_from.map(|(_, max_id)| max_id),
        available_min_id: member.map(|m| m.available_min_id).filter(|id| *id > 0),
        slowmode_seconds: (channel.slowmode_s > 0).then_some(channel.slowmode_s),
        pinned_msg_id: channel.history.messages.values().rev().find(|m| m.pinned).map(|m| m.id),
        pts: channel.history.pts,
        ttl_period: channel.ttl_period,
        requests_pending: for_admin(pending.len()).filter(|n| *n > 0),
        recent_requesters: (is_admin && !pending.is_empty())
            .then(|| channel.links.recent_requesters()),
        ..blank::channel_full(id.0)
    };
    let mut cast: Cast = [PeerId::Channel(id)].into_iter().collect();
    cast.extend(channel.migrated_from.map(|(chat, _)| PeerId::Chat(chat)));
    cast.extend(full.recent_requesters.iter().flatten().map(|id| PeerId::User(UserId(*id))));
    let (users, chats) = cast.render(cx.world, me);
    Ok(types::messages::ChatFull { full_chat: full.into(), chats, users }.into())
}

/// Messages of others that the caller has not read.
pub(in crate::services) fn unread(channel: &Channel, me: UserId, read_to: i32) -> i32 {
    let newer = channel.history.messages.range(read_to.saturating_add(1)..);
    count(newer.filter(|(_, m)| m.from != PeerId::User(me)).count())
}

/// How far anybody else has read.
fn read_by_others(channel: &Channel, me: UserId) -> i32 {
    let others = channel.members.values().filter(|m| m.user != me);
    others.map(|m| m.read_inbox_max_id).max().unwrap_or(0)
}

fn count(n: usize) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}
