//! The audit log's place in the vault: batches of records, each created once and never changed, under
//! `_audit/<day>/<milliseconds>-<worker>-<seq>`. Nothing in them is needed to run; so they can be
//! removed by age, and their writers need no lease.

use chrono::{DateTime, NaiveDate, Utc};
use futures_util::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions};
use zeroize::Zeroizing;

use super::{Failed, Vault};
use crate::error::StoreError;
use crate::seal::Slot;

/// The log's folder; no instance can have this name.
const AUDIT: &str = "_audit";

/// Where a batch lies. The later was written later, by the writers' clocks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AuditPlace {
    /// The day, by UTC.
    pub day: NaiveDate,
    /// The name within it.
    pub name: String,
}

impl AuditPlace {
    /// The place of a worker's batch: it begins with the time, so that names sort by it.
    #[must_use]
    pub fn new(at: DateTime<Utc>, worker: &str, seq: u64) -> Self {
        let name = format!("{:015}-{worker}-{seq:010}", at.timestamp_millis());
        Self { day: at.date_naive(), name }
    }

    /// When the batch was written.
    #[must_use]
    pub fn at(&self) -> Option<DateTime<Utc>> {
        let millis = self.name.split('-').next()?.parse().ok()?;
        DateTime::from_timestamp_millis(millis)
    }

    fn path(&self) -> Path {
        Path::from_iter([AUDIT, &self.day.to_string(), &self.name])
    }

    fn kind(&self) -> String {
        format!("{}/{}", self.day, self.name)
    }
}

impl Vault {
    /// Adds a batch to the audit log. Tried again at the same place after a lost answer, it is there
    /// once.
    ///
    /// # Errors
    /// The store can't be asked.
    pub async fn add_audit(&self, place: &AuditPlace, content: &[u8]) -> Result<(), StoreError> {
        let kind = place.kind();
        let sealed = self.key().seal(Slot { instance: AUDIT, kind: &kind }, content)?;
        let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        match self.ask(self.store.put_opts(&place.path(), sealed.into(), options)).await {
            Ok(_) | Err(Failed::Taken) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// The days that the audit log holds, the newest first.
    ///
    /// # Errors
    /// The store can't be asked.
    pub async fn audit_days(&self) -> Result<Vec<NaiveDate>, StoreError> {
        let folder = Path::from(AUDIT);
        let listing = self.ask(self.store.list_with_delimiter(Some(&folder))).await?;
        let names = listing.common_prefixes.iter().filter_map(Path::filename);
        let mut days: Vec<NaiveDate> = names.filter_map(|name| name.parse().ok()).collect();
        days.sort_unstable_by(|a, b| b.cmp(a));
        Ok(days)
    }

    /// The batches of a day, the newest first.
    ///
    /// # Errors
    /// The store can't be asked.
    pub async fn audit_batches(&self, day: NaiveDate) -> Result<Vec<AuditPlace>, StoreError> {
        let folder = Path::from_iter([AUDIT, &day.to_string()]);
        let objects = self.ask(self.store.list(Some(&folder)).try_collect::<Vec<_>>()).await?;
        let names = objects.iter().filter_map(|object| object.location.filename());
        let mut places: Vec<_> =
            names.map(|name| AuditPlace { day, name: name.to_owned() }).collect();
        places.sort_unstable_by(|a, b| b.cmp(a));
        Ok(places)
    }

    /// One batch; none where it was removed meanwhile.
    ///
    /// # Errors
    /// The store can't be asked; a batch that can't be opened.
    pub async fn read_audit(
        &self,
        place: &AuditPlace,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        let path = place.path();
        let found = self.ask(async { self.store.get(&path).await?.bytes().await }).await;
        let sealed = match found {
            Ok(sealed) => sealed,
            Err(Failed::Missing) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let kind = place.kind();
        self.key().open(Slot { instance: AUDIT, kind: &kind }, &sealed).map(Some)
    }

    /// Removes the days before this one.
    ///
    /// # Errors
    /// The store can't be asked.
    pub async fn forget_audit(&self, before: NaiveDate) -> Result<(), StoreError> {
        let old = self.audit_days().await?.into_iter().filter(|day| *day < before);
        for day in old {
            for place in self.audit_batches(day).await? {
                match self.ask(self.store.delete(&place.path())).await {
                    Ok(()) | Err(Failed::Missing) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(())
    }
}
