//! What operators paused, as this worker last saw it. It looks several times a second and obeys at
//! once; while Redis is away it obeys what it knows. Before it has seen anything it takes no
//! command at all: what was paused must stay so over a restart.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use proto::control::PauseInfo;
use proto::{Command, InstanceId, MethodName};
use store::{PauseBook, PauseScope, Pauses, StoreError};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::limits::Class;
use crate::roster::Roster;
use crate::tenure::{Shared, Tenure};

/// Between two looks; a pause is to be obeyed within a second.
const LOOK_EVERY: Duration = Duration::from_millis(300);

/// A command that may not be taken yet.
#[derive(Debug)]
pub struct Hold {
    /// Its method, which is paused.
    pub method: MethodName,
    /// When it is answered in any case.
    pub deadline: DateTime<Utc>,
}

/// The pauses, for everybody who takes commands.
pub struct PauseWatch {
    store: Pauses,
    seen: watch::Sender<Option<Arc<PauseBook>>>,
}

impl PauseWatch {
    /// Nothing seen yet.
    pub fn new(store: Pauses) -> Self {
        Self { store, seen: watch::Sender::new(None) }
    }

    /// Where pauses are noted.
    pub fn store(&self) -> &Pauses {
        &self.store
    }

    /// They were changed here: nobody need look.
    pub fn noted(&self, book: PauseBook) {
        self.seen.send_replace(Some(Arc::new(book)));
    }

    /// Forgets the pauses of an instance that is being removed.
    pub async fn forget(&self, instance: &InstanceId) -> Result<(), StoreError> {
        self.noted(self.store.resume(&PauseScope::Instance(instance.clone()), &[]).await?);
        Ok(())
    }

    /// The pauses that an instance is under, in the contract's form.
    pub fn over(&self, instance: &InstanceId) -> Vec<PauseInfo> {
        self.seen.borrow().as_ref().map_or_else(Vec::new, |book| told(book, instance))
    }

    /// The pause that a class of calls is under, where it is: by its own name, not by the instance's.
    pub fn pause_of(&self, instance: &InstanceId, class: Class) -> Option<store::Pause> {
        let (book, name) = (self.seen.borrow().clone()?, class.pause_name()?);
        let mut over = book.over(instance);
        over.find(|(_, paused, _)| *paused == Some(&name)).map(|(_, _, pause)| pause.clone())
    }

    /// Tells of every change.
    pub fn changes(&self) -> watch::Receiver<Option<Arc<PauseBook>>> {
        self.seen.subscribe()
    }

    /// Waits until the instance may take commands.
    pub async fn running(&self, instance: &InstanceId) {
        self.until(|book| !book.stops(instance)).await;
    }

    /// Waits until it may take none.
    pub async fn stopped(&self, instance: &InstanceId) {
        self.until(|book| book.stops(instance)).await;
    }

    /// Waits until a command that was held may come up again: to be worked on, or to be answered
    /// at its deadline.
    pub async fn let_go(&self, tenure: &Tenure, hold: &Hold) {
        tokio::select! {
            () = self.until(|book| !book.holds(&tenure.instance, &hold.method)), if !tenure.waits => {}
            () = tenure.shared.clock.until(hold.deadline) => {}
        }
    }

    async fn until(&self, fits: impl Fn(&PauseBook) -> bool) {
        let mut seen = self.seen.subscribe();
        // The sender lives as long as the worker.
        let _ = seen.wait_for(|book| book.as_ref().is_some_and(|book| fits(book))).await;
    }

    async fn look(&self) -> Result<(), StoreError> {
        let known = self.seen.borrow().clone();
        let version = self.store.version().await?;
        match known {
            Some(book) if book.version() == version.as_deref() => Ok(()),
            Some(book) if version.is_none() => {
                if self.store.restore(&book).await? {
                    tracing::warn!("Redis lost what was paused; it is noted again");
                }
                Ok(())
            }
            _ => {
                self.noted(self.store.load().await?);
                Ok(())
            }
        }
    }
}

/// Looks for changes until `stopping`.
pub async fn watch(shared: Arc<Shared>, roster: Arc<Roster>, stopping: CancellationToken) {
    let mut failing = false;
    while !stopping.is_cancelled() {
        let looked = shared.pauses.look().await;
        if let Err(error) = &looked
            && !failing
        {
            tracing::warn!(%error, "can't look for pauses; what is known of them holds");
        }
        failing = looked.is_err();
        let paused = |instance: &InstanceId| !shared.pauses.over(instance).is_empty();
        shared.metrics.paused(roster.instances().iter().filter(|id| paused(id)).count());
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = stopping.cancelled() => {}
        }
    }
}

/// Whether a command may not be taken now. What was begun is brought to its end, and what has its
/// result is told it: neither begins anything. Where the account can't be used nothing would begin
/// either, and its commands are told so, unless it will be there again.
pub async fn is_held(tenure: &Tenure, command: &Command) -> bool {
    let shared = &tenure.shared;
    if tenure.waits {
        return shared.clock.now() < command.deadline;
    }
    let book = shared.pauses.seen.borrow().clone();
    let paused = book.is_some_and(|book| book.holds(&tenure.instance, &command.method));
    if !paused || tenure.account.is_err() || shared.clock.now() >= command.deadline {
        return false;
    }
    let record = shared.ledger.get(&tenure.instance, &command.id).await;
    !matches!(record, Ok(Some(record)) if record.has_begun() || record.is_finished())
}

/// The pauses that an instance is under, in the contract's form.
pub fn told(book: &PauseBook, instance: &InstanceId) -> Vec<PauseInfo> {
    book.over(instance).map(|(scope, method, pause)| info(&scope, method, pause)).collect()
}

/// One pause in the contract's form.
pub fn info(scope: &PauseScope, method: Option<&MethodName>, pause: &store::Pause) -> PauseInfo {
    PauseInfo {
        all_instances: *scope == PauseScope::All,
        method: method.cloned(),
        since: pause.since,
        by: pause.by.clone(),
        reason: pause.reason.clone(),
    }
}
