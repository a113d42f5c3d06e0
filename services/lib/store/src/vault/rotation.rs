//! Changing the vault's key: what was sealed with a former one is sealed anew with the first, and
//! records can be tried without being used.
//!
//! A record is never changed, so its content gets the next name after its own, and only if that is
//! free: whatever its owner wrote meanwhile stays above it.

use object_store::path::Path;
use proto::InstanceId;

use super::{CHECK, Kind, OWN, RecordName, TRIES_MAX, Vault, folder_of};
use crate::error::{StoreError, VAULT};
use crate::leases::Lease;
use crate::seal::{Slot, key_id};

/// The vault's own kinds of records.
const OWN_KINDS: [&str; 3] = [CHECK, crate::generation::KIND, crate::site::KIND];

/// What was sealed anew.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Resealed {
    /// Records there are.
    pub records: usize,
    /// Those that were sealed with a former key.
    pub resealed: usize,
}

/// A record as it was found, the newest of its kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// `session`, `instance`, `groups`; of the vault's own `check`, `generation`, `site`.
    pub kind: &'static str,
    /// The id of the key that it was sealed with, 16 hex digits; none where it is cut short.
    pub key: Option<String>,
    /// Its size.
    pub bytes: usize,
    /// Why it can't be opened, if it can't.
    pub problem: Option<String>,
}

impl Vault {
    /// Seals an instance's records anew, where a former key sealed them.
    ///
    /// # Errors
    /// Fenced; the store can't be asked; a record that can't be opened.
    pub async fn reseal(&self, lease: &Lease) -> Result<Resealed, StoreError> {
        let mut done = Resealed::default();
        for kind in Kind::ALL {
            let slot = Slot { instance: lease.instance.as_str(), kind: kind.as_str() };
            let folder = folder_of(&lease.instance, kind);
            self.reseal_newest(&folder, slot, Some(lease.epoch), &mut done).await?;
        }
        Ok(done)
    }

    /// The same for the vault's own records.
    ///
    /// # Errors
    /// As for [`Vault::reseal`].
    pub async fn reseal_own(&self) -> Result<Resealed, StoreError> {
        let mut done = Resealed::default();
        for kind in OWN_KINDS {
            let folder = Path::from_iter([OWN, kind]);
            self.reseal_newest(&folder, Slot { instance: OWN, kind }, None, &mut done).await?;
        }
        Ok(done)
    }

    /// The ids of the keys that there are, the sealing one's first: 16 hex digits each.
    #[must_use]
    pub fn key_ids(&self) -> Vec<String> {
        self.key().ids()
    }

    /// Tries the newest records of an instance, or of the vault itself.
    ///
    /// # Errors
    /// The store can't be asked. That a record can't be opened is a finding.
    pub async fn inspect(&self, instance: Option<&InstanceId>) -> Result<Vec<Found>, StoreError> {
        let mut found = Vec::new();
        match instance {
            Some(instance) => {
                for kind in Kind::ALL {
                    let slot = Slot { instance: instance.as_str(), kind: kind.as_str() };
                    found.extend(
                        self.try_newest(&folder_of(instance, kind), slot, kind.as_str()).await?,
                    );
                }
            }
            None => {
                for kind in OWN_KINDS {
                    let slot = Slot { instance: OWN, kind };
                    found.extend(self.try_newest(&Path::from_iter([OWN, kind]), slot, kind).await?);
                }
            }
        }
        Ok(found)
    }

    async fn reseal_newest(
        &self,
        folder: &Path,
        slot: Slot<'_>,
        epoch: Option<u64>,
        done: &mut Resealed,
    ) -> Result<(), StoreError> {
        for _ in 0..TRIES_MAX {
            let Some((name, sealed)) = self.read_sealed(folder).await? else { return Ok(()) };
            if epoch.is_some_and(|epoch| name.epoch > epoch) {
                return Err(StoreError::Fenced);
            }
            let current = self.key().is_current(&sealed);
            if !current {
                let content = self.key().open(slot, &sealed)?;
                let next = match epoch {
                    Some(epoch) if epoch > name.epoch => RecordName { epoch, seq: 0 },
                    _ => RecordName { seq: name.seq.saturating_add(1), ..name },
                };
                if !self.create(folder, next, self.key().seal(slot, &content)?).await? {
                    continue;
                }
            }
            done.records += 1;
            done.resealed += usize::from(!current);
            return Ok(());
        }
        Err(StoreError::Unreachable { store: VAULT, why: "records change all the time".into() })
    }

    async fn try_newest(
        &self,
        folder: &Path,
        slot: Slot<'_>,
        kind: &'static str,
    ) -> Result<Option<Found>, StoreError> {
        let Some((_, sealed)) = self.read_sealed(folder).await? else { return Ok(None) };
        let problem = self.key().open(slot, &sealed).err().map(|error| error.to_string());
        let key = key_id(&sealed).map(hex::encode);
        Ok(Some(Found { kind, key, bytes: sealed.len(), problem }))
    }
}
