//! The wall clock as a value that is handed in, so that tests decide what time it is.
//!
//! Only for *dates* (deadlines, `received_at`, log-like fields). Waiting is done with `tokio::time`, which tests pause.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

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
        let hand = HandClock(Arc::new(Mutex::new(start)));
        (Self(Source::Hand(hand.clone())), hand)
    }

    /// The time now, in UTC.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        match &self.0 {
            Source::System => Utc::now(),
            Source::Hand(hand) => *hand.0.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }
}

/// Moves a clock made by [`Clock::by_hand`].
#[derive(Clone, Debug)]
pub struct HandClock(Arc<Mutex<DateTime<Utc>>>);

impl HandClock {
    /// Moves the clock forward (or back, with a negative delta).
    pub fn advance(&self, by: TimeDelta) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += by;
    }

    /// Sets the clock to a point in time.
    pub fn set(&self, to: DateTime<Utc>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = to;
    }
}

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
