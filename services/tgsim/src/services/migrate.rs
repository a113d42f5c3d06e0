//! From basic group to supergroup.
//!
//! Both stay: the old one deactivated, pointing to the new one, with its messages in everybody's box; each gets a
//! service message about the other. Source: <https://core.telegram.org/api/channel#migration>.
use grammers_tl_types::functions::messages as f;
use grammers_tl_types::{enums, types};
use indexmap::IndexMap;

use crate::cx::Cx;
use crate::effect::Effect;
use crate::rpc_error::{Reply, bad, forbidden};
use crate::world::{BasicGroup, Channel, ChannelId, Links, Member, MessageBox, Role, UserId};

crate::requests! {
    messages::MigrateChat => migrate_chat {
        400 "CHANNELS_TOO_MUCH", 403 "CHAT_ADMIN_REQUIRED", 400 "CHAT_ID_INVALID", 500 "CHAT_INVALID" scripted,
        400 "PEER_ID_INVALID",
    }
}

/// `messages.migrateChat`: by the creator, once. Members, admins, default rights, title and description go along;
/// links don't.
fn migrate_chat(cx: &mut Cx<'_>, r: f::MigrateChat) -> Reply<enums::Updates> {
    let chat = cx.live_chat(r.chat_id)?.clone();
    if chat.creator() != Some(cx.me) {
        return Err(forbidden("CHAT_ADMIN_REQUIRED"));
    }
    if cx.world.channels_full(cx.me) {
        return Err(bad("CHANNELS_TOO_MUCH"));
    }
    let id = cx.world.next_channel_id();
    let old_last_id = cx.user(cx.me)?.dialogs.get(&chat.id.into()).map_or(0, |d| d.top_message);
    let mut channel = successor(&chat, id, cx.now);
    channel.migrated_from = Some((chat.id, old_last_id));
    cx.world.channels.insert(id, channel);
    for member in chat.members.values() {
        let role = match &member.role {
            Role::Admin { rights, .. } => {
                Role::Admin { rights: rights.clone(), promoted_by: cx.me }
            }
            other => other.clone(),
        };
        cx.world.enter_channel(
            id,
            Member { role, read_inbox_max_id: 0, available_min_id: 0, ..member.clone() },
        );
    }

    // The old group's last words must reach everybody while they are still in it.
    cx.announce_in_chat(
        chat.id,
        cx.me,
        &[],
        types::MessageActionChatMigrateTo { channel_id: id.0 },
    );
    let members: Vec<UserId> = chat.members.keys().copied().collect();
    let old = cx.chat_mut(chat.id)?;
    old.migrated_to = Some(id);
    old.version += 1;
    let hashes: Vec<String> =
        std::mem::take(&mut old.links).all.into_iter().map(|l| l.hash).collect();
    for hash in hashes {
        cx.world.links.remove(&hash);
    }
    for user in &members {
        if let Some(user) = cx.world.users.get_mut(user) {
            user.chats.remove(&chat.id);
        }
        cx.notice(
            *user,
            types::UpdateChannel { channel_id: id.0 }.into(),
            &[id.into(), chat.id.into()],
        );
    }
    let action =
        types::MessageActionChannelMigrateFrom { title: chat.title.clone(), chat_id: chat.id.0 };
    cx.announce_in_channel(id, id, action);
    cx.effect(Effect::ChatMigrated { chat_id: chat.id.bot_api(), to_chat_id: id.bot_api() });
    Ok(cx.answer())
}

fn successor(chat: &BasicGroup, id: ChannelId, date: i32) -> Channel {
    Channel {
        id,
        title: chat.title.clone(),
        about: chat.about.clone(),
        username: None,
        date,
        broadcast: false,
        members: IndexMap::new(),
        banned: IndexMap::new(),
        left: chat.left.clone(),
        default_banned_rights: chat.default_banned_rights.clone(),
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
        forum: false,
        noforwards: false,
        ttl_period: chat.ttl_period,
    }
}
