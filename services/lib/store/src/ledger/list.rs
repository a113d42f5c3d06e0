//! Looking through the commands of one instance, a bounded piece at a time. There is no index:
//! whoever looks goes through the keys, so that taking a command costs nothing for it.

use std::collections::BTreeSet;

use deadpool_redis::redis::{cmd, pipe};
use proto::{CommandId, InstanceId};

use super::{Ledger, Record, SCAN_COUNT};
use crate::error::StoreError;

/// Pieces of the key space that one page looks through at most.
const PIECES_MAX: usize = 100;
/// Records that are fetched in one go: each may hold a result of a megabyte.
const FETCHED_AT_ONCE: usize = 20;

/// One page of records.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The records, in no order; at most as many as were asked for.
    pub records: Vec<(CommandId, Record)>,
    /// Where the next page begins; none after the last one. It is opaque.
    pub next: Option<String>,
}

/// A place in the key space: the piece that Redis' cursor begins, and the last id of that piece
/// which was looked at. Within a piece the ids are taken in their order, so that a page can end in
/// the middle of one, and the next go on there, also where keys came or went meanwhile.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Place {
    cursor: u64,
    after: String,
}

impl Place {
    fn read(text: &str) -> Option<Self> {
        let (cursor, after) = text.split_once(':')?;
        Some(Self { cursor: cursor.parse().ok()?, after: after.to_owned() })
    }

    fn write(&self) -> String {
        format!("{}:{}", self.cursor, self.after)
    }
}

impl Ledger {
    /// The commands of an instance for which `wanted` says yes, at most `limit` of them, from
    /// `cursor` on (`next` of the page before). None where the cursor is none. A command that comes
    /// or goes meanwhile may be on no page or on two; records that can't be read are left out.
    ///
    /// # Errors
    /// Redis can't be asked.
    pub async fn list(
        &self,
        instance: &InstanceId,
        cursor: Option<&str>,
        limit: usize,
        wanted: impl Fn(&CommandId, &Record) -> bool,
    ) -> Result<Option<Page>, StoreError> {
        let Some(mut place) = cursor.map_or_else(|| Some(Place::default()), Place::read) else {
            return Ok(None);
        };
        let mut records = Vec::new();
        for _ in 0..PIECES_MAX {
            let (next, ids) = self.piece(instance, place.cursor).await?;
            let rest: Vec<CommandId> =
                ids.into_iter().filter(|id| id.as_str() > place.after.as_str()).collect();
            for chunk in rest.chunks(FETCHED_AT_ONCE) {
                for (id, record) in self.fetch(instance, chunk).await? {
                    place.after = id.as_str().to_owned();
                    if record.as_ref().is_some_and(|record| wanted(&id, record)) {
                        records.extend(record.map(|record| (id, record)));
                    }
                    if records.len() == limit {
                        return Ok(Some(Page { records, next: Some(place.write()) }));
                    }
                }
            }
            place = Place { cursor: next, after: String::new() };
            if next == 0 {
                return Ok(Some(Page { records, next: None }));
            }
        }
        Ok(Some(Page { records, next: Some(place.write()) }))
    }

    /// The ids in one piece of the key space, in their order, and where the next piece begins.
    async fn piece(
        &self,
        instance: &InstanceId,
        cursor: u64,
    ) -> Result<(u64, BTreeSet<CommandId>), StoreError> {
        let pattern = self.redis.keys().commands(instance);
        let (next, keys): (u64, Vec<String>) = self
            .redis
            .ask(async |mut connection| {
                let mut scan = cmd("SCAN");
                scan.arg(cursor).arg("MATCH").arg(&pattern).arg("COUNT").arg(SCAN_COUNT);
                scan.query_async(&mut connection).await
            })
            .await?;
        let head = pattern.len() - 1;
        let ids = keys.iter().filter_map(|key| key.get(head..)?.parse().ok());
        Ok((next, ids.collect()))
    }

    async fn fetch(
        &self,
        instance: &InstanceId,
        ids: &[CommandId],
    ) -> Result<Vec<(CommandId, Option<Record>)>, StoreError> {
        let mut ask = pipe();
        for id in ids {
            ask.cmd("HGETALL").arg(self.redis.keys().command(instance, id));
        }
        let found: Vec<std::collections::HashMap<String, String>> =
            self.redis.ask(async |mut connection| ask.query_async(&mut connection).await).await?;
        let read =
            |(id, fields): (&CommandId, _)| (id.clone(), self.read(instance, id, fields).ok());
        Ok(ids.iter().zip(found).map(read).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_survives_the_way_to_the_asker_and_back() {
        let place = Place { cursor: u64::MAX, after: "deal:77: create".to_owned() };
        assert_eq!(Place::read(&place.write()), Some(place));
        assert_eq!(Place::read("x:"), None);
        assert_eq!(Place::read(""), None);
    }
}
