//! One account's connection to Telegram: grammers' sender pool, with what it lacks.
//!
//! grammers has no timeouts, no bound on what is in flight, never gives a dead peer up, and its runner can panic. So:
//! every call is bounded in time and number; nothing is ever sent a second time; and before the first call on a
//! connection whose life is not proven, a ping is sent through it. If that fails, the call was surely *not sent*, which
//! is worth a lot: such a call may be repeated, one that was lost on the way must be reconciled first. A runner that
//! ended is replaced, after a pause in which the old socket is surely gone.

mod classify;
mod pool;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use grammers_mtsender::InvocationError;
use grammers_tl_types::{self as tl, RemoteCall};
use tokio::sync::{Mutex, Semaphore, watch};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use self::classify::{before_sending, classify};
use self::pool::Pool;
use crate::account::Shared;
use crate::error::CallError;
use crate::gate::Gate;
use crate::keys;
use crate::session::LiveSession;

/// After so many calls that got no answer in time, the connection is cut, since grammers keeps each of them, and
/// searches through them all for every answer.
const ABANDONED_MAX: u32 = 16;
/// How long a connection may take to end by itself when the account is closed.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

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
    gate: Gate,
    in_flight: Semaphore,
    closing: CancellationToken,
    connectivity: watch::Sender<Connectivity>,
    state: Mutex<State>,
    abandoned: AtomicU32,
}

/// Guarded while a connection is made, so that only one is made at a time.
struct State {
    pool: Option<Pool>,
    /// No new connection before this, so that the old socket is surely gone.
    not_before: Instant,
    /// The last failure to connect: those who waited for the same attempt share it.
    failed: Option<(Instant, String)>,
}

impl Link {
    pub(crate) fn new(shared: Arc<Shared>, session: Arc<LiveSession>, gate: Gate) -> Self {
        Self {
            in_flight: Semaphore::new(shared.config.in_flight_max),
            shared,
            session,
            gate,
            closing: CancellationToken::new(),
            connectivity: watch::Sender::new(Connectivity::Down),
            state: Mutex::new(State { pool: None, not_before: Instant::now(), failed: None }),
            abandoned: AtomicU32::new(0),
        }
    }

    pub(crate) fn connectivity(&self) -> watch::Receiver<Connectivity> {
        self.connectivity.subscribe()
    }

    /// Makes a connection, or proves that the one there is lives.
    pub(crate) async fn connect(&self) -> Result<(), CallError> {
        self.set(Connectivity::Down);
        self.until_closed(CallError::Closed, self.proven(self.session.home_dc())).await.map(|_| ())
    }

    /// Sends one request to the home data centre; see [`CallError`] for how it can end.
    pub(crate) async fn invoke<R: RemoteCall>(&self, request: &R) -> Result<R::Return, CallError> {
        let _permit = self.in_flight.acquire().await.map_err(|_| CallError::Closed)?;
        let dc = self.session.home_dc();
        let pool = self.until_closed(CallError::Closed, self.proven(dc)).await?;
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

    /// Moves the account to another data centre: the next call goes there.
    pub(crate) async fn migrate(&self, dc: i32) {
        self.session.set_home_dc(dc);
        self.cut("the account lives in another data centre").await;
    }

    /// Ends every socket and waits until they are ended.
    pub(crate) async fn close(&self) {
        self.closing.cancel();
        self.in_flight.close();
        if let Some(pool) = self.state.lock().await.pool.take() {
            pool.quit(CLOSE_TIMEOUT).await;
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
            && !pool.has_ended()
        {
            return Ok(pool.clone());
        }
        if let Some((failed_at, why)) = &state.failed
            && *failed_at > asked_at
        {
            return Err(CallError::NotSent(why.clone()));
        }
        let proven = self.prove(&mut state, dc).await;
        match &proven {
            Ok(_) => {
                state.failed = None;
                self.set(Connectivity::Up);
            }
            Err(error) => state.failed = Some((Instant::now(), error.to_string())),
        }
        proven
    }

    async fn prove(&self, state: &mut State, dc: i32) -> Result<Pool, CallError> {
        self.make_key(dc).await?;
        if state.pool.as_ref().is_some_and(Pool::has_ended) {
            self.drop_pool(state, "its runner ended").await;
        }
        let pool = match &state.pool {
            Some(pool) => pool.clone(),
            None => {
                sleep_until(state.not_before).await;
                let pool = Pool::start(
                    &self.shared.config,
                    Arc::clone(&self.session),
                    self.connectivity.clone(),
                );
                state.pool.insert(pool).clone()
            }
        };
        let ping =
            tl::functions::Ping { ping_id: i64::from(self.abandoned.load(Ordering::Relaxed)) };
        let patience = self.shared.config.connect_timeout();
        match timeout(patience, pool.client.invoke_in_dc(dc, &ping)).await {
            Ok(Ok(_)) => Ok(pool),
            // An error *answer* to a ping is odd, but it came through a living connection.
            Ok(Err(InvocationError::Rpc(_))) => Ok(pool),
            Ok(Err(error)) => {
                debug!(%error, dc, "no connection");
                Err(before_sending(
                    error,
                    self.session.dc(dc).is_some_and(|dc| dc.auth_key.is_some()),
                ))
            }
            Err(_) => {
                // The runner may be stuck in the middle of connecting, where it hears nothing: only an abort helps.
                self.drop_pool(state, "no answer to a ping").await;
                Err(CallError::NotSent("no connection in time".to_owned()))
            }
        }
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
        let key = keys::exchange(server_key, &option, patience)
            .await
            .map_err(|error| CallError::NotSent(error.to_string()))?;
        option.auth_key = Some(key);
        self.session.set_dc(option).map_err(|error| CallError::NotSent(error.to_string()))
    }

    async fn drop_pool(&self, state: &mut State, why: &'static str) {
        let Some(pool) = state.pool.take() else { return };
        warn!(why, "connection to Telegram dropped");
        pool.abort(CLOSE_TIMEOUT).await;
        self.abandoned.store(0, Ordering::Relaxed);
        self.set(Connectivity::Down);
        state.not_before = Instant::now() + self.shared.config.reconnect_pause();
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
        if let Some(pool) = self.state.get_mut().pool.take() {
            pool.abort_now();
        }
    }
}

#[cfg(test)]
mod tests;
