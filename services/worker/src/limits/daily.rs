//! How many calls were made in the last 24 hours, hour by hour.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

const HOUR_S: i64 = 3_600;
/// Hours that count: the present one and those that are not a whole day old. So the count never
/// says too little, and an hour's calls are forgotten together.
const HOURS: i64 = 25;

/// Calls by hour, the oldest first; at most one entry for each hour that counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Daily(Vec<(i64, u32)>);

impl Daily {
    /// Notes calls.
    pub fn add(&mut self, calls: u32, now: DateTime<Utc>) {
        let hour = hour_of(now);
        self.0.retain(|(past, _)| *past > hour - HOURS);
        match self.0.last_mut() {
            // A clock that was set back counts into the last hour.
            Some((last, count)) if *last >= hour => *count = count.saturating_add(calls),
            _ => self.0.push((hour, calls)),
        }
    }

    /// How many calls count now.
    pub fn used(&self, now: DateTime<Utc>) -> u32 {
        let hour = hour_of(now);
        let counted = self.0.iter().filter(|(past, _)| *past > hour - HOURS);
        counted.fold(0, |sum, (_, calls)| sum.saturating_add(*calls))
    }

    /// When `calls` more keep within `most`; more than `most` at once are spread over days.
    pub fn opens(&self, calls: u32, most: u32, now: DateTime<Utc>) -> DateTime<Utc> {
        let most = most.max(1);
        let (days, rest) = ((calls.max(1) - 1) / most, (calls.max(1) - 1) % most + 1);
        let mut used = self.used(now);
        let mut opens = now;
        for (hour, count) in self.0.iter().filter(|(hour, _)| *hour > hour_of(now) - HOURS) {
            if used.saturating_add(rest) <= most {
                break;
            }
            used = used.saturating_sub(*count);
            opens = start_of(hour + HOURS);
        }
        opens.max(now) + TimeDelta::days(i64::from(days))
    }
}

fn hour_of(time: DateTime<Utc>) -> i64 {
    time.timestamp().div_euclid(HOUR_S)
}

fn start_of(hour: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(hour.saturating_mul(HOUR_S), 0).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn time(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    #[test]
    fn a_day_forgets_its_calls_hour_by_hour() {
        let mut daily = Daily::default();
        daily.add(2, time(0));
        daily.add(1, time(5 * HOUR_S));
        assert_eq!(daily.used(time(20 * HOUR_S)), 3);
        assert_eq!(daily.opens(1, 3, time(20 * HOUR_S)), time(25 * HOUR_S));
        assert_eq!(daily.opens(3, 3, time(20 * HOUR_S)), time(30 * HOUR_S));
        assert_eq!(daily.used(time(25 * HOUR_S)), 1);
        assert_eq!(daily.opens(1, 3, time(25 * HOUR_S)), time(25 * HOUR_S));
        // Five more than the rest of a day.
        assert_eq!(daily.opens(5, 3, time(25 * HOUR_S)), time(49 * HOUR_S));
    }

    proptest! {
        /// Whoever waits as told never makes more than `most` calls in any 24 hours.
        #[test]
        fn no_day_has_more_than_its_cap(most in 1_u32..8, pauses in prop::collection::vec(0_i64..90_000, 1..60)) {
            let (mut daily, mut now, mut made) = (Daily::default(), time(1_000_000), Vec::new());
            for pause in pauses {
                now = daily.opens(1, most, now + TimeDelta::seconds(pause));
                daily.add(1, now);
                made.push(now);
                let day = made.iter().filter(|at| now - **at < TimeDelta::hours(24)).count();
                prop_assert!(day <= usize::try_from(most).unwrap());
            }
        }
    }
}
