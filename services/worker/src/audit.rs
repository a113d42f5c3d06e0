//! The audit log: who did what to which account. Each worker adds what it carried out to the vault, in
//! batches that are never changed; so the log survives a loss of Redis, and reading it needs no lease.
//!
//! An order is in the vault before it is answered. Commands follow within seconds: what a killed worker
//! takes along of them is still in the ledger.

mod page;
mod record;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chassis::Clock;
use chrono::TimeDelta;
use proto::control::AuditRecord;
use store::{AuditPlace, StoreError, Vault};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

pub use self::page::{Position, page};
pub use self::record::{by_note, of_command, of_order};

/// How long a command's record may wait for others to be written with it.
const EVERY: Duration = Duration::from_secs(2);
/// Records of one batch at most.
const BATCH: usize = 200;
/// Records that wait while the vault is away; more are lost, and that is logged.
const WAITING_MAX: usize = 50_000;
/// Between two looks for days that are too old.
const LOOK_EVERY: Duration = Duration::from_secs(3_600);

/// Writes the audit log.
pub struct Audit {
    vault: Vault,
    worker: String,
    clock: Clock,
    keep: TimeDelta,
    waiting: Mutex<Vec<AuditRecord>>,
    enough: Notify,
    writing: tokio::sync::Mutex<Writing>,
}

/// What is being written: tried again at the same place, it is there once.
#[derive(Default)]
struct Writing {
    seq: u64,
    batch: Option<(AuditPlace, Vec<u8>)>,
}

impl Audit {
    /// The log in this vault, written in this worker's name and kept for so many days.
    pub fn new(vault: &Vault, worker: &str, clock: Clock, keep_days: u32) -> Self {
        Self {
            vault: vault.clone(),
            worker: worker.to_owned(),
            clock,
            keep: TimeDelta::days(keep_days.into()),
            waiting: Mutex::default(),
            enough: Notify::new(),
            writing: tokio::sync::Mutex::default(),
        }
    }

    /// Notes a record, to be written soon.
    pub fn note(&self, record: AuditRecord) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() >= WAITING_MAX {
            tracing::error!(action = %record.action, "the vault is away for too long: an audit record is lost");
            return;
        }
        waiting.push(record);
        if waiting.len() >= BATCH {
            self.enough.notify_one();
        }
    }

    /// Writes what is noted.
    ///
    /// # Errors
    /// The vault can't be asked; what is noted stays so.
    pub async fn flush(&self) -> Result<(), StoreError> {
        let mut writing = self.writing.lock().await;
        loop {
            if writing.batch.is_none() {
                let Some(text) = self.next()? else { return Ok(()) };
                let place = AuditPlace::new(self.clock.now(), &self.worker, writing.seq);
                writing.seq += 1;
                writing.batch = Some((place, text));
            }
            if let Some((place, text)) = &writing.batch {
                self.vault.add_audit(place, text).await?;
            }
            writing.batch = None;
        }
    }

    fn next(&self) -> Result<Option<Vec<u8>>, StoreError> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.is_empty() {
            return Ok(None);
        }
        let some = waiting.len().min(BATCH);
        let batch: Vec<AuditRecord> = waiting.drain(..some).collect();
        let text = serde_json::to_vec(&batch).map_err(|error| StoreError::Corrupt {
            what: "an audit record".to_owned(),
            why: error.to_string(),
        })?;
        Ok(Some(text))
    }

    /// Writes what is noted as it comes, and removes what is too old, until `stopping`.
    pub async fn keep(self: Arc<Self>, stopping: CancellationToken) {
        let tending = async {
            tokio::join!(self.write_on(), self.forget_on());
        };
        tokio::select! {
            () = tending => {}
            () = stopping.cancelled() => {}
        }
    }

    async fn write_on(&self) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                () = self.enough.notified() => {}
            }
            if let Err(error) = self.flush().await {
                tracing::warn!(%error, "the audit log was not written; trying again");
                tokio::time::sleep(EVERY).await;
            }
        }
    }

    async fn forget_on(&self) {
        loop {
            let before = (self.clock.now() - self.keep).date_naive();
            if let Err(error) = self.vault.forget_audit(before).await {
                tracing::warn!(%error, "old days of the audit log were not removed");
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}
