//! Waiting for a condition with a bound: the only form of waiting the tests know. A bare sleep would
//! be too short on a busy machine and too long on an idle one.

use std::future::Future;
use std::time::Duration;

use anyhow::{Result, bail};
use tokio::time::Instant;

/// How often a condition is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(40);

/// Long enough for what takes milliseconds, on a machine that is busy with a build.
pub const USUAL: Duration = Duration::from_secs(30);

/// Calls `look` until it gives a value; an error names `what` and the last reason it gave.
///
/// `look` answers `Ok(Some(value))` when done, `Ok(None)` to go on waiting, and `Err` where
/// waiting longer makes no sense.
pub async fn until<T, F, Fut>(what: &str, bound: Duration, mut look: F) -> Result<T>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<Option<T>>>,
{
    let deadline = Instant::now() + bound;
    loop {
        if let Some(value) = look().await? {
            return Ok(value);
        }
        if Instant::now() >= deadline {
            bail!("waited {} s in vain: {what}", bound.as_secs());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
