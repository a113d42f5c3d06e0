//! How long to wait before the next try to connect: exponential with full jitter, so that the
//! workers of a fleet don't come back to a restarted broker in step.

use std::time::Duration;

const SHORTEST_S: f64 = 0.2;
const LONGEST_S: f64 = 15.0;

/// The state of one series of tries.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// A connection that held has earned a fresh start.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// The wait before the next try; `random` is uniform in 0..1.
    pub fn next(&mut self, random: f64) -> Duration {
        let ceiling = (SHORTEST_S * 2f64.powi(self.failures.min(16) as i32)).min(LONGEST_S);
        self.failures = self.failures.saturating_add(1);
        Duration::from_secs_f64(SHORTEST_S + random.clamp(0.0, 1.0) * (ceiling - SHORTEST_S))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_grows_to_fifteen_seconds_and_starts_again() {
        let mut backoff = Backoff::default();
        let ceilings: Vec<f64> = (0..10).map(|_| backoff.next(1.0).as_secs_f64()).collect();
        assert_eq!(ceilings[..3], [0.2, 0.4, 0.8]);
        assert_eq!(ceilings[9], 15.0);
        backoff.reset();
        assert_eq!(backoff.next(1.0), Duration::from_millis(200));
    }

    #[test]
    fn it_is_never_shorter_than_a_fifth_of_a_second() {
        let mut backoff = Backoff::default();
        assert!((0..2000).all(|_| backoff.next(0.0) == Duration::from_millis(200)));
    }
}
