//! What an instance has used of its limits, as one text that the owner alone writes and understands.
//! It lies in Redis only: where it is lost, budgets count as spent.

use deadpool_redis::redis::cmd;
use proto::InstanceId;

use crate::error::StoreError;
use crate::leases::Lease;
use crate::redis::Redis;

/// Keeps what is used of limits.
#[derive(Clone)]
pub struct Limits {
    redis: Redis,
}

impl Limits {
    /// What is kept in this Redis.
    #[must_use]
    pub fn new(redis: &Redis) -> Self {
        Self { redis: redis.clone() }
    }

    /// What was kept last; `None` where nothing was, or Redis lost it.
    ///
    /// # Errors
    /// Redis can't be asked.
    pub async fn load(&self, instance: &InstanceId) -> Result<Option<String>, StoreError> {
        let key = self.redis.keys().limits(instance);
        self.redis
            .ask(async |mut connection| cmd("GET").arg(&key).query_async(&mut connection).await)
            .await
    }

    /// Keeps it.
    ///
    /// # Errors
    /// Fenced; Redis can't be asked.
    pub async fn keep(&self, lease: &Lease, text: &str) -> Result<(), StoreError> {
        self.redis.fenced_set(lease, self.redis.keys().limits(&lease.instance), text).await
    }

    /// Forgets it, when the instance is removed.
    ///
    /// # Errors
    /// Fenced; Redis can't be asked.
    pub async fn forget(&self, lease: &Lease) -> Result<(), StoreError> {
        self.redis.fenced_delete(lease, self.redis.keys().limits(&lease.instance)).await
    }
}
