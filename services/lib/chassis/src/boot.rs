//! Time that goes on while the machine sleeps: `CLOCK_BOOTTIME`.
//!
//! A lease runs out whether or not its holder is awake. `std::time::Instant` is `CLOCK_MONOTONIC` on Linux and stands
//! still in suspend, so whoever measured a lease by it would wake up and believe it good
//! (<https://man7.org/linux/man-pages/man2/clock_gettime.2.html>).

use std::ops::Add;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// A moment, as time since the machine was started, sleep included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BootInstant(Duration);

impl BootInstant {
    /// The present moment.
    #[must_use]
    pub fn now() -> Self {
        let now = clock_gettime(ClockId::Boottime);
        let (seconds, nanoseconds) = (now.tv_sec.unsigned_abs(), now.tv_nsec.unsigned_abs());
        Self(Duration::from_secs(seconds) + Duration::from_nanos(nanoseconds))
    }

    /// How long it is from an earlier moment to this one; nothing if that one is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }

    /// The moment that lies so long before, at the earliest the machine's start.
    #[must_use]
    pub fn before(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(by))
    }
}

impl Add<Duration> for BootInstant {
    type Output = Self;

    fn add(self, by: Duration) -> Self {
        Self(self.0.saturating_add(by))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_compared_and_never_negative() {
        let now = BootInstant::now();
        let later = now + Duration::from_secs(5);
        assert_eq!(later.since(now), Duration::from_secs(5));
        assert_eq!(now.since(later), Duration::ZERO);
        assert_eq!(later.before(Duration::from_secs(5)), now);
        assert!(BootInstant::now() >= now);
    }
}
