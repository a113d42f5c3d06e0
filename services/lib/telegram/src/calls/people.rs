//! People and bots: finding them by username, phone or number, and the account's address book.

use grammers_tl_types as tl;
use proto::UserId;
use serde::{Deserialize, Serialize};

use super::chats::{GroupSummary, summary, unasked_not_modified};
use crate::account::Account;
use crate::error::CallError;
use crate::limits::{self, LimitError};
use crate::peer::UserPeer;
use crate::peers::user_peer;
use crate::secret::Phone;

/// What a username belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resolved {
    /// A person or bot.
    User(UserPeer),
    /// A public group or channel.
    Group(GroupSummary),
}

impl Resolved {
    /// The person or bot, if it is one.
    pub fn user(self) -> Option<UserPeer> {
        match self {
            Self::User(user) => Some(user),
            Self::Group(_) => None,
        }
    }
}

/// What came of saving a contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Imported {
    /// They are in the address book now.
    Contact(UserPeer),
    /// Nobody on Telegram has this number, or they hide it.
    NotFound,
    /// Telegram asks to try later: the account imported too many.
    Later,
}

impl Imported {
    /// The new contact, if there is one.
    pub fn contact(self) -> Option<UserPeer> {
        match self {
            Self::Contact(user) => Some(user),
            Self::NotFound | Self::Later => None,
        }
    }
}

/// Who has a username, without `@` (`contacts.resolveUsername`); `None` where nobody has.
///
/// Errors: `USERNAME_INVALID` (no such form), `FLOOD_WAIT` (soon: few are allowed per day).
pub async fn resolve_username(
    account: &Account,
    username: &str,
) -> Result<Option<Resolved>, CallError> {
    limits::username(username)?;
    let request =
        tl::functions::contacts::ResolveUsername { username: username.to_owned(), referer: None };
    match account.invoke(&request).await {
        Ok(answer) => resolved(account, answer).map(Some),
        Err(error) if error.is("USERNAME_NOT_OCCUPIED") => Ok(None),
        Err(error) => Err(error),
    }
}

/// Who has a phone number (`contacts.resolvePhone`); `None` where nobody has, or their privacy hides it.
///
/// Errors: `PHONE_NOT_OCCUPIED` is `None` here.
pub async fn resolve_phone(
    account: &Account,
    phone: &Phone,
) -> Result<Option<UserPeer>, CallError> {
    let request = tl::functions::contacts::ResolvePhone { phone: digits(phone)? };
    match account.invoke(&request).await {
        Ok(answer) => match resolved(account, answer)? {
            Resolved::User(user) => Ok(Some(user)),
            Resolved::Group(_) => Err(CallError::Undecodable("a phone of a group".to_owned())),
        },
        Err(error) if error.is("PHONE_NOT_OCCUPIED") => Ok(None),
        Err(error) => Err(error),
    }
}

/// Saves a person in the account's address book (`contacts.importContacts`): this changes what they see of the
/// account, so only on request. Repeatable.
pub async fn import_contact(
    account: &Account,
    phone: &Phone,
    first_name: &str,
    last_name: &str,
) -> Result<Imported, CallError> {
    limits::contact_name("first_name", first_name)?;
    limits::contact_name("last_name", last_name)?;
    let contact = tl::types::InputPhoneContact {
        client_id: 0,
        phone: digits(phone)?,
        first_name: first_name.to_owned(),
        last_name: last_name.to_owned(),
        note: None,
    };
    let request = tl::functions::contacts::ImportContacts { contacts: vec![contact.into()] };
    let tl::enums::contacts::ImportedContacts::Contacts(answer) = account.invoke(&request).await?;
    let users = account.peers().note_users(&answer.users);
    let imported = answer.imported.first().map(|imported| match imported {
        tl::enums::ImportedContact::Contact(imported) => imported.user_id,
    });
    let contact =
        users.into_iter().find(|user| imported.is_none_or(|user_id| user.id.get() == user_id));
    Ok(match contact {
        Some(user) => Imported::Contact(user),
        None if answer.retry_contacts.is_empty() => Imported::NotFound,
        None => Imported::Later,
    })
}

/// The account's address book (`contacts.getContacts`).
pub async fn contacts(account: &Account) -> Result<Vec<UserPeer>, CallError> {
    match account.invoke(&tl::functions::contacts::GetContacts { hash: 0 }).await? {
        tl::enums::contacts::Contacts::Contacts(answer) => {
            Ok(account.peers().note_users(&answer.users))
        }
        tl::enums::contacts::Contacts::NotModified => Err(unasked_not_modified()),
    }
}

/// Looks users up who are known already, at most 200 (`users.getUsers`): their names and usernames as of now. Who does
/// not exist any more is left out.
///
/// Errors: `USER_ID_INVALID` where an access hash is not this account's.
pub async fn users(account: &Account, users: &[UserPeer]) -> Result<Vec<UserPeer>, CallError> {
    limits::count("users", users.len(), 1, limits::PAGE_MAX as usize)?;
    let request =
        tl::functions::users::GetUsers { id: users.iter().map(UserPeer::input_user).collect() };
    Ok(account.peers().note_users(&account.invoke(&request).await?))
}

/// Looks a user up by number alone (`users.getUsers` with access hash 0). Telegram allows it for contacts and for
/// those it knows this account may name; for everybody else it answers nothing: `None`.
pub async fn user_by_id(account: &Account, id: UserId) -> Result<Option<UserPeer>, CallError> {
    let input = tl::types::InputUser { user_id: id.get(), access_hash: 0 };
    let request = tl::functions::users::GetUsers { id: vec![input.into()] };
    match account.invoke(&request).await {
        Ok(users) => Ok(account.peers().note_users(&users).into_iter().find(|user| user.id == id)),
        Err(error) if error.is("USER_ID_INVALID") => Ok(None),
        Err(error) => Err(error),
    }
}

fn resolved(
    account: &Account,
    answer: tl::enums::contacts::ResolvedPeer,
) -> Result<Resolved, CallError> {
    let tl::enums::contacts::ResolvedPeer::Peer(answer) = answer;
    account.peers().note_users(&answer.users);
    account.peers().note_chats(&answer.chats);
    let found = match answer.peer {
        tl::enums::Peer::User(peer) => answer
            .users
            .iter()
            .filter_map(user_peer)
            .find(|user| user.id.get() == peer.user_id)
            .map(Resolved::User),
        _ => answer.chats.iter().find_map(summary).map(Resolved::Group),
    };
    found.ok_or_else(|| CallError::Undecodable("the peer is not in its own answer".to_owned()))
}

fn digits(phone: &Phone) -> Result<String, LimitError> {
    phone.digits().ok_or_else(|| LimitError {
        what: "phone",
        problem: "must be a number in international form".to_owned(),
    })
}
