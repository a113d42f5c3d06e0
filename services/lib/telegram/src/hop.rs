//! The way out: an in-process SOCKS5 hop through which every connection to Telegram goes, since grammers opens and keeps
//! its sockets itself and would send pings, acknowledgements and reconnects past any check of ours.
//!
//! Here each write asks the account's [`Gate`] first, an account has at most one connection at a time, and who closes
//! one knows when it is gone. A [`Ticket`] is good for one connection, and only its holder can use it: no other process
//! of the machine, and no connection that grammers would like to make on its own. Where the account has a proxy, its
//! connections go through that one or nowhere: a direct one would show Telegram where we are.
//!
//! Why not a thread that ends the process when a lease runs out: nothing makes it run first when a frozen process wakes
//! up. See "Decisions and facts" in docs/architecture.md.

mod outside;
mod passage;
mod proxied;
mod ticket;
mod tunnel;

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fast_socks5::server::Socks5ServerProtocol;
use fast_socks5::util::target_addr::TargetAddr;
use fast_socks5::{ReplyError, Socks5Command};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tracing::{debug, warn};

pub(crate) use self::outside::Outside;
pub(crate) use self::passage::Passage;
use self::ticket::Claim;
pub(crate) use self::ticket::Ticket;

/// How long somebody may take to say what it wants.
const GREETING_MAX: Duration = Duration::from_secs(5);
/// How many may be about to say so.
const GREETINGS_MAX: usize = 512;
/// After the system refused us another socket.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The listener, on a loopback port of its own. It ends with this.
pub(crate) struct Hop {
    address: SocketAddr,
    tickets: Tickets,
    accepting: AbortHandle,
}

/// The tickets that are out, by their secret.
type Tickets = Arc<Mutex<HashMap<String, Arc<Claim>>>>;

impl Hop {
    /// Begins to listen.
    pub(crate) async fn start(outside: Outside) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let tickets = Tickets::default();
        let accepting = tokio::spawn(accept(listener, Arc::clone(&tickets), outside));
        Ok(Self { address, tickets, accepting: accepting.abort_handle() })
    }

    /// A ticket for this account's next connection; its present one, if it has any, is cut.
    pub(crate) fn ticket(&self, passage: &Arc<Passage>) -> io::Result<Ticket> {
        Ticket::issue(self.address, &self.tickets, passage)
    }
}

impl Drop for Hop {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, tickets: Tickets, outside: Outside) {
    let greetings = Arc::new(Semaphore::new(GREETINGS_MAX));
    loop {
        let Ok(greeting) = Arc::clone(&greetings).acquire_owned().await else { return };
        let (inner, _) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                warn!(%error, "no socket for a connection to Telegram");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let tickets = Arc::clone(&tickets);
        tokio::spawn(async move {
            let asked = timeout(GREETING_MAX, greet(inner, &tickets)).await;
            drop(greeting);
            if let Ok(Some(asked)) = asked {
                asked.serve(outside).await;
            }
        });
    }
}

type Answer = Socks5ServerProtocol<TcpStream, fast_socks5::server::states::CommandRead>;

/// Somebody with a ticket, who wants to be connected with `target`.
struct Asked {
    claim: Arc<Claim>,
    target: SocketAddr,
    answer: Answer,
}

/// Hears who it is and where it wants to go; anybody without a ticket is sent away.
async fn greet(inner: TcpStream, tickets: &Tickets) -> Option<Asked> {
    // grammers waits for every word of this.
    inner.set_nodelay(true).ok()?;
    let redeem = |_, secret: String| {
        let tickets = tickets.lock().unwrap_or_else(PoisonError::into_inner);
        tickets.get(&secret).cloned()
    };
    let (greeted, claim) = Socks5ServerProtocol::accept_password_auth(inner, redeem)
        .await
        .inspect_err(|error| debug!(%error, "somebody without a ticket"))
        .ok()?;
    let claim = claim?;
    let (answer, command, target) = greeted.read_command().await.ok()?;
    let (Socks5Command::TCPConnect, TargetAddr::Ip(target)) = (command, target) else {
        answer.reply_error(&ReplyError::CommandNotSupported).await.ok()?;
        return None;
    };
    if !claim.redeem() {
        answer.reply_error(&ReplyError::ConnectionNotAllowed).await.ok()?;
        return None;
    }
    Some(Asked { claim, target, answer })
}

impl Asked {
    /// Connects it and moves bytes until one of the many ends.
    async fn serve(self, outside: Outside) {
        let Self { claim, target, answer } = self;
        // From here on the account's former connection is gone, and the next one waits for this one.
        let Some(seat) = claim.seat().await else {
            answer.reply_error(&ReplyError::ConnectionNotAllowed).await.ok();
            return claim.end();
        };
        let connected = tokio::select! {
            biased;
            () = claim.over() => Err(io::ErrorKind::ConnectionAborted.into()),
            connected = connect(outside, &claim.passage, target) => connected,
        };
        match connected {
            Ok(outer) => {
                if let Ok(inner) = answer.reply_success(target).await {
                    let end = tunnel::run(inner, outer, &claim, outside.silence_max).await;
                    debug!(%target, ?end, "a connection to Telegram ended");
                }
            }
            Err(error) => {
                debug!(%target, %error, "no connection to Telegram");
                answer.reply_error(&reply_of(&error)).await.ok();
            }
        }
        claim.end();
        drop(seat);
    }
}

/// A socket that leads to `target`, by the account's way.
async fn connect(outside: Outside, passage: &Passage, target: SocketAddr) -> io::Result<TcpStream> {
    let Some(proxy) = &passage.proxy else { return outside.connect(target).await };
    let connected = proxied::connect(outside, proxy, target).await;
    passage.note_trouble(connected.as_ref().err().copied());
    connected.map_err(io::Error::other)
}

fn reply_of(error: &io::Error) -> ReplyError {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => ReplyError::ConnectionRefused,
        io::ErrorKind::HostUnreachable => ReplyError::HostUnreachable,
        io::ErrorKind::NetworkUnreachable => ReplyError::NetworkUnreachable,
        io::ErrorKind::TimedOut => ReplyError::ConnectionTimeout,
        io::ErrorKind::ConnectionAborted => ReplyError::ConnectionNotAllowed,
        _ => ReplyError::GeneralFailure,
    }
}

#[cfg(test)]
mod proxied_tests;
#[cfg(test)]
mod tests;
