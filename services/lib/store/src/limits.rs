//! What an instance has used of its limits, as one text that the owner alone writes and understands.
//! It lies in Redis only: where it is lost, budgets count as spent.

use std::sync::LazyLock;

use deadpool_redis::redis::{Script, cmd};
use proto::InstanceId;

use crate::error::StoreError;
use crate::leases::Lease;
use crate::redis::{Redis, fenced};

static KEEP: LazyLock<Script> = fenced!(
    r"
    redis.call('SET', KEYS[2], ARGV[2])
    return {'ok', {}}
    "
);

static FORGET: LazyLock<Script> = fenced!(
    r"
    redis.call('DEL', KEYS[2])
    return {'ok', {}}
    "
);

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
        let keys = self.redis.keys();
        let mut call = KEEP.key(keys.epoch(&lease.instance));
        call.key(keys.limits(&lease.instance)).arg(lease.epoch).arg(text);
        self.redis.fenced_write(&call).await
    }

    /// Forgets it, when the instance is removed.
    ///
    /// # Errors
    /// Fenced; Redis can't be asked.
    pub async fn forget(&self, lease: &Lease) -> Result<(), StoreError> {
        let keys = self.redis.keys();
        let mut call = FORGET.key(keys.epoch(&lease.instance));
        call.key(keys.limits(&lease.instance)).arg(lease.epoch);
        self.redis.fenced_write(&call).await
    }
}
