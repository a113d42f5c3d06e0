//! Young accounts: Telegram minds what a new login does more than what an old one does, so budgets
//! grow over the first days.

use chrono::{DateTime, TimeDelta, Utc};

/// The share of its budgets that an account has on its first day.
const FIRST: f64 = 0.2;

/// The share of its budgets that an account has which was connected at that time: it grows evenly
/// over the days of warming up.
pub fn share(connected_at: Option<DateTime<Utc>>, days: f64, now: DateTime<Utc>) -> f64 {
    let Some(connected_at) = connected_at.filter(|_| days > 0.0) else { return 1.0 };
    let age = (now - connected_at).as_seconds_f64().max(0.0) / 86_400.0;
    // In whole days: a budget is not to be rebuilt with every call.
    (FIRST + (1.0 - FIRST) * (age.floor() / days)).min(1.0)
}

/// Until when it counts as young; `None` where it does not.
pub fn until(
    connected_at: Option<DateTime<Utc>>,
    days: f64,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let seconds = TimeDelta::try_milliseconds((days * 86_400_000.0) as i64)?;
    connected_at.map(|at| at + seconds).filter(|until| days > 0.0 && *until > now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budgets_grow_over_the_first_days() {
        let start = DateTime::UNIX_EPOCH;
        let on_day = |day| share(Some(start), 14.0, start + TimeDelta::days(day));
        let close = |a: f64, b: f64| (a - b).abs() < 1e-9;
        assert!(close(on_day(0), 0.2) && close(on_day(7), 0.6) && close(on_day(14), 1.0));
        assert!(close(on_day(400), 1.0));
        assert!(close(share(None, 14.0, start), 1.0) && close(share(Some(start), 0.0, start), 1.0));
        let half = start + TimeDelta::days(7);
        assert_eq!(until(Some(start), 14.0, half), Some(start + TimeDelta::days(14)));
        assert_eq!(until(Some(start), 14.0, start + TimeDelta::days(15)), None);
        assert_eq!(until(None, 14.0, start), None);
    }
}
