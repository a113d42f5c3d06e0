//! One's own account: name, username, presence.
use grammers_tl_types::functions::account as f;
use grammers_tl_types::{enums, types};

use crate::cx::Cx;
use crate::effect::Effect;
use crate::rpc_error::{Reply, bad};
use crate::world::{PeerId, Presence, UserId, is_username};

crate::requests! {
    account::CheckUsername => check_username {
        400 "USERNAME_INVALID", 400 "USERNAME_OCCUPIED" scripted, 400 "USERNAME_PURCHASE_AVAILABLE" scripted,
    }
    account::UpdateUsername => update_username {
        400 "USERNAME_INVALID", 400 "USERNAME_NOT_MODIFIED", 400 "USERNAME_OCCUPIED",
        400 "USERNAME_PURCHASE_AVAILABLE" scripted,
    }
    account::UpdateProfile => update_profile {
        400 "ABOUT_TOO_LONG", 400 "FIRSTNAME_INVALID", 400 "BUSINESS_CONNECTION_INVALID" scripted,
    }
    account::UpdateStatus => update_status {}
}

/// How long `account.updateStatus` keeps somebody online: `config.online_update_period_ms` and some grace.
const ONLINE_S: i32 = 300;

/// `account.checkUsername`: whether the name could be taken by the caller.
fn check_username(cx: &mut Cx<'_>, r: f::CheckUsername) -> Reply<bool> {
    if !is_username(&r.username) {
        return Err(bad("USERNAME_INVALID"));
    }
    Ok(!cx.world.usernames.contains_key(&r.username.to_lowercase()))
}

/// `account.updateUsername`: an empty name removes it.
fn update_username(cx: &mut Cx<'_>, r: f::UpdateUsername) -> Reply<enums::User> {
    let me = cx.me;
    let new = (!r.username.is_empty()).then_some(r.username);
    let old = cx.user(me)?.username.clone();
    if new == old {
        return Err(bad("USERNAME_NOT_MODIFIED"));
    }
    if let Some(name) = &new {
        if !is_username(name) {
            return Err(bad("USERNAME_INVALID"));
        }
        if cx
            .world
            .usernames
            .get(&name.to_lowercase())
            .is_some_and(|owner| *owner != PeerId::User(me))
        {
            return Err(bad("USERNAME_OCCUPIED"));
        }
    }
    if let Some(old) = old {
        cx.world.usernames.remove(&old.to_lowercase());
    }
    if let Some(name) = &new {
        cx.world.usernames.insert(name.to_lowercase(), me.into());
    }
    if let Some(user) = cx.world.users.get_mut(&me) {
        user.username.clone_from(&new);
    }
    tell_name(cx)?;
    cx.effect(Effect::UsernameSet { chat_id: me.0, username: new });
    Ok(cx.world.user_view(me, me, false))
}

/// `account.updateProfile`: what is given, is changed.
fn update_profile(cx: &mut Cx<'_>, r: f::UpdateProfile) -> Reply<enums::User> {
    let (me, limits) = (cx.me, cx.world.limits.clone());
    let cut = |text: String| text.trim().chars().take(limits.name_chars).collect::<String>();
    let first_name = r.first_name.map(cut);
    let last_name =
        r.last_name.map(|text| text.trim().chars().take(limits.name_chars).collect::<String>());
    if first_name.as_ref().is_some_and(String::is_empty) {
        return Err(bad("FIRSTNAME_INVALID"));
    }
    let most = if cx.user(me)?.premium { limits.about_chars_premium } else { limits.about_chars };
    if r.about.as_ref().is_some_and(|about| about.chars().count() > most) {
        return Err(bad("ABOUT_TOO_LONG"));
    }
    let renamed = first_name.is_some() || last_name.is_some();
    if let Some(user) = cx.world.users.get_mut(&me) {
        user.first_name = first_name.unwrap_or_else(|| user.first_name.clone());
        user.last_name = last_name.unwrap_or_else(|| user.last_name.clone());
        user.about = r.about.unwrap_or_else(|| user.about.clone());
    }
    if renamed {
        tell_name(cx)?;
    }
    cx.effect(Effect::ProfileEdited { user_id: me.0 });
    Ok(cx.world.user_view(me, me, false))
}

/// `account.updateStatus`: told to those who know the caller and may see it.
fn update_status(cx: &mut Cx<'_>, r: f::UpdateStatus) -> Reply<bool> {
    let (me, now) = (cx.me, cx.now);
    let presence =
        if r.offline { Presence::Offline(now) } else { Presence::Online(now + ONLINE_S) };
    if let Some(user) = cx.world.users.get_mut(&me) {
        user.status = Some(presence);
    }
    // Presence is not part of anybody's state: it is pushed to who is connected, never found in a difference.
    for user in acquaintances(cx) {
        let update =
            types::UpdateUserStatus { user_id: me.0, status: cx.world.status_view(user, me) };
        cx.push(user, types::UpdateShort { update: update.into(), date: now }.into());
    }
    Ok(true)
}

/// `updateUserName` for the caller's own devices and for everybody who knows the caller.
fn tell_name(cx: &mut Cx<'_>) -> Reply<()> {
    let me = cx.user(cx.me)?.clone();
    let usernames = me.username.iter().map(|name| {
        let username = name.clone();
        types::Username { editable: true, active: true, deletable: false, expired: false, username }
            .into()
    });
    let update = enums::Update::from(types::UpdateUserName {
        user_id: me.id.0,
        first_name: me.first_name.clone(),
        last_name: me.last_name.clone(),
        usernames: usernames.collect(),
    });
    cx.notice(me.id, update.clone(), &[me.id.into()]);
    for user in acquaintances(cx) {
        cx.notice(user, update.clone(), &[me.id.into()]);
    }
    Ok(())
}

/// Everybody who has the caller in the address book or talked with them.
pub(super) fn acquaintances(cx: &Cx<'_>) -> Vec<UserId> {
    let me = PeerId::User(cx.me);
    let knows = |user: &&crate::world::User| {
        user.id != cx.me && (user.contacts.contains_key(&cx.me) || user.dialogs.contains_key(&me))
    };
    cx.world.users.values().filter(knows).map(|u| u.id).collect()
}
