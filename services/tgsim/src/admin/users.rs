//! Accounts: making them, their codes, QR scans, address books and privacy.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::json;

use super::act::within;
use super::answer::{Answer, Refused, read, user};
use super::state;
use crate::auth::{accept_token, srp};
use crate::hub::Hub;
use crate::world::{Audience, Bot, Contact, NewUser, PrivacyKey, World, phone_digits};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Create {
    #[serde(default)]
    phone: String,
    first_name: String,
    #[serde(default)]
    last_name: String,
    username: Option<String>,
    #[serde(default)]
    bot: bool,
    bot_token: Option<String>,
    /// `false`: the bot's owner switched groups off.
    bot_joins_groups: Option<bool>,
    password: Option<String>,
    hint: Option<String>,
    #[serde(default)]
    privacy: Privacy,
    #[serde(default)]
    contacts: Vec<String>,
    #[serde(default)]
    premium: bool,
    about: Option<String>,
    dc: Option<i32>,
    /// Only contacts and Premium users may write first.
    #[serde(default)]
    new_chats_require_premium: bool,
    /// Reported for spam.
    #[serde(default)]
    spam_restricted: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Privacy {
    invite: Option<Who>,
    phone_number: Option<Who>,
    added_by_phone: Option<Who>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Who {
    Everybody,
    Contacts,
    Nobody,
}

impl From<Who> for Audience {
    fn from(who: Who) -> Self {
        match who {
            Who::Everybody => Self::Everybody,
            Who::Contacts => Self::Contacts,
            Who::Nobody => Self::Nobody,
        }
    }
}

/// `POST /users`
pub async fn create(State(hub): State<Arc<Hub>>, body: Bytes) -> Answer {
    let new: Create = read(&body)?;
    if !new.bot && (new.bot_token.is_some() || new.bot_joins_groups.is_some()) {
        return Err(Refused::new("bot", "must be true where a bot's fields are given"));
    }
    if new.password.as_deref() == Some("") {
        return Err(Refused::new("password", "must not be empty"));
    }
    if new.hint.is_some() && new.password.is_none() {
        return Err(Refused::new("hint", "there is no password"));
    }
    // A hundred thousand rounds: not under the lock.
    let password = new.password.as_deref().map(|password| srp::set(password, new.hint));
    hub.with(|sim| {
        let world = &mut sim.world;
        if let Some(dc) = new.dc.filter(|dc| !world.cluster.dcs.iter().any(|d| d.id == *dc)) {
            return Err(Refused::new("dc", format!("there is no DC {dc}")));
        }
        let taken = |token: &String| {
            world.users.values().any(|u| u.bot.as_ref().is_some_and(|bot| bot.token == *token))
        };
        if new.bot_token.as_ref().is_some_and(taken) {
            return Err(Refused::new("bot_token", "another bot has this token"));
        }
        let bot = new.bot.then(|| Bot {
            nochats: new.bot_joins_groups == Some(false),
            chat_history: false,
            token: new.bot_token.clone().unwrap_or_default(),
        });
        let id = world.create_user(NewUser {
            phone: new.phone.clone(),
            first_name: new.first_name.clone(),
            last_name: new.last_name.clone(),
            username: new.username.clone(),
            bot,
            premium: new.premium,
            invite: new.privacy.invite.map(Audience::from).unwrap_or_default(),
            contacts: new.contacts.clone(),
        })?;
        if let Some(dc) = new.dc {
            world.cluster.set_home(id, dc);
        }
        if let Some(user) = world.users.get_mut(&id) {
            user.password = password;
            user.about = new.about.clone().unwrap_or_default();
            user.new_chats_require_premium = new.new_chats_require_premium;
            user.spam_restricted = new.spam_restricted;
            if let Some(bot) = user.bot.as_mut().filter(|bot| bot.token.is_empty()) {
                bot.token = format!("{}:tgsim", id.0);
            }
        }
        apply(world, id, &new.privacy);
        let token = world.users.get(&id).and_then(|u| u.bot.as_ref()).map(|b| b.token.clone());
        Ok(Json(json!({ "id": id.0, "bot_token": token })))
    })
}

fn apply(world: &mut World, id: crate::world::UserId, privacy: &Privacy) {
    let Some(user) = world.users.get_mut(&id) else { return };
    for (key, who) in [
        (PrivacyKey::ChatInvite, privacy.invite),
        (PrivacyKey::PhoneNumber, privacy.phone_number),
        (PrivacyKey::AddedByPhone, privacy.added_by_phone),
    ] {
        if let Some(who) = who {
            user.privacy.insert(key, Audience::from(who).into());
        }
    }
}

/// `GET /users`
pub async fn list(State(hub): State<Arc<Hub>>) -> Answer {
    hub.with(|sim| {
        let ids = sim.world.users.keys();
        let users: Vec<_> = ids.filter_map(|id| state::user(&sim.world, *id)).collect();
        Ok(Json(json!({ "users": users })))
    })
}

/// `GET /users/{id}`
pub async fn show(State(hub): State<Arc<Hub>>, Path(id): Path<String>) -> Answer {
    hub.with(|sim| {
        let id = user(&sim.world, &id)?;
        Ok(Json(json!(state::user(&sim.world, id))))
    })
}

/// `GET /users/{id}/code`: the login code just sent.
pub async fn code(State(hub): State<Arc<Hub>>, Path(id): Path<String>) -> Answer {
    hub.with(|sim| {
        let id = user(&sim.world, &id)?;
        let phone = sim.world.users.get(&id).map(|user| user.phone.clone()).unwrap_or_default();
        newest_code(&sim.world, &phone, "id")
    })
}

/// `GET /codes/{phone}`: the same for a number that may have no account yet.
pub async fn code_of_phone(State(hub): State<Arc<Hub>>, Path(phone): Path<String>) -> Answer {
    hub.with(|sim| newest_code(&sim.world, &phone_digits(&phone), "phone"))
}

fn newest_code(world: &World, phone: &str, field: &str) -> Answer {
    let sent = world.cluster.pending.codes.newest(phone, world.clock.now());
    let sent =
        sent.ok_or_else(|| Refused::new(field, "no code was sent, or it is no longer good"))?;
    Ok(Json(json!({ "code": sent.code, "phone": sent.phone, "sent_at": sent.sent_at })))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Scan {
    /// As in `tg://login?token=…`, or that whole link.
    token: String,
}

/// `POST /users/{id}/scan`: the phone that scans a QR code.
pub async fn scan(State(hub): State<Arc<Hub>>, Path(id): Path<String>, body: Bytes) -> Answer {
    let scan: Scan = read(&body)?;
    let token = scan.token.strip_prefix("tg://login?token=").unwrap_or(&scan.token);
    let token = URL_SAFE_NO_PAD
        .decode(token.trim_end_matches('='))
        .or_else(|_| STANDARD.decode(token))
        .map_err(|_| Refused::new("token", "neither a tg://login link nor base64url"))?;
    hub.with(|sim| {
        let id = user(&sim.world, &id)?;
        let accepted = within(sim, id, "auth.acceptLoginToken", |cx| accept_token(cx, id, &token));
        accepted.map_err(|error| Refused::new("token", error.name))?;
        Ok(Json(json!({ "accepted": true })))
    })
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Contacts {
    #[serde(default)]
    add: Vec<String>,
    #[serde(default)]
    remove: Vec<String>,
}

/// `POST /users/{id}/contacts`: numbers to put into the address book or take out of it.
pub async fn add_contacts(
    State(hub): State<Arc<Hub>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Answer {
    let change: Contacts = read(&body)?;
    hub.with(|sim| {
        let world = &mut sim.world;
        let id = user(world, &id)?;
        for phone in change.add.iter().map(|phone| phone_digits(phone)) {
            let other = world.phones.get(&phone).copied();
            let contact = Contact { phone: phone.clone(), ..Contact::default() };
            let Some(owner) = world.users.get_mut(&id) else { break };
            match other {
                Some(other) => drop(owner.contacts.insert(other, contact)),
                None => drop(owner.phone_book.insert(phone, contact)),
            }
        }
        for phone in change.remove.iter().map(|phone| phone_digits(phone)) {
            let other = world.phones.get(&phone).copied();
            let Some(owner) = world.users.get_mut(&id) else { break };
            owner.phone_book.remove(&phone);
            other.map(|other| owner.contacts.remove(&other));
        }
        Ok(Json(json!(state::user(world, id))))
    })
}

/// `POST /users/{id}/privacy`
pub async fn set_privacy(
    State(hub): State<Arc<Hub>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Answer {
    let privacy: Privacy = read(&body)?;
    hub.with(|sim| {
        let id = user(&sim.world, &id)?;
        apply(&mut sim.world, id, &privacy);
        Ok(Json(json!(state::user(&sim.world, id))))
    })
}
