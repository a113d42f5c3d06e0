//! `vault backup`: every instance's sealed records into one file.

use std::path::Path;

use proto::{
    InstanceId,
    control::{VaultBackedUp, VaultBackup, method},
};
use serde_json::json;

use super::{
    archive::{self, Entry, Header, Writer},
    every_instance,
};
use crate::{
    broker::connect,
    exit::{Done, Failure},
    order::{ORDER_TIMEOUT, Orders, myself, read_done},
    screen::{GOOD, Screen, paint},
    settings::Settings,
};

/// Asks for each instance and writes the file.
pub async fn run(out: &Path, settings: &Settings, screen: Screen) -> Result<Done, Failure> {
    archive::must_be_new(out)?;
    let mut orders = Orders::open(connect(settings).await?).await?;
    let whole = match ask(&mut orders, &InstanceId::every(), screen).await? {
        Ok(whole) => whole,
        Err(done) => return Ok(done),
    };
    let instances = match every_instance(&mut orders, screen).await? {
        Ok(instances) => instances,
        Err(done) => return Ok(done),
    };
    let check = whole.records.into_iter().next();
    let header = Header::new(whole.vault, whole.keys.into_iter().next(), check);
    let mut writer = Writer::create(out, &header)?;
    for (n, instance) in instances.iter().enumerate() {
        screen.note(&format!("{} of {}: {instance}", n + 1, instances.len()));
        let backed_up = match ask(&mut orders, instance, screen).await? {
            Ok(backed_up) => backed_up,
            Err(done) => return Ok(done),
        };
        writer.add(&Entry { instance: instance.clone(), records: backed_up.records })?;
    }
    let end = writer.finish()?;
    let told = json!({
        "file": out, "vault": header.vault, "instances": end.instances, "records": end.records,
        "sha256": end.sha256,
    });
    screen.put(&told, || {
        format!(
            "{} {} instances with {} records are in {}; without the vault's key nobody can use them.",
            paint(GOOD, "done"),
            end.instances,
            end.records,
            out.display()
        )
    });
    Ok(Done::Success)
}

async fn ask(
    orders: &mut Orders,
    instance: &InstanceId,
    screen: Screen,
) -> Result<Result<VaultBackedUp, Done>, Failure> {
    let params = VaultBackup { by: myself() };
    let answer = orders.ask(instance, method::VAULT_BACKUP, &params, ORDER_TIMEOUT).await?;
    read_done(&answer, screen)
}
