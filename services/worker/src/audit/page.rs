//! Reading the audit log page by page, the newest first.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use proto::InstanceId;
use proto::control::{AuditListed, AuditRecord};
use store::{AuditPlace, StoreError, Vault};

/// Batches that one answer reads at most: it has to come in time.
const BATCHES_MAX: usize = 200;

/// Where a page ended: so many records of this batch were looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    place: AuditPlace,
    seen: usize,
}

impl Position {
    fn text(&self) -> String {
        format!("{}/{}/{}", self.place.day, self.place.name, self.seen)
    }
}

impl FromStr for Position {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.split('/');
        let (Some(day), Some(name), Some(seen), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(());
        };
        let place = AuditPlace { day: day.parse().map_err(|_| ())?, name: name.to_owned() };
        Ok(Self { place, seen: seen.parse().map_err(|_| ())? })
    }
}

/// At most `limit` records since then, of one instance or of all, after `from`.
///
/// # Errors
/// The vault can't be asked; a batch that can't be read.
pub async fn page(
    vault: &Vault,
    instance: Option<&InstanceId>,
    since: DateTime<Utc>,
    from: Option<Position>,
    limit: usize,
) -> Result<AuditListed, StoreError> {
    let (mut records, mut read) = (Vec::new(), 0);
    for day in vault.audit_days().await? {
        if day < since.date_naive() || from.as_ref().is_some_and(|from| day > from.place.day) {
            continue;
        }
        for place in vault.audit_batches(day).await? {
            if from.as_ref().is_some_and(|from| place.batch() > from.place.batch()) {
                continue;
            }
            // Batches are written after what they hold: an older one holds nothing younger.
            if place.at().is_some_and(|at| at < since) {
                return Ok(AuditListed { records, next: None });
            }
            let seen = from
                .as_ref()
                .filter(|from| from.place.batch() == place.batch())
                .map_or(0, |from| from.seen);
            if read == BATCHES_MAX {
                return Ok(AuditListed { records, next: Some(Position { place, seen }.text()) });
            }
            read += 1;
            for (n, record) in batch(vault, &place).await?.into_iter().rev().enumerate().skip(seen)
            {
                if records.len() == limit {
                    let next = Position { place, seen: n }.text();
                    return Ok(AuditListed { records, next: Some(next) });
                }
                let wanted = instance.is_none_or(|wanted| record.instance.as_ref() == Some(wanted));
                if wanted && record.at >= since {
                    records.push(record);
                }
            }
        }
    }
    Ok(AuditListed { records, next: None })
}

async fn batch(vault: &Vault, place: &AuditPlace) -> Result<Vec<AuditRecord>, StoreError> {
    let Some(text) = vault.read_audit(place).await? else { return Ok(Vec::new()) };
    serde_json::from_slice(&text).map_err(|error| StoreError::Corrupt {
        what: format!("the audit log of {}", place.day),
        why: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_read_as_it_was_written() {
        let place = AuditPlace::new(DateTime::UNIX_EPOCH, "worker-1", 7);
        let position = Position { place, seen: 3 };
        assert_eq!(position.text().parse(), Ok(position));
        for wrong in ["", "1970-01-01", "x/y/1", "1970-01-01/a/b", "1970-01-01/a/1/2"] {
            assert!(wrong.parse::<Position>().is_err(), "{wrong}");
        }
    }
}
