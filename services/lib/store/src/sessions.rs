//! An instance's login. The vault has what can't be made again; Redis has the newest state, sealed
//! likewise, with the name of the vault's record that it goes back to. So a cached session counts
//! only as long as the vault holds no newer login.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use deadpool_redis::redis::{Script, cmd};
use proto::InstanceId;
use zeroize::Zeroizing;

use crate::error::StoreError;
use crate::leases::Lease;
use crate::redis::{Redis, fenced};
use crate::seal::Slot;
use crate::vault::{Kind, RecordName, Vault};

/// The most bytes of a session.
const SESSION_BYTES_MAX: usize = 1024 * 1024;
const CACHED: &str = "cached session";
const BACKUP: &str = "backup";

/// Where a session must be before saving it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// In the vault: what it holds can't be made again without the person.
    InVault,
    /// In Redis: the place in the stream of updates, cheap to lose a little of.
    InCache,
}

static SAVE: LazyLock<Script> = fenced!(
    r"
    redis.call('HSET', KEYS[2], 'base', ARGV[2], 'sealed', ARGV[3])
    return {'ok', {}}
    "
);

/// Keeps the sessions.
#[derive(Clone)]
pub struct Sessions {
    vault: Vault,
    redis: Redis,
    /// The vault's newest record of each instance that was loaded or saved here.
    bases: Arc<Mutex<HashMap<InstanceId, RecordName>>>,
}

impl Sessions {
    /// The sessions in this vault and Redis.
    #[must_use]
    pub fn new(vault: &Vault, redis: &Redis) -> Self {
        Self { vault: vault.clone(), redis: redis.clone(), bases: Arc::default() }
    }

    /// The newest session, if the instance was ever logged in.
    ///
    /// # Errors
    /// A store can't be asked; a record that can't be read.
    pub async fn load(
        &self,
        instance: &InstanceId,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        let newest = self.newest(instance).await?;
        Ok(newest.map(|(base, session)| {
            self.bases().insert(instance.clone(), base);
            session
        }))
    }

    /// A copy to be kept elsewhere of what [`Sessions::load`] would give, sealed with the vault's key. `pick` takes
    /// out of it what shall be kept.
    ///
    /// # Errors
    /// A store can't be asked; a record that can't be read.
    pub async fn back_up<E: From<StoreError>>(
        &self,
        instance: &InstanceId,
        pick: impl FnOnce(&[u8]) -> Result<Zeroizing<Vec<u8>>, E>,
    ) -> Result<Option<Vec<u8>>, E> {
        // Whoever owns the instance may be saving just now: what it knows of the vault is left alone.
        let Some((_, session)) = self.newest(instance).await? else { return Ok(None) };
        let slot = Slot { instance: instance.as_str(), kind: BACKUP };
        Ok(Some(self.vault.key().seal(slot, &pick(&session)?)?))
    }

    /// Opens such a copy; only one of the same instance, made with this vault's key.
    ///
    /// # Errors
    /// It is none, or of another instance or vault.
    pub fn open_backup(
        &self,
        instance: &InstanceId,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        self.vault.key().open(Slot { instance: instance.as_str(), kind: BACKUP }, sealed)
    }

    async fn newest(
        &self,
        instance: &InstanceId,
    ) -> Result<Option<(RecordName, Zeroizing<Vec<u8>>)>, StoreError> {
        let Some(stored) = self.vault.get(instance, Kind::Session).await? else { return Ok(None) };
        let key = self.redis.keys().session(instance);
        let (base, sealed): (Option<String>, Option<Vec<u8>>) = self
            .redis
            .ask(async |mut connection| {
                let mut command = cmd("HMGET");
                command.arg(&key).arg("base").arg("sealed");
                command.query_async(&mut connection).await
            })
            .await?;
        let as_stored = (stored.name, stored.content);
        let (Some(base), Some(sealed)) = (base, sealed) else { return Ok(Some(as_stored)) };
        if base.parse() != Ok(stored.name) {
            return Ok(Some(as_stored));
        }
        match self.vault.key().open(slot(instance), &sealed) {
            Ok(newest) => Ok(Some((stored.name, newest))),
            Err(error) => {
                tracing::warn!(%error, %instance, "a cached session is not used");
                Ok(Some(as_stored))
            }
        }
    }

    /// Saves a session.
    ///
    /// # Errors
    /// Fenced; a store can't be asked; a session that is too large.
    pub async fn save(&self, lease: &Lease, session: &[u8], keep: Keep) -> Result<(), StoreError> {
        if session.len() > SESSION_BYTES_MAX {
            return Err(StoreError::TooLarge {
                what: "a session",
                size: session.len(),
                size_max: SESSION_BYTES_MAX,
            });
        }
        let base = match keep {
            Keep::InVault => None,
            Keep::InCache => self.base(&lease.instance).await?,
        };
        let base = match base {
            Some(base) => base,
            None => self.vault.put(lease, Kind::Session, session).await?,
        };
        self.bases().insert(lease.instance.clone(), base);
        let sealed = self.vault.key().seal(slot(&lease.instance), session)?;
        let keys = self.redis.keys();
        let mut call = SAVE.key(keys.epoch(&lease.instance));
        call.key(keys.session(&lease.instance)).arg(lease.epoch);
        call.arg(base.to_string()).arg(sealed);
        self.redis.fenced_write(&call).await
    }

    /// Goes on from the vault's newest record, which has the same content as the one before it: it
    /// was sealed anew.
    ///
    /// # Errors
    /// The vault can't be asked.
    pub async fn rebase(&self, instance: &InstanceId) -> Result<(), StoreError> {
        if let Some(newest) = self.vault.newest(instance, Kind::Session).await? {
            let mut bases = self.bases();
            let base = bases.entry(instance.clone()).or_insert(newest);
            *base = newest.max(*base);
        }
        Ok(())
    }

    /// Forgets a session: in the vault first, since the cache alone counts for nothing.
    ///
    /// # Errors
    /// Fenced; a store can't be asked.
    pub async fn forget(&self, lease: &Lease) -> Result<(), StoreError> {
        self.vault.remove(lease, Kind::Session).await?;
        self.bases().remove(&lease.instance);
        self.redis.fenced_delete(lease, self.redis.keys().session(&lease.instance)).await
    }

    async fn base(&self, instance: &InstanceId) -> Result<Option<RecordName>, StoreError> {
        let known = self.bases().get(instance).copied();
        match known {
            Some(base) => Ok(Some(base)),
            None => self.vault.newest(instance, Kind::Session).await,
        }
    }

    fn bases(&self) -> std::sync::MutexGuard<'_, HashMap<InstanceId, RecordName>> {
        self.bases.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn slot(instance: &InstanceId) -> Slot<'_> {
    Slot { instance: instance.as_str(), kind: CACHED }
}
