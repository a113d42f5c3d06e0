//! Orders that hand out an instance's sealed records and put them back. Nothing in them is secret to
//! whoever lacks the vault's key; so they pass the broker as they are.

use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use proto::control::{AccountRestore, AccountRestored, BackupRecord, VaultBackedUp, VaultBackup};
use proto::envelope::ORDER_BYTES_MAX;
use proto::fault::code;
use proto::{Command, Fault};
use store::{Kind, Opened, SealedRecord, StoreError};
use telegram::SessionRecord;

use super::account::{no_instance, unavailable};
use super::{Control, asker};
use crate::roster::Settled;

/// What an order needs beside the records.
const ENVELOPE_BYTES: usize = 16 * 1024;
/// An instance has a record of each kind.
const RECORDS_MAX: usize = 3;

impl Control {
    /// Hands out the newest records of an instance; for all, those of the vault that say whose it is.
    pub(super) async fn vault_backup(
        &self,
        order: &Command,
        params: VaultBackup,
    ) -> Result<VaultBackedUp, Fault> {
        let by = asker(order, params.by)?;
        let (shared, instance) = (&self.shared, &order.instance);
        let keys = shared.vault.key_ids();
        if instance.is_every() {
            let site = shared.sites.read().await.map_err(unavailable)?;
            let check = shared.vault.sealed_check().await.map_err(unavailable)?;
            let records = check.map(|(name, sealed)| told("check", name, &sealed));
            let vault = site.map(|site| site.vault);
            return Ok(VaultBackedUp { vault, keys, records: records.into_iter().collect() });
        }
        let sealed = shared.vault.sealed(instance).await.map_err(unavailable)?;
        if !sealed.iter().any(|record| record.kind == Kind::Instance) {
            return Err(no_instance(instance));
        }
        let records: Vec<_> = sealed
            .into_iter()
            .map(|SealedRecord { kind, name, sealed }| told(kind.as_str(), name, &sealed))
            .collect();
        let bytes: usize = records.iter().map(|record| record.sealed.len()).sum();
        if bytes > ORDER_BYTES_MAX - ENVELOPE_BYTES {
            let message = format!(
                "the records of {instance} have {bytes} bytes in base64, more than an order could bring back"
            );
            return Err(Fault::invalid(code::TOO_LARGE, message));
        }
        tracing::info!(instance.id = %instance, by, "a backup of the records is handed out");
        Ok(VaultBackedUp { vault: None, keys, records })
    }

    /// Puts an instance back that the vault does not have, or looks whether that would do.
    pub(super) async fn account_restore(
        self: &Arc<Self>,
        order: &Command,
        params: AccountRestore,
    ) -> Result<AccountRestored, Fault> {
        let by = asker(order, params.by)?;
        let (shared, instance) = (&self.shared, order.instance.clone());
        let records = read(&params.records)?;
        let opened =
            shared.vault.open_sealed(&instance, &records).map_err(|error| unfit(&error))?;
        if let Some(session) = opened.session() {
            SessionRecord::from_bytes(session).map_err(|error| unfit(&error))?;
        }
        let answer = |restored, stopped| AccountRestored {
            instance: instance.clone(),
            records: records.len(),
            restored,
            stopped,
        };
        let rest = !params.start || opened.record().stopped.is_some();
        if let Some(there) = shared.instances.get(&instance).await.map_err(unavailable)? {
            let half = shared.vault.is_half_restored(&there, &opened).await.map_err(unavailable)?;
            if !half {
                return Err(exists(&instance));
            }
            if !params.check {
                let owned = self.owned(&instance).await?;
                let rest = shared.vault.restore_rest(&owned.lease, &opened);
                rest.await.map_err(unavailable)?;
            }
            return Ok(answer(!params.check, true));
        }
        if params.check {
            return Ok(answer(false, rest));
        }
        match self.write(&instance, opened, params.start).await.map_err(unavailable)? {
            Settled::Done => {
                tracing::warn!(instance.id = %instance, by, "an instance was put back from a backup");
                Ok(answer(true, rest))
            }
            Settled::There => Err(exists(&instance)),
            Settled::Busy => Err(self.busy("nothing can be taken just now; ask again")),
        }
    }

    async fn write(
        &self,
        instance: &proto::InstanceId,
        opened: Opened,
        start: bool,
    ) -> Result<Settled, StoreError> {
        let (vault, instances) = (self.shared.vault.clone(), self.shared.instances.clone());
        let now = self.shared.clock.now();
        let write =
            |lease| async move { vault.restore(&lease, &instances, &opened, now, start).await };
        self.roster.settle(instance, write).await
    }
}

fn told(kind: &str, name: String, sealed: &[u8]) -> BackupRecord {
    BackupRecord { kind: kind.to_owned(), name, sealed: BASE64_STANDARD.encode(sealed) }
}

fn read(records: &[BackupRecord]) -> Result<Vec<SealedRecord>, Fault> {
    if records.len() > RECORDS_MAX {
        return Err(invalid(format!("params.records: more than {RECORDS_MAX}")));
    }
    let mut read: Vec<SealedRecord> = Vec::with_capacity(records.len());
    for (n, BackupRecord { kind, name, sealed }) in records.iter().enumerate() {
        let wrong = |field: &str, why: &str| invalid(format!("params.records[{n}].{field}: {why}"));
        let kind = Kind::named(kind).ok_or_else(|| wrong("kind", "is none of an instance's"))?;
        if read.iter().any(|record| record.kind == kind) {
            return Err(wrong("kind", "is there for the second time"));
        }
        let sealed =
            BASE64_STANDARD.decode(sealed).map_err(|_| wrong("sealed", "is not base64"))?;
        read.push(SealedRecord { kind, name: name.clone(), sealed });
    }
    Ok(read)
}

fn invalid(message: String) -> Fault {
    Fault::invalid(code::BACKUP_INVALID, message)
}

/// What is wrong with the records themselves; no store was asked yet.
fn unfit(error: &impl std::fmt::Display) -> Fault {
    invalid(format!("params.records: {error}"))
}

fn exists(instance: &proto::InstanceId) -> Fault {
    let message = format!("instance: {instance} exists already; its login is not replaced");
    Fault::invalid(code::INSTANCE_EXISTS, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_record_is_named_by_its_field() {
        let record = |kind: &str, sealed: &str| BackupRecord {
            kind: kind.to_owned(),
            name: String::from("1-1"),
            sealed: sealed.to_owned(),
        };
        let good = || record("session", "AAAA");
        for (records, words) in [
            (vec![record("check", "AAAA")], "params.records[0].kind"),
            (vec![good(), good()], "params.records[1].kind"),
            (vec![record("groups", "*")], "params.records[0].sealed"),
            (vec![good(), good(), good(), good()], "params.records: more than 3"),
        ] {
            let said = read(&records).unwrap_err().message;
            assert!(said.starts_with(words), "{said}");
        }
        assert_eq!(read(&[good()]).unwrap()[0].sealed, [0, 0, 0]);
    }
}
