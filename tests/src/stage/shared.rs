//! The servers that the tests of a process share.
//!
//! Under `stage run` (so under `make test`) they are in the environment. Else the first test that
//! asks starts `stage serve`, which lives until its standard input closes: until this process ends.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;

use anyhow::{Context as _, Result, ensure};
use tokio::sync::OnceCell;

use super::binaries;
use super::servers::Addresses;

/// Where the shared servers are; starts them if need be.
///
/// # Errors
/// When they don't start.
pub async fn servers() -> Result<&'static Addresses> {
    static SERVERS: OnceCell<Addresses> = OnceCell::const_new();
    SERVERS
        .get_or_try_init(|| async {
            match Addresses::from_environment() {
                Some(addresses) => Ok(addresses),
                None => {
                    let stage = binaries::program("stage").await?;
                    tokio::task::spawn_blocking(move || serve(&stage)).await?
                }
            }
        })
        .await
}

fn serve(stage: &std::path::Path) -> Result<Addresses> {
    // A static is never dropped: the pipe closes when the kernel ends the process.
    static SERVER: Mutex<Option<Child>> = Mutex::new(None);
    let mut child = Command::new(stage)
        .arg("serve")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("starting `stage serve`")?;
    let mut line = String::new();
    BufReader::new(child.stdout.take().context("no pipe")?).read_line(&mut line)?;
    ensure!(!line.is_empty(), "`stage serve` ended before it was ready; it has told why above");
    if let Ok(mut slot) = SERVER.lock() {
        *slot = Some(child);
    }
    serde_json::from_str(&line).context("what `stage serve` printed")
}
