//! `vault restore`: the instances of a backup that the vault does not have. All of them are looked at
//! by a worker before the first is written: a wrong key or a damaged record leaves the vault as it was.

use std::{path::Path, time::Duration};

use proto::{
    InstanceId, Status,
    control::{AccountRestore, AccountRestored, method},
    fault::code,
    time,
};
use serde_json::json;

use super::archive::{Archive, Entry};
use crate::{
    broker::connect,
    exit::{Done, Failure},
    order::{Orders, myself, read_done},
    prompt,
    screen::{GOOD, Screen, UNSURE, paint},
    settings::Settings,
};

const QUESTION: &str = "\
Whatever else works with these logins must be stopped for good: the site that the backup was made of, and
every copy of its vault. Telegram destroys a login that is used twice. Type restore to go on: ";

/// How long one instance may take, where Redis just lost its data too: nothing is taken then for a while.
const INSTANCE_TIMEOUT: Duration = Duration::from_secs(60);

/// What is wanted of it.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// Don't ask.
    pub yes: bool,
    /// Connect the accounts.
    pub start: bool,
}

/// Puts back what is not there.
pub async fn run(
    file: &Path,
    terms: Terms,
    settings: &Settings,
    screen: Screen,
) -> Result<Done, Failure> {
    let mut archive = Archive::open(file)?;
    let made_at = time::format(archive.header.made_at);
    let vault = archive.header.vault.as_deref().unwrap_or("that nobody used");
    screen.note(&format!("{} instances of the vault {vault}, of {made_at}", archive.end.instances));
    if !terms.yes && prompt::line(QUESTION, "--yes").await?.trim() != "restore" {
        return Err(Failure::Usage(String::from("nothing was restored")));
    }
    let mut orders = Orders::open(connect(settings).await?).await?;
    let (mut missing, mut there) = (Vec::new(), Vec::new());
    let total = archive.end.instances;
    for (n, entry) in archive.each()?.enumerate() {
        let entry = entry?;
        screen.note(&format!("looking at {} of {total}: {}", n + 1, entry.instance));
        match put(&mut orders, &entry, terms.start, true, screen).await? {
            Put::Done(_) => missing.push(entry.instance),
            Put::There => there.push(entry.instance),
            Put::Refused(done) => return Ok(done),
        }
    }
    let (mut restored, mut stopped) = (Vec::new(), Vec::new());
    for entry in archive.each()? {
        let entry = entry?;
        if !missing.contains(&entry.instance) {
            continue;
        }
        screen.note(&format!("{} of {}: {}", restored.len() + 1, missing.len(), entry.instance));
        match put(&mut orders, &entry, terms.start, false, screen).await? {
            Put::Done(done) => {
                if done.stopped {
                    stopped.push(done.instance.clone());
                }
                restored.push(done.instance);
            }
            Put::There => there.push(entry.instance),
            Put::Refused(done) => return Ok(done),
        }
    }
    let told = json!({ "restored": restored, "stopped": stopped, "skipped": there });
    screen.put(&told, || words(&restored, &stopped, &there));
    Ok(if there.is_empty() { Done::Success } else { Done::Answered(Status::Partial) })
}

enum Put {
    Done(AccountRestored),
    /// The vault has such an instance: what is there is newer than any backup.
    There,
    Refused(Done),
}

async fn put(
    orders: &mut Orders,
    entry: &Entry,
    start: bool,
    check: bool,
    screen: Screen,
) -> Result<Put, Failure> {
    let params = AccountRestore { records: entry.records.clone(), start, check, by: myself() };
    let order = orders.ask(&entry.instance, method::ACCOUNT_RESTORE, &params, INSTANCE_TIMEOUT);
    let answer = order.await?;
    if answer.error_code.as_deref() == Some(code::INSTANCE_EXISTS) {
        return Ok(Put::There);
    }
    Ok(match read_done(&answer, screen)? {
        Ok(done) => Put::Done(done),
        Err(done) => Put::Refused(done),
    })
}

fn words(restored: &[InstanceId], stopped: &[InstanceId], there: &[InstanceId]) -> String {
    let mut lines = Vec::new();
    if !there.is_empty() {
        let names: Vec<&str> = there.iter().map(InstanceId::as_str).collect();
        let skipped = paint(UNSURE, "skipped");
        lines.push(format!("{skipped} the vault has them already: {}", names.join(", ")));
    }
    lines.push(format!("{} {} instances were restored.", paint(GOOD, "done"), restored.len()));
    if let Some(first) = stopped.first() {
        lines.push(format!(
            "{} of them are stopped; each is connected by `queuegram instance start`, such as \
             `queuegram instance start {first}`.",
            stopped.len()
        ));
    }
    lines.join("\n")
}
