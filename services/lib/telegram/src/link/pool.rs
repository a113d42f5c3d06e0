//! grammers' sender pool with its runner and the reader of its updates, as one thing that starts and surely ends.
//!
//! A pool makes one connection in its life. grammers would make further ones by itself, and one of those is not wanted:
//! where Telegram does not know the auth key, it makes another key and sends a first request with it.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use grammers_client::Client;
use grammers_mtsender::{ConnectionParams, NoRetries, SenderPool};
use grammers_session::updates::UpdatesLike;
use grammers_tl_types as tl;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::{AbortHandle, JoinHandle};
use tracing::{debug, error};

use super::Connectivity;
use crate::config::{DeviceConfig, TelegramConfig};
use crate::hop::Ticket;
use crate::session::LiveSession;

/// Updates that wait to be read, at most; grammers drops what is more.
const UPDATES_MAX: usize = 100;

/// What each connection begins with.
pub(super) struct Introduction {
    pub(super) device: DeviceConfig,
    pub(super) api_id: i32,
}

/// A running pool. Clones share it.
#[derive(Clone)]
pub(super) struct Pool {
    pub(super) client: Client,
    ticket: Arc<Ticket>,
    abort: AbortHandle,
    runner: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl Pool {
    pub(super) fn start(
        config: &TelegramConfig,
        introduction: &Introduction,
        session: Arc<LiveSession>,
        news: News,
        ticket: Ticket,
    ) -> Self {
        let params = params(config, &introduction.device, ticket.proxy_url());
        let pool = SenderPool::with_configuration(session, introduction.api_id, params);
        let client = Client::with_configuration(pool.handle, Default::default());
        let runner = tokio::spawn(pool.runner.run());
        tokio::spawn(drain(pool.updates, news));
        Self {
            client,
            ticket: Arc::new(ticket),
            abort: runner.abort_handle(),
            runner: Arc::new(Mutex::new(Some(runner))),
        }
    }

    /// Whether its one connection is there, and somebody reads what comes over it: a runner that panicked does not.
    pub(super) fn is_connected(&self) -> bool {
        self.ticket.is_connected() && !self.abort.is_finished()
    }

    /// Whether grammers wanted to make a second connection. While the first request is under way that means one thing:
    /// Telegram does not know the auth key (transport error -404), and it was to make another one.
    pub(super) fn wanted_another(&self) -> bool {
        self.ticket.was_asked_again()
    }

    /// Ends the runner at once and waits until it has ended.
    pub(super) async fn abort(self) {
        self.abort.abort();
        let runner = self.runner.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(runner) = runner
            && let Err(end) = runner.await
            && end.is_panic()
        {
            error!("the connection's runner panicked");
        }
    }

    /// The same without waiting, for when there is nobody to wait.
    pub(super) fn abort_now(self) {
        self.abort.abort();
    }
}

/// Every field by name: the library's own default looks the host's system up (slow, and tells Telegram about it), and
/// repeats calls after a lost connection, which would make groups twice.
fn params(config: &TelegramConfig, device: &DeviceConfig, proxy_url: String) -> ConnectionParams {
    ConnectionParams {
        device_model: device.model.clone(),
        system_version: device.system_version.clone(),
        app_version: device.app_version.clone(),
        system_lang_code: device.system_lang_code.clone(),
        lang_code: device.lang_code.clone(),
        proxy_url: Some(proxy_url),
        use_ipv6: config.server.as_ref().is_some_and(|server| server.address.is_ipv6()),
        retry_policy: Box::new(NoRetries),
        updates_channel_capacity: NonZeroUsize::new(UPDATES_MAX).unwrap_or(NonZeroUsize::MIN),
        __non_exhaustive: (),
    }
}

/// What is told of the updates.
#[derive(Clone)]
pub(super) struct News {
    /// The connection ended.
    pub(super) connectivity: watch::Sender<Connectivity>,
    /// Somebody accepted the login token that was shown.
    pub(super) scanned: Arc<Notify>,
}

/// Reads the updates as they come, so that they don't pile up. Ends with the pool.
async fn drain(mut updates: mpsc::Receiver<UpdatesLike>, news: News) {
    while let Some(update) = updates.recv().await {
        match update {
            UpdatesLike::ConnectionClosed => {
                debug!("connection closed");
                news.connectivity.send_if_modified(|now| {
                    let was_up = *now == Connectivity::Up;
                    if was_up {
                        *now = Connectivity::Down;
                    }
                    was_up
                });
            }
            UpdatesLike::Updates(updates) if tells_of_scan(&updates) => news.scanned.notify_one(),
            _ => {}
        }
    }
}

fn tells_of_scan(updates: &tl::enums::Updates) -> bool {
    let told = |update: &tl::enums::Update| matches!(update, tl::enums::Update::LoginToken);
    match updates {
        tl::enums::Updates::UpdateShort(short) => told(&short.update),
        tl::enums::Updates::Updates(all) => all.updates.iter().any(told),
        tl::enums::Updates::Combined(all) => all.updates.iter().any(told),
        _ => false,
    }
}
