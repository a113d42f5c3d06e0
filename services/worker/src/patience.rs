//! Waiting for what may be starting at the same time, or is away just now: a worker that gave up would
//! only be started again, and again.

use std::fmt::Display;
use std::time::Duration;

use bus::{Backoff, BusError};
use chassis::Latch;
use store::StoreError;
use tokio_util::sync::CancellationToken;

/// The pauses before it is asked again.
const PAUSES: Backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(5));

/// An error of which some pass by themselves.
pub trait Passing: Display {
    /// Whether the same may succeed a little later.
    fn passes(&self) -> bool;
}

impl Passing for BusError {
    fn passes(&self) -> bool {
        self.is_transient()
    }
}

impl Passing for StoreError {
    fn passes(&self) -> bool {
        self.is_passing()
    }
}

/// Asks until there is an answer; none where the worker is told to stop first. The latch says why it
/// waits.
///
/// # Errors
/// What waiting does not change: wrong credentials, a setting that makes no sense.
pub async fn until_there<T, E: Passing, R: Future<Output = Result<T, E>>>(
    latch: &Latch,
    stopping: &CancellationToken,
    ask: impl Fn() -> R,
) -> Result<Option<T>, E> {
    let mut backoff = PAUSES;
    loop {
        let asked = tokio::select! {
            asked = ask() => asked,
            () = stopping.cancelled() => return Ok(None),
        };
        match asked {
            Ok(there) => return Ok(Some(there)),
            Err(error) if error.passes() => {
                tracing::warn!(%error, "not there yet; waiting for it");
                latch.clear(error.to_string());
            }
            Err(error) => return Err(error),
        }
        if !backoff.wait(stopping).await {
            return Ok(None);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use chassis::Readiness;

    use super::*;

    fn away() -> BusError {
        BusError::Unreachable { why: "away".to_owned() }
    }

    #[tokio::test(start_paused = true)]
    async fn what_passes_is_waited_for() {
        let asked = AtomicU32::new(0);
        let third = || async {
            match asked.fetch_add(1, Ordering::Relaxed) {
                0 | 1 => Err(away()),
                _ => Ok("there"),
            }
        };
        let readiness = Readiness::default();
        let latch = readiness.latch("it");
        let there = until_there(&latch, &CancellationToken::new(), third).await;
        assert_eq!(there, Ok(Some("there")));
        assert!(readiness.missing()[0].why.contains("away"));
    }

    #[tokio::test(start_paused = true)]
    async fn what_does_not_pass_is_told_at_once_and_a_stop_ends_the_wait() {
        let denied = || async { Err::<(), _>(BusError::Denied { code: 403, text: String::new() }) };
        let latch = Readiness::default().latch("it");
        assert!(until_there(&latch, &CancellationToken::new(), denied).await.is_err());
        let stopped = CancellationToken::new();
        stopped.cancel();
        let never = || async { Err::<(), _>(away()) };
        assert_eq!(until_there(&latch, &stopped, never).await, Ok(None));
    }
}
