//! Whether the process may be given work: every named latch is set, and it is not stopping.
//!
//! Each part that must be up before the process is of use takes a latch at start and sets it when it is up; it may clear
//! it again, with the reason, while what it depends on is away. `/ready` lists the latches that are not set. Before there is
//! one the process is starting: `/ready` can be asked before the service has begun.

use std::{collections::BTreeMap, sync::Arc};

use serde::Serialize;
use tokio::sync::watch;

/// All latches of the process; cheap to clone.
#[derive(Clone, Debug)]
pub struct Readiness(Arc<watch::Sender<State>>);

#[derive(Debug, Default)]
struct State {
    /// `None`: set. `Some(why)`: not set.
    latches: BTreeMap<String, Option<String>>,
    stopping: Option<String>,
}

/// A part of the process that is not ready, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// The latch.
    pub name: String,
    /// Why it is not set.
    pub why: String,
}

impl Default for Readiness {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(State::default())))
    }
}

impl Readiness {
    /// Adds a latch that is not set yet. Two latches of one name are one latch.
    #[must_use]
    pub fn latch(&self, name: impl Into<String>) -> Latch {
        let latch = Latch { name: name.into(), readiness: self.clone() };
        latch.clear("starting");
        latch
    }

    /// Says for good that the process takes no more work.
    pub fn not_ready(&self, why: impl Into<String>) {
        let why = why.into();
        self.0.send_modify(|state| state.stopping = Some(why));
    }

    /// What is missing; empty when ready.
    #[must_use]
    pub fn missing(&self) -> Vec<Missing> {
        self.0.borrow().missing()
    }

    /// Waits until nothing is missing. Never ends once the process is stopping: bound it by the lifecycle's token.
    pub async fn wait(&self) {
        let mut changes = self.0.subscribe();
        // The sender lives as long as `self`, so this can't fail.
        let _ = changes.wait_for(|state| state.missing().is_empty()).await;
    }
}

impl State {
    fn missing(&self) -> Vec<Missing> {
        let starting = "starting".to_owned();
        let starting = self.latches.is_empty().then_some(&starting);
        let stopping = self.stopping.as_ref().or(starting).map(|why| ("process", why));
        let latches = self.latches.iter().filter_map(|(n, why)| Some((n.as_str(), why.as_ref()?)));
        stopping
            .into_iter()
            .chain(latches)
            .map(|(name, why)| Missing { name: name.to_owned(), why: why.clone() })
            .collect()
    }
}

/// One named part of readiness.
#[derive(Clone, Debug)]
pub struct Latch {
    name: String,
    readiness: Readiness,
}

impl Latch {
    /// This part is up.
    pub fn set(&self) {
        self.change(None);
    }

    /// This part is away; `why` is shown by `/ready`.
    pub fn clear(&self, why: impl Into<String>) {
        self.change(Some(why.into()));
    }

    fn change(&self, to: Option<String>) {
        self.readiness.0.send_if_modified(|state| {
            let old = state.latches.insert(self.name.clone(), to.clone());
            old != Some(to)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn ready_when_all_latches_are_set_and_never_again_once_stopping() {
        let readiness = Readiness::default();
        assert_eq!(readiness.missing().len(), 1, "nothing is known to be up");
        let (broker, redis) = (readiness.latch("broker"), readiness.latch("redis"));
        broker.set();
        assert_eq!(readiness.missing(), [Missing { name: "redis".into(), why: "starting".into() }]);
        let waiter = tokio::spawn({
            let readiness = readiness.clone();
            async move { readiness.wait().await }
        });
        redis.set();
        waiter.await.unwrap();
        broker.clear("connection refused");
        assert_eq!(readiness.missing()[0].why, "connection refused");
        broker.set();
        readiness.not_ready("stopping");
        redis.set();
        assert_eq!(readiness.missing()[0].name, "process");
    }
}
