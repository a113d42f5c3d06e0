//! How each account stands, told by its owner for everybody who lists accounts. It lives in Redis
//! only: the next owner finds out anew.

use chrono::{DateTime, Utc};
use deadpool_redis::redis::cmd;
use proto::InstanceId;
use proto::event::AccountState;
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::leases::Lease;
use crate::redis::Redis;

/// How one account stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceStatus {
    /// The state.
    pub state: AccountState,
    /// Why, where there is a reason.
    pub reason: Option<String>,
    /// Since when.
    #[serde(with = "proto::time::rfc3339_ms")]
    pub since: DateTime<Utc>,
    /// Until when, where that is known.
    #[serde(default, with = "proto::time::optional_rfc3339_ms")]
    pub until: Option<DateTime<Utc>>,
    /// The worker that says so.
    pub owner: String,
}

/// Keeps the statuses.
#[derive(Clone)]
pub struct Statuses {
    redis: Redis,
}

impl Statuses {
    /// The statuses in this Redis.
    #[must_use]
    pub fn new(redis: &Redis) -> Self {
        Self { redis: redis.clone() }
    }

    /// How the account stood when its owner last said so.
    ///
    /// # Errors
    /// Redis can't be asked; a record that can't be read.
    pub async fn get(&self, instance: &InstanceId) -> Result<Option<InstanceStatus>, StoreError> {
        let key = self.redis.keys().status(instance);
        let text: Option<String> = self
            .redis
            .ask(async |mut connection| cmd("GET").arg(&key).query_async(&mut connection).await)
            .await?;
        let status = text.map(|text| serde_json::from_str(&text)).transpose();
        status.map_err(|error| StoreError::corrupt(key, error))
    }

    /// Says how the account stands.
    ///
    /// # Errors
    /// Fenced; Redis can't be asked.
    pub async fn set(&self, lease: &Lease, status: &InstanceStatus) -> Result<(), StoreError> {
        let text = serde_json::to_string(status)
            .map_err(|error| StoreError::corrupt("a status", error))?;
        self.redis.fenced_set(lease, self.redis.keys().status(&lease.instance), &text).await
    }

    /// Forgets it, when the instance is removed.
    ///
    /// # Errors
    /// Fenced; Redis can't be asked.
    pub async fn forget(&self, lease: &Lease) -> Result<(), StoreError> {
        self.redis.fenced_delete(lease, self.redis.keys().status(&lease.instance)).await
    }
}
