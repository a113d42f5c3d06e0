//! The gate through which every byte to Telegram passes: open while the instance's lease is good, then shut for good.
//!
//! Two connections that send on one auth key make Telegram destroy the login
//! (<https://core.telegram.org/api/errors#406-not-acceptable>), so whoever holds the lease must stop sending *before*
//! it runs out, also where nobody gets to run any code in between: a frozen process that wakes up has lost it without
//! having been told. Hence the time is looked at for each write, by a clock that goes on in suspend.

mod cell;

/// What the cell locks with.
mod sync {
    pub(super) use std::sync::{Mutex, MutexGuard};
}

use std::sync::Arc;
use std::time::Duration;

use chassis::{BootInstant, faults};
use tokio_util::sync::CancellationToken;

use self::cell::Cell;

/// A gate; clones share it. Once shut, or once its time was over when somebody looked, it never opens again.
#[derive(Clone, Debug)]
pub struct Gate(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    cell: Cell<BootInstant>,
    /// Tells those who wait that it was shut by hand.
    shut: CancellationToken,
}

impl Gate {
    /// A gate that is open until `deadline`.
    #[must_use]
    pub fn until(deadline: BootInstant) -> Self {
        Self(Arc::new(Inner { cell: Cell::until(deadline), shut: CancellationToken::new() }))
    }

    /// A gate that nobody shuts: for a program that is alone with its sessions, such as a test.
    #[must_use]
    pub fn always() -> Self {
        Self::until(BootInstant::now() + Duration::from_secs(10 * 365 * 86_400))
    }

    /// Keeps the gate open until `deadline`; false where it is shut or its time was over already.
    pub fn extend(&self, deadline: BootInstant) -> bool {
        self.0.cell.extend(deadline, BootInstant::now)
    }

    /// Shuts it for good. When this returns no write is under way any more, and the sockets behind it are about to be
    /// closed; [`crate::Account::close`] waits until they are.
    pub fn shut(&self) {
        self.0.cell.shut();
        self.0.shut.cancel();
    }

    /// Whether bytes may pass now.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.deadline().is_some()
    }

    /// Does `write`, which must not block, if bytes may pass now.
    pub(crate) fn pass<R>(&self, write: impl FnOnce() -> R) -> Option<R> {
        if faults::mutant(NOT_ASKED) {
            return Some(write());
        }
        self.0.cell.pass(BootInstant::now, write)
    }

    /// Waits until it is shut or its time is over. Where the machine was suspended meanwhile this may come late, since
    /// timers stand still then; [`Gate::pass`] does not.
    pub(crate) async fn over(&self) {
        if faults::mutant(NOT_ASKED) {
            std::future::pending::<()>().await;
        }
        while let Some(deadline) = self.deadline() {
            tokio::select! {
                () = self.0.shut.cancelled() => {}
                () = tokio::time::sleep(deadline.since(BootInstant::now())) => {}
            }
        }
    }

    fn deadline(&self) -> Option<BootInstant> {
        if faults::mutant(NOT_ASKED) {
            return Some(BootInstant::now() + Duration::from_secs(60));
        }
        self.0.cell.deadline(BootInstant::now)
    }
}

/// The mutation in which it says yes to everybody for ever.
const NOT_ASKED: &str = "gate_not_asked";

#[cfg(test)]
mod tests {
    use super::*;

    fn soon() -> BootInstant {
        BootInstant::now() + Duration::from_secs(60)
    }

    #[test]
    fn an_open_gate_lets_pass_and_a_shut_one_never_again() {
        let gate = Gate::until(soon());
        assert_eq!(gate.pass(|| 7), Some(7));
        assert!(gate.extend(soon()) && gate.is_open());
        gate.shut();
        assert_eq!(gate.pass(|| 7), None);
        assert!(!gate.extend(soon()) && !gate.is_open());
    }

    #[test]
    fn a_gate_whose_time_was_over_stays_shut_for_all_its_clones() {
        let gate = Gate::until(BootInstant::now());
        let other = gate.clone();
        assert_eq!(gate.pass(|| ()), None);
        assert!(!other.extend(soon()) && !other.is_open());
    }

    #[test]
    fn a_shorter_deadline_does_not_shorten() {
        let gate = Gate::until(soon());
        assert!(gate.extend(BootInstant::now()));
        assert!(gate.is_open());
    }

    #[tokio::test]
    async fn who_waits_for_the_end_hears_of_both_its_kinds() {
        let gate = Gate::until(BootInstant::now() + Duration::from_millis(20));
        assert!(gate.extend(BootInstant::now() + Duration::from_millis(60)));
        gate.over().await;
        assert!(!gate.is_open());
        let gate = Gate::always();
        let (over, ()) = tokio::join!(gate.over(), async { gate.shut() });
        assert_eq!(over, ());
    }
}
