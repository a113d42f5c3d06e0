//! `vault verify`: whether every record can be opened, and with which keys.

use std::collections::BTreeMap;

use proto::{
    InstanceId, Status,
    control::{NoParams, VaultChecked, method},
};
use serde_json::json;

use super::every_instance;
use crate::{
    broker::connect,
    exit::{Done, Failure},
    order::{ORDER_TIMEOUT, Orders, read_done},
    screen::{BAD, GOOD, Screen, paint},
    settings::Settings,
};

/// Verifies.
pub async fn run(settings: &Settings, screen: Screen) -> Result<Done, Failure> {
    let mut orders = Orders::open(connect(settings).await?).await?;
    let (every, none) = (InstanceId::every(), NoParams::default());
    let mut places = match every_instance(&mut orders, screen).await? {
        Ok(instances) => instances,
        Err(done) => return Ok(done),
    };
    places.push(every);
    let (mut records, mut needed, mut keys) = (Vec::new(), BTreeMap::new(), Vec::new());
    for (n, place) in places.iter().enumerate() {
        screen.note(&format!("{} of {}: {place}", n + 1, places.len()));
        let answer = orders.ask(place, method::VAULT_VERIFY, &none, ORDER_TIMEOUT).await?;
        let checked: VaultChecked = match read_done(&answer, screen)? {
            Ok(checked) => checked,
            Err(done) => return Ok(done),
        };
        keys = checked.keys;
        for record in checked.records {
            if let Some(key) = &record.key {
                *needed.entry(key.clone()).or_insert(0_usize) += 1;
            }
            records.push((place.clone(), record));
        }
    }
    let broken: Vec<_> = records.iter().filter(|(_, record)| record.problem.is_some()).collect();
    let rows: Vec<_> = records
        .iter()
        .map(|(place, record)| {
            json!({ "instance": place, "kind": record.kind, "key": record.key, "bytes": record.bytes,
                    "problem": record.problem })
        })
        .collect();
    let told = json!({ "keys": keys, "needed": needed, "records": rows });
    screen.put(&told, || {
        let mut lines: Vec<String> = broken
            .iter()
            .map(|(place, record)| {
                let why = record.problem.as_deref().unwrap_or_default();
                format!("{} {place} {}: {why}", paint(BAD, "broken"), record.kind)
            })
            .collect();
        let word = if broken.is_empty() { paint(GOOD, "good") } else { paint(BAD, "bad") };
        let whole = records.len() - broken.len();
        lines.push(format!("{word} {whole} of {} records open.", records.len()));
        for (n, key) in keys.iter().enumerate() {
            let role = if n == 0 { "seals" } else { "opens" };
            let count = needed.get(key).copied().unwrap_or(0);
            lines.push(format!("key {key}  {role}  {count} records"));
        }
        lines.join("\n")
    });
    Ok(if broken.is_empty() { Done::Success } else { Done::Answered(Status::Failed) })
}
