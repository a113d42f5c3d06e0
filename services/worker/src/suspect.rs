//! Which commands may have been worked on before the ledger that would tell began.
//!
//! A record that is missing proves that nothing was begun, for as long as the ledger is whole. Where
//! it was lost or set back, it proves nothing for what was taken before: such a command is a
//! *suspect*, and each of its steps that must not be made twice is looked for at Telegram first.
//!
//! `redelivered` alone says little: a worker that died before the claim leaves it too. What counts is
//! whether the command was there before the loss. The date is its publisher's; where there is none,
//! `redelivered` is all that is known. A command without date that is not redelivered counts as new,
//! also where it repeats an id from before: nothing can know better.

use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};

/// How far a publisher's clock may lie from Redis'.
pub const CLOCKS_DIFFER: TimeDelta = TimeDelta::seconds(60);

/// Whether a command may have been taken before the ledger's data began at `since`; they always were
/// there where that is the epoch of Unix time.
pub fn may_precede(
    sent_at: Option<DateTime<Utc>>,
    redelivered: bool,
    since: DateTime<Utc>,
) -> bool {
    since > DateTime::UNIX_EPOCH
        && sent_at.map_or(redelivered, |sent_at| sent_at < since + CLOCKS_DIFFER)
}

/// The last loss that this worker met itself: a record that vanished under its hands. Until the
/// loss is known to everybody, this one must not take a missing record for a proof.
#[derive(Debug, Default)]
pub struct Losses(AtomicI64);

impl Losses {
    /// A record has vanished.
    pub fn note(&self, now: DateTime<Utc>) {
        self.0.fetch_max(now.timestamp_millis(), Ordering::Relaxed);
    }

    /// Since when a missing record proves something.
    pub fn since(&self, generation: DateTime<Utc>) -> DateTime<Utc> {
        let last = DateTime::from_timestamp_millis(self.0.load(Ordering::Relaxed));
        last.unwrap_or_default().max(generation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_795_417_200 + second, 0).unwrap()
    }

    #[test]
    fn every_cell() {
        let never = DateTime::UNIX_EPOCH;
        for (sent_at, redelivered, since, suspect) in [
            (None, false, never, false),
            (None, true, never, false),
            (Some(at(-999)), true, never, false),
            (None, false, at(0), false),
            (None, true, at(0), true),
            (Some(at(-1)), false, at(0), true),
            (Some(at(-1)), true, at(0), true),
            (Some(at(59)), false, at(0), true),
            (Some(at(60)), false, at(0), false),
            (Some(at(60)), true, at(0), false),
        ] {
            let said = may_precede(sent_at, redelivered, since);
            assert_eq!(said, suspect, "{sent_at:?} {redelivered} {since}");
        }
    }

    #[test]
    fn an_own_loss_counts_before_the_generation_tells() {
        let losses = Losses::default();
        assert_eq!(losses.since(DateTime::UNIX_EPOCH), DateTime::UNIX_EPOCH);
        losses.note(at(5));
        losses.note(at(3));
        assert_eq!(losses.since(DateTime::UNIX_EPOCH), at(5));
        assert_eq!(losses.since(at(9)), at(9));
    }
}
