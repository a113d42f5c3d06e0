//! A ticket for one connection: what its holder sees of it, and what the hop does.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};

use tokio::sync::SemaphorePermit;
use tokio_util::sync::CancellationToken;

use super::Tickets;
use super::passage::Passage;

/// The holder's half. The connection may live on without it.
pub(crate) struct Ticket {
    hop: SocketAddr,
    pub(super) secret: String,
    tickets: Tickets,
    claim: Arc<Claim>,
}

/// The hop's half.
pub(super) struct Claim {
    pub(super) passage: Arc<Passage>,
    valid: CancellationToken,
    used: AtomicBool,
    asked_again: AtomicBool,
    ended: AtomicBool,
}

impl Ticket {
    /// One for the account's next connection; cuts the present one.
    pub(super) fn issue(
        hop: SocketAddr,
        tickets: &Tickets,
        passage: &Arc<Passage>,
    ) -> io::Result<Self> {
        let mut secret = [0; 16];
        getrandom::fill(&mut secret).map_err(io::Error::other)?;
        let secret = hex::encode(secret);
        let claim = Arc::new(Claim {
            valid: passage.replace(),
            passage: Arc::clone(passage),
            used: AtomicBool::new(false),
            asked_again: AtomicBool::new(false),
            ended: AtomicBool::new(false),
        });
        let tickets = Arc::clone(tickets);
        let mut all = tickets.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(secret.clone(), Arc::clone(&claim));
        drop(all);
        Ok(Self { hop, secret, tickets, claim })
    }

    /// Where the hop is and what to tell it, in grammers' form.
    pub(crate) fn proxy_url(&self) -> String {
        format!("socks5://ticket:{}@{}", self.secret, self.hop)
    }

    /// Whether the connection for which it was used is there.
    pub(crate) fn is_connected(&self) -> bool {
        self.claim.used.load(Ordering::SeqCst) && !self.claim.ended.load(Ordering::SeqCst)
    }

    /// Whether it was shown a second time. It was not accepted.
    pub(crate) fn was_asked_again(&self) -> bool {
        self.claim.asked_again.load(Ordering::SeqCst)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.tickets.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.secret);
    }
}

impl Claim {
    /// True the first time.
    pub(super) fn redeem(&self) -> bool {
        let first = !self.used.swap(true, Ordering::SeqCst);
        if !first {
            self.asked_again.store(true, Ordering::SeqCst);
        }
        first
    }

    /// Waits for the former connection's end; `None` where there must not be another one.
    pub(super) async fn seat(&self) -> Option<SemaphorePermit<'_>> {
        tokio::select! {
            biased;
            () = self.over() => None,
            seat = self.passage.sit() => seat,
        }
    }

    /// Waits until the connection must end.
    pub(super) async fn over(&self) {
        tokio::select! {
            () = self.valid.cancelled() => {}
            () = self.passage.gate.over() => {}
        }
    }

    /// The connection is no more, or could not be made.
    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::SeqCst);
    }
}
