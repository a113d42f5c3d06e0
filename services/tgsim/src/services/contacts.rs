//! The address book.
//!
//! Source: <https://core.telegram.org/api/contacts>.
use grammers_tl_types::functions::contacts as f;
use grammers_tl_types::{enums, types};

use super::users::peer_settings;
use crate::cx::Cx;
use crate::effect::Effect;
use crate::rpc_error::{Reply, bad};
use crate::world::{Cast, Contact, PeerId, PrivacyKey, UserId, phone_digits};

crate::requests! {
    contacts::GetContacts => get_contacts {}
    contacts::GetContactIds => get_contact_ids {}
    contacts::GetStatuses => get_statuses {}
    contacts::ImportContacts => import_contacts {}
    contacts::AddContact => add_contact {
        400 "CHANNEL_PRIVATE", 400 "CONTACT_ID_INVALID", 400 "CONTACT_NAME_EMPTY", 400 "MSG_ID_INVALID",
        400 "CHANNEL_INVALID" @ "https://core.telegram.org/method/users.getUsers",
        400 "PEER_ID_INVALID" @ "https://core.telegram.org/method/users.getUsers",
        400 "CHAT_ID_INVALID" @ "https://core.telegram.org/method/messages.getHistory",
    }
    contacts::DeleteContacts => delete_contacts {
        400 "MSG_ID_INVALID",
        400 "USER_ID_INVALID" @ "https://core.telegram.org/method/users.getFullUser",
        400 "CHANNEL_INVALID" @ "https://core.telegram.org/method/users.getUsers",
        400 "CHANNEL_PRIVATE" @ "https://core.telegram.org/method/users.getUsers",
        400 "PEER_ID_INVALID" @ "https://core.telegram.org/method/users.getUsers",
        400 "CHAT_ID_INVALID" @ "https://core.telegram.org/method/messages.getHistory",
    }
    contacts::DeleteByPhones => delete_by_phones {}
}

/// `contacts.getContacts`: `contactsNotModified` where the caller's hash says it has them all.
fn get_contacts(cx: &mut Cx<'_>, r: f::GetContacts) -> Reply<enums::contacts::Contacts> {
    let me = cx.user(cx.me)?;
    let ids: Vec<UserId> = me.contacts.keys().copied().collect();
    let saved_count = count(me.phone_book.len() + ids.len());
    if r.hash != 0 && r.hash == contacts_hash(saved_count, &ids) {
        return Ok(enums::contacts::Contacts::NotModified);
    }
    let contacts = ids
        .iter()
        .map(|id| {
            let mutual = cx.world.is_mutual_contact(cx.me, *id);
            types::Contact { user_id: id.0, mutual }.into()
        })
        .collect();
    let cast: Cast = ids.into_iter().map(PeerId::User).collect();
    let (users, _) = cast.render(cx.world, cx.me);
    Ok(types::contacts::Contacts { contacts, saved_count, users }.into())
}

/// `contacts.getContactIDs`: a method of the days of 32-bit ids; ids that don't fit are 0, as for people that can't be
/// told.
fn get_contact_ids(cx: &mut Cx<'_>, _: f::GetContactIds) -> Reply<Vec<i32>> {
    Ok(cx.user(cx.me)?.contacts.keys().map(|id| i32::try_from(id.0).unwrap_or(0)).collect())
}

/// `contacts.getStatuses`.
fn get_statuses(cx: &mut Cx<'_>, _: f::GetStatuses) -> Reply<Vec<enums::ContactStatus>> {
    let ids = cx.user(cx.me)?.contacts.keys();
    Ok(ids
        .map(|id| {
            types::ContactStatus { user_id: id.0, status: cx.world.status_view(cx.me, *id) }.into()
        })
        .collect())
}

/// `contacts.importContacts`: those found by number become contacts, if their privacy lets them be found; of the
/// others it is said how many people know them; more than a batch comes back to be tried again.
fn import_contacts(
    cx: &mut Cx<'_>,
    r: f::ImportContacts,
) -> Reply<enums::contacts::ImportedContacts> {
    let (mut imported, mut popular_invites, mut retry_contacts) = (vec![], vec![], vec![]);
    let (mut cast, mut saved) = (Cast::default(), 0);
    for (n, contact) in r.contacts.into_iter().enumerate() {
        let enums::InputContact::InputPhoneContact(contact) = contact;
        if n >= cx.world.limits.import_batch {
            retry_contacts.push(contact.client_id);
            continue;
        }
        let phone = phone_digits(&contact.phone);
        let (first_name, last_name) = (contact.first_name, contact.last_name);
        let entry = Contact { first_name, last_name, phone: phone.clone() };
        match found_by_phone(cx, &phone) {
            Some(id) => {
                remember(cx, id, entry);
                cast.add(id);
                imported.push(
                    types::ImportedContact { user_id: id.0, client_id: contact.client_id }.into(),
                );
                cx.effect(Effect::ContactAdded { user_id: id.0 });
            }
            None if !phone.is_empty() => {
                saved += 1;
                if let Some(me) = cx.world.users.get_mut(&cx.me) {
                    me.phone_book.insert(phone.clone(), entry);
                }
                let importers =
                    cx.world.users.values().filter(|u| u.phone_book.contains_key(&phone));
                let importers = count(importers.count());
                if importers > 1 {
                    let client_id = contact.client_id;
                    popular_invites.push(types::PopularContact { client_id, importers }.into());
                }
            }
            None => {}
        }
    }
    if saved > 0 {
        cx.effect(Effect::ContactSaved { count: saved });
    }
    let (users, _) = cast.render(cx.world, cx.me);
    Ok(types::contacts::ImportedContacts { imported, popular_invites, retry_contacts, users }
        .into())
}

/// `contacts.addContact`: somebody who is known already, by their account rather than their number.
fn add_contact(cx: &mut Cx<'_>, r: f::AddContact) -> Reply<enums::Updates> {
    let id = cx.input_user_or(&r.id, "CONTACT_ID_INVALID")?;
    if id == cx.me || cx.user(id)?.deleted {
        return Err(bad("CONTACT_ID_INVALID"));
    }
    if r.first_name.trim().is_empty() {
        return Err(bad("CONTACT_NAME_EMPTY"));
    }
    let phone = phone_digits(&r.phone);
    remember(cx, id, Contact { first_name: r.first_name, last_name: r.last_name, phone });
    if r.add_phone_privacy_exception
        && let Some(me) = cx.world.users.get_mut(&cx.me)
    {
        me.phone_shared_with.insert(id);
    }
    tell_settings(cx, id);
    cx.effect(Effect::ContactAdded { user_id: id.0 });
    Ok(cx.answer())
}

/// `contacts.deleteContacts`: people who are none are passed over.
fn delete_contacts(cx: &mut Cx<'_>, r: f::DeleteContacts) -> Reply<enums::Updates> {
    let mut ids = vec![];
    for input in &r.id {
        ids.push(cx.input_user(input)?);
    }
    for id in ids {
        forget(cx, id);
    }
    Ok(cx.answer())
}

/// `contacts.deleteByPhones`: numbers saved, with or without an account behind them.
fn delete_by_phones(cx: &mut Cx<'_>, r: f::DeleteByPhones) -> Reply<bool> {
    for phone in &r.phones {
        let phone = phone_digits(phone);
        if let Some(me) = cx.world.users.get_mut(&cx.me) {
            me.phone_book.remove(&phone);
        }
        if let Some(id) = cx.world.phones.get(&phone).copied() {
            forget(cx, id);
        }
    }
    Ok(true)
}

/// Who has this number, as far as the caller may find out: the owner's `AddedByPhone` setting decides.
pub(super) fn found_by_phone(cx: &Cx<'_>, phone: &str) -> Option<UserId> {
    let id = *cx.world.phones.get(phone)?;
    let known = cx.world.is_contact(cx.me, id);
    (known || cx.world.allows(id, PrivacyKey::AddedByPhone, cx.me)).then_some(id)
}

fn remember(cx: &mut Cx<'_>, id: UserId, entry: Contact) {
    if let Some(me) = cx.world.users.get_mut(&cx.me)
        && id != me.id
    {
        me.contacts.insert(id, entry);
    }
}

fn forget(cx: &mut Cx<'_>, id: UserId) {
    let gone = cx.world.users.get_mut(&cx.me).and_then(|me| me.contacts.remove(&id));
    if gone.is_some() {
        tell_settings(cx, id);
        cx.effect(Effect::ContactDeleted { user_id: id.0 });
    }
}

/// `updatePeerSettings`: brings the changed user along, which is how other devices learn of the change.
fn tell_settings(cx: &mut Cx<'_>, id: UserId) {
    let peer = PeerId::User(id);
    let update = types::UpdatePeerSettings { peer: peer.tl(), settings: peer_settings(cx, id) };
    cx.notice(cx.me, update.into(), &[peer]);
}

/// `saved_count`, then the ids, folded as <https://core.telegram.org/api/offsets#hash-generation> says.
fn contacts_hash(saved_count: i32, ids: &[UserId]) -> i64 {
    let numbers = std::iter::once(i64::from(saved_count)).chain(ids.iter().map(|id| id.0));
    let hash = numbers.fold(0_u64, |mut hash, number| {
        hash ^= hash >> 21;
        hash ^= hash << 35;
        hash ^= hash >> 4;
        hash.wrapping_add(number as u64)
    });
    hash as i64
}

fn count(n: usize) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}
