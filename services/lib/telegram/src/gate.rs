//! The gate through which every byte to Telegram passes: open while the instance's lease is good, then shut for good.
//!
//! Two connections that send on one auth key make Telegram destroy the login
//! (<https://core.telegram.org/api/errors#406-not-acceptable>), so whoever holds the lease must stop sending *before*
//! it runs out, also where nobody gets to run any code in between: a frozen process that wakes up has lost it without
//! having been told. Hence the time is looked at for each write, by a clock that goes on in suspend.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chassis::BootInstant;

/// A gate; clones share it. Once shut, or once its time was over when somebody looked, it never opens again.
#[derive(Clone, Debug)]
pub struct Gate(Arc<Mutex<State>>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    OpenUntil(BootInstant),
    Shut,
}

impl Gate {
    /// A gate that is open until `deadline`.
    #[must_use]
    pub fn until(deadline: BootInstant) -> Self {
        Self(Arc::new(Mutex::new(State::OpenUntil(deadline))))
    }

    /// A gate that nobody shuts: for a program that is alone with its sessions, such as a test.
    #[must_use]
    pub fn always() -> Self {
        Self::until(BootInstant::now() + Duration::from_secs(10 * 365 * 86_400))
    }

    /// Keeps the gate open until `deadline`; false where it is shut or its time was over already.
    pub fn extend(&self, deadline: BootInstant) -> bool {
        let mut state = self.lock();
        match state.look() {
            State::OpenUntil(before) => {
                *state = State::OpenUntil(deadline.max(before));
                true
            }
            State::Shut => false,
        }
    }

    /// Shuts it for good. When this returns no write is under way any more.
    pub fn shut(&self) {
        *self.lock() = State::Shut;
    }

    /// Whether bytes may pass now.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.lock().look() != State::Shut
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// What it is now: a time that is over has shut it.
    fn look(&mut self) -> Self {
        if matches!(self, Self::OpenUntil(deadline) if BootInstant::now() >= *deadline) {
            *self = Self::Shut;
        }
        *self
    }
}
