//! Copies of an instance's records, sealed as they lie in the vault, to be kept elsewhere; and putting
//! them back into a vault that has no such instance.
//!
//! Everything is opened before anything is written. The instance's record is written first and says
//! that the account is stopped: whatever breaks off afterwards, a login that may be used elsewhere is
//! connected by nobody, and what is missing can be put back by the same again.

use chrono::{DateTime, Utc};
use proto::InstanceId;
use zeroize::Zeroizing;

use super::{CHECK, Kind, OWN, Vault, folder_of};
use crate::error::StoreError;
use crate::groups::Book;
use crate::instances::{InstanceRecord, Instances, Stopped};
use crate::leases::Lease;
use crate::seal::Slot;
use object_store::path::Path;

/// A record as it lies in the vault, worth nothing without the vault's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedRecord {
    /// What it holds.
    pub kind: Kind,
    /// Its name there.
    pub name: String,
    /// Its bytes.
    pub sealed: Vec<u8>,
}

/// An instance's records out of a backup, opened and found to be whole.
pub struct Opened {
    record: InstanceRecord,
    session: Option<Zeroizing<Vec<u8>>>,
    groups: Option<Zeroizing<Vec<u8>>>,
}

impl Opened {
    /// The instance's settings.
    #[must_use]
    pub fn record(&self) -> &InstanceRecord {
        &self.record
    }

    /// Its login, if it had one.
    #[must_use]
    pub fn session(&self) -> Option<&[u8]> {
        self.session.as_ref().map(|session| session.as_slice())
    }
}

impl Vault {
    /// The newest records of an instance, as they are.
    ///
    /// # Errors
    /// The store can't be asked.
    pub async fn sealed(&self, instance: &InstanceId) -> Result<Vec<SealedRecord>, StoreError> {
        let mut records = Vec::new();
        for kind in Kind::ALL {
            let found = self.read_sealed(&folder_of(instance, kind)).await?;
            records.extend(found.map(|(name, sealed)| SealedRecord {
                kind,
                name: name.to_string(),
                sealed,
            }));
        }
        Ok(records)
    }

    /// The name and the bytes of the record that proves which key is the vault's.
    ///
    /// # Errors
    /// The store can't be asked.
    pub async fn sealed_check(&self) -> Result<Option<(String, Vec<u8>)>, StoreError> {
        let found = self.read_sealed(&Path::from_iter([OWN, CHECK])).await?;
        Ok(found.map(|(name, sealed)| (name.to_string(), sealed)))
    }

    /// Opens the records of an instance out of a backup.
    ///
    /// # Errors
    /// Another key sealed one; one is damaged, of another instance, of a later release, or missing.
    pub fn open_sealed(
        &self,
        instance: &InstanceId,
        records: &[SealedRecord],
    ) -> Result<Opened, StoreError> {
        let (mut record, mut session, mut groups) = (None, None, None);
        for SealedRecord { kind, sealed, .. } in records {
            let slot = Slot { instance: instance.as_str(), kind: kind.as_str() };
            let content = self.key().open(slot, sealed)?;
            match kind {
                Kind::Instance => record = Some(InstanceRecord::read(instance, &content)?),
                Kind::Session => session = Some(content),
                Kind::Groups => {
                    Book::read(instance, &content)?;
                    groups = Some(content);
                }
            }
        }
        let what = || format!("the backup of {instance}");
        let record =
            record.ok_or_else(|| StoreError::corrupt(what(), "its settings are missing"))?;
        if record.id != *instance {
            return Err(StoreError::corrupt(what(), "its settings are another instance's"));
        }
        Ok(Opened { record, session, groups })
    }

    /// Writes an instance that the vault does not have. It is stopped, unless `start` is set and it
    /// was not stopped when the backup was made.
    ///
    /// # Errors
    /// Fenced; a store can't be asked.
    pub async fn restore(
        &self,
        lease: &Lease,
        instances: &Instances,
        opened: &Opened,
        now: DateTime<Utc>,
        start: bool,
    ) -> Result<(), StoreError> {
        let since = opened.record.stopped.as_ref().map_or(now, |stopped| stopped.since);
        let stopped = Some(Stopped { since, lived_at: now });
        let at_rest = InstanceRecord { stopped, ..opened.record.clone() };
        instances.put(lease, &at_rest).await?;
        self.restore_rest(lease, opened).await?;
        if start && opened.record.stopped.is_none() {
            instances.put(lease, &opened.record).await?;
        }
        Ok(())
    }

    /// Whether this instance was being put back from this backup, and is not whole.
    ///
    /// # Errors
    /// The store can't be asked.
    pub async fn is_half_restored(
        &self,
        there: &InstanceRecord,
        opened: &Opened,
    ) -> Result<bool, StoreError> {
        let same = there.created_at == opened.record.created_at && there.stopped.is_some();
        if !same || opened.session.is_none() {
            return Ok(false);
        }
        Ok(self.newest(&there.id, Kind::Session).await?.is_none())
    }

    /// Writes what belongs to an instance beside its settings.
    ///
    /// # Errors
    /// Fenced; the store can't be asked.
    pub async fn restore_rest(&self, lease: &Lease, opened: &Opened) -> Result<(), StoreError> {
        // The login last: without it the instance is known not to be whole.
        if let Some(groups) = &opened.groups {
            self.put(lease, Kind::Groups, groups).await?;
        }
        if let Some(session) = &opened.session {
            self.put(lease, Kind::Session, session).await?;
        }
        Ok(())
    }
}
