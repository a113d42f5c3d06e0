//! How long to wait before the next try: exponential and random, so that neither the workers of a
//! fleet nor the instances of one worker come back to a restarted broker in step.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

/// Beyond this many failures the ceiling has long been reached.
const DOUBLINGS_MAX: u32 = 30;

/// The pauses of one series of tries. Each lies between half of the first pause and a ceiling that
/// doubles from try to try, up to the longest pause.
#[derive(Debug, Clone)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    failures: u32,
}

impl Backoff {
    /// For a connection to the broker, and for whatever hangs on one.
    pub const BROKER: Self = Self::new(Duration::from_millis(200), Duration::from_secs(15));

    /// A series that begins with `first` and never waits longer than `longest`.
    #[must_use]
    pub const fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, failures: 0 }
    }

    /// It went well: the next series begins anew.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// What was tried stood since then. Where that was longer than the longest pause, the next
    /// series begins anew; what ends as soon as it is begun goes on waiting longer.
    pub fn stood_since(&mut self, began: Instant) {
        if began.elapsed() >= self.longest {
            self.reset();
        }
    }

    /// The pause before the next try.
    pub fn pause(&mut self) -> Duration {
        self.pause_by(rand::random())
    }

    /// Waits before the next try. False where `stopping` came first.
    pub async fn wait(&mut self, stopping: &CancellationToken) -> bool {
        let pause = self.pause();
        tokio::select! {
            () = tokio::time::sleep(pause) => true,
            () = stopping.cancelled() => false,
        }
    }

    /// The same with a given chance, which is uniform in 0..1.
    fn pause_by(&mut self, chance: f64) -> Duration {
        let floor = self.first.min(self.longest) / 2;
        let doubled = self.first.saturating_mul(1 << self.failures.min(DOUBLINGS_MAX));
        let ceiling = doubled.min(self.longest);
        self.failures = self.failures.saturating_add(1);
        floor + (ceiling - floor).mul_f64(chance.clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_grows_to_the_longest_pause_and_starts_again() {
        let mut backoff = Backoff::BROKER;
        let ceilings: Vec<f64> = (0..40).map(|_| backoff.pause_by(1.0).as_secs_f64()).collect();
        assert_eq!(ceilings[..3], [0.2, 0.4, 0.8]);
        assert_eq!(ceilings[39], 15.0);
        backoff.reset();
        assert_eq!(backoff.pause_by(1.0), Duration::from_millis(200));
    }

    #[test]
    fn even_first_tries_are_spread_and_none_comes_at_once() {
        for (chance, ms) in [(0.0, 100), (0.5, 150), (1.0, 200)] {
            let mut fresh = Backoff::BROKER;
            assert_eq!(fresh.pause_by(chance), Duration::from_millis(ms));
        }
        let mut late = Backoff { failures: u32::MAX, ..Backoff::BROKER };
        assert_eq!(late.pause_by(0.0), Duration::from_millis(100));
        let all: std::collections::BTreeSet<_> = (0..50).map(|_| late.pause()).collect();
        assert!(all.len() > 40, "{all:?}");
    }

    #[test]
    fn what_ends_as_soon_as_it_is_begun_goes_on_waiting_longer() {
        let mut backoff = Backoff::new(Duration::from_millis(1), Duration::from_millis(64));
        for _ in 0..3 {
            backoff.pause_by(1.0);
            backoff.stood_since(Instant::now());
        }
        assert_eq!(backoff.pause_by(1.0), Duration::from_millis(8));
        backoff.stood_since(Instant::now() - Duration::from_millis(64));
        assert_eq!(backoff.pause_by(1.0), Duration::from_millis(1));
    }
}
