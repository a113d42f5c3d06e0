//! Making and deleting supergroups and channels.
use grammers_tl_types::functions::channels as f;
use grammers_tl_types::{enums, types};
use indexmap::IndexMap;

use crate::cx::Cx;
use crate::effect::{Effect, GroupKind};
use crate::rpc_error::{Reply, bad, not_acceptable, not_simulated};
use crate::services::chats::group_title;
use crate::world::{Channel, Links, Member, MessageBox, PeerId, Role, UserId, rights};

crate::requests! {
    channels::CreateChannel => create_channel {
        400 "ADDRESS_INVALID", 400 "CHANNELS_ADMIN_LOCATED_TOO_MUCH" scripted, 400 "CHANNELS_TOO_MUCH",
        400 "CHAT_ABOUT_TOO_LONG", 500 "CHAT_INVALID" scripted, 400 "CHAT_TITLE_EMPTY", 400 "TTL_PERIOD_INVALID",
        406 "USER_RESTRICTED",
    }
    channels::DeleteChannel => delete_channel {
        400 "CHANNEL_INVALID", 406 "CHANNEL_PRIVATE", 406 "CHANNEL_TOO_LARGE", 400 "CHAT_ADMIN_REQUIRED",
        400 "CHAT_NOT_MODIFIED" scripted, 403 "CHAT_WRITE_FORBIDDEN",
        400 "MSG_ID_INVALID" @ "https://core.telegram.org/api/errors",
    }
}

/// A day and a year: the range of an auto-delete period, <https://core.telegram.org/method/messages.setHistoryTTL>.
const TTL_S: std::ops::RangeInclusive<i32> = 86_400..=31_622_400;

/// `channels.createChannel`: a supergroup with `megagroup`, else a broadcast channel.
pub fn create_channel(cx: &mut Cx<'_>, r: f::CreateChannel) -> Reply<enums::Updates> {
    let title = group_title(cx, &r.title)?;
    if r.about.chars().count() > cx.world.limits.chat_about_chars {
        return Err(bad("CHAT_ABOUT_TOO_LONG"));
    }
    match &r.address {
        Some(address) if address.trim().is_empty() => return Err(bad("ADDRESS_INVALID")),
        Some(_) => return Err(not_simulated("geo_point")),
        None => {}
    }
    let ttl_period = r.ttl_period.filter(|period| *period != 0);
    if ttl_period.is_some_and(|period| !TTL_S.contains(&period)) {
        return Err(bad("TTL_PERIOD_INVALID"));
    }
    let (me, now) = (cx.me, cx.now);
    if cx.user(me)?.spam_restricted {
        return Err(not_acceptable("USER_RESTRICTED"));
    }
    if cx.world.channels_full(me) {
        return Err(bad("CHANNELS_TOO_MUCH"));
    }
    let id = cx.world.next_channel_id();
    let broadcast = !r.megagroup;
    let rights = types::ChatAdminRights {
        post_messages: broadcast,
        edit_messages: broadcast,
        ..rights::all_admin_rights()
    };
    let creator = Member { role: Role::Creator { rights }, ..Member::plain(me, me, now) };
    let channel = Channel {
        id,
        title: title.clone(),
        about: r.about,
        username: None,
        date: now,
        broadcast,
        members: IndexMap::default(),
        banned: IndexMap::default(),
        left: Default::default(),
        default_banned_rights: rights::default_restrictions(),
        links: Links::default(),
        history: MessageBox::new(),
        migrated_from: None,
        deleted: false,
        hidden_prehistory: false,
        participants_hidden: false,
        slowmode_s: 0,
        signatures: false,
        join_to_send: false,
        join_request: false,
        forum: r.forum && r.megagroup,
        noforwards: false,
        ttl_period,
    };
    cx.world.channels.insert(id, channel);
    cx.world.enter_channel(id, creator);
    cx.channel_changed_for(id, &[me]);
    // A channel speaks for itself, a supergroup through its creator.
    let from = if broadcast { PeerId::Channel(id) } else { me.into() };
    cx.announce_in_channel(id, from, types::MessageActionChannelCreate { title: title.clone() });
    let group = if broadcast { GroupKind::Broadcast } else { GroupKind::Supergroup };
    cx.effect(Effect::ChatCreated { chat_id: id.bot_api(), group, title, members: vec![me.0] });
    Ok(cx.answer())
}

/// `channels.deleteChannel`: by its creator, and only a small one.
pub fn delete_channel(cx: &mut Cx<'_>, r: f::DeleteChannel) -> Reply<enums::Updates> {
    let id = cx.channel_named(&r.channel)?;
    cx.creator_of_channel(id)?;
    let too_large = cx.channel(id)?.members.len() > cx.world.limits.deletable_members;
    if too_large {
        return Err(not_acceptable("CHANNEL_TOO_LARGE"));
    }
    let channel = cx.channel_mut(id)?;
    channel.deleted = true;
    let username = channel.username.take();
    let hashes: Vec<String> = channel.links.all.drain(..).map(|link| link.hash).collect();
    channel.links.requests.clear();
    let members: Vec<UserId> = channel.members.keys().copied().collect();
    for member in &members {
        cx.world.quit_channel(id, *member, false);
    }
    for hash in hashes {
        cx.world.links.remove(&hash);
    }
    if let Some(username) = username {
        cx.world.usernames.remove(&username.to_lowercase());
    }
    cx.channel_changed_for(id, &members);
    cx.effect(Effect::ChatDeleted { chat_id: id.bot_api() });
    Ok(cx.answer())
}
