//! The instances that exist, each with its settings. They live in the vault; a counter in Redis
//! rises with every change, so that workers notice new ones without listing them all the time.

mod identity;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use deadpool_redis::redis::cmd;
use futures_util::{StreamExt, TryStreamExt, stream};
use proto::{InstanceId, MethodName, UserId};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

pub use self::identity::{Device, Hidden, Identity, OwnApplication, ProxyCredentials, ProxyRecord};
use crate::error::StoreError;
use crate::leases::Lease;
use crate::redis::Redis;
use crate::vault::{Kind, Vault};

const VERSION: u32 = 1;
/// How long a record that was read counts without being read again. Its writer sees a change at
/// once, the others after this.
const FRESH: Duration = Duration::from_secs(2);
/// Records read at once where all are listed.
const IN_FLIGHT_MAX: usize = 32;

/// The settings of one instance.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct InstanceRecord {
    /// Version of this form.
    pub v: u32,
    /// The instance.
    pub id: InstanceId,
    /// A name for people.
    pub label: Option<String>,
    /// Words to find it by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// A text for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
    /// The keys that commands may show, newest first.
    #[serde(rename = "api_key_hashes")]
    pub api_keys: Vec<LiveKey>,
    /// Whether commands must show one of them.
    pub require_api_key: bool,
    /// When the instance was made.
    #[serde(with = "proto::time::rfc3339_ms")]
    pub created_at: DateTime<Utc>,
    /// The account's own id, once it has been logged in.
    pub user_id: Option<UserId>,
    /// The account's username, without `@`.
    pub username: Option<String>,
    /// The account's phone number with `+`, by which other connected accounts can find it.
    #[serde(default)]
    pub phone: Option<String>,
    /// When the account was logged in first; none for one of a release that did not note it.
    #[serde(default, with = "proto::time::optional_rfc3339_ms")]
    pub connected_at: Option<DateTime<Utc>>,
    /// Its own limits, where it has some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<InstanceLimits>,
    /// Where its admin is told of states and limits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notify: Option<String>,
    /// Since when it is stopped, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Stopped>,
    /// How the account presents itself.
    #[serde(default, skip_serializing_if = "Identity::is_empty")]
    pub identity: Identity,
    /// By which way it goes out; straight on without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy: Option<ProxyRecord>,
}

/// An API key, as far as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "StoredKey")]
pub struct LiveKey {
    /// Its SHA-256 (hex).
    pub sha256: String,
    /// When it was set; none for one of a release that did not note it.
    #[serde(with = "proto::time::optional_rfc3339_ms")]
    pub set_at: Option<DateTime<Utc>>,
    /// The methods that it is good for; empty: all.
    pub methods: Vec<MethodName>,
}

/// Releases before scopes kept the hash alone.
#[derive(Deserialize)]
#[serde(untagged)]
enum StoredKey {
    Hash(String),
    Key {
        sha256: String,
        #[serde(with = "proto::time::optional_rfc3339_ms")]
        set_at: Option<DateTime<Utc>>,
        #[serde(default)]
        methods: Vec<MethodName>,
    },
}

impl From<StoredKey> for LiveKey {
    fn from(stored: StoredKey) -> Self {
        match stored {
            StoredKey::Hash(sha256) => Self { sha256, set_at: None, methods: Vec::new() },
            StoredKey::Key { sha256, set_at, methods } => Self { sha256, set_at, methods },
        }
    }
}

impl LiveKey {
    /// Whether it is good for a method.
    #[must_use]
    pub fn is_for(&self, method: &MethodName) -> bool {
        self.methods.is_empty() || self.methods.contains(method)
    }
}

/// An instance that was disconnected by an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stopped {
    /// Since when.
    #[serde(with = "proto::time::rfc3339_ms")]
    pub since: DateTime<Utc>,
    /// When it last showed Telegram that it lives.
    #[serde(with = "proto::time::rfc3339_ms")]
    pub lived_at: DateTime<Utc>,
}

/// The limits of one instance that differ from the configured ones.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct InstanceLimits {
    /// Budgets by class.
    #[serde(default)]
    pub budgets: BTreeMap<String, OwnBudget>,
    /// Whether the account counts as young for its first days; none for what is configured.
    #[serde(default)]
    pub warm_up: Option<bool>,
}

/// One class's own budget.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct OwnBudget {
    /// Seconds for which one call counts.
    pub every_s: f64,
    /// Calls that may come at once after a rest.
    pub burst: u32,
    /// Most calls in 24 hours.
    #[serde(default)]
    pub per_day: Option<u32>,
}

impl InstanceRecord {
    /// From the vault.
    pub(crate) fn read(id: &InstanceId, content: &[u8]) -> Result<Self, StoreError> {
        let what = || format!("the record of the instance {id}");
        let record: Self =
            serde_json::from_slice(content).map_err(|error| StoreError::corrupt(what(), error))?;
        if record.v > VERSION {
            return Err(StoreError::Version { what: what(), found: record.v });
        }
        Ok(record)
    }

    /// A new instance that was never logged in.
    #[must_use]
    pub fn new(id: InstanceId, created_at: DateTime<Utc>) -> Self {
        Self {
            v: VERSION,
            id,
            label: None,
            tags: Vec::new(),
            notes: None,
            api_keys: Vec::new(),
            require_api_key: false,
            created_at,
            user_id: None,
            username: None,
            phone: None,
            connected_at: None,
            limits: None,
            notify: None,
            stopped: None,
            identity: Identity::default(),
            proxy: None,
        }
    }
}

impl fmt::Debug for InstanceRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InstanceRecord")
            .field("id", &self.id)
            .field("require_api_key", &self.require_api_key)
            .field("user_id", &self.user_id)
            .finish_non_exhaustive()
    }
}

/// Keeps the instances.
#[derive(Clone)]
pub struct Instances {
    vault: Vault,
    redis: Redis,
    seen: Arc<Mutex<HashMap<InstanceId, (Instant, InstanceRecord)>>>,
}

impl Instances {
    /// The instances in this vault.
    #[must_use]
    pub fn new(vault: &Vault, redis: &Redis) -> Self {
        Self { vault: vault.clone(), redis: redis.clone(), seen: Arc::default() }
    }

    /// The ids of all instances, in order.
    ///
    /// # Errors
    /// The vault can't be asked.
    pub async fn ids(&self) -> Result<Vec<InstanceId>, StoreError> {
        self.vault.instances().await
    }

    /// All instances, in the order of their ids.
    ///
    /// # Errors
    /// The vault can't be asked; a record that can't be read.
    pub async fn list(&self) -> Result<Vec<InstanceRecord>, StoreError> {
        let ids = self.ids().await?;
        let records: Vec<Option<InstanceRecord>> = stream::iter(ids)
            .map(|id| async move { self.get(&id).await })
            .buffered(IN_FLIGHT_MAX)
            .try_collect()
            .await?;
        Ok(records.into_iter().flatten().collect())
    }

    /// One instance. What another process changed may take two seconds to be seen.
    ///
    /// # Errors
    /// The vault can't be asked; a record that can't be read.
    pub async fn get(&self, id: &InstanceId) -> Result<Option<InstanceRecord>, StoreError> {
        if let Some((at, record)) = self.seen().get(id)
            && at.elapsed() < FRESH
        {
            return Ok(Some(record.clone()));
        }
        let Some(stored) = self.vault.get(id, Kind::Instance).await? else {
            self.seen().remove(id);
            return Ok(None);
        };
        let record = InstanceRecord::read(id, &stored.content)?;
        self.remember(&record);
        Ok(Some(record))
    }

    /// Makes an instance, or changes one.
    ///
    /// # Errors
    /// Fenced; a store can't be asked.
    pub async fn put(&self, lease: &Lease, record: &InstanceRecord) -> Result<(), StoreError> {
        if record.id != lease.instance {
            return Err(StoreError::corrupt("an instance's record", "the lease is another's"));
        }
        let text = serde_json::to_vec(record)
            .map_err(|error| StoreError::corrupt("an instance's record", error))?;
        self.vault.put(lease, Kind::Instance, &text).await?;
        self.remember(record);
        self.changed().await
    }

    /// Removes an instance. Its session, groups and peers must be gone by then: without this record
    /// nobody would look for them.
    ///
    /// # Errors
    /// Fenced; a store can't be asked.
    pub async fn remove(&self, lease: &Lease) -> Result<(), StoreError> {
        self.vault.remove(lease, Kind::Instance).await?;
        self.seen().remove(&lease.instance);
        self.changed().await
    }

    /// A number that rises with every change, by whomever; 0 where Redis knows of none. Where it
    /// differs from what it was, list again.
    ///
    /// # Errors
    /// Redis can't be asked.
    pub async fn version(&self) -> Result<u64, StoreError> {
        let key = self.redis.keys().instances_version();
        let version: Option<u64> = self
            .redis
            .ask(async |mut connection| cmd("GET").arg(&key).query_async(&mut connection).await)
            .await?;
        Ok(version.unwrap_or_default())
    }

    async fn changed(&self) -> Result<(), StoreError> {
        let key = self.redis.keys().instances_version();
        self.redis
            .ask(async |mut connection| cmd("INCR").arg(&key).exec_async(&mut connection).await)
            .await
    }

    fn remember(&self, record: &InstanceRecord) {
        self.seen().insert(record.id.clone(), (Instant::now(), record.clone()));
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, HashMap<InstanceId, (Instant, InstanceRecord)>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
