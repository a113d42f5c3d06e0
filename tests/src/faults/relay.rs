//! A TCP relay in front of a server: it delays, cuts, swallows and refuses, as bad networks do.
//!
//! What a half-open relay has swallowed is gone: it is never delivered later, and a connection that lost
//! bytes is reset when the relay is healed. TCP itself would do no other.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use anyhow::Result;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::AbortHandle;

/// What happens to bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weather {
    /// They pass.
    Fair,
    /// They pass so much later, in both directions.
    Slow(Duration),
    /// They are taken and never delivered; new connections are accepted all the same.
    HalfOpen,
    /// Connections are reset, those that are there and those that come.
    Refused,
}

/// How connections that are there end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// As a process that closes its socket does.
    Finish,
    /// As a machine that knows nothing of the connection does.
    Reset,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Orders {
    weather: Weather,
    /// Connections that were accepted before this count was raised are ended.
    cuts: u64,
    end: End,
}

/// A relay to one server, until dropped.
#[derive(Debug)]
pub struct Relay {
    /// Where it listens.
    pub address: SocketAddr,
    orders: watch::Sender<Orders>,
    /// Bytes after which the connection that carries the last of them is reset; negative: no limit.
    allowance: Arc<AtomicI64>,
    accepting: AbortHandle,
}

impl Relay {
    /// Listens on a free loopback port and relays to `target`.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn start(target: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let fair = Orders { weather: Weather::Fair, cuts: 0, end: End::Reset };
        let (orders, seen) = watch::channel(fair);
        let allowance = Arc::new(AtomicI64::new(-1));
        let accepting = tokio::spawn(accept(listener, target, seen, allowance.clone()));
        Ok(Self { address, orders, allowance, accepting: accepting.abort_handle() })
    }

    /// Changes what happens to bytes from now on.
    pub fn set(&self, weather: Weather) {
        self.orders.send_modify(|orders| orders.weather = weather);
    }

    /// Ends the connections that are there now; new ones are taken.
    pub fn cut(&self, end: End) {
        self.orders.send_modify(|orders| (orders.cuts, orders.end) = (orders.cuts + 1, end));
    }

    /// Resets whichever connection carries the byte after the next `bytes`.
    pub fn reset_after(&self, bytes: u32) {
        self.allowance.store(i64::from(bytes), Ordering::Relaxed);
    }

    /// Everything passes again.
    pub fn heal(&self) {
        self.allowance.store(-1, Ordering::Relaxed);
        self.set(Weather::Fair);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(
    listener: TcpListener,
    target: SocketAddr,
    orders: watch::Receiver<Orders>,
    allowance: Arc<AtomicI64>,
) {
    loop {
        let Ok((near, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        if orders.borrow().weather == Weather::Refused {
            let _reset = near.set_zero_linger();
            continue;
        }
        tokio::spawn(carry(near, target, orders.clone(), allowance.clone()));
    }
}

/// Carries one connection until either side ends it or an order does.
async fn carry(
    near: TcpStream,
    target: SocketAddr,
    orders: watch::Receiver<Orders>,
    allowance: Arc<AtomicI64>,
) {
    // Both, or small messages would wait for each other's acknowledgements.
    let _no_delay = near.set_nodelay(true);
    let Ok(far) = TcpStream::connect(target).await else {
        let _reset = near.set_zero_linger();
        return;
    };
    let _no_delay = far.set_nodelay(true);
    let cuts = orders.borrow().cuts;
    let lossy = Arc::new(AtomicBool::new(false));
    let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
    let pipe = |from, to| Pipe {
        from,
        to,
        orders: orders.clone(),
        cuts,
        lossy: lossy.clone(),
        allowance: allowance.clone(),
    };
    let (mut up, mut down) = (pipe(near_in, far_out), pipe(far_in, near_out));
    let end = tokio::select! {
        end = up.run() => end,
        end = down.run() => end,
    };
    if end == End::Reset {
        for side in [&up.to, &down.to] {
            let _gone = side.as_ref().set_zero_linger();
        }
    }
}

/// One direction of a connection.
struct Pipe {
    from: OwnedReadHalf,
    to: OwnedWriteHalf,
    orders: watch::Receiver<Orders>,
    cuts: u64,
    /// Whether bytes of this connection were swallowed, in either direction.
    lossy: Arc<AtomicBool>,
    allowance: Arc<AtomicI64>,
}

impl Pipe {
    async fn run(&mut self) -> End {
        let mut buffer = vec![0; 16 * 1024];
        loop {
            if let Some(end) = self.told_to_end() {
                return end;
            }
            let read = tokio::select! {
                changed = self.orders.changed() => match changed {
                    Ok(()) => continue,
                    Err(_) => return End::Reset,
                },
                read = self.from.read(&mut buffer) => read,
            };
            let bytes = match read {
                // The end of a connection does not get through a half-open network either.
                Ok(0) | Err(_) if self.weather() == Weather::HalfOpen => {
                    self.lossy.store(true, Ordering::Relaxed);
                    let _healed = self.orders.changed().await;
                    continue;
                }
                Ok(0) => return End::Finish,
                Ok(bytes) => bytes,
                Err(_) => return End::Reset,
            };
            match self.weather() {
                Weather::HalfOpen => {
                    self.lossy.store(true, Ordering::Relaxed);
                    continue;
                }
                Weather::Refused => return End::Reset,
                Weather::Slow(pause) => tokio::time::sleep(pause).await,
                Weather::Fair => {}
            }
            if self.is_used_up(bytes) || self.to.write_all(&buffer[..bytes]).await.is_err() {
                return End::Reset;
            }
        }
    }

    fn weather(&self) -> Weather {
        self.orders.borrow().weather
    }

    fn told_to_end(&mut self) -> Option<End> {
        let orders = *self.orders.borrow_and_update();
        let healed = orders.weather != Weather::HalfOpen && self.lossy.load(Ordering::Relaxed);
        if orders.cuts > self.cuts {
            return Some(orders.end);
        }
        (healed || orders.weather == Weather::Refused).then_some(End::Reset)
    }

    /// Counts bytes against the allowance; whoever goes past it ends it.
    fn is_used_up(&self, bytes: usize) -> bool {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        let spend = |left: i64| match left {
            ..0 => None,
            _ if left < bytes => Some(-1),
            _ => Some(left - bytes),
        };
        self.allowance
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, spend)
            .is_ok_and(|left| left < bytes)
    }
}
