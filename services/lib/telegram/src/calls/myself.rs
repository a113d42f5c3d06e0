//! The account itself: who it is, its place in the stream of updates, logging out.

use grammers_tl_types as tl;
use serde::{Deserialize, Serialize};

use crate::account::Account;
use crate::error::CallError;
use crate::peer::UserPeer;
use crate::peers::user_peer;
use crate::secret::Phone;
use crate::session::UpdateMark;

/// The account's own profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Myself {
    /// Number, name, username.
    pub user: UserPeer,
    /// Its last name.
    pub last_name: Option<String>,
    /// Its phone number; never shown, and gone after a trip through a store.
    pub phone: Option<Phone>,
    /// It has Telegram Premium, which raises many limits.
    pub premium: bool,
}

/// Who this account is (`users.getUsers` of oneself).
pub async fn me(account: &Account) -> Result<Myself, CallError> {
    let request = tl::functions::users::GetUsers { id: vec![tl::enums::InputUser::UserSelf] };
    let users = account.invoke(&request).await?;
    account.peers().note_users(&users);
    users
        .iter()
        .find_map(myself)
        .ok_or_else(|| CallError::Undecodable("nobody in the answer".to_owned()))
}

/// Where the account is in its stream of updates now (`updates.getState`). Also the cheapest call that proves that the
/// login is alive.
pub async fn update_mark(account: &Account) -> Result<UpdateMark, CallError> {
    let answer = account.invoke(&tl::functions::updates::GetState {}).await?;
    Ok(mark(&answer))
}

/// Ends the login at Telegram (`auth.logOut`): the auth key is worth nothing afterwards. Repeatable: then it answers
/// `AUTH_KEY_UNREGISTERED`.
pub async fn log_out(account: &Account) -> Result<(), CallError> {
    account.invoke(&tl::functions::auth::LogOut {}).await.map(|_| ())
}

pub(crate) fn mark(state: &tl::enums::updates::State) -> UpdateMark {
    let tl::enums::updates::State::State(state) = state;
    UpdateMark { pts: state.pts, qts: state.qts, date: state.date, seq: state.seq }
}

pub(crate) fn myself(user: &tl::enums::User) -> Option<Myself> {
    let peer = user_peer(user).filter(|user| user.is_self)?;
    let tl::enums::User::User(user) = user else { return None };
    Some(Myself {
        user: peer,
        last_name: user.last_name.clone(),
        phone: user.phone.as_deref().map(Phone::new),
        premium: user.premium,
    })
}
