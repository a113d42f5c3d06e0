//! Where an account's limits are kept.

use store::{Lease, StoreError};

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

/// Not kept: of one who only looks.
pub struct Nowhere;

impl Keeping for Nowhere {
    async fn keep(&self, _: String) -> Result<(), StoreError> {
        Ok(())
    }
}
