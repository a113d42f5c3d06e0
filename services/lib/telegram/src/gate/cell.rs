//! The cell behind a gate: open until a moment, or shut for good. Nothing but a lock, so that `tests/gate_model.rs` can
//! put it through every interleaving of its callers (it compiles this file with loom's lock in place of the library's).

use std::sync::PoisonError;

use super::sync::{Mutex, MutexGuard};

/// Once shut, or once its moment was over when somebody looked, it never opens again.
#[derive(Debug)]
pub struct Cell<T>(Mutex<State<T>>);

#[derive(Clone, Copy, Debug)]
enum State<T> {
    OpenUntil(T),
    Shut,
}

impl<T: Copy + Ord> Cell<T> {
    pub fn until(deadline: T) -> Self {
        Self(Mutex::new(State::OpenUntil(deadline)))
    }

    /// Keeps it open until `deadline` at least; false where it is shut or its moment was over.
    pub fn extend(&self, deadline: T, now: impl FnOnce() -> T) -> bool {
        let mut state = self.lock();
        let open = state.look(now);
        if let Some(before) = open {
            *state = State::OpenUntil(deadline.max(before));
        }
        open.is_some()
    }

    /// Shuts it. When this returns no work is under way in [`Cell::pass`] any more.
    pub fn shut(&self) {
        *self.lock() = State::Shut;
    }

    /// Does `work` while it is open, or gives `None`. The time is looked at with the lock held, so nothing comes between
    /// the look and the work but the time that this thread itself does not run.
    pub fn pass<R>(&self, now: impl FnOnce() -> T, work: impl FnOnce() -> R) -> Option<R> {
        let mut state = self.lock();
        state.look(now).map(|_| work())
    }

    /// Until when it is open; `None` where it is shut.
    pub fn deadline(&self, now: impl FnOnce() -> T) -> Option<T> {
        self.lock().look(now)
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Copy + Ord> State<T> {
    /// A moment that is over has shut it.
    fn look(&mut self, now: impl FnOnce() -> T) -> Option<T> {
        let Self::OpenUntil(deadline) = *self else { return None };
        if now() < deadline {
            return Some(deadline);
        }
        *self = Self::Shut;
        None
    }
}
