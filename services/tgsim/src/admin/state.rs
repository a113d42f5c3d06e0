//! The world as JSON, for tests that compare what is with what should be.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::answer::{Answer, Refused};
use crate::cluster::Client;
use crate::hub::Hub;
use crate::world::{
    Banned, ChannelId, ChatId, InviteLink, Links, Member, PrivacyKey, Role, UserId, World,
};

/// `GET /state`
pub async fn everything(State(hub): State<Arc<Hub>>) -> Answer {
    hub.with(|sim| {
        let world = &sim.world;
        let users: Vec<_> = world.users.keys().filter_map(|id| user(world, *id)).collect();
        let chats = world.chats.keys().filter_map(|id| chat(world, *id));
        let channels = world.channels.keys().filter_map(|id| channel(world, *id));
        let groups: Vec<_> = chats.chain(channels).collect();
        let connections = sim.connections();
        Ok(Json(json!({
            "now": world.clock.now(),
            "users": users,
            "groups": groups,
            "dcs": world.cluster.dcs.iter().map(dc).collect::<Vec<_>>(),
            "connections": connections,
            "auth_keys": world.cluster.keys.len(),
            "journal_last": sim.journal.last(),
        })))
    })
}

/// `GET /groups/{chat_id}`, the id in Bot API form.
pub async fn one_group(State(hub): State<Arc<Hub>>, Path(id): Path<String>) -> Answer {
    let none = || Refused::new("chat_id", "there is no such group");
    let id: i64 = id.parse().map_err(|_| none())?;
    hub.with(|sim| {
        let found = sim.world.chats.keys().find(|chat| chat.bot_api() == id);
        let chat = found.and_then(|found| chat(&sim.world, *found));
        let found = sim.world.channels.keys().find(|channel| channel.bot_api() == id);
        let group = chat.or_else(|| found.and_then(|found| channel(&sim.world, *found)));
        group.map(Json).ok_or_else(none)
    })
}

/// `GET /dcs`
pub async fn dcs(State(hub): State<Arc<Hub>>) -> Answer {
    let public_key = hub.server_key.public_pem();
    let public_key = public_key.map_err(|error| Refused::new("public_key", error.to_string()))?;
    hub.with(|sim| {
        let dcs: Vec<_> = sim.world.cluster.dcs.iter().map(dc).collect();
        Ok(Json(json!({ "dcs": dcs, "public_key": public_key })))
    })
}

/// `GET /auth_keys`: the keys themselves in hex, for whoever looks where they must not be.
pub async fn auth_keys(State(hub): State<Arc<Hub>>) -> Answer {
    hub.with(|sim| {
        let keys = sim.world.cluster.keys.values();
        let keys: Vec<String> = keys.map(|key| hex::encode(key.key.bytes())).collect();
        Ok(Json(json!({ "auth_keys": keys })))
    })
}

fn dc(dc: &crate::cluster::Dc) -> Value {
    json!({ "id": dc.id, "address": dc.address.to_string() })
}

/// One account.
pub fn user(world: &World, id: UserId) -> Option<Value> {
    let user = world.users.get(&id)?;
    let logins = world.cluster.logins_of(id);
    let logins = logins.into_iter().map(|(key, login)| {
        let record = world.cluster.keys.get(&key);
        json!({
            "auth_key_id": key.0.to_string(),
            "dc": record.map(|key| key.dc),
            "since": login.since,
            "client": record.and_then(|key| key.client.as_ref()).map(client),
        })
    });
    Some(json!({
        "id": id.0,
        "phone": user.phone,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "username": user.username,
        "bot": user.bot.is_some(),
        "premium": user.premium,
        "deleted": user.deleted,
        "has_password": user.password.is_some(),
        "dc": world.cluster.home_of(id),
        "privacy": { "invite": format!("{:?}", world.privacy(id, PrivacyKey::ChatInvite).audience).to_lowercase() },
        "contacts": user.contacts.keys().map(|id| id.0).collect::<Vec<_>>(),
        "blocked": user.blocked.keys().map(|peer| peer.bot_api()).collect::<Vec<_>>(),
        "groups": user.chats.iter().map(|id| id.bot_api())
            .chain(user.channels.iter().map(|id| id.bot_api())).collect::<Vec<_>>(),
        "pts": user.mailbox.pts,
        "logins": logins.collect::<Vec<_>>(),
    }))
}

/// What `initConnection` said last.
fn client(client: &Client) -> Value {
    json!({
        "api_id": client.api_id,
        "device_model": client.device_model,
        "system_version": client.system_version,
        "app_version": client.app_version,
        "system_lang_code": client.system_lang_code,
        "lang_code": client.lang_code,
    })
}

fn chat(world: &World, id: ChatId) -> Option<Value> {
    let chat = world.chats.get(&id)?;
    Some(json!({
        "chat_id": id.bot_api(),
        "kind": "basic",
        "title": chat.title,
        "about": chat.about,
        "deleted": chat.deleted,
        "migrated_to": chat.migrated_to.map(ChannelId::bot_api),
        "members": chat.members.values().map(member).collect::<Vec<_>>(),
        "banned": [],
        "links": links(&chat.links),
        "requests": chat.links.requests.keys().map(|id| id.0).collect::<Vec<_>>(),
    }))
}

fn channel(world: &World, id: ChannelId) -> Option<Value> {
    let channel = world.channels.get(&id)?;
    Some(json!({
        "chat_id": id.bot_api(),
        "kind": if channel.broadcast { "channel" } else { "supergroup" },
        "title": channel.title,
        "about": channel.about,
        "username": channel.username,
        "deleted": channel.deleted,
        "migrated_from": channel.migrated_from.map(|(chat, _)| chat.bot_api()),
        "members": channel.members.values().map(member).collect::<Vec<_>>(),
        "banned": channel.banned.values().map(banned).collect::<Vec<_>>(),
        "links": links(&channel.links),
        "requests": channel.links.requests.keys().map(|id| id.0).collect::<Vec<_>>(),
        "messages": channel.history.messages.len(),
        "pts": channel.history.pts,
    }))
}

fn member(member: &Member) -> Value {
    let role = match member.role {
        Role::Creator { .. } => "creator",
        Role::Admin { .. } => "admin",
        Role::Plain => "member",
        Role::Restricted { .. } => "restricted",
    };
    json!({
        "user_id": member.user.0,
        "role": role,
        "inviter_id": member.inviter.0,
        "date": member.date,
        "rank": member.rank,
    })
}

fn banned(banned: &Banned) -> Value {
    json!({
        "user_id": banned.user.0,
        "by": banned.by.0,
        "until": banned.rights.until_date,
        "banned": banned.rights.view_messages,
    })
}

fn links(links: &Links) -> Vec<Value> {
    links.all.iter().map(link).collect()
}

fn link(link: &InviteLink) -> Value {
    json!({
        "link": link.url(),
        "admin_id": link.admin.0,
        "title": link.title,
        "permanent": link.permanent,
        "revoked": link.revoked,
        "expire_date": link.expire_date,
        "usage_limit": link.usage_limit,
        "usage": link.usage(),
        "approval": link.request_needed,
        "joined": link.joined.iter().map(|joined| joined.user.0).collect::<Vec<_>>(),
    })
}
