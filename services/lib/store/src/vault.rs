//! The durable home of what can't be made again. Sealed records in object storage, a local folder
//! by default; each is created once under a name of its own, `<instance>/<kind>/<epoch>-<seq>`,
//! and never changed. The highest name wins, and older ones are removed a little later.
//!
//! The epoch is that of the writer's lease, so a former owner can never put its record above its
//! successor's.

mod answer;
mod audit;
mod backup;
mod key_file;
mod open;
mod place;
mod rotation;
mod s3;

pub use backup::{Opened, SealedRecord};
pub use rotation::{Found, Resealed};

use std::fmt;
use std::future::Future;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions};
use proto::InstanceId;
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::error::{StoreError, VAULT};
use crate::keyring::KeyRing;
use crate::leases::Lease;
use crate::seal::Slot;

pub(crate) use self::answer::Answer;
pub use self::audit::{AuditPlace, ResealedLog};

/// How many records of one kind are kept: the newest, and the one before it for whoever reads just
/// now.
const KEPT: usize = 2;
/// How often a name that somebody else took, or a record that was just removed, is looked for anew.
const TRIES_MAX: usize = 8;
/// The folder of the vault itself; no instance can have this name.
const OWN: &str = "_vault";
const CHECK: &str = "check";

/// What a record holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The instance's settings.
    Instance,
    /// Its login.
    Session,
    /// Its groups, with their callers' keys.
    Groups,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Instance, Self::Session, Self::Groups];

    /// Its name in the vault.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Instance => "instance",
            Self::Session => "session",
            Self::Groups => "groups",
        }
    }

    /// The kind of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// A record's name within its kind; later ones are greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RecordName {
    epoch: u64,
    seq: u32,
}

impl fmt::Display for RecordName {
    /// Of one width, so that names sort as text too.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:020}-{:010}", self.epoch, self.seq)
    }
}

impl FromStr for RecordName {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (epoch, seq) = text.split_once('-').ok_or(())?;
        Ok(Self { epoch: epoch.parse().map_err(|_| ())?, seq: seq.parse().map_err(|_| ())? })
    }
}

/// A record that was found.
pub(crate) struct Stored {
    pub name: RecordName,
    pub content: Zeroizing<Vec<u8>>,
}

/// The vault, opened; cheap to clone.
#[derive(Clone)]
pub struct Vault {
    store: Arc<dyn ObjectStore>,
    key: Arc<KeyRing>,
    within: Duration,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vault({}, {:?})", self.store, self.key)
    }
}

impl Vault {
    /// The instances that have a record, in order.
    ///
    /// # Errors
    /// The store can't be asked.
    pub async fn instances(&self) -> Result<Vec<InstanceId>, StoreError> {
        let listing = self.ask(self.store.list_with_delimiter(None)).await?;
        let names = listing.common_prefixes.iter().filter_map(Path::filename);
        let mut instances: Vec<InstanceId> = names.filter_map(|name| name.parse().ok()).collect();
        instances.sort();
        Ok(instances)
    }

    /// 32 secret bytes for the key pair that secrets on the wire are sealed to; the same for every
    /// process with this vault's key.
    ///
    /// # Errors
    /// None in practice.
    pub fn service_key(&self) -> Result<Zeroizing<[u8; 32]>, StoreError> {
        self.key.derive("queuegram service key v1")
    }

    pub(crate) fn key(&self) -> &KeyRing {
        &self.key
    }

    /// The newest record of a kind.
    pub(crate) async fn get(
        &self,
        instance: &InstanceId,
        kind: Kind,
    ) -> Result<Option<Stored>, StoreError> {
        let slot = Slot { instance: instance.as_str(), kind: kind.as_str() };
        self.read_newest(&folder_of(instance, kind), slot).await
    }

    /// The name of the newest record of a kind.
    pub(crate) async fn newest(
        &self,
        instance: &InstanceId,
        kind: Kind,
    ) -> Result<Option<RecordName>, StoreError> {
        Ok(self.names(&folder_of(instance, kind)).await?.into_iter().max())
    }

    /// Puts a record above all others of its kind, and removes what nobody needs any more.
    pub(crate) async fn put(
        &self,
        lease: &Lease,
        kind: Kind,
        content: &[u8],
    ) -> Result<RecordName, StoreError> {
        let folder = folder_of(&lease.instance, kind);
        let slot = Slot { instance: lease.instance.as_str(), kind: kind.as_str() };
        self.put_newest(&folder, slot, lease.epoch, content).await
    }

    /// The newest record of the vault's own of this kind.
    pub(crate) async fn get_own(&self, kind: &str) -> Result<Option<Stored>, StoreError> {
        self.read_newest(&Path::from_iter([OWN, kind]), Slot { instance: OWN, kind }).await
    }

    /// Puts a record of the vault's own above all others of its kind; fenced where there is one of a
    /// higher epoch.
    pub(crate) async fn put_own(
        &self,
        kind: &str,
        epoch: u64,
        content: &[u8],
    ) -> Result<RecordName, StoreError> {
        let folder = Path::from_iter([OWN, kind]);
        self.put_newest(&folder, Slot { instance: OWN, kind }, epoch, content).await
    }

    /// Makes the one record of the vault's own of this kind and epoch; false where there is one
    /// already.
    pub(crate) async fn create_own(
        &self,
        kind: &str,
        epoch: u64,
        content: &[u8],
    ) -> Result<bool, StoreError> {
        let sealed = self.key.seal(Slot { instance: OWN, kind }, content)?;
        self.create(&Path::from_iter([OWN, kind]), RecordName { epoch, seq: 0 }, sealed).await
    }

    async fn put_newest(
        &self,
        folder: &Path,
        slot: Slot<'_>,
        epoch: u64,
        content: &[u8],
    ) -> Result<RecordName, StoreError> {
        let sealed = self.key.seal(slot, content)?;
        for _ in 0..TRIES_MAX {
            let mut names = self.names(folder).await?;
            names.sort();
            let seq = match names.last() {
                Some(last) if last.epoch > epoch => return Err(StoreError::Fenced),
                Some(last) if last.epoch == epoch => last.seq.saturating_add(1),
                _ => 0,
            };
            let name = RecordName { epoch, seq };
            if self.create(folder, name, sealed.clone()).await? {
                names.push(name);
                let old = names.len().saturating_sub(KEPT);
                self.prune(folder, &names[..old]).await;
                return Ok(name);
            }
        }
        Err(StoreError::Unreachable { store: VAULT, why: "names are taken all the time".into() })
    }

    /// Removes every record of a kind.
    pub(crate) async fn remove(&self, lease: &Lease, kind: Kind) -> Result<(), StoreError> {
        let folder = folder_of(&lease.instance, kind);
        let mut names = self.names(&folder).await?;
        if names.iter().any(|name| name.epoch > lease.epoch) {
            return Err(StoreError::Fenced);
        }
        // Oldest first: a stop in between leaves the newest, not an older one in its place.
        names.sort();
        for name in names {
            self.delete(&folder, name).await?;
        }
        Ok(())
    }

    async fn read_newest(
        &self,
        folder: &Path,
        slot: Slot<'_>,
    ) -> Result<Option<Stored>, StoreError> {
        let Some((name, sealed)) = self.read_sealed(folder).await? else { return Ok(None) };
        Ok(Some(Stored { name, content: self.key.open(slot, &sealed)? }))
    }

    async fn read_sealed(
        &self,
        folder: &Path,
    ) -> Result<Option<(RecordName, Vec<u8>)>, StoreError> {
        for _ in 0..TRIES_MAX {
            let Some(name) = self.names(folder).await?.into_iter().max() else { return Ok(None) };
            let path = folder.clone().join(name.to_string());
            match self.ask(async { self.store.get(&path).await?.bytes().await }).await {
                Ok(sealed) => return Ok(Some((name, sealed.into()))),
                // Two writes later it was removed; there is a newer one.
                Err(Failed::Missing) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::Unreachable { store: VAULT, why: "records change all the time".into() })
    }

    /// Those that are no names of ours are somebody else's business.
    async fn names(&self, folder: &Path) -> Result<Vec<RecordName>, StoreError> {
        let objects = self.ask(self.store.list(Some(folder)).try_collect::<Vec<_>>()).await?;
        let names = objects.iter().filter_map(|object| object.location.filename());
        Ok(names.filter_map(|name| name.parse().ok()).collect())
    }

    /// False where the name is taken.
    async fn create(
        &self,
        folder: &Path,
        name: RecordName,
        sealed: Vec<u8>,
    ) -> Result<bool, StoreError> {
        let path = folder.clone().join(name.to_string());
        let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        match self.ask(self.store.put_opts(&path, sealed.into(), options)).await {
            Ok(_) => Ok(true),
            Err(Failed::Taken) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    async fn delete(&self, folder: &Path, name: RecordName) -> Result<(), StoreError> {
        let path = folder.clone().join(name.to_string());
        match self.ask(self.store.delete(&path)).await {
            Ok(()) | Err(Failed::Missing) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// What can't be removed now is removed after the next write.
    async fn prune(&self, folder: &Path, names: &[RecordName]) {
        for name in names {
            if let Err(error) = self.delete(folder, *name).await {
                tracing::warn!(%error, "an old record of the vault was not removed");
            }
        }
    }

    async fn ask<T>(
        &self,
        request: impl Future<Output = object_store::Result<T>>,
    ) -> Result<T, Failed> {
        ask(self.within, request).await
    }
}

/// A request that failed, where some failures are answers.
enum Failed {
    Missing,
    Taken,
    Other(StoreError),
}

impl From<Failed> for StoreError {
    fn from(failed: Failed) -> Self {
        let unreachable = |why: &str| Self::Unreachable { store: VAULT, why: why.to_owned() };
        match failed {
            Failed::Missing => unreachable("a record is gone"),
            Failed::Taken => unreachable("a record's name is taken"),
            Failed::Other(error) => error,
        }
    }
}

async fn ask<T>(
    within: Duration,
    request: impl Future<Output = object_store::Result<T>>,
) -> Result<T, Failed> {
    match timeout(within, request).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error @ object_store::Error::NotFound { .. })) => {
            match Answer::of(&error).is_no_bucket() {
                true => Err(Failed::Other(error.into())),
                false => Err(Failed::Missing),
            }
        }
        Ok(Err(object_store::Error::AlreadyExists { .. })) => Err(Failed::Taken),
        Ok(Err(error)) => Err(Failed::Other(error.into())),
        Err(_) => Err(Failed::Other(StoreError::Timeout { store: VAULT, within })),
    }
}

fn folder_of(instance: &InstanceId, kind: Kind) -> Path {
    Path::from_iter([instance.as_str(), kind.as_str()])
}

#[cfg(test)]
mod tests;
