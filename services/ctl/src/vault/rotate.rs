//! `vault rotate`: each instance's owner seals its records anew, then any worker the vault's own, and the
//! audit log.

use proto::{
    InstanceId,
    control::{AuditReseal, AuditResealed, NoParams, VaultResealed, method},
};

use serde_json::json;

use super::every_instance;
use crate::{
    broker::connect,
    exit::{Done, Failure},
    order::{ORDER_TIMEOUT, Orders, read_done},
    screen::{GOOD, Screen, paint},
    settings::Settings,
};

/// Rotates.
pub async fn run(settings: &Settings, screen: Screen) -> Result<Done, Failure> {
    let mut orders = Orders::open(connect(settings).await?).await?;
    let (every, none) = (InstanceId::every(), NoParams::default());
    let instances = match every_instance(&mut orders, screen).await? {
        Ok(instances) => instances,
        Err(done) => return Ok(done),
    };
    let whom = instances.iter().map(|instance| (instance, method::ACCOUNT_RESEAL));
    let mut sum = VaultResealed { records: 0, resealed: 0, key: String::new() };
    let count = instances.len() + 2;
    for (n, (place, order)) in whom.chain([(&every, method::VAULT_RESEAL)]).enumerate() {
        screen.note(&format!("{} of {}: {place}", n + 1, count));
        let answer = orders.ask(place, order, &none, ORDER_TIMEOUT).await?;
        let one: VaultResealed = match read_done(&answer, screen)? {
            Ok(one) => one,
            Err(done) => return Ok(done),
        };
        same_key(&sum.key, &one.key)?;
        sum.records += one.records;
        sum.resealed += one.resealed;
        sum.key = one.key;
    }
    let log = match rotate_log(&mut orders, &sum.key, count, screen).await? {
        Ok(log) => log,
        Err(done) => return Ok(done),
    };
    let VaultResealed { records, resealed, key } = &sum;
    let told = json!({
        "records": records, "resealed": resealed, "key": key,
        "audit_batches": log.batches, "audit_resealed": log.resealed,
        "audit_unreadable": log.unreadable,
    });
    screen.put(&told, || {
        let lost = match log.unreadable {
            0 => String::new(),
            lost => format!(" {lost} batches can't be opened with any key, and were left."),
        };
        format!(
            "{} {resealed} of {records} records and {} of {} batches of the audit log were sealed anew, with the \
             key {key}.{lost}",
            paint(GOOD, "done"),
            log.resealed,
            log.batches,
        )
    });
    Ok(Done::Success)
}

/// The audit log, some batches at a time.
async fn rotate_log(
    orders: &mut Orders,
    key: &str,
    count: usize,
    screen: Screen,
) -> Result<Result<AuditResealed, Done>, Failure> {
    let every = InstanceId::every();
    let mut sum =
        AuditResealed { batches: 0, resealed: 0, unreadable: 0, key: key.to_owned(), next: None };
    loop {
        screen.note(&format!("{count} of {count}: the audit log, {} batches", sum.batches));
        let params = AuditReseal { cursor: sum.next.take() };
        let answer = orders.ask(&every, method::AUDIT_RESEAL, &params, ORDER_TIMEOUT).await?;
        let some: AuditResealed = match read_done(&answer, screen)? {
            Ok(some) => some,
            Err(done) => return Ok(Err(done)),
        };
        same_key(key, &some.key)?;
        sum.batches += some.batches;
        sum.resealed += some.resealed;
        sum.unreadable += some.unreadable;
        sum.next = some.next;
        if sum.next.is_none() {
            return Ok(Ok(sum));
        }
    }
}

fn same_key(known: &str, told: &str) -> Result<(), Failure> {
    if known.is_empty() || known == told {
        return Ok(());
    }
    Err(Failure::Usage(format!(
        "workers seal with different keys, {known} and {told}: restart all of them with the same key file"
    )))
}
