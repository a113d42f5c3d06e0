//! How a call to Telegram can end badly: a closed list, since the rest of the system decides by it whether an effect
//! may have happened. [`CallError::outcome_unknown`] is the one question that matters before anything is repeated.

use std::fmt;

use thiserror::Error;

use crate::limits::LimitError;

/// Why a call has no answer.
#[derive(Debug, Error)]
pub enum CallError {
    /// Telegram answered with an error: nothing was done, except for what [`CallError::outcome_unknown`] says of 500.
    #[error("Telegram answered {0}")]
    Rpc(RpcFault),
    /// The request surely never left: no connection could be made, or it was refused.
    #[error("not sent: {0}")]
    NotSent(String),
    /// The connection died after the request may have left.
    #[error("connection lost: {0}")]
    Lost(String),
    /// No answer in time; the request may have been executed, or may still be.
    #[error("no answer in time")]
    TimedOut,
    /// An answer came that can't be read, so the request was probably executed.
    #[error("undecodable answer: {0}")]
    Undecodable(String),
    /// Telegram no longer knows the account's auth key (transport error 404): the login is gone.
    #[error("Telegram does not know this session's auth key")]
    KeyUnknown,
    /// The account was closed here.
    #[error("the account's connection was closed")]
    Closed,
    /// An argument is past one of Telegram's limits; nothing was sent.
    #[error(transparent)]
    Limit(#[from] LimitError),
    /// The request does not exist for this kind of group; nothing was sent. A mistake of the calling code.
    #[error("{request} does not apply to this kind of group")]
    WrongKind {
        /// The request that was asked for.
        request: &'static str,
    },
}

/// Telegram's answer to a request that failed.
#[derive(Clone, PartialEq, Eq)]
pub struct RpcFault {
    /// HTTP-like: 303, 400, 401, 403, 404, 406, 420, 500; some internal ones are negative.
    pub code: i32,
    /// Telegram's name of it, without its number: `FLOOD_WAIT`.
    pub name: String,
    /// The number in it: the seconds of `FLOOD_WAIT_30`, the data centre of `PHONE_MIGRATE_4`.
    pub value: Option<u64>,
    /// The request that caused it, `messages.createChat`; empty where that is not known.
    pub request: &'static str,
}

/// How long Telegram wants to be left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FloodWait {
    /// What must wait.
    pub scope: FloodScope,
    /// For how long, in seconds.
    pub wait_s: u64,
}

/// What a [`FloodWait`] closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FloodScope {
    /// Calls of this kind by this account (`FLOOD_WAIT`).
    Method,
    /// The same, shorter for accounts with Telegram Premium (`FLOOD_PREMIUM_WAIT`).
    MethodUnlessPremium,
    /// Only messages to this one chat (`SLOWMODE_WAIT`).
    Chat,
}

/// Used where Telegram asks for a wait without saying how long.
const UNSAID_WAIT_S: u64 = 60;

impl CallError {
    /// True where the request may have been executed although there is no good answer. Then only a repeatable request
    /// may be sent again; anything else must be reconciled first.
    ///
    /// Telegram's own 500 counts: it can come after the effect. `RANDOM_ID_DUPLICATE` is the exception, since it says
    /// that *this* request did nothing.
    pub fn outcome_unknown(&self) -> bool {
        match self {
            Self::Rpc(fault) => {
                (fault.code >= 500 || fault.code < 0) && fault.name != "RANDOM_ID_DUPLICATE"
            }
            Self::Lost(_) | Self::TimedOut | Self::Undecodable(_) => true,
            Self::NotSent(_)
            | Self::KeyUnknown
            | Self::Closed
            | Self::Limit(_)
            | Self::WrongKind { .. } => false,
        }
    }

    /// One word for it, for metrics: Telegram's own name, or how the answer failed to come.
    pub fn word(&self) -> &str {
        match self {
            Self::Rpc(fault) => &fault.name,
            Self::NotSent(_) => "not_sent",
            Self::Lost(_) => "lost",
            Self::TimedOut => "timeout",
            Self::Undecodable(_) => "undecodable",
            Self::KeyUnknown => "key_unknown",
            Self::Closed => "closed",
            Self::Limit(_) | Self::WrongKind { .. } => "not_allowed",
        }
    }

    /// Telegram's error, if this is one.
    pub fn rpc(&self) -> Option<&RpcFault> {
        match self {
            Self::Rpc(fault) => Some(fault),
            _ => None,
        }
    }

    /// True if Telegram answered with the error of this name (without its number).
    pub fn is(&self, name: &str) -> bool {
        self.rpc().is_some_and(|fault| fault.name == name)
    }

    /// How long to wait, if Telegram says that we ask too often.
    pub fn flood_wait(&self) -> Option<FloodWait> {
        self.rpc().and_then(RpcFault::flood_wait)
    }

    /// The data centre that has what was asked for, if Telegram says that this one has not (303).
    pub fn migrate_to(&self) -> Option<i32> {
        self.rpc()
            .filter(|fault| fault.code == 303)
            .and_then(|fault| fault.value)
            .and_then(|dc| i32::try_from(dc).ok())
    }
}

impl RpcFault {
    /// An error as Telegram sends it, with its number still in the name: `FLOOD_WAIT_30`.
    pub fn new(code: i32, message: &str, request: &'static str) -> Self {
        let (name, value) = split_number(message);
        Self { code, name, value, request }
    }

    /// See [`CallError::flood_wait`].
    pub fn flood_wait(&self) -> Option<FloodWait> {
        let scope = match self.name.as_str() {
            "FLOOD_WAIT" => FloodScope::Method,
            "FLOOD_PREMIUM_WAIT" => FloodScope::MethodUnlessPremium,
            "SLOWMODE_WAIT" => FloodScope::Chat,
            _ => return None,
        };
        Some(FloodWait { scope, wait_s: self.value.unwrap_or(UNSAID_WAIT_S) })
    }

    /// From grammers' reading of the error, which keeps only the *first* number that fits 32 bits: for
    /// `2FA_CONFIRM_WAIT_604800` it reports the name unchanged and the value 2. So a name that still ends in a number
    /// is split again here.
    pub(crate) fn from_grammers(error: &grammers_mtsender::RpcError) -> Self {
        let (name, trailing) = split_number(&error.name);
        let request = error.caused_by.map_or("", grammers_tl_types::name_for_id);
        Self { code: error.code, name, value: trailing.or(error.value.map(u64::from)), request }
    }
}

/// `FLOOD_WAIT_30` into its name and its number; the number is the last word, or the only one that is a number
/// (`FILE_PART_1_MISSING`).
fn split_number(message: &str) -> (String, Option<u64>) {
    let numeric = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    let words: Vec<&str> = message.split('_').collect();
    let Some(position) = words.iter().rposition(|word| numeric(word)).filter(|at| *at > 0) else {
        return (message.to_owned(), None);
    };
    let name = words.iter().enumerate().filter(|(at, _)| *at != position).map(|(_, word)| *word);
    (name.collect::<Vec<_>>().join("_"), words[position].parse().ok())
}

impl fmt::Display for RpcFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.name)?;
        if let Some(value) = self.value {
            write!(f, "_{value}")?;
        }
        if !self.request.is_empty() {
            write!(f, " to {}", self.request)?;
        }
        Ok(())
    }
}

impl fmt::Debug for RpcFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RpcFault({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_wire(code: i32, message: &str) -> RpcFault {
        let wire = grammers_tl_types::types::RpcError {
            error_code: code,
            error_message: message.to_owned(),
        };
        RpcFault::from_grammers(&wire.into())
    }

    #[test]
    fn names_and_numbers_survive_grammers_lossy_reading() {
        for (message, name, value) in [
            ("FLOOD_WAIT_31", "FLOOD_WAIT", Some(31)),
            ("2FA_CONFIRM_WAIT_604800", "2FA_CONFIRM_WAIT", Some(604_800)),
            ("FILE_PART_1_MISSING", "FILE_PART_MISSING", Some(1)),
            ("PHONE_MIGRATE_4", "PHONE_MIGRATE", Some(4)),
            ("FLOOD_WAIT_99999999999", "FLOOD_WAIT", Some(99_999_999_999)),
            ("PEER_FLOOD", "PEER_FLOOD", None),
        ] {
            let fault = from_wire(420, message);
            assert_eq!((fault.name.as_str(), fault.value), (name, value), "{message}");
            let ours = RpcFault::new(420, message, "");
            assert_eq!((ours.name.as_str(), ours.value), (name, value), "{message}");
        }
    }

    #[test]
    fn flood_waits_have_a_scope_and_a_length() {
        let wait = |message| from_wire(420, message).flood_wait();
        let flood = |scope, wait_s| Some(FloodWait { scope, wait_s });
        assert_eq!(wait("FLOOD_WAIT_30"), flood(FloodScope::Method, 30));
        assert_eq!(wait("FLOOD_PREMIUM_WAIT_9"), flood(FloodScope::MethodUnlessPremium, 9));
        assert_eq!(wait("SLOWMODE_WAIT_5"), flood(FloodScope::Chat, 5));
        assert_eq!(wait("FLOOD_WAIT"), flood(FloodScope::Method, 60));
        assert_eq!(wait("2FA_CONFIRM_WAIT_604800"), None);
        assert_eq!(wait("PEER_FLOOD"), None);
    }

    #[test]
    fn only_what_may_have_happened_is_unknown() {
        let unknown = [
            CallError::Lost(String::new()),
            CallError::TimedOut,
            CallError::Undecodable(String::new()),
            CallError::Rpc(from_wire(500, "RPC_CALL_FAIL")),
            CallError::Rpc(from_wire(-503, "Timeout")),
        ];
        let known = [
            CallError::NotSent(String::new()),
            CallError::KeyUnknown,
            CallError::Closed,
            CallError::Rpc(from_wire(420, "FLOOD_WAIT_3")),
            CallError::Rpc(from_wire(500, "RANDOM_ID_DUPLICATE")),
            CallError::WrongKind { request: "channels.editAdmin" },
        ];
        assert!(unknown.iter().all(CallError::outcome_unknown));
        assert!(!known.iter().any(CallError::outcome_unknown));
    }

    #[test]
    fn a_migration_names_its_data_centre() {
        assert_eq!(CallError::Rpc(from_wire(303, "PHONE_MIGRATE_4")).migrate_to(), Some(4));
        assert_eq!(CallError::Rpc(from_wire(400, "PHONE_MIGRATE_4")).migrate_to(), None);
    }
}
