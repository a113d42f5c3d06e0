//! The wall clock as a value that is handed in, so that tests decide what time it is.
//!
//! For *dates* (deadlines, `received_at`, log-like fields) and for waiting until one. Pauses between two tries are done with
//! `tokio::time`, which tests pause.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::watch;

/// Tells the current time; cheap to clone, every clone tells the same time.
#[derive(Clone, Debug, Default)]
pub struct Clock(Source);

#[derive(Clone, Debug, Default)]
enum Source {
    #[default]
    System,
    Hand(HandClock),
}

impl Clock {
    /// The machine's own clock.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands at `start` until it is moved by the returned hand.
    #[must_use]
    pub fn by_hand(start: DateTime<Utc>) -> (Self, HandClock) {
        let hand = HandClock(Arc::new(watch::Sender::new(start)));
        (Self(Source::Hand(hand.clone())), hand)
    }

    /// The time now, in UTC.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        match &self.0 {
            Source::System => machine::now(),
            Source::Hand(hand) => *hand.0.borrow(),
        }
    }

    /// Waits until it is `at` by this clock; not at all, where that has passed.
    pub async fn until(&self, at: DateTime<Utc>) {
        match &self.0 {
            Source::System => machine::until(at).await,
            Source::Hand(hand) => {
                // The sender lives in the clock itself.
                let _ = hand.0.subscribe().wait_for(|now| *now >= at).await;
            }
        }
    }
}

/// Moves a clock made by [`Clock::by_hand`].
#[derive(Clone, Debug)]
pub struct HandClock(Arc<watch::Sender<DateTime<Utc>>>);

impl HandClock {
    /// Moves the clock forward (or back, with a negative delta).
    pub fn advance(&self, by: TimeDelta) {
        self.0.send_modify(|now| *now += by);
    }

    /// Sets the clock to a point in time.
    pub fn set(&self, to: DateTime<Utc>) {
        self.0.send_replace(to);
    }
}

/// The machine's own clock.
#[cfg(not(feature = "test-clock"))]
mod machine {
    use std::time::Duration;

    use chrono::{DateTime, Utc};

    /// Longest sleep in one go: a wall clock that is set meanwhile is noticed by then.
    const SLEEP_MAX: Duration = Duration::from_secs(60);

    pub fn now() -> DateTime<Utc> {
        Utc::now()
    }

    pub async fn until(at: DateTime<Utc>) {
        while let Ok(left @ Duration { .. }) = (at - now()).to_std() {
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left.min(SLEEP_MAX)).await;
        }
    }
}

/// The machine's own clock, moved on by as many seconds as the test has written into a file: only in a build for tests.
#[cfg(feature = "test-clock")]
#[path = "clock/moved.rs"]
mod machine;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_clone_of_a_hand_clock_tells_the_moved_time() {
        let start = DateTime::UNIX_EPOCH;
        let (clock, hand) = Clock::by_hand(start);
        let other = clock.clone();
        hand.advance(TimeDelta::seconds(90));
        assert_eq!(other.now(), start + TimeDelta::seconds(90));
        assert_eq!(clock.now(), other.now());
    }
}
