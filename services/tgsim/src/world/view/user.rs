//! A user as another one sees them.
use grammers_tl_types::{enums, types};

use crate::blank;
use crate::world::{PeerId, Presence, PrivacyKey, UserId, World};

impl World {
    /// `user`, with `viewer`'s access hash and names. `min`: without what needs acquaintance,
    /// <https://core.telegram.org/api/min>.
    pub fn user_view(&self, viewer: UserId, id: UserId, min: bool) -> enums::User {
        let Some(user) = self.users.get(&id) else {
            return types::UserEmpty { id: id.0 }.into();
        };
        if user.deleted {
            let access_hash = Some(self.access_hash(viewer, id));
            return types::User { deleted: true, access_hash, ..blank::user(id.0) }.into();
        }
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let mut view = types::User {
            bot: user.bot.is_some(),
            bot_nochats: user.bot.as_ref().is_some_and(|b| b.nochats),
            bot_chat_history: user.bot.as_ref().is_some_and(|b| b.chat_history),
            bot_info_version: user.bot.as_ref().map(|_| 1),
            premium: user.premium,
            username: user.username.clone(),
            first_name: some(&user.first_name),
            last_name: some(&user.last_name),
            ..blank::user(id.0)
        };
        if min {
            view.min = true;
            view.access_hash = Some(self.min_access_hash(viewer, id));
            return view.into();
        }
        view.access_hash = Some(self.access_hash(viewer, id));
        view.status = user.bot.is_none().then(|| self.status_view(viewer, id));
        let saved = self.users.get(&viewer).and_then(|v| v.contacts.get(&id));
        if id == viewer {
            view.is_self = true;
            view.phone = some(&user.phone);
        } else if let Some(saved) = saved {
            view.contact = true;
            view.mutual_contact = self.is_contact(id, viewer);
            if !saved.first_name.is_empty() {
                view.first_name = some(&saved.first_name);
                view.last_name = some(&saved.last_name);
            }
            if !saved.phone.is_empty() {
                view.phone = some(&user.phone);
            }
        }
        if view.phone.is_none() && self.sees_phone(viewer, id) {
            view.phone = some(&user.phone);
        }
        view.contact_require_premium = self.needs_premium_to_write(id, viewer);
        view.into()
    }

    /// Whether `viewer` sees the number of `id`.
    pub fn sees_phone(&self, viewer: UserId, id: UserId) -> bool {
        self.allows(id, PrivacyKey::PhoneNumber, viewer)
            || self.users.get(&id).is_some_and(|u| u.phone_shared_with.contains(&viewer))
    }

    /// `userStatus`, exact only where privacy lets it be.
    pub fn status_view(&self, viewer: UserId, id: UserId) -> enums::UserStatus {
        let presence = self.users.get(&id).and_then(|u| u.status);
        let exact = self.allows(id, PrivacyKey::StatusTimestamp, viewer);
        match presence {
            Some(Presence::Online(expires)) if exact && expires > self.clock.now() => {
                types::UserStatusOnline { expires }.into()
            }
            Some(Presence::Online(was_online) | Presence::Offline(was_online)) if exact => {
                types::UserStatusOffline { was_online }.into()
            }
            _ => types::UserStatusRecently { by_me: false }.into(),
        }
    }

    /// Whether `viewer` has met `id` in a way that gives a full user: oneself, an address book, a conversation, a
    /// common basic group.
    pub fn knows(&self, viewer: UserId, id: UserId) -> bool {
        let Some(me) = self.users.get(&viewer) else { return false };
        viewer == id
            || me.contacts.contains_key(&id)
            || me.dialogs.contains_key(&PeerId::User(id))
            || me
                .chats
                .iter()
                .any(|c| self.chats.get(c).is_some_and(|c| c.members.contains_key(&id)))
    }
}
