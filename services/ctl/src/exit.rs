//! How a command of this program ends: the exit codes that scripts rely on, and failures with a hint.

use std::process::ExitCode;

use bus::BusError;
use chassis::ConfigError;
use proto::Status;

/// It ended, and this is how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// What was asked for was done.
    Success,
    /// A command or an order was answered with this status.
    Answered(Status),
    /// `doctor` found something that doesn't work.
    Unwell,
}

impl From<Done> for ExitCode {
    fn from(done: Done) -> Self {
        Self::from(match done {
            Done::Success | Done::Answered(Status::Done) => 0,
            Done::Unwell | Done::Answered(Status::Failed) => 3,
            Done::Answered(Status::Partial) => 4,
            Done::Answered(Status::Unknown) => 5,
        })
    }
}

/// It could not be asked, or there was no answer.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The arguments are wrong in a way that clap can't see.
    #[error("{0}")]
    Usage(String),
    /// The configuration is wrong.
    #[error("{0}")]
    Settings(#[from] ConfigError),
    /// RabbitMQ said no, or nothing.
    #[error("{0}")]
    Bus(#[from] BusError),
    /// Nothing takes messages of this kind.
    #[error("{what} could not be routed: {reason}")]
    Unrouted {
        /// What was published.
        what: String,
        /// The broker's words.
        reason: String,
    },
    /// The answer did not come in time.
    #[error("no answer to {what} within {waited}")]
    NoAnswer {
        /// What was asked.
        what: String,
        /// How long we waited.
        waited: String,
        /// What can be done.
        hint: String,
    },
    /// An answer in a form that this version doesn't know.
    #[error("an answer that this version can't read: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// Ctrl-C.
    #[error("interrupted")]
    Interrupted,
    /// Anything else.
    #[error("{0:#}")]
    Unexpected(#[from] anyhow::Error),
}

impl Failure {
    /// The exit code.
    #[must_use]
    pub fn code(&self) -> u8 {
        match self {
            Self::Usage(_)
            | Self::Settings(_)
            | Self::Bus(BusError::Config { .. } | BusError::Unencodable { .. }) => 2,
            Self::Bus(_) | Self::Unrouted { .. } | Self::NoAnswer { .. } => 6,
            Self::Unreadable(_) | Self::Unexpected(_) => 1,
            Self::Interrupted => 130,
        }
    }

    /// What the reader can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Bus(BusError::Unreachable { .. }) => {
                Some("is the broker up, and is QUEUEGRAM_AMQP__URL its address?")
            }
            Self::Bus(BusError::Denied { .. }) => {
                Some("check user, password and vhost in QUEUEGRAM_AMQP__URL")
            }
            Self::Bus(BusError::Refused { code: 403, .. }) => {
                Some("the user lacks a permission: `queuegram topology --print` lists each role's")
            }
            Self::Bus(BusError::Refused { code: 404, .. }) | Self::Unrouted { .. } => {
                Some("`queuegram topology apply` sets the broker up; `queuegram doctor` checks it")
            }
            Self::Bus(BusError::Management { .. }) => Some(
                "the management plugin must be on; QUEUEGRAM_AMQP__MANAGEMENT_URL is its address",
            ),
            Self::NoAnswer { hint, .. } => Some(hint),
            Self::Unreadable(_) => Some("are worker and command line of the same version?"),
            _ => None,
        }
    }
}
