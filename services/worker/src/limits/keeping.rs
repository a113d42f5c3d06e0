//! Where an account's limits are kept.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use proto::InstanceId;
use store::{Lease, StoreError};

use super::Kept;

/// Where it is kept.
pub trait Keeping: Send + Sync {
    /// Keeps it.
    fn keep(&self, text: String) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// Kept in Redis under an owner's lease.
pub struct ByLease {
    store: store::Limits,
    lease: Lease,
}

impl ByLease {
    /// Kept there, by the owner with this lease.
    pub fn new(store: &store::Limits, lease: &Lease) -> Self {
        Self { store: store.clone(), lease: lease.clone() }
    }
}

impl Keeping for ByLease {
    async fn keep(&self, text: String) -> Result<(), StoreError> {
        self.store.keep(&self.lease, &text).await
    }
}

/// What this worker knew of the limits of accounts that it lost with Redis' data: where it gets one of
/// them back, it need not knock at gates that it knew to be shut.
#[derive(Default)]
pub struct Remembered(Mutex<HashMap<InstanceId, Kept>>);

impl Remembered {
    /// Remembers an account's limits.
    pub fn put(&self, instance: &InstanceId, kept: Kept) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(instance.clone(), kept);
    }

    /// What was remembered, once.
    pub fn take(&self, instance: &InstanceId) -> Option<Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(instance)
    }
}

/// Not kept: of one who only looks.
pub struct Nowhere;

impl Keeping for Nowhere {
    async fn keep(&self, _: String) -> Result<(), StoreError> {
        Ok(())
    }
}
