//! Making accounts, and what one account may know or do about another.
use super::privacy::{Asker, Audience, PrivacyKey, PrivacyRule};
use super::{Bot, Contact, MessageBox, PeerId, User, UserId, World};
use grammers_tl_types::types;

/// What an account is made of.
#[derive(Debug, Clone, Default)]
pub struct NewUser {
    /// Digits, with or without `+`; may only be empty for a bot.
    pub phone: String,
    /// Required.
    pub first_name: String,
    /// Optional.
    pub last_name: String,
    /// Without `@`.
    pub username: Option<String>,
    /// Set for bots.
    pub bot: Option<Bot>,
    /// Has Premium.
    pub premium: bool,
    /// Who may add it to groups.
    pub invite: Audience,
    /// Numbers it has in its address book.
    pub contacts: Vec<String>,
}

/// A field of `NewUser` that can't be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct BadField {
    /// Name of the field.
    pub field: &'static str,
    /// Why.
    pub reason: String,
}

/// Digits of a phone number, whatever else it was written with.
pub fn phone_digits(phone: &str) -> String {
    phone.chars().filter(char::is_ascii_digit).collect()
}

/// 5 to 32 letters, digits and underscores, a letter first, no underscore last:
/// <https://core.telegram.org/method/account.updateUsername>.
pub fn is_username(name: &str) -> bool {
    (5..=32).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && !name.ends_with('_')
        && !name.contains("__")
}

impl World {
    /// Makes an account. People who had its number in their address book have it as a contact from now on.
    pub fn create_user(&mut self, new: NewUser) -> Result<UserId, BadField> {
        let bad = |field, reason: &str| BadField { field, reason: reason.to_owned() };
        let phone = phone_digits(&new.phone);
        if new.bot.is_none() && !(5..=15).contains(&phone.len()) {
            return Err(bad("phone", "5 to 15 digits are needed"));
        }
        if !phone.is_empty() && self.phones.contains_key(&phone) {
            return Err(bad("phone", "another account has this number"));
        }
        if new.first_name.trim().is_empty() {
            return Err(bad("first_name", "must not be empty"));
        }
        if let Some(name) = &new.username {
            if !is_username(name) {
                return Err(bad("username", "5 to 32 letters, digits and single underscores"));
            }
            if self.usernames.contains_key(&name.to_lowercase()) {
                return Err(bad("username", "is taken"));
            }
        }
        let id = self.next_user_id();
        let mut user = User::new(id, phone.clone(), new.first_name);
        user.last_name = new.last_name;
        user.bot = new.bot;
        user.premium = new.premium;
        user.privacy.insert(PrivacyKey::ChatInvite, new.invite.into());
        if let Some(name) = new.username {
            self.usernames.insert(name.to_lowercase(), id.into());
            user.username = Some(name);
        }
        for number in &new.contacts {
            let number = phone_digits(number);
            let saved = Contact { phone: number.clone(), ..Contact::default() };
            match self.phones.get(&number) {
                Some(other) => user.contacts.insert(*other, saved),
                None => user.phone_book.insert(number, saved),
            };
        }
        if !phone.is_empty() {
            self.phones.insert(phone.clone(), id);
            for other in self.users.values_mut() {
                if let Some(saved) = other.phone_book.remove(&phone) {
                    other.contacts.insert(id, saved);
                }
            }
        }
        self.users.insert(id, user);
        Ok(id)
    }

    /// The rule in force: what was set, else Telegram's default (the number: contacts; anything else: everybody).
    pub fn privacy(&self, of: UserId, key: PrivacyKey) -> PrivacyRule {
        let set = self.users.get(&of).and_then(|u| u.privacy.get(&key)).cloned();
        set.unwrap_or_else(|| match key {
            PrivacyKey::PhoneNumber => Audience::Contacts.into(),
            _ => Audience::Everybody.into(),
        })
    }

    /// Whether `asker` may do to `of` what `key` is about. Oneself always may.
    pub fn allows(&self, of: UserId, key: PrivacyKey, asker: UserId) -> bool {
        of == asker || self.privacy(of, key).allows(self.asker(of, asker))
    }

    /// Whether `b` stands in the address book of `a`.
    pub fn is_contact(&self, a: UserId, b: UserId) -> bool {
        self.users.get(&a).is_some_and(|u| u.contacts.contains_key(&b))
    }

    /// Whether both stand in each other's.
    pub fn is_mutual_contact(&self, a: UserId, b: UserId) -> bool {
        self.is_contact(a, b) && self.is_contact(b, a)
    }

    /// Whether `a` has blocked `b`.
    pub fn has_blocked(&self, a: UserId, b: impl Into<PeerId>) -> bool {
        let b = b.into();
        self.users.get(&a).is_some_and(|u| u.blocked.contains_key(&b))
    }

    /// Whether `of`'s privacy keeps `inviter` from adding them to a group, in the form of `missing_invitees`:
    /// <https://core.telegram.org/constructor/missingInvitee>.
    pub fn invite_obstacle(&self, of: UserId, inviter: UserId) -> Option<types::MissingInvitee> {
        if self.allows(of, PrivacyKey::ChatInvite, inviter) {
            return None;
        }
        let rule = self.privacy(of, PrivacyKey::ChatInvite);
        let as_premium = Asker { premium: true, ..self.asker(of, inviter) };
        Some(types::MissingInvitee {
            premium_would_allow_invite: rule.allows(as_premium),
            premium_required_for_pm: self.needs_premium_to_write(of, inviter),
            user_id: of.0,
        })
    }

    /// Whether `to` takes first messages from Premium users and contacts only, and `from` is neither:
    /// <https://core.telegram.org/api/privacy#require-premium-for-new-non-contact-users>.
    pub fn needs_premium_to_write(&self, to: UserId, from: UserId) -> bool {
        let Some(user) = self.users.get(&to) else { return false };
        user.new_chats_require_premium
            && to != from
            && !user.contacts.contains_key(&from)
            && !self.users.get(&from).is_some_and(|u| u.premium)
            && !user.mailbox.with_peer(from.into()).any(|m| m.out)
    }

    fn asker(&self, of: UserId, asker: UserId) -> Asker {
        let user = self.users.get(&asker);
        Asker {
            id: asker,
            contact: self.is_contact(of, asker),
            premium: user.is_some_and(|u| u.premium),
            bot: user.is_some_and(|u| u.bot.is_some()),
        }
    }
}

impl User {
    /// A person with defaults for everything else.
    pub fn new(id: UserId, phone: String, first_name: String) -> Self {
        Self {
            id,
            phone,
            first_name,
            last_name: String::new(),
            about: String::new(),
            username: None,
            bot: None,
            premium: false,
            deleted: false,
            spam_restricted: false,
            new_chats_require_premium: false,
            password: None,
            privacy: Default::default(),
            contacts: Default::default(),
            phone_book: Default::default(),
            blocked: Default::default(),
            phone_shared_with: Default::default(),
            mailbox: MessageBox::new(),
            dialogs: Default::default(),
            chats: Default::default(),
            channels: Default::default(),
            status: None,
            random_ids: Default::default(),
        }
    }
}
