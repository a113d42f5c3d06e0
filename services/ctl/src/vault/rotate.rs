//! `vault rotate`: each instance's owner seals its records anew, then any worker the vault's own.

use proto::{
    InstanceId,
    control::{NoParams, VaultResealed, method},
};

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
    for (n, (place, order)) in whom.chain([(&every, method::VAULT_RESEAL)]).enumerate() {
        screen.note(&format!("{} of {}: {place}", n + 1, instances.len() + 1));
        let answer = orders.ask(place, order, &none, ORDER_TIMEOUT).await?;
        let one: VaultResealed = match read_done(&answer, screen)? {
            Ok(one) => one,
            Err(done) => return Ok(done),
        };
        if !sum.key.is_empty() && sum.key != one.key {
            let why = format!(
                "workers seal with different keys, {} and {}: restart all of them with the same key file",
                sum.key, one.key
            );
            return Err(Failure::Usage(why));
        }
        sum.records += one.records;
        sum.resealed += one.resealed;
        sum.key = one.key;
    }
    screen.put(&sum, || {
        let VaultResealed { records, resealed, key } = &sum;
        format!(
            "{} {resealed} of {records} records were sealed anew, with the key {key}.",
            paint(GOOD, "done")
        )
    });
    Ok(Done::Success)
}
