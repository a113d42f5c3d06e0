//! How many calls were made in the last 24 hours, hour by hour.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

const HOUR_S: i64 = 3_600;
/// Hours that count: the present one and those that are not a whole day old. So the count never
/// says too little, and an hour's calls are forgotten together.
const HOURS: i64 = 25;

/// How many further days' caps one call may draw on; the rest counts as the last of them.
const DAYS_AHEAD: i64 = 8;

/// Calls by hour, the oldest first; at most one entry for each hour that counts, and a few for what
/// was taken in advance.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Daily(Vec<(i64, u32)>);

impl Daily {
    /// Notes calls of which `most` are allowed in a day. What is beyond it counts as a later day's.
    pub fn add(&mut self, calls: u32, most: Option<u32>, now: DateTime<Utc>) {
        let (mut hour, mut left) = (hour_of(now), calls);
        let last_hour = hour + DAYS_AHEAD * HOURS;
        self.0.retain(|(past, _)| (hour - HOURS + 1..=last_hour).contains(past));
        while left > 0 {
            let some = match most {
                Some(most) if hour < last_hour => left.min(most.max(1)),
                _ => left,
            };
            self.note(hour, some);
            left -= some;
            hour += HOURS;
        }
    }

    /// Calls that were noted last are not made after all.
    pub fn give_back(&mut self, calls: u32) {
        let mut left = calls;
        while let Some((_, count)) = self.0.last_mut().filter(|_| left > 0) {
            let some = left.min(*count);
            *count -= some;
            left -= some;
            if *count == 0 {
                self.0.pop();
            }
        }
    }

    fn note(&mut self, hour: i64, calls: u32) {
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

    /// When `calls` can be made that come after `ahead` others, so that they keep within `most`. Calls
    /// that are more than that on their own need a whole day's.
    pub fn opens(&self, ahead: u32, calls: u32, most: u32, now: DateTime<Utc>) -> DateTime<Utc> {
        let most = most.max(1);
        let last = ahead.saturating_add(calls.clamp(1, most)) - 1;
        let (days, rest) = (last / most, last % most + 1);
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
        daily.add(2, Some(3), time(0));
        daily.add(1, Some(3), time(5 * HOUR_S));
        assert_eq!(daily.used(time(20 * HOUR_S)), 3);
        assert_eq!(daily.opens(0, 1, 3, time(20 * HOUR_S)), time(25 * HOUR_S));
        assert_eq!(daily.opens(0, 3, 3, time(20 * HOUR_S)), time(30 * HOUR_S));
        assert_eq!(daily.used(time(25 * HOUR_S)), 1);
        assert_eq!(daily.opens(0, 1, 3, time(25 * HOUR_S)), time(25 * HOUR_S));
        // Two that come after three others.
        assert_eq!(daily.opens(3, 2, 3, time(25 * HOUR_S)), time(49 * HOUR_S));
    }

    #[test]
    fn more_than_a_day_allows_needs_a_whole_day_and_draws_on_the_next() {
        let mut daily = Daily::default();
        assert_eq!(daily.opens(0, 10, 6, time(0)), time(0));
        daily.add(10, Some(6), time(0));
        assert_eq!((daily.used(time(0)), daily.used(time(25 * HOUR_S))), (10, 4));
        assert_eq!(daily.opens(0, 2, 6, time(0)), time(25 * HOUR_S));
        assert_eq!(daily.opens(0, 10, 6, time(0)), time(50 * HOUR_S));
        daily.add(u32::MAX, Some(1), time(60 * HOUR_S));
        assert!(daily.0.len() <= 10, "{daily:?}");
    }

    #[test]
    fn what_is_given_back_was_never_made() {
        let mut daily = Daily::default();
        daily.add(2, None, time(0));
        let before = daily.clone();
        daily.add(7, Some(3), time(HOUR_S));
        daily.give_back(7);
        assert_eq!(daily, before);
        daily.give_back(9);
        assert_eq!(daily, Daily::default());
    }

    proptest! {
        /// Whoever waits as told never makes more than `most` calls in any 24 hours.
        #[test]
        fn no_day_has_more_than_its_cap(most in 1_u32..8, pauses in prop::collection::vec(0_i64..90_000, 1..60)) {
            let (mut daily, mut now, mut made) = (Daily::default(), time(1_000_000), Vec::new());
            for pause in pauses {
                now = daily.opens(0, 1, most, now + TimeDelta::seconds(pause));
                daily.add(1, Some(most), now);
                made.push(now);
                let day = made.iter().filter(|at| now - **at < TimeDelta::hours(24)).count();
                prop_assert!(day <= usize::try_from(most).unwrap());
            }
        }
    }
}
