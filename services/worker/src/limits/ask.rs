//! What a limit is asked, what Telegram tells of one, and what a call has to wait for.

use std::num::NonZeroU32;

use chrono::{DateTime, Utc};
use proto::ChatId;
use proto::fault::code;

use super::{Class, Lane};

/// A call that asks to be let through.
#[derive(Debug, Clone, Copy)]
pub struct Ask {
    /// Its class.
    pub class: Class,
    /// How many calls it counts for.
    pub cost: NonZeroU32,
    /// The chat that it is about, where it is about one.
    pub chat: Option<ChatId>,
}

/// A limit that Telegram told.
#[derive(Debug, Clone)]
pub struct Hit {
    /// What was called.
    pub ask: Ask,
    /// Telegram's name of the error: `FLOOD_WAIT`, `SLOWMODE_WAIT`, `PEER_FLOOD`, …
    pub code: String,
    /// Seconds to wait, where Telegram told them.
    pub wait_s: Option<u64>,
}

/// Why a call may not be made now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotYet {
    /// When it may be; `None` where a person has to say so.
    pub opens: Option<DateTime<Utc>>,
    /// The limit that shut the gate, or `BUDGET_SPENT`.
    pub code: String,
    /// Where a command waits for that.
    pub lane: Lane,
}

impl NotYet {
    /// A class that a person has to resume first.
    pub fn paused(class: Class) -> Self {
        Self { opens: None, code: code::PAUSED.to_owned(), lane: Lane::Class(class) }
    }

    /// Seconds until it may be, up to the deadline where nobody knows. Rounded up: coming back a
    /// moment early would only be refused again.
    pub fn seconds(&self, deadline: DateTime<Utc>, now: DateTime<Utc>) -> u64 {
        let wait = self.opens.unwrap_or(deadline) - now;
        u64::try_from(wait.num_milliseconds()).unwrap_or(0).div_ceil(1_000)
    }
}
