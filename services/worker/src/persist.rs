//! Writing to a store until it has what must not be forgotten.

use std::time::Duration;

use bus::Backoff;
use proto::Fault;
use store::StoreError;
use tokio_util::sync::CancellationToken;

use crate::stop::{Failure, Stop};

/// The pauses before a store is asked again.
const PAUSES: Backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(5));

/// Asks again for as long as the store does not answer and the worker is not going down.
///
/// # Errors
/// Abandoned where another worker took the instance, its record is lost, or this one is going down; an internal fault
/// where the store answers what can't pass.
pub async fn retry<T, R: Future<Output = Result<T, StoreError>>>(
    stopping: &CancellationToken,
    ask: impl Fn() -> R,
) -> Result<T, Failure> {
    let mut backoff = PAUSES;
    loop {
        match ask().await {
            Ok(answer) => return Ok(answer),
            Err(StoreError::Fenced) => return Err(abandoned("another worker took the instance")),
            // The command comes back, and is then one of which nobody knows how far it got.
            Err(StoreError::Vanished) => {
                return Err(abandoned("the command's record has vanished"));
            }
            Err(StoreError::Cancelled) => return Err(Failure::Stop(Stop::Fault(cancelled()))),
            Err(error) if error.is_passing() => {
                tracing::warn!(%error, "a store does not answer; trying again");
            }
            Err(error) => {
                return Err(Failure::Stop(Stop::Fault(Fault::internal(error.to_string()))));
            }
        }
        if !backoff.wait(stopping).await {
            return Err(abandoned("the worker is going down"));
        }
    }
}

/// What a command is told that was taken back.
pub fn cancelled() -> Fault {
    Fault::cancelled("the command was cancelled before its first step")
}

/// Nothing is answered: the next owner goes on.
pub fn abandoned(why: &'static str) -> Failure {
    Failure::Stop(Stop::Abandoned(why))
}
