//! Why a store did not do what it was asked. The caller needs to know one thing above all: whether
//! asking again can help ([`StoreError::is_passing`]).

use std::time::Duration;

use deadpool_redis::redis::{ErrorKind, RedisError, ServerErrorKind};
use proto::ChatId;

/// What went wrong. No variant shows what was to be stored.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another worker has taken the instance. Whoever is told this must stop touching it.
    #[error("another worker has taken the instance")]
    Fenced,
    /// The store can't be reached, or can't take a write just now.
    #[error("{store} can't be reached: {why}")]
    Unreachable {
        /// `redis` or `vault`.
        store: &'static str,
        /// The store's own words.
        why: String,
    },
    /// The store did not answer in time; a write may or may not have been made.
    #[error("{store} did not answer within {} ms", within.as_millis())]
    Timeout {
        /// `redis` or `vault`.
        store: &'static str,
        /// How long it was waited for.
        within: Duration,
    },
    /// The store refused: wrong credentials, missing rights, a command that it doesn't know.
    #[error("{store} refused: {why}")]
    Refused {
        /// `redis` or `vault`.
        store: &'static str,
        /// The store's own words.
        why: String,
    },
    /// A setting makes no sense.
    #[error("{key}: {why}")]
    Config {
        /// The setting.
        key: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// A record was sealed with a key that was not given.
    #[error("{what} was sealed with the key {sealed_with}, and there is only {given}")]
    WrongKey {
        /// Which record.
        what: String,
        /// Id of the key that it needs.
        sealed_with: String,
        /// Ids of the keys that there are.
        given: String,
    },
    /// A record can't be read.
    #[error("{what} can't be read: {why}")]
    Corrupt {
        /// Which record.
        what: String,
        /// What is wrong with it.
        why: String,
    },
    /// A record was written by a later release.
    #[error("{what} has version {found}, which this release doesn't know")]
    Version {
        /// Which record.
        what: String,
        /// Its version.
        found: u32,
    },
    /// Something is larger than it may be.
    #[error("{what} has {size}, more than the {size_max} that are kept")]
    TooLarge {
        /// What it is.
        what: &'static str,
        /// Its size: bytes, or how many.
        size: usize,
        /// The most.
        size_max: usize,
    },
    /// A command's record is not in a state in which this can be written.
    #[error("a command's record can't take this: {0}")]
    OutOfOrder(&'static str),
    /// A command's record is gone, although the writer holds the lease: Redis lost it, or was set
    /// back to a time before it.
    #[error("a command's record has vanished")]
    Vanished,
    /// The command was cancelled before its first step: it takes no other result.
    #[error("the command was cancelled")]
    Cancelled,
    /// The caller's key of a group already names another one.
    #[error("the external_ref is bound to the group {0}")]
    RefTaken(ChatId),
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes")]
    NoRandomness,
}

impl StoreError {
    /// Whether the same may succeed when it is asked again a little later.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Timeout { .. })
    }

    /// Whether it is the vault that did not do it.
    #[must_use]
    pub fn is_vaults(&self) -> bool {
        match self {
            Self::Unreachable { store, .. }
            | Self::Timeout { store, .. }
            | Self::Refused { store, .. } => *store == VAULT,
            Self::Config { key, .. } => key.starts_with("vault."),
            _ => false,
        }
    }

    pub(crate) fn corrupt(what: impl Into<String>, why: impl ToString) -> Self {
        Self::Corrupt { what: what.into(), why: why.to_string() }
    }
}

pub(crate) const REDIS: &str = "redis";
pub(crate) const VAULT: &str = "vault";

impl From<RedisError> for StoreError {
    fn from(error: RedisError) -> Self {
        let why = match (error.code(), error.detail()) {
            (Some(code), Some(detail)) => format!("{code} {detail}"),
            _ => error.to_string(),
        };
        if is_outage(&error) {
            Self::Unreachable { store: REDIS, why }
        } else {
            Self::Refused { store: REDIS, why }
        }
    }
}

/// A server that is loading, failing over or full will take writes again; one that denies access
/// or doesn't understand won't.
fn is_outage(error: &RedisError) -> bool {
    let server = match error.kind() {
        ErrorKind::Server(kind) => matches!(
            kind,
            ServerErrorKind::BusyLoading
                | ServerErrorKind::MasterDown
                | ServerErrorKind::ReadOnly
                | ServerErrorKind::TryAgain
                | ServerErrorKind::ClusterDown
        ),
        ErrorKind::Io => true,
        _ => false,
    };
    server || error.is_timeout() || matches!(error.code(), Some("OOM" | "NOREPLICAS" | "MISCONF"))
}

impl From<object_store::Error> for StoreError {
    fn from(error: object_store::Error) -> Self {
        let answer = crate::vault::Answer::of(&error);
        if let Some(wrong) = answer.wrong_setting() {
            return wrong;
        }
        let why = answer.to_string();
        match error {
            object_store::Error::PermissionDenied { .. }
            | object_store::Error::Unauthenticated { .. }
            | object_store::Error::NotSupported { .. }
            | object_store::Error::NotImplemented { .. }
            | object_store::Error::InvalidPath { .. } => Self::Refused { store: VAULT, why },
            _ => Self::Unreachable { store: VAULT, why },
        }
    }
}
