//! Moving instances to a worker that has joined, gently: a few of them each minute, each by a clean
//! end. A move closes one Telegram connection and opens another, and its instance's commands wait
//! for a second; there is no hurry.

use std::time::Duration;

use chassis::BootInstant;
use store::Presence;

/// How long a worker that found nothing to move does not look again while nobody joins or leaves.
const REST: Duration = Duration::from_secs(30);

/// How many instances may be moved now.
pub struct Mover {
    /// Of all that this worker owns.
    percent_per_min: f64,
    /// For how long nobody must have joined or left: a worker that is just being replaced is back
    /// soon, under another name.
    settle: Duration,
    members: Vec<String>,
    since: BootInstant,
    counted_at: BootInstant,
    allowance: f64,
    rest_until: BootInstant,
}

impl Mover {
    /// Nothing is moved before `settle` has passed.
    pub fn new(percent_per_min: f64, settle: Duration, now: BootInstant) -> Self {
        Self {
            percent_per_min,
            settle,
            members: Vec::new(),
            since: now,
            counted_at: now,
            allowance: 0.0,
            rest_until: now,
        }
    }

    /// How many may be moved, of so many that are owned.
    pub fn allowed(&mut self, alive: &[Presence], owned: usize, now: BootInstant) -> usize {
        if !alive.iter().map(|one| &one.worker).eq(&self.members) {
            self.members = alive.iter().map(|one| one.worker.clone()).collect();
            (self.since, self.rest_until, self.allowance) = (now, now, 0.0);
        }
        let passed = now.since(self.counted_at);
        self.counted_at = now;
        if now.since(self.since) < self.settle {
            return 0;
        }
        let per_second = self.percent_per_min / 100.0 / 60.0 * owned as f64;
        // What was not used is not saved up for a rush; one is always possible in the end.
        let most = (per_second * 5.0).max(1.0);
        self.allowance = (self.allowance + per_second * passed.as_secs_f64()).min(most);
        if now < self.rest_until { 0 } else { self.allowance as usize }
    }

    /// So many were moved, of those that were allowed.
    pub fn moved(&mut self, count: usize, now: BootInstant) {
        self.allowance -= count as f64;
        if count == 0 {
            self.rest_until = now + REST;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTLE: Duration = Duration::from_secs(15);

    fn workers(names: &[&str]) -> Vec<Presence> {
        let presence =
            |name: &&str| Presence { worker: (*name).to_owned(), capacity: 100, owned: 0 };
        names.iter().map(presence).collect()
    }

    /// What is moved in so many seconds, a look each second.
    fn moved(mover: &mut Mover, names: &[&str], owned: usize, from: BootInstant, s: u64) -> usize {
        let alive = workers(names);
        (1..=s)
            .map(|at| {
                let now = from + Duration::from_secs(at);
                let allowed = mover.allowed(&alive, owned, now);
                if allowed > 0 {
                    mover.moved(allowed, now);
                }
                allowed
            })
            .sum()
    }

    #[test]
    fn so_many_percent_a_minute_are_moved_once_nobody_has_come_or_gone_for_a_while() {
        let now = BootInstant::now();
        let mut mover = Mover::new(5.0, SETTLE, now);
        assert_eq!(moved(&mut mover, &["a", "b"], 200, now, 15), 0);
        let later = now + SETTLE;
        let minute = moved(&mut mover, &["a", "b"], 200, later, 60);
        assert!((9..=11).contains(&minute), "{minute}");
        // Somebody comes: it waits again.
        let later = later + Duration::from_secs(60);
        assert_eq!(moved(&mut mover, &["a", "b", "c"], 200, later, 15), 0);
    }

    #[test]
    fn a_few_instances_are_moved_too_and_nothing_is_saved_up_for_a_rush() {
        let now = BootInstant::now();
        let mut mover = Mover::new(5.0, Duration::ZERO, now);
        let hour = moved(&mut mover, &["a", "b"], 3, now, 3_600);
        assert!((8..=9).contains(&hour), "{hour}");
        let alive = workers(&["a", "b"]);
        let later = now + Duration::from_secs(90_000);
        assert_eq!(mover.allowed(&alive, 3, later), 1);
    }

    #[test]
    fn where_nothing_was_to_be_moved_it_rests_until_somebody_joins() {
        let now = BootInstant::now();
        let mut mover = Mover::new(6_000.0, Duration::ZERO, now);
        let at = |s| now + Duration::from_secs(s);
        let two = workers(&["a", "b"]);
        mover.allowed(&two, 100, at(1));
        assert!(mover.allowed(&two, 100, at(2)) > 0);
        mover.moved(0, at(2));
        assert_eq!(mover.allowed(&two, 100, at(10)), 0);
        assert!(mover.allowed(&two, 100, at(40)) > 0);
        mover.moved(0, at(40));
        let three = workers(&["a", "b", "c"]);
        mover.allowed(&three, 100, at(41));
        assert!(mover.allowed(&three, 100, at(42)) > 0);
    }

    #[test]
    fn none_are_moved_where_the_share_is_zero() {
        let now = BootInstant::now();
        let mut mover = Mover::new(0.0, Duration::ZERO, now);
        assert_eq!(moved(&mut mover, &["a", "b"], 5_000, now, 600), 0);
    }
}
