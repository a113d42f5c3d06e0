//! Hands changes of an open account to the store: soon, but not each one by itself.
//!
//! The store is asked from a task of its own, so that neither a call nor an update ever waits for it. Where it fails,
//! the change stays pending and is tried again with growing pauses. [`Saver::flush`] is for the moments at which a
//! change must be safe before anything goes on, such as the end of a login.

use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::live::{LiveSession, Revision};
use super::record::SessionRecord;
use crate::peers::{PeerBook, PeerRecord};

/// Why a store did not save: whatever its own error is.
pub type SinkError = Box<dyn Error + Send + Sync>;

/// Longest pause between two attempts to save.
const RETRY_MAX: Duration = Duration::from_secs(30);
/// How long one attempt may take before it counts as failed.
const SAVE_TIMEOUT: Duration = Duration::from_secs(10);

/// What of a session changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// What can't be made again without the person: auth keys, the home data centre, who is logged in. Belongs in the
    /// durable store before anything else happens.
    Login,
    /// The place in the stream of updates, or an address. Cheap to lose a little of.
    Position,
}

/// Where an open account's changes go. Implemented by the worker; each call replaces what was saved before.
#[async_trait]
pub trait SessionSink: Send + Sync + 'static {
    /// Saves the whole session.
    async fn save_session(&self, record: SessionRecord, changed: Changed) -> Result<(), SinkError>;

    /// Saves new or changed peers; those not mentioned stay as they are.
    async fn save_peers(&self, peers: Vec<PeerRecord>) -> Result<(), SinkError>;
}

/// Keeps what it is handed in memory: for tools and tests that need no store.
#[derive(Default)]
pub struct MemorySink(Mutex<(Option<SessionRecord>, Vec<PeerRecord>)>);

impl MemorySink {
    /// What was saved: the session, and peers in the order in which they came.
    pub fn saved(&self) -> (Option<SessionRecord>, Vec<PeerRecord>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl SessionSink for MemorySink {
    async fn save_session(&self, record: SessionRecord, _: Changed) -> Result<(), SinkError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0 = Some(record);
        Ok(())
    }

    async fn save_peers(&self, peers: Vec<PeerRecord>) -> Result<(), SinkError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1.extend(peers);
        Ok(())
    }
}

/// The task that saves, and the way to make it save now.
pub(crate) struct Saver {
    work: Arc<Work>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

struct Work {
    session: Arc<LiveSession>,
    peers: PeerBook,
    sink: Arc<dyn SessionSink>,
    /// What is saved already. An async lock, held over the save: saves must not overtake each other.
    saved: tokio::sync::Mutex<Revision>,
}

impl Saver {
    pub(crate) fn start(
        session: Arc<LiveSession>,
        peers: PeerBook,
        sink: Arc<dyn SessionSink>,
        delay: Duration,
    ) -> Self {
        let work = Arc::new(Work { session, peers, sink, saved: tokio::sync::Mutex::default() });
        let stop = CancellationToken::new();
        let task = tokio::spawn(run(Arc::clone(&work), stop.clone(), delay));
        Self { work, stop, task }
    }

    /// Saves all that is pending, now.
    pub(crate) async fn flush(&self) -> Result<(), SinkError> {
        self.work.flush().await
    }

    /// Stops the task and saves what is pending.
    pub(crate) async fn close(&self) -> Result<(), SinkError> {
        self.stop.cancel();
        self.flush().await
    }
}

impl Drop for Saver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run(work: Arc<Work>, stop: CancellationToken, delay: Duration) {
    let mut changes = work.session.changes();
    let mut failures: u32 = 0;
    loop {
        if failures == 0 && !work.pending().await {
            tokio::select! {
                () = stop.cancelled() => return,
                changed = changes.changed() => if changed.is_err() { return },
                () = work.peers.changed() => {}
            }
        }
        let pause = if failures == 0 { delay } else { retry_pause(failures) };
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
        changes.mark_unchanged();
        match work.flush().await {
            Ok(()) => failures = 0,
            Err(error) => {
                failures = failures.saturating_add(1);
                warn!(%error, failures, "a changed session could not be saved");
            }
        }
    }
}

/// One second, doubled with every failure up to [`RETRY_MAX`].
fn retry_pause(failures: u32) -> Duration {
    Duration::from_secs(1 << failures.saturating_sub(1).min(10)).min(RETRY_MAX)
}

impl Work {
    /// Something is not saved yet: also what changed before anybody listened for changes.
    async fn pending(&self) -> bool {
        self.peers.has_dirty() || self.session.revision() != *self.saved.lock().await
    }

    async fn flush(&self) -> Result<(), SinkError> {
        let mut saved = self.saved.lock().await;
        let now = self.session.revision();
        if now != *saved {
            let changed = if now.login == saved.login { Changed::Position } else { Changed::Login };
            bounded(self.sink.save_session(self.session.record(), changed)).await?;
            *saved = now;
        }
        let dirty = self.peers.take_dirty();
        if !dirty.is_empty()
            && let Err(error) = bounded(self.sink.save_peers(dirty.clone())).await
        {
            self.peers.put_back(&dirty);
            return Err(error);
        }
        Ok(())
    }
}

async fn bounded(save: impl Future<Output = Result<(), SinkError>>) -> Result<(), SinkError> {
    match tokio::time::timeout(SAVE_TIMEOUT, save).await {
        Ok(saved) => saved,
        Err(_) => Err("the store did not answer in time".into()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::session::UpdateMark;

    #[derive(Default)]
    struct Flaky {
        down: AtomicBool,
        inner: MemorySink,
        changed: Mutex<Vec<Changed>>,
    }

    #[async_trait]
    impl SessionSink for Flaky {
        async fn save_session(&self, record: SessionRecord, c: Changed) -> Result<(), SinkError> {
            if self.down.load(Ordering::Relaxed) {
                return Err("down".into());
            }
            self.changed.lock().unwrap().push(c);
            self.inner.save_session(record, c).await
        }

        async fn save_peers(&self, peers: Vec<PeerRecord>) -> Result<(), SinkError> {
            self.inner.save_peers(peers).await
        }
    }

    #[tokio::test(start_paused = true)]
    async fn changes_are_saved_together_and_again_after_a_failure() {
        let session = Arc::new(LiveSession::new(SessionRecord::fresh(None)));
        let peers = PeerBook::new(10, []);
        let sink = Arc::new(Flaky::default());
        sink.down.store(true, Ordering::Relaxed);
        let saver =
            Saver::start(Arc::clone(&session), peers, sink.clone(), Duration::from_millis(100));
        session.set_home_dc(4);
        session.set_mark(UpdateMark { pts: 1, ..UpdateMark::default() });
        assert!(saver.flush().await.is_err());
        sink.down.store(false, Ordering::Relaxed);
        let saved = async {
            while sink.changed.lock().unwrap().is_empty() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(120), saved).await.unwrap();
        session.set_mark(UpdateMark { pts: 2, ..UpdateMark::default() });
        saver.close().await.unwrap();
        assert_eq!(*sink.changed.lock().unwrap(), [Changed::Login, Changed::Position]);
        assert_eq!(sink.inner.saved().0.unwrap().mark.pts, 2);
    }

    #[test]
    fn pauses_grow_to_a_bound() {
        assert_eq!(retry_pause(1), Duration::from_secs(1));
        assert_eq!(retry_pause(4), Duration::from_secs(8));
        assert_eq!(retry_pause(u32::MAX), RETRY_MAX);
    }
}
