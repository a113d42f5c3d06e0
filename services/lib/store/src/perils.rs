//! How often a delivery that came back was taken without an end: the few messages that may be
//! breaking their workers down before the ledger can count attempts at them.
//!
//! The broker's own count does not tell that: a healthy command's rises with every orderly
//! hand-over too. This one is raised before such a delivery is looked at and removed as soon as it
//! has reached the ledger, or its worker has survived it, so only the dead leave it standing.

use std::sync::LazyLock;

use deadpool_redis::redis::{Script, cmd};
use proto::InstanceId;

use crate::error::StoreError;
use crate::leases::Lease;
use crate::redis::{Redis, fenced};

/// How long a count stands that nobody comes back to, in seconds: a day.
const KEPT_S: u64 = 86_400;

static FACE: LazyLock<Script> = fenced!(
    r"
    local faced = redis.call('INCR', KEYS[2])
    redis.call('EXPIRE', KEYS[2], ARGV[2])
    return {'ok', {tostring(faced)}}
    "
);

/// Counts.
#[derive(Clone)]
pub struct Perils {
    redis: Redis,
}

impl Perils {
    /// The counts in this Redis.
    #[must_use]
    pub fn new(redis: &Redis) -> Self {
        Self { redis: redis.clone() }
    }

    /// A delivery that came back is taken once more; says how often that was so, this time
    /// included. `fingerprint` is the same each time it is delivered.
    ///
    /// # Errors
    /// Fenced; Redis can't be asked.
    pub async fn face(&self, lease: &Lease, fingerprint: &str) -> Result<u32, StoreError> {
        let keys = self.redis.keys();
        let mut call = FACE.key(keys.epoch(&lease.instance));
        call.key(keys.peril(&lease.instance, fingerprint)).arg(lease.epoch).arg(KEPT_S);
        let (word, faced): (String, Vec<u32>) = self.redis.invoke(&call).await?;
        match (word.as_str(), faced.first()) {
            ("ok", Some(faced)) => Ok(*faced),
            _ => Err(StoreError::Fenced),
        }
    }

    /// It was survived. Not fenced: who lost the lease in the meantime has survived it as well, and
    /// a count that is too low only means one more try.
    ///
    /// # Errors
    /// Redis can't be asked.
    pub async fn survived(
        &self,
        instance: &InstanceId,
        fingerprint: &str,
    ) -> Result<(), StoreError> {
        let key = self.redis.keys().peril(instance, fingerprint);
        self.redis
            .ask(async |mut connection| cmd("DEL").arg(&key).exec_async(&mut connection).await)
            .await
    }
}
