//! The audit log's place in the vault: batches of records, each created once and never changed, under
//! `_audit/<day>/<milliseconds>-<worker>-<seq>`. Nothing in them is needed to run; so they can be
//! removed by age, and their writers need no lease.
//!
//! A batch's name is part of its seal, and nothing is overwritten. So one that is sealed anew gets its
//! name and the new key's id behind it, and only then the former one is removed; where both are there,
//! they are the same batch.

use std::fmt;
use std::str::FromStr;

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
/// Stands between a batch's first name and the id of the key that sealed it anew.
const RESEALED: &str = ".r";

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

    pub(super) fn path(&self) -> Path {
        Path::from_iter([AUDIT, &self.day.to_string(), &self.name])
    }

    /// Which batch it is, wherever it lies since it was sealed anew.
    #[must_use]
    pub fn batch(&self) -> (NaiveDate, &str) {
        (self.day, self.first_name())
    }

    /// The name that the batch was first written under.
    fn first_name(&self) -> &str {
        self.name.split_once(RESEALED).map_or(&self.name, |(first, _)| first)
    }

    /// Where it lies once this key has sealed it anew.
    pub(super) fn resealed(&self, key: &str) -> Self {
        Self { day: self.day, name: format!("{}{RESEALED}{key}", self.first_name()) }
    }

    fn kind(&self) -> String {
        self.to_string()
    }
}

/// What was sealed anew of the audit log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResealedLog {
    /// Batches that were come by.
    pub batches: usize,
    /// Those that a former key had sealed.
    pub resealed: usize,
    /// Those that can't be opened; they are left as they are.
    pub unreadable: usize,
    /// Where to go on; none at the end.
    pub next: Option<AuditPlace>,
}

impl FromStr for AuditPlace {
    type Err = ();

    /// As it is shown.
    fn from_str(text: &str) -> Result<Self, ()> {
        let (day, name) = text.split_once('/').ok_or(())?;
        Ok(Self { day: day.parse().map_err(|_| ())?, name: name.to_owned() })
    }
}

impl fmt::Display for AuditPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.day, self.name)
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
        let mut places = self.audit_places(day).await?;
        places.reverse();
        // The one that was sealed anew comes first.
        places.dedup_by(|next, first| next.first_name() == first.first_name());
        Ok(places)
    }

    /// Everything that lies there, the oldest first.
    async fn audit_places(&self, day: NaiveDate) -> Result<Vec<AuditPlace>, StoreError> {
        let folder = Path::from_iter([AUDIT, &day.to_string()]);
        let objects = self.ask(self.store.list(Some(&folder)).try_collect::<Vec<_>>()).await?;
        let names = objects.iter().filter_map(|object| object.location.filename());
        let mut places: Vec<_> =
            names.map(|name| AuditPlace { day, name: name.to_owned() }).collect();
        places.sort_unstable();
        Ok(places)
    }

    /// Seals some batches of the audit log anew, where a former key sealed them: the oldest after
    /// `after`, at most so many. Nothing needs the log to run: one that can't be opened is passed over.
    ///
    /// # Errors
    /// The store can't be asked.
    pub async fn reseal_audit(
        &self,
        after: Option<&AuditPlace>,
        most: usize,
    ) -> Result<ResealedLog, StoreError> {
        let (mut done, mut tried) = (ResealedLog::default(), 0);
        let key = self.key_ids().into_iter().next().unwrap_or_default();
        let mut days = self.audit_days().await?;
        days.retain(|day| after.is_none_or(|after| *day >= after.day));
        for day in days.into_iter().rev() {
            for place in self.audit_places(day).await? {
                if after.is_some_and(|after| place <= *after) {
                    continue;
                }
                if place == place.resealed(&key) {
                    done.batches += 1;
                    continue;
                }
                self.reseal_batch(&place, &key, &mut done).await?;
                tried += 1;
                if tried >= most {
                    // Behind what it is now called, so that it is not counted again.
                    done.next = Some(place.resealed(&key));
                    return Ok(done);
                }
            }
        }
        Ok(done)
    }

    async fn reseal_batch(
        &self,
        place: &AuditPlace,
        key: &str,
        done: &mut ResealedLog,
    ) -> Result<(), StoreError> {
        let Some(sealed) = self.sealed_batch(place).await? else { return Ok(()) };
        done.batches += 1;
        if self.key().is_current(&sealed) {
            return Ok(());
        }
        let content = match self.key().open(Slot { instance: AUDIT, kind: &place.kind() }, &sealed)
        {
            Ok(content) => content,
            Err(error) => {
                tracing::warn!(%error, "a batch of the audit log is not sealed anew");
                done.unreadable += 1;
                return Ok(());
            }
        };
        self.add_audit(&place.resealed(key), &content).await?;
        match self.ask(self.store.delete(&place.path())).await {
            Ok(()) | Err(Failed::Missing) => {}
            Err(error) => return Err(error.into()),
        }
        done.resealed += 1;
        Ok(())
    }

    /// One batch; none where it was removed meanwhile.
    ///
    /// # Errors
    /// The store can't be asked; a batch that can't be opened.
    pub async fn read_audit(
        &self,
        place: &AuditPlace,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        // Since it was listed it may have been sealed anew.
        let key = self.key_ids().into_iter().next().unwrap_or_default();
        for place in [place, &place.resealed(&key)] {
            if let Some(sealed) = self.sealed_batch(place).await? {
                let slot = Slot { instance: AUDIT, kind: &place.kind() };
                return self.key().open(slot, &sealed).map(Some);
            }
        }
        Ok(None)
    }

    async fn sealed_batch(&self, place: &AuditPlace) -> Result<Option<Vec<u8>>, StoreError> {
        let path = place.path();
        match self.ask(async { self.store.get(&path).await?.bytes().await }).await {
            Ok(sealed) => Ok(Some(sealed.into())),
            Err(Failed::Missing) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes the days before this one.
    ///
    /// # Errors
    /// The store can't be asked.
    pub async fn forget_audit(&self, before: NaiveDate) -> Result<(), StoreError> {
        let old = self.audit_days().await?.into_iter().filter(|day| *day < before);
        for day in old {
            for place in self.audit_places(day).await? {
                match self.ask(self.store.delete(&place.path())).await {
                    Ok(()) | Err(Failed::Missing) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(())
    }
}
