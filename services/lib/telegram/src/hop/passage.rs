//! One account's passage through the hop: at most one connection at a time, and a sure end to it.

use std::sync::{Mutex, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit, watch};
use tokio_util::sync::CancellationToken;

use crate::gate::Gate;
use crate::proxy::{Proxy, ProxyTrouble};

/// One account's passage.
pub(crate) struct Passage {
    pub(super) gate: Gate,
    /// The only way out; straight on without one.
    pub(super) proxy: Option<Proxy>,
    /// What was wrong with the proxy when it was tried last.
    trouble: watch::Sender<Option<ProxyTrouble>>,
    /// Whoever holds it may have a socket outside.
    seat: Semaphore,
    /// Cancelled when the ticket that is out is good no more.
    current: Mutex<CancellationToken>,
    /// The parent of all the above.
    closing: CancellationToken,
}

impl Passage {
    pub(crate) fn new(gate: Gate, proxy: Option<Proxy>) -> Self {
        let closing = CancellationToken::new();
        let current = Mutex::new(closing.child_token());
        let trouble = watch::Sender::new(None);
        Self { gate, proxy, trouble, seat: Semaphore::new(1), current, closing }
    }

    /// What was wrong with the proxy when it was tried last, and when that changes.
    pub(crate) fn trouble(&self) -> watch::Receiver<Option<ProxyTrouble>> {
        self.trouble.subscribe()
    }

    pub(super) fn note_trouble(&self, trouble: Option<ProxyTrouble>) {
        self.trouble.send_if_modified(|now| std::mem::replace(now, trouble) != trouble);
    }

    /// Ends the connection, if there is one, and returns when its socket is gone.
    pub(crate) async fn cut(&self) {
        let _next = self.replace();
        let _gone = self.sit().await;
    }

    /// The same, for ever.
    pub(crate) async fn close(&self) {
        self.close_now();
        let _gone = self.sit().await;
    }

    /// The same without waiting, for when there is nobody to wait.
    pub(crate) fn close_now(&self) {
        self.closing.cancel();
    }

    /// Ends the former ticket with its connection; what the next one ends by.
    pub(super) fn replace(&self) -> CancellationToken {
        let next = self.closing.child_token();
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *current, next.clone()).cancel();
        next
    }

    /// Waits until nobody else has a socket outside. `None` never comes: the semaphore is not closed.
    pub(super) async fn sit(&self) -> Option<SemaphorePermit<'_>> {
        self.seat.acquire().await.ok()
    }
}
