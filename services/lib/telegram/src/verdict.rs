//! What an error of Telegram's says about the account as a whole, beyond the one call: the state that it enters, the
//! reason that is told, and what can mend it. One table, [`TABLE`], by the errors' names.
//!
//! Sources: core.telegram.org/api/errors, the error lists of the requests' own pages, core.telegram.org/api/auth (frozen
//! accounts) and core.telegram.org/mtproto/mtproto-transports (-404). An error that stands in no row says nothing
//! about the account; only an unlisted 401 does, since all of these mean that the login is not accepted.

use AccountState as S;
use Mends as M;
use proto::event::AccountState;

use crate::error::{CallError, RpcFault};

/// What can make the account work again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mends {
    /// Logging in.
    Login,
    /// Waiting.
    Time,
    /// Whoever runs Queuegram: a setting, another release.
    Operator,
    /// Its owner, with Telegram.
    Owner,
}

/// What an error says about the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountVerdict {
    /// The state that the account enters; none where nothing is said about it.
    pub state: Option<AccountState>,
    /// Why: Telegram's name of the error, where it has one.
    pub reason: &'static str,
    /// What can mend it.
    pub mends: Mends,
}

impl AccountVerdict {
    /// Nothing is said about the account.
    pub const FINE: Self = Self { state: None, reason: "", mends: M::Time };
    /// The login is gone, and more is not known: an order ended it, or an error that has no row.
    pub const LOGGED_OUT: Self = row("LOGGED_OUT", S::LoggedOut, M::Login);
    /// Telegram's servers don't know the auth key any more: the transport error -404, which has no name.
    pub const KEY_UNKNOWN: Self = row("AUTH_KEY_NOT_FOUND", S::LoggedOut, M::Login);

    /// True where no call will succeed any more until a person acts.
    pub fn ends_session(self) -> bool {
        matches!(self.state, Some(S::LoggedOut | S::Banned | S::Failed))
    }
}

const fn row(reason: &'static str, state: AccountState, mends: Mends) -> AccountVerdict {
    AccountVerdict { state: Some(state), reason, mends }
}

/// Every error that concerns the account as a whole.
#[rustfmt::skip]
pub const TABLE: &[AccountVerdict] = &[
    // The login is over: a new one helps.
    row("AUTH_KEY_UNREGISTERED", S::LoggedOut, M::Login),
    row("AUTH_KEY_INVALID", S::LoggedOut, M::Login),
    row("AUTH_KEY_PERM_EMPTY", S::LoggedOut, M::Login),
    row("AUTH_KEY_DUPLICATED", S::LoggedOut, M::Login),
    row("SESSION_REVOKED", S::LoggedOut, M::Login),
    row("SESSION_EXPIRED", S::LoggedOut, M::Login),
    row("SESSION_PASSWORD_NEEDED", S::LoggedOut, M::Login),
    row("ACTIVE_USER_REQUIRED", S::LoggedOut, M::Login),
    // The account is over.
    row("USER_DEACTIVATED", S::Banned, M::Owner),
    row("USER_DEACTIVATED_BAN", S::Banned, M::Owner),
    row("PHONE_NUMBER_BANNED", S::Banned, M::Owner),
    // The account works, and some calls must wait.
    row("FLOOD_WAIT", S::Cooling, M::Time),
    row("FLOOD_PREMIUM_WAIT", S::Cooling, M::Time),
    row("PEER_FLOOD", S::Cooling, M::Time),
    // The account works, and may not make or fill groups.
    row("USER_RESTRICTED", S::Restricted, M::Owner),
    row("FROZEN_METHOD_INVALID", S::Restricted, M::Owner),
    row("FROZEN_PARTICIPANT_MISSING", S::Restricted, M::Owner),
    // The account is well, and this installation can't use it.
    row("API_ID_INVALID", S::Failed, M::Operator),
    row("CONNECTION_API_ID_INVALID", S::Failed, M::Operator),
    row("API_ID_PUBLISHED_FLOOD", S::Failed, M::Operator),
    row("CONNECTION_LAYER_INVALID", S::Failed, M::Operator),
];

/// What an error of this name says about the account.
pub fn of_name(name: &str) -> AccountVerdict {
    TABLE.iter().copied().find(|row| row.reason == name).unwrap_or(AccountVerdict::FINE)
}

/// What an error says about the account.
pub fn verdict(error: &CallError) -> AccountVerdict {
    match error {
        CallError::KeyUnknown => AccountVerdict::KEY_UNKNOWN,
        CallError::Rpc(fault) => of_rpc(fault),
        _ => AccountVerdict::FINE,
    }
}

fn of_rpc(fault: &RpcFault) -> AccountVerdict {
    match of_name(&fault.name) {
        AccountVerdict { state: None, .. } if fault.code == 401 => AccountVerdict::LOGGED_OUT,
        said => said,
    }
}

#[cfg(test)]
mod tests;
