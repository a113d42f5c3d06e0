//! `instance export`: an instance's login as a file.

use std::{
    fs::OpenOptions,
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use proto::{
    InstanceId,
    control::{AccountExport, AccountExported, method},
};
use serde_json::json;

use crate::{
    broker::connect,
    exit::{Done, Failure},
    order::{ORDER_TIMEOUT, Orders, myself, read_done},
    screen::Screen,
    settings::Settings,
};

/// Asks for the backup and writes it.
pub async fn export(
    instance: &InstanceId,
    out: &Path,
    settings: &Settings,
    screen: Screen,
) -> Result<Done, Failure> {
    // Told before the worker is asked; what counts is that the file is made by us, below.
    if out.symlink_metadata().is_ok() {
        return Err(exists(out));
    }
    let mut orders = Orders::open(connect(settings).await?).await?;
    let params = AccountExport { by: myself() };
    let answer = orders.ask(instance, method::ACCOUNT_EXPORT, &params, ORDER_TIMEOUT).await?;
    let exported: AccountExported = match read_done(&answer, screen)? {
        Ok(exported) => exported,
        Err(done) => return Ok(done),
    };
    write(out, &exported.backup).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => exists(out),
        _ => Failure::Usage(format!("--out: {}: {error}", out.display())),
    })?;
    screen.put(&json!({ "instance": exported.instance, "file": out }), || {
        format!(
            "the login of {} is in {}; without the vault's key nobody can use it",
            exported.instance,
            out.display()
        )
    });
    Ok(Done::Success)
}

fn write(path: &Path, backup: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    writeln!(file, "{backup}")?;
    file.sync_all()
}

fn exists(path: &Path) -> Failure {
    Failure::Usage(format!("--out: {} is there already and is not overwritten", path.display()))
}
