//! How the tasks of a process end together.
//!
//! Two tokens: *soft* (first SIGTERM or SIGINT: start nothing new, finish what runs) and *hard* (second signal, or the
//! drain took too long: let go now). A task that must run as long as the process does and doesn't, or that panics, is a
//! *crash*: everything else is drained and the process ends with exit code 1, so that its supervisor starts it again.

use std::{
    any::Any,
    panic::AssertUnwindSafe,
    sync::{Arc, OnceLock},
    time::Duration,
};

use futures_util::FutureExt;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// What a task may still do between the hard token and being dropped.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Starts tasks by name and tells them when to end; cheap to clone.
#[derive(Clone, Debug)]
pub struct Lifecycle {
    soft: CancellationToken,
    hard: CancellationToken,
    tasks: TaskTracker,
    crash: Arc<OnceLock<Crash>>,
    last_words: Duration,
}

/// The first task that ended when or how it should not have.
#[derive(Clone, Debug, thiserror::Error)]
#[error("task {task} crashed: {reason}")]
pub struct Crash {
    /// The name it was started under.
    pub task: String,
    /// Its error, its panic, or that it ended.
    pub reason: String,
}

impl Default for Lifecycle {
    fn default() -> Self {
        let hard = CancellationToken::new();
        Self {
            soft: hard.child_token(),
            hard,
            tasks: TaskTracker::new(),
            crash: Arc::default(),
            last_words: LAST_WORDS,
        }
    }
}

impl Lifecycle {
    /// Starts a task that must run until the soft token. Ending earlier, an error at any time, and a panic are a crash.
    pub fn spawn<F>(&self, name: impl Into<String>, future: F)
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let (name, this) = (name.into(), self.clone());
        self.tasks.spawn(async move {
            match this.guarded(future).await {
                Ended::Done(Ok(())) if this.soft.is_cancelled() => {}
                Ended::Done(Ok(())) => this.crashed(&name, "ended though it should run on".into()),
                Ended::Done(Err(error)) => this.crashed(&name, format!("{error:#}")),
                Ended::Panicked(reason) => this.crashed(&name, reason),
                Ended::CutOff => tracing::warn!(task = %name, "task was cut off"),
            }
        });
    }

    /// Starts a task that may end whenever it is done. Only a panic is a crash.
    pub fn spawn_once<F>(&self, name: impl Into<String>, future: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (name, this) = (name.into(), self.clone());
        self.tasks.spawn(async move {
            match this.guarded(future).await {
                Ended::Done(()) => {}
                Ended::Panicked(reason) => this.crashed(&name, reason),
                Ended::CutOff => tracing::warn!(task = %name, "task was cut off"),
            }
        });
    }

    /// The soft token: cancelled at the first signal (and whenever the hard one is).
    #[must_use]
    pub fn soft(&self) -> CancellationToken {
        self.soft.clone()
    }

    /// The hard token: what doesn't end within two seconds of it is dropped.
    #[must_use]
    pub fn hard(&self) -> CancellationToken {
        self.hard.clone()
    }

    /// Whether the process is to stop.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.soft.is_cancelled()
    }

    /// Begins the orderly stop.
    pub fn stop(&self, why: &str) {
        if !self.soft.is_cancelled() {
            tracing::info!(reason = why, "stopping");
            self.soft.cancel();
        }
    }

    /// Ends the orderly stop: what still runs is let go.
    pub fn abort(&self, why: &str) {
        if !self.hard.is_cancelled() {
            tracing::warn!(reason = why, tasks = self.tasks.len(), "stopping now");
            self.hard.cancel();
        }
    }

    /// Reports a failure that the process can't go on from; the process drains and ends with exit code 1.
    pub fn crashed(&self, task: &str, reason: String) {
        tracing::error!(task, reason, "task crashed");
        let _ = self.crash.set(Crash { task: task.to_owned(), reason });
        self.soft.cancel();
    }

    /// The first crash, if there was one.
    #[must_use]
    pub fn crash(&self) -> Option<&Crash> {
        self.crash.get()
    }

    /// Waits until every task has ended. Call after [`Lifecycle::stop`]: tasks can still be started until then.
    pub async fn drained(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    async fn guarded<T>(&self, future: impl Future<Output = T>) -> Ended<T> {
        let cut_off = async {
            self.hard.cancelled().await;
            tokio::time::sleep(self.last_words).await;
        };
        tokio::select! {
            ended = AssertUnwindSafe(future).catch_unwind() => match ended {
                Ok(output) => Ended::Done(output),
                Err(panic) => Ended::Panicked(panic_words(panic.as_ref())),
            },
            () = cut_off => Ended::CutOff,
        }
    }
}

enum Ended<T> {
    Done(T),
    Panicked(String),
    CutOff,
}

fn panic_words(panic: &(dyn Any + Send)) -> String {
    let words = panic
        .downcast_ref::<&str>()
        .map(|words| (*words).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned());
    format!("panicked: {}", words.as_deref().unwrap_or("(no message)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_that_ends_too_early_is_a_crash_and_stops_the_others() {
        let lifecycle = Lifecycle::default();
        let soft = lifecycle.soft();
        lifecycle.spawn("patient", async move {
            soft.cancelled().await;
            Ok(())
        });
        lifecycle.spawn("hasty", async { Ok(()) });
        lifecycle.drained().await;
        assert_eq!(lifecycle.crash().map(|crash| crash.task.as_str()), Some("hasty"));
        assert!(!lifecycle.hard().is_cancelled());
    }

    #[tokio::test]
    async fn a_panic_is_a_crash_also_in_a_task_that_may_end() {
        let lifecycle = Lifecycle::default();
        lifecycle.spawn_once("brief", async {});
        lifecycle.spawn_once("shaky", async { panic!("out of luck") });
        lifecycle.drained().await;
        let crash = lifecycle.crash().map(ToString::to_string);
        assert_eq!(crash.as_deref(), Some("task shaky crashed: panicked: out of luck"));
    }

    #[tokio::test]
    async fn tasks_that_end_after_the_soft_token_are_no_crash() {
        let lifecycle = Lifecycle::default();
        let soft = lifecycle.soft();
        lifecycle.spawn("patient", async move {
            soft.cancelled().await;
            Ok(())
        });
        lifecycle.stop("test");
        lifecycle.drained().await;
        assert!(lifecycle.crash().is_none());
    }

    #[tokio::test]
    async fn the_hard_token_ends_what_does_not_listen() {
        let lifecycle = Lifecycle { last_words: Duration::ZERO, ..Lifecycle::default() };
        lifecycle.spawn("deaf", std::future::pending());
        lifecycle.stop("test");
        lifecycle.abort("test");
        lifecycle.drained().await;
        assert!(lifecycle.crash().is_none());
    }
}
