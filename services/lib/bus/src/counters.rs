//! What the bus counts about itself. Plain atomics, read by whoever exports metrics: this crate
//! stays free of a metrics library.

use std::sync::atomic::{AtomicU64, Ordering};

/// The counters of one bus, only ever rising.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub connections: AtomicU64,
    pub confirmed: AtomicU64,
    pub returned: AtomicU64,
    pub failed: AtomicU64,
    pub unknown: AtomicU64,
    pub lost_consumptions: AtomicU64,
    pub dropped_unsettled: AtomicU64,
}

/// A reading of the counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BusCounts {
    /// Connections opened, first ones included.
    pub connections: u64,
    /// Messages the broker confirmed and routed.
    pub confirmed: u64,
    /// Mandatory messages that no queue took.
    pub returned: u64,
    /// Publishes that certainly did not happen.
    pub failed: u64,
    /// Publishes whose outcome is unknown.
    pub unknown: u64,
    /// Consumptions that ended without being asked to.
    pub lost_consumptions: u64,
    /// Deliveries dropped without being settled: each one is a bug, or a task that was killed.
    pub dropped_unsettled: u64,
}

impl Counts {
    pub fn read(&self) -> BusCounts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        BusCounts {
            connections: read(&self.connections),
            confirmed: read(&self.confirmed),
            returned: read(&self.returned),
            failed: read(&self.failed),
            unknown: read(&self.unknown),
            lost_consumptions: read(&self.lost_consumptions),
            dropped_unsettled: read(&self.dropped_unsettled),
        }
    }
}
