//! One account's connection to Telegram: grammers' sender pool, with what it lacks.
//!
//! grammers has no timeouts, no bound on what is in flight, never gives a dead peer up, and its runner can panic. So:
//! every call is bounded in time and number; nothing is ever sent a second time; and before the first call on a
//! connection whose life is not proven, a ping is sent through it. If that fails, the call was surely *not sent*, which
//! is worth a lot: such a call may be repeated, one that was lost on the way must be reconciled first.
//!
//! Connections are made only here, one at a time and by way of the [hop](crate::hop), so the old socket is known to be
//! gone before there is a new one, and no byte passes a shut gate.

mod classify;
mod pool;
mod relocation;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use grammers_mtsender::InvocationError;
use grammers_tl_types::{self as tl, RemoteCall};
use tokio::sync::{Mutex, Notify, RwLock, Semaphore, watch};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use self::classify::{before_sending, classify};
use self::pool::{Introduction, News, Pool};
use crate::account::Shared;
use crate::error::CallError;
use crate::gate::Gate;
use crate::hop::{Passage, Ticket};
use crate::keys;
use crate::presence::Presence;
use crate::proxy::ProxyTrouble;
use crate::session::LiveSession;

/// After so many calls that got no answer in time, the connection is cut, since grammers keeps each of them, and
/// searches through them all for every answer.
const ABANDONED_MAX: u32 = 16;

/// Whether there is a connection that works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connectivity {
    /// None was made yet, or the last one was lost. The next call makes one.
    Down,
    /// One has proven itself and was not seen to end since.
    Up,
    /// The account was closed.
    Closed,
}

/// One account's connection.
pub(crate) struct Link {
    shared: Arc<Shared>,
    session: Arc<LiveSession>,
    introduction: Introduction,
    gate: Gate,
    passage: Arc<Passage>,
    in_flight: Semaphore,
    closing: CancellationToken,
    connectivity: watch::Sender<Connectivity>,
    /// Told when Telegram says that a QR code was scanned.
    scanned: Arc<Notify>,
    state: Mutex<State>,
    /// Held by calls, and alone while the login is taken to another data centre.
    moving: RwLock<()>,
    abandoned: AtomicU32,
}

/// Guarded while a connection is made, so that only one is made at a time.
struct State {
    pool: Option<Pool>,
    /// No new connection before this, so that what the network still holds of the old one comes first.
    not_before: Instant,
    /// The last failure to connect: those who waited for the same attempt share it.
    failed: Option<(Instant, String)>,
}

impl Link {
    pub(crate) fn new(
        shared: Arc<Shared>,
        session: Arc<LiveSession>,
        presence: &Presence,
        gate: Gate,
    ) -> Self {
        Self {
            in_flight: Semaphore::new(shared.config.in_flight_max),
            shared,
            session,
            passage: Arc::new(Passage::new(gate.clone(), presence.proxy.clone())),
            introduction: Introduction {
                device: presence.device.clone(),
                api_id: presence.application.api_id,
            },
            gate,
            closing: CancellationToken::new(),
            connectivity: watch::Sender::new(Connectivity::Down),
            scanned: Arc::default(),
            state: Mutex::new(State { pool: None, not_before: Instant::now(), failed: None }),
            moving: RwLock::new(()),
            abandoned: AtomicU32::new(0),
        }
    }

    pub(crate) fn connectivity(&self) -> watch::Receiver<Connectivity> {
        self.connectivity.subscribe()
    }

    pub(crate) fn trouble(&self) -> watch::Receiver<Option<ProxyTrouble>> {
        self.passage.trouble()
    }

    pub(crate) fn scanned(&self) -> &Notify {
        &self.scanned
    }

    /// Makes a connection, or proves that the one there is lives.
    pub(crate) async fn connect(&self) -> Result<(), CallError> {
        self.set(Connectivity::Down);
        let proven = self.until_closed(CallError::Closed, self.proven(self.session.home_dc()));
        proven.await.map(|_| ()).map_err(|error| self.unless_shut(error))
    }

    /// Sends one request to the home data centre; see [`CallError`] for how it can end.
    pub(crate) async fn invoke<R: RemoteCall>(&self, request: &R) -> Result<R::Return, CallError> {
        let _permit = self.in_flight.acquire().await.map_err(|_| CallError::Closed)?;
        self.call(request).await.map_err(|error| self.unless_shut(error))
    }

    async fn call<R: RemoteCall>(&self, request: &R) -> Result<R::Return, CallError> {
        let (mut was_dead, mut moved) = (false, false);
        loop {
            let staying = self.moving.read().await;
            let dc = self.session.home_dc();
            let pool = self.until_closed(CallError::Closed, self.proven(dc)).await?;
            let ended = self.send(&pool, dc, request).await;
            drop(staying);
            match ended {
                // The connection was dead when the request came to it, and nobody had noticed.
                Err(CallError::NotSent(_)) if !was_dead => was_dead = true,
                Err(error) if !moved && self.has_moved(&error) => {
                    self.relocate(dc, &error).await?;
                    moved = true;
                }
                ended => return ended,
            }
        }
    }

    async fn send<R: RemoteCall>(
        &self,
        pool: &Pool,
        dc: i32,
        request: &R,
    ) -> Result<R::Return, CallError> {
        let sent =
            timeout(self.shared.config.call_timeout(), pool.client.invoke_in_dc(dc, request));
        let lost = CallError::Lost("the account was closed".to_owned());
        let answered = async { Ok(sent.await) };
        match self.until_closed(lost, answered).await? {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => {
                let error = classify(error);
                if !matches!(error, CallError::Rpc(_)) {
                    self.set(Connectivity::Down);
                }
                Err(error)
            }
            Err(_) => {
                self.set(Connectivity::Down);
                if self.abandoned.fetch_add(1, Ordering::Relaxed) + 1 >= ABANDONED_MAX {
                    self.cut("too many calls without an answer").await;
                }
                Err(CallError::TimedOut)
            }
        }
    }

    /// Behind a shut gate nothing is wrong with the call: whoever has the account next will see to it.
    fn unless_shut(&self, error: CallError) -> CallError {
        if self.gate.is_open() || matches!(error, CallError::Rpc(_)) {
            error
        } else {
            CallError::Closed
        }
    }

    /// Moves the account to another data centre: the next call goes there.
    pub(crate) async fn migrate(&self, dc: i32) {
        self.session.set_home_dc(dc);
        self.cut("the account lives in another data centre").await;
    }

    /// Ends every socket and waits until they are gone.
    pub(crate) async fn close(&self) {
        self.closing.cancel();
        self.in_flight.close();
        self.passage.close().await;
        if let Some(pool) = self.state.lock().await.pool.take() {
            pool.abort().await;
        }
        self.set(Connectivity::Closed);
    }

    async fn cut(&self, why: &'static str) {
        let mut state = self.state.lock().await;
        self.drop_pool(&mut state, why).await;
    }

    /// The pool, after it has shown that it has a living connection to `dc`.
    async fn proven(&self, dc: i32) -> Result<Pool, CallError> {
        let asked_at = Instant::now();
        let mut state = self.state.lock().await;
        if let Some(pool) = &state.pool
            && *self.connectivity.borrow() == Connectivity::Up
            && pool.is_connected()
        {
            return Ok(pool.clone());
        }
        if let Some((failed_at, why)) = &state.failed
            && *failed_at > asked_at
        {
            return Err(CallError::NotSent(why.clone()));
        }
        let proven = self.prove(&mut state, dc).await.map_err(|error| self.by_proxy(error));
        match &proven {
            Ok(_) => {
                state.failed = None;
                self.set(Connectivity::Up);
            }
            Err(error) => state.failed = Some((Instant::now(), error.to_string())),
        }
        proven
    }

    /// Where there is no connection because of the proxy, that is what is told.
    fn by_proxy(&self, error: CallError) -> CallError {
        match (error, *self.passage.trouble().borrow()) {
            (CallError::NotSent(_), Some(trouble)) => CallError::NotSent(trouble.to_string()),
            (error, _) => error,
        }
    }

    async fn prove(&self, state: &mut State, dc: i32) -> Result<Pool, CallError> {
        if let Some(pool) = state.pool.clone() {
            if pool.is_connected() && self.ping(&pool, dc).await.is_ok() {
                return Ok(pool);
            }
            self.drop_pool(state, "it does not work any more").await;
        }
        match self.fresh(state, dc).await {
            // A server may not know a key for a moment, while it is moved or restarted; a login is not given up for that.
            Err(CallError::KeyUnknown) => {
                warn!(dc, "Telegram does not know the auth key; asking once more");
                self.fresh(state, dc).await
            }
            made => made,
        }
    }

    /// A new connection, which has shown that it lives. The old one is gone.
    async fn fresh(&self, state: &mut State, dc: i32) -> Result<Pool, CallError> {
        sleep_until(state.not_before).await;
        self.make_key(dc).await?;
        let had_key = self.session.dc(dc).is_some_and(|dc| dc.auth_key.is_some());
        let ticket = self.ticket().await?;
        let session = Arc::clone(&self.session);
        let news = News { connectivity: self.connectivity.clone(), scanned: self.scanned.clone() };
        let pool = Pool::start(&self.shared.config, &self.introduction, session, news, ticket);
        // Kept before it has proven itself: whoever closes the account meanwhile must find it.
        let pool = state.pool.insert(pool).clone();
        let Err(error) = self.ping(&pool, dc).await else { return Ok(pool) };
        self.drop_pool(state, "it could not be made").await;
        Err(if had_key && pool.wanted_another() { CallError::KeyUnknown } else { error })
    }

    /// Shows that a connection lives. Whatever the error, nothing else was sent.
    async fn ping(&self, pool: &Pool, dc: i32) -> Result<(), CallError> {
        let ping =
            tl::functions::Ping { ping_id: i64::from(self.abandoned.load(Ordering::Relaxed)) };
        let patience = self.shared.config.connect_timeout();
        match timeout(patience, pool.client.invoke_in_dc(dc, &ping)).await {
            // An error *answer* to a ping is odd, but it came through a living connection.
            Ok(Ok(_) | Err(InvocationError::Rpc(_))) => Ok(()),
            Ok(Err(error)) => {
                debug!(%error, dc, "no connection");
                Err(before_sending(error))
            }
            Err(_) => Err(CallError::NotSent("no connection in time".to_owned())),
        }
    }

    /// Leave to make one connection.
    async fn ticket(&self) -> Result<Ticket, CallError> {
        if !self.gate.is_open() {
            return Err(CallError::Closed);
        }
        let ticket = self.shared.hop().await?.ticket(&self.passage);
        ticket.map_err(|error| CallError::NotSent(error.to_string()))
    }

    /// grammers makes auth keys only with Telegram itself. With any other server we make them, before it asks.
    async fn make_key(&self, dc: i32) -> Result<(), CallError> {
        let Some(server_key) = &self.shared.server_key else { return Ok(()) };
        let Some(mut option) = self.session.dc(dc) else {
            return Err(CallError::NotSent(format!("data centre {dc} is not known")));
        };
        if option.auth_key.is_some() {
            return Ok(());
        }
        let patience = self.shared.config.connect_timeout();
        let ticket = self.ticket().await?;
        let key = keys::exchange(server_key, &option, ticket.proxy_url(), patience)
            .await
            .map_err(|error| CallError::NotSent(error.to_string()))?;
        option.auth_key = Some(key);
        self.session.set_dc(option).map_err(|error| CallError::NotSent(error.to_string()))
    }

    /// Ends the pool and its connection. There is a pause before the next one, unless Telegram ended it.
    async fn drop_pool(&self, state: &mut State, why: &'static str) {
        let Some(pool) = state.pool.take() else { return };
        if pool.is_connected() {
            state.not_before = Instant::now() + self.shared.config.reconnect_pause();
        }
        warn!(why, "connection to Telegram dropped");
        self.passage.cut().await;
        pool.abort().await;
        self.abandoned.store(0, Ordering::Relaxed);
        self.set(Connectivity::Down);
    }

    fn set(&self, connectivity: Connectivity) {
        self.connectivity.send_if_modified(|now| {
            let changes = *now != connectivity && *now != Connectivity::Closed;
            if changes {
                *now = connectivity;
            }
            changes
        });
    }

    async fn until_closed<T>(
        &self,
        closed: CallError,
        work: impl Future<Output = Result<T, CallError>>,
    ) -> Result<T, CallError> {
        tokio::select! {
            biased;
            () = self.closing.cancelled() => Err(closed),
            done = work => done,
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.passage.close_now();
        if let Some(pool) = self.state.get_mut().pool.take() {
            pool.abort_now();
        }
    }
}

#[cfg(test)]
mod tests;
