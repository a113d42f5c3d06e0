//! How fast connections to Telegram are begun. A worker that takes hundreds of instances at once
//! must neither look like an attack from one address nor starve the ones that work already.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tokio::sync::Mutex;

/// Lets whoever asks pass at a steady rate, in the order in which they asked.
pub struct Pace {
    /// One at a time asks the limiter: it wakes everybody who waits for it, whether or not there is
    /// room for them all.
    turn: Mutex<()>,
    limiter: DefaultDirectRateLimiter,
}

impl Pace {
    /// So many a second, with as many at once as come in a tenth of one, so that timers that fire
    /// a little late don't slow it down.
    pub fn per_second(rate: f64) -> Self {
        let every = Duration::from_secs_f64(1.0 / rate.max(f64::MIN_POSITIVE));
        // Settings are checked: a rate is never so low that the time between two is no time.
        let quota = Quota::with_period(every).unwrap_or(Quota::per_second(NonZeroU32::MIN));
        let at_once = NonZeroU32::new((rate / 10.0) as u32).unwrap_or(NonZeroU32::MIN);
        let limiter = RateLimiter::direct(quota.allow_burst(at_once));
        Self { turn: Mutex::default(), limiter }
    }

    /// Waits for one's turn.
    pub async fn wait(&self) {
        let _turn = self.turn.lock().await;
        self.limiter.until_ready().await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn as_many_pass_at_once_as_come_in_a_tenth_of_a_second_and_then_one_after_the_other() {
        // One in ten seconds: nobody passes a second time while this runs.
        let pace = Arc::new(Pace::per_second(0.1));
        pace.wait().await;
        let passed = Arc::new(AtomicU32::new(0));
        let waiting = tokio::spawn({
            let (pace, passed) = (pace.clone(), passed.clone());
            async move {
                pace.wait().await;
                passed.fetch_add(1, Ordering::SeqCst);
            }
        });
        tokio::task::yield_now().await;
        assert_eq!(passed.load(Ordering::SeqCst), 0);
        waiting.abort();

        let quick = Pace::per_second(50.0);
        for _ in 0..5 {
            assert!(quick.limiter.check().is_ok());
        }
        assert!(quick.limiter.check().is_err());
    }

    #[tokio::test]
    async fn everybody_passes_in_the_end() {
        let pace = Arc::new(Pace::per_second(1_000.0));
        let waiting = (0..200).map(|_| {
            let pace = pace.clone();
            async move { pace.wait().await }
        });
        futures_util::future::join_all(waiting).await;
    }
}
