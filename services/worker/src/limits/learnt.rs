//! What Telegram taught about a class's rate: each flood wait halves it, and calm brings it back.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The lowest share of the configured rate.
const LOWEST: f64 = 1.0 / 16.0;
/// Hours of calm that double the rate again.
const HOURS_TO_DOUBLE: f64 = 24.0;
/// Steps in which the rate rises, so that a budget is not rebuilt with every call.
const STEPS: f64 = 32.0;

/// A learnt rate: 1 is the configured one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Learnt {
    rate: f64,
    since: DateTime<Utc>,
}

impl Learnt {
    /// The rate now.
    pub fn rate(&self, now: DateTime<Utc>) -> f64 {
        let hours = (now - self.since).as_seconds_f64().max(0.0) / 3_600.0;
        let rate = self.rate * (hours / HOURS_TO_DOUBLE).exp2();
        ((rate * STEPS).floor() / STEPS).clamp(LOWEST, 1.0)
    }

    /// After one more flood wait, which ends at `opens`: calm is what comes after it.
    pub fn slower(self, now: DateTime<Utc>, opens: DateTime<Utc>) -> Self {
        Self { rate: (self.rate(now) / 2.0).max(LOWEST), since: opens.max(now) }
    }

    /// Nothing learnt.
    pub fn nothing(now: DateTime<Utc>) -> Self {
        Self { rate: 1.0, since: now }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn a_flood_wait_halves_the_rate_and_a_day_of_calm_doubles_it() {
        let start = DateTime::UNIX_EPOCH;
        let close = |a: f64, b: f64| (a - b).abs() < 1e-9;
        let once = Learnt::nothing(start).slower(start, start);
        assert!(close(once.rate(start), 0.5));
        assert!(close(once.rate(start + TimeDelta::hours(24)), 1.0));
        assert!(close(once.rate(start + TimeDelta::days(30)), 1.0));
        let noon = start + TimeDelta::hours(12);
        assert!(once.rate(noon) > 0.6 && once.rate(noon) < 0.75);
        let floor = (0..10).fold(once, |learnt, _| learnt.slower(start, start));
        assert!(close(floor.rate(start), LOWEST));
        // A wait of 21 hours is no calm.
        let opens = start + TimeDelta::hours(21);
        let flooded = Learnt::nothing(start).slower(start, opens);
        assert!(close(flooded.rate(opens), 0.5));
        assert!(close(flooded.rate(opens + TimeDelta::hours(24)), 1.0));
        // A clock that was set back brings nothing back, and takes nothing away.
        assert!(close(once.rate(start - TimeDelta::days(1)), 0.5));
    }
}
