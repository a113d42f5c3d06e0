//! Groups that people make by hand, on a device that is not under test: groups that the service did not make, groups
//! in which its account is only a member, and basic groups that turn into supergroups behind its back.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use grammers_tl_types::{enums, functions as f, types};
use serde::Deserialize;
use serde_json::json;

use super::act::{as_user, input_peer};
use super::answer::{Answer, Refused, read, user};
use crate::hub::{Hub, Sim};
use crate::world::{ChannelId, ChatId, UserId, rights};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Create {
    title: String,
    kind: Kind,
    /// Who else is put in, by number.
    #[serde(default)]
    members: Vec<i64>,
    /// Whether plain members may neither rename the group nor add people.
    #[serde(default)]
    locked: bool,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Basic,
    Supergroup,
}

/// `POST /users/{id}/groups`: the user makes a group; its number in Bot API form.
pub async fn create(State(hub): State<Arc<Hub>>, Path(id): Path<String>, body: Bytes) -> Answer {
    let create: Create = read(&body)?;
    hub.with(|sim| {
        let me = user(&sim.world, &id)?;
        let mut users = Vec::with_capacity(create.members.len());
        for member in &create.members {
            let named = user(&sim.world, &member.to_string());
            let named = named.map_err(|_| Refused::new("members", "there is no such user"))?;
            let access_hash = sim.world.access_hash(me, named);
            users.push(types::InputUser { user_id: named.0, access_hash }.into());
        }
        let chat_id = match create.kind {
            Kind::Basic => make_basic(sim, me, create.title, users)?,
            Kind::Supergroup => make_supergroup(sim, me, create.title, users)?,
        };
        if create.locked {
            lock(sim, me, chat_id)?;
        }
        Ok(Json(json!({ "chat_id": chat_id })))
    })
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Migrate {
    /// In Bot API form.
    chat_id: i64,
}

/// `POST /users/{id}/migrate`: the user turns a basic group into a supergroup; the new number.
pub async fn migrate(State(hub): State<Arc<Hub>>, Path(id): Path<String>, body: Bytes) -> Answer {
    let migrate: Migrate = read(&body)?;
    hub.with(|sim| {
        let me = user(&sim.world, &id)?;
        as_user(sim, me, &f::messages::MigrateChat { chat_id: -migrate.chat_id })?;
        Ok(Json(json!({ "chat_id": newest_supergroup(sim, me)? })))
    })
}

fn make_basic(
    sim: &mut Sim,
    me: UserId,
    title: String,
    users: Vec<enums::InputUser>,
) -> Result<i64, Refused> {
    as_user(sim, me, &f::messages::CreateChat { users, title, ttl_period: None })?;
    let mine = sim.world.users.get(&me).and_then(|user| user.chats.iter().max().copied());
    mine.map(ChatId::bot_api).ok_or_else(|| Refused::new("kind", "no group was made"))
}

fn make_supergroup(
    sim: &mut Sim,
    me: UserId,
    title: String,
    users: Vec<enums::InputUser>,
) -> Result<i64, Refused> {
    let request = f::channels::CreateChannel {
        broadcast: false,
        megagroup: true,
        for_import: false,
        forum: false,
        title,
        about: String::new(),
        geo_point: None,
        address: None,
        ttl_period: None,
    };
    as_user(sim, me, &request)?;
    let chat_id = newest_supergroup(sim, me)?;
    if !users.is_empty()
        && let enums::InputPeer::Channel(channel) = input_peer(&sim.world, me, chat_id)?
    {
        let (channel_id, access_hash) = (channel.channel_id, channel.access_hash);
        let channel = types::InputChannel { channel_id, access_hash }.into();
        as_user(sim, me, &f::channels::InviteToChannel { channel, users })?;
    }
    Ok(chat_id)
}

fn lock(sim: &mut Sim, me: UserId, chat_id: i64) -> Result<(), Refused> {
    let peer = input_peer(&sim.world, me, chat_id)?;
    let banned_rights = types::ChatBannedRights {
        change_info: true,
        invite_users: true,
        ..rights::default_restrictions()
    };
    let banned_rights = banned_rights.into();
    as_user(sim, me, &f::messages::EditChatDefaultBannedRights { peer, banned_rights })?;
    Ok(())
}

fn newest_supergroup(sim: &Sim, me: UserId) -> Result<i64, Refused> {
    let mine = sim.world.users.get(&me).and_then(|user| user.channels.iter().max().copied());
    mine.map(ChannelId::bot_api).ok_or_else(|| Refused::new("kind", "no supergroup was made"))
}
