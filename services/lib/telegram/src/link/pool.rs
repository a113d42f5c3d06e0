//! grammers' sender pool with its runner and the reader of its updates, as one thing that starts and surely ends.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use grammers_client::Client;
use grammers_mtsender::{ConnectionParams, NoRetries, SenderPool, SenderPoolHandle};
use grammers_session::updates::UpdatesLike;
use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, JoinHandle};
use tracing::{debug, error};

use super::Connectivity;
use crate::config::TelegramConfig;
use crate::session::LiveSession;

/// Updates that wait to be read, at most; grammers drops what is more.
const UPDATES_MAX: usize = 100;

/// A running pool. Clones share it.
#[derive(Clone)]
pub(super) struct Pool {
    pub(super) client: Client,
    handle: SenderPoolHandle,
    abort: AbortHandle,
    runner: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl Pool {
    pub(super) fn start(
        config: &TelegramConfig,
        session: Arc<LiveSession>,
        connectivity: watch::Sender<Connectivity>,
    ) -> Self {
        let pool = SenderPool::with_configuration(session, config.api_id, params(config));
        let handle = pool.handle.thin.clone();
        let client = Client::with_configuration(pool.handle, Default::default());
        let runner = tokio::spawn(pool.runner.run());
        tokio::spawn(drain(pool.updates, connectivity));
        Self {
            client,
            handle,
            abort: runner.abort_handle(),
            runner: Arc::new(Mutex::new(Some(runner))),
        }
    }

    /// True where the runner panicked or stopped, after which no call is ever answered.
    pub(super) fn has_ended(&self) -> bool {
        self.abort.is_finished()
    }

    /// Asks the runner to end, and makes it end where it does not within `patience`.
    pub(super) async fn quit(self, patience: Duration) {
        self.handle.quit();
        self.ended(patience).await;
    }

    /// Ends the runner at once and waits until its sockets are closed.
    pub(super) async fn abort(self, patience: Duration) {
        self.abort.abort();
        self.ended(patience).await;
    }

    /// The same without waiting, for when there is nobody to wait.
    pub(super) fn abort_now(self) {
        self.abort.abort();
    }

    async fn ended(self, patience: Duration) {
        let runner = self.runner.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut runner) = runner else { return };
        match tokio::time::timeout(patience, &mut runner).await {
            Ok(Err(end)) if end.is_panic() => error!("the connection's runner panicked"),
            Ok(_) => {}
            Err(_) => {
                // It hears no "quit" while it is connecting.
                runner.abort();
                let _ = runner.await;
            }
        }
        // Dropping the runner aborts the tasks that hold the sockets; they end when they are next scheduled.
        tokio::task::yield_now().await;
    }
}

/// Every field by name: the library's own default looks the host's system up (slow, and tells Telegram about it), and
/// repeats calls after a lost connection, which would make groups twice.
fn params(config: &TelegramConfig) -> ConnectionParams {
    ConnectionParams {
        device_model: config.device.model.clone(),
        system_version: config.device.system_version.clone(),
        app_version: config.device.app_version.clone(),
        system_lang_code: config.device.system_lang_code.clone(),
        lang_code: config.device.lang_code.clone(),
        use_ipv6: config.server.as_ref().is_some_and(|server| server.address.is_ipv6()),
        retry_policy: Box::new(NoRetries),
        updates_channel_capacity: NonZeroUsize::new(UPDATES_MAX).unwrap_or(NonZeroUsize::MIN),
        __non_exhaustive: (),
    }
}

/// Reads the updates as they come, so that they don't pile up. Nothing needs them yet but the news that the connection
/// ended. Ends with the pool.
async fn drain(
    mut updates: mpsc::Receiver<UpdatesLike>,
    connectivity: watch::Sender<Connectivity>,
) {
    while let Some(update) = updates.recv().await {
        if matches!(update, UpdatesLike::ConnectionClosed) {
            debug!("connection closed");
            connectivity.send_if_modified(|now| {
                let was_up = *now == Connectivity::Up;
                if was_up {
                    *now = Connectivity::Down;
                }
                was_up
            });
        }
    }
}
