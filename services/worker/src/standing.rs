//! How an account stands, what its commands are told meanwhile, and what Telegram's verdicts do to
//! it.

use chrono::{DateTime, Utc};
use proto::Fault;
use proto::event::AccountState;
use proto::fault::code;
use store::InstanceStatus;
use telegram::AccountVerdict;

/// A state, why, and since when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The state.
    pub state: AccountState,
    /// Telegram's name of an error, or one of ours.
    pub reason: Option<String>,
    /// When it came to be so.
    pub since: Option<DateTime<Utc>>,
    /// Until when, where that is known.
    pub until: Option<DateTime<Utc>>,
}

impl Default for Standing {
    fn default() -> Self {
        Self { state: AccountState::Connecting, reason: None, since: None, until: None }
    }
}

impl Standing {
    /// As its last owner left it.
    pub fn left(status: InstanceStatus) -> Self {
        Self {
            state: status.state,
            reason: status.reason,
            since: Some(status.since),
            until: status.until,
        }
    }

    /// Whether Telegram ended the login, so that only a new one helps.
    pub fn is_final(&self) -> bool {
        matches!(self.state, AccountState::LoggedOut | AccountState::Banned)
            && !self.may_be_known_again()
    }

    /// Whether Telegram's servers did not know the auth key. They have said so of keys that lived: the login is kept, and
    /// tried again when the instance is started, or its worker is.
    pub fn may_be_known_again(&self) -> bool {
        self.reason.as_deref() == Some(AccountVerdict::KEY_UNKNOWN.reason)
    }

    /// A state from now on.
    pub fn new(state: AccountState, reason: Option<String>, now: DateTime<Utc>) -> Self {
        Self { state, reason, since: Some(now), until: None }
    }

    /// What a verdict that ends the session makes of the account.
    pub fn after(verdict: AccountVerdict, now: DateTime<Utc>) -> Self {
        let state = verdict.state.unwrap_or(AccountState::LoggedOut);
        Self::new(state, Some(verdict.reason.to_owned()), now)
    }

    /// Whether there is no account to work with and its commands wait all the same, up to their
    /// deadlines: whoever runs Queuegram can mend what is wrong.
    pub fn has_to_be_mended(&self) -> bool {
        self.state == AccountState::Failed
    }

    /// What a command is told that can't be worked on: only its admin can change that.
    pub fn fault(&self) -> Fault {
        let (code, message) = match self.state {
            AccountState::LoggedOut => {
                (code::LOGGED_OUT, "Telegram ended the account's login: it must be connected again")
            }
            AccountState::Banned => (code::BANNED, "Telegram banned or deleted the account"),
            AccountState::Stopped => {
                (code::STOPPED, "the account is stopped, and was not started in time")
            }
            AccountState::Failed => (
                code::ACCOUNT_FAILED,
                "Queuegram could not use the account, and nobody mended that in time",
            ),
            AccountState::Connecting => {
                (code::NOT_CONNECTED, "the account could not be connected in time")
            }
            _ => (code::NOT_CONNECTED, "the account is not connected: it must be logged in first"),
        };
        Fault::detached(code, message)
    }
}

#[cfg(test)]
mod tests {
    use AccountState as S;

    use super::*;

    fn at(state: AccountState) -> Standing {
        Standing::new(state, None, DateTime::UNIX_EPOCH)
    }

    #[test]
    fn each_state_says_what_its_commands_are_told() {
        for state in S::ALL {
            let fault = at(state).fault();
            assert_eq!(fault.kind, proto::ErrorKind::Detached, "{state:?}");
            let code = match state {
                S::LoggedOut => code::LOGGED_OUT,
                S::Banned => code::BANNED,
                S::Stopped => code::STOPPED,
                S::Failed => code::ACCOUNT_FAILED,
                _ => code::NOT_CONNECTED,
            };
            assert_eq!(fault.code, code, "{state:?}");
        }
    }

    #[test]
    fn only_what_telegram_ended_is_final() {
        let is_final: Vec<_> = S::ALL.into_iter().filter(|state| at(*state).is_final()).collect();
        assert_eq!(is_final, [S::LoggedOut, S::Banned]);
    }

    #[test]
    fn an_unknown_key_is_tried_again() {
        let unknown = Standing::after(AccountVerdict::KEY_UNKNOWN, DateTime::UNIX_EPOCH);
        assert_eq!(unknown.state, S::LoggedOut);
        assert!(unknown.may_be_known_again() && !unknown.is_final());
        assert_eq!(unknown.fault().code, code::LOGGED_OUT);
    }

    #[test]
    fn each_verdict_that_ends_a_session_has_its_state_and_reason() {
        let ending: Vec<_> =
            telegram::verdict::TABLE.iter().filter(|said| said.ends_session()).collect();
        assert!(ending.len() > 10);
        for verdict in ending {
            let standing = Standing::after(*verdict, DateTime::UNIX_EPOCH);
            assert_eq!(Some(standing.state), verdict.state);
            assert_eq!(standing.reason.as_deref(), Some(verdict.reason));
            // What is not final is tried again by the next owner.
            assert_eq!(standing.is_final(), !standing.has_to_be_mended());
            assert!(standing.since.is_some());
        }
    }

    #[test]
    fn what_the_last_owner_left_is_taken_over() {
        let status = InstanceStatus {
            state: S::Banned,
            reason: Some("BANNED".to_owned()),
            since: DateTime::UNIX_EPOCH,
            until: None,
            owner: "w-1".to_owned(),
        };
        let standing = Standing::left(status);
        let banned = Standing { reason: Some("BANNED".to_owned()), ..at(S::Banned) };
        assert_eq!(standing, banned);
    }
}
