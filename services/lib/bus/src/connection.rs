//! One supervised connection. A task of its own makes it, watches it, and makes it again after
//! full-jitter waits; everybody else only asks for a channel.
//!
//! lapin's own recovery stays off: it would resume consuming without asking whether the instance
//! is still ours, and keeps publishes hanging while it tries. Here every end of a connection ends
//! its channels, deliveries and confirms at once, and their users decide.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use futures_util::{Stream, StreamExt};
use lapin::{Connection, Event};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

use crate::backoff::Backoff;
use crate::config::Settings;
use crate::counters::Counts;
use crate::error::{BusError, Doing, from_lapin};
use crate::transport::connect;

/// lapin's events are the news; this is only in case one is missed.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A handle on one supervised connection. The connection ends with the last handle.
pub(crate) struct Link {
    name: String,
    state: watch::Receiver<State>,
    settings: Arc<Settings>,
    stop: CancellationToken,
}

#[derive(Clone)]
enum State {
    Down(BusError),
    Up(Arc<Live>),
    Closed,
}

/// A connection while it lasts.
struct Live {
    connection: Connection,
    blocked: watch::Receiver<Option<String>>,
}

impl Link {
    /// Starts the supervisor; `name` is what the management UI shows.
    pub fn start(settings: Arc<Settings>, name: String, counts: Arc<Counts>) -> Self {
        let nothing_yet = BusError::Unreachable { why: "not connected yet".to_owned() };
        let (tell, state) = watch::channel(State::Down(nothing_yet));
        let stop = CancellationToken::new();
        tokio::spawn(supervise(settings.clone(), name.clone(), counts, tell, stop.clone()));
        Self { name, state, settings, stop }
    }

    /// A new channel on the live connection, waiting for one within the operation timeout.
    pub async fn channel(&self) -> Result<lapin::Channel, BusError> {
        let within = self.settings.operation_timeout;
        let live = self.live(within).await?;
        match timeout(within, live.connection.create_channel()).await {
            Ok(Ok(channel)) => Ok(channel),
            Ok(Err(error)) => Err(from_lapin(&error, Doing::Operating)),
            Err(_) => Err(BusError::Timeout { what: "opening a channel", after: within }),
        }
    }

    /// Waits, as long as it takes, until there is a connection. False once it is closed for good.
    pub async fn connected(&self) -> bool {
        let mut state = self.state.clone();
        match state.wait_for(|state| !matches!(state, State::Down(_))).await {
            Ok(state) => matches!(*state, State::Up(_)),
            Err(_) => false,
        }
    }

    /// How many channels the connection may have; without one, whatever the settings say.
    pub fn channels_max(&self) -> usize {
        match &*self.state.borrow() {
            State::Up(live) => live.connection.configuration().channel_max().into(),
            _ => usize::MAX,
        }
    }

    /// True while there is a connection.
    pub fn is_up(&self) -> bool {
        matches!(*self.state.borrow(), State::Up(_))
    }

    /// Waits for the first connection, or for a refusal that no waiting will change.
    pub async fn first(&self, within: Duration) -> Result<(), BusError> {
        let mut state = self.state.clone();
        let settled = state.wait_for(|state| match state {
            State::Up(_) | State::Closed => true,
            State::Down(why) => matches!(why, BusError::Denied { .. }),
        });
        if let Ok(Ok(settled)) = timeout(within, settled).await {
            return match &*settled {
                State::Up(_) => Ok(()),
                State::Down(why) => Err(why.clone()),
                State::Closed => Err(BusError::Closed),
            };
        }
        match &*self.state.borrow() {
            State::Up(_) => Ok(()),
            State::Down(why) => Err(why.clone()),
            State::Closed => Err(BusError::Closed),
        }
    }

    /// Waits until the broker takes messages (no `connection.blocked`), or says why it doesn't.
    pub async fn unblocked(&self) -> Result<(), BusError> {
        let within = self.settings.operation_timeout;
        let live = self.live(within).await?;
        let mut blocked = live.blocked.clone();
        // An error means that this connection ended: then the next step says so.
        let waited = timeout(within, blocked.wait_for(Option::is_none)).await.is_ok();
        if !waited {
            let reason = blocked.borrow().clone().unwrap_or_default();
            return Err(BusError::Blocked { reason });
        }
        Ok(())
    }

    /// Ends the connection in order (`connection.close`) and waits for that, within a bound.
    pub async fn close(&self) {
        self.stop.cancel();
        let mut state = self.state.clone();
        let closed = state.wait_for(|state| matches!(state, State::Closed));
        if timeout(self.settings.operation_timeout, closed).await.is_err() {
            tracing::warn!(connection = self.name, "the connection did not close in time");
        }
    }

    async fn live(&self, within: Duration) -> Result<Arc<Live>, BusError> {
        let mut state = self.state.clone();
        let up = state.wait_for(|state| !matches!(state, State::Down(_)));
        match timeout(within, up).await {
            Ok(Ok(state)) => match &*state {
                State::Up(live) => Ok(live.clone()),
                State::Down(why) => Err(why.clone()),
                State::Closed => Err(BusError::Closed),
            },
            Ok(Err(_)) => Err(BusError::Closed),
            Err(_) => match &*self.state.borrow() {
                State::Up(live) => Ok(live.clone()),
                State::Down(why) => Err(why.clone()),
                State::Closed => Err(BusError::Closed),
            },
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Why a connection that was up is up no longer.
enum End {
    Stopped,
    Lost(BusError),
}

async fn supervise(
    settings: Arc<Settings>,
    name: String,
    counts: Arc<Counts>,
    tell: watch::Sender<State>,
    stop: CancellationToken,
) {
    let mut backoff = Backoff::BROKER;
    loop {
        let attempt = tokio::select! {
            () = stop.cancelled() => break,
            attempt = connect(&settings, &name) => attempt,
        };
        let why = match attempt {
            Ok(connection) => {
                counts.connections.fetch_add(1, Ordering::Relaxed);
                let since = Instant::now();
                let end = hold(connection, &name, &tell, &stop, &settings).await;
                backoff.stood_since(since);
                match end {
                    End::Stopped => break,
                    End::Lost(why) => why,
                }
            }
            Err(why) => why,
        };
        if matches!(why, BusError::Unreadable { .. }) {
            // The network is fine. The sooner we are back, the sooner the delivery limit is
            // reached and the message is out of everybody's way.
            backoff.reset();
        }
        let wait = backoff.pause();
        tracing::warn!(connection = name, %why, wait_ms = wait.as_millis() as u64, "no connection to RabbitMQ");
        tell.send_replace(State::Down(why));
        tokio::select! {
            () = stop.cancelled() => break,
            () = tokio::time::sleep(wait) => {}
        }
    }
    tell.send_replace(State::Closed);
}

/// Offers the connection until it ends.
async fn hold(
    connection: Connection,
    name: &str,
    tell: &watch::Sender<State>,
    stop: &CancellationToken,
    settings: &Settings,
) -> End {
    let events = connection.events_listener();
    let at_once = connection.status().blocked().then(|| "blocked when it was opened".to_owned());
    let (gate, blocked) = watch::channel(at_once);
    let live = Arc::new(Live { connection, blocked });
    tell.send_replace(State::Up(live.clone()));
    tracing::info!(connection = name, "connected to RabbitMQ");
    tokio::select! {
        () = stop.cancelled() => {
            let closing = live.connection.close(200, "OK".into());
            if !matches!(timeout(settings.operation_timeout, closing).await, Ok(Ok(()))) {
                tracing::warn!(connection = name, "RabbitMQ did not confirm the close");
            }
            End::Stopped
        }
        why = watch_events(&live, events, &gate) => End::Lost(why),
    }
}

/// Follows lapin's events, which must be drained since their queue has no bound, until the
/// connection is gone.
async fn watch_events(
    live: &Live,
    events: impl Stream<Item = Event>,
    gate: &watch::Sender<Option<String>>,
) -> BusError {
    let mut events = std::pin::pin!(events);
    let mut look = interval(LOOK_EVERY);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let gone = |why: String| BusError::Unreachable { why };
    loop {
        let event = tokio::select! {
            event = events.next() => event,
            _ = look.tick() => {
                if live.connection.status().connected() {
                    continue;
                }
                return gone("the connection ended".to_owned());
            }
        };
        match event {
            Some(Event::ConnectionBlocked(reason)) => {
                tracing::warn!(%reason, "RabbitMQ blocks publishing");
                gate.send_replace(Some(reason));
            }
            Some(Event::ConnectionUnblocked) => {
                tracing::info!("RabbitMQ takes messages again");
                gate.send_replace(None);
            }
            // Channels report their errors here too; only a dead connection ends this.
            Some(Event::Error(error)) if !live.connection.status().connected() => {
                return from_lapin(&error, Doing::Operating);
            }
            Some(_) => {}
            None => return gone("the connection's task ended".to_owned()),
        }
    }
}
