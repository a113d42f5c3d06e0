//! The programs under test: built once per test process if nobody did so before, then found beside
//! the test's own executable.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use tokio::sync::OnceCell;

use super::scripts::repository;

/// Set by `make` after it built the whole workspace: nothing needs building again.
const BUILT: &str = "STAGE_PROGRAMS_BUILT";

/// Packages whose programs the stage starts.
const PACKAGES: [&str; 4] = ["queuegram-worker", "queuegram", "tgsim", "queuegram-tests"];

/// The worker that dies and freezes on order and lives at a time that a test tells, alone: the other programs must not have its feature.
const FAULTS_BUILD: [&str; 4] = [
    "--bin",
    "queuegram-worker-faults",
    "--features",
    "queuegram-worker/faults,queuegram-worker/test-clock",
];

/// The program `name`, up to date.
///
/// # Errors
/// When the build fails or the program is not where cargo puts it.
pub async fn program(name: &str) -> Result<PathBuf> {
    static UP_TO_DATE: OnceCell<()> = OnceCell::const_new();
    UP_TO_DATE.get_or_try_init(|| async { tokio::task::spawn_blocking(build).await? }).await?;
    let program = folder()?.join(name);
    ensure!(program.is_file(), "{} is not there", program.display());
    Ok(program)
}

fn build() -> Result<()> {
    if std::env::var_os(BUILT).is_some() {
        return Ok(());
    }
    let mut command = Command::new(option_env!("CARGO").unwrap_or("cargo"));
    command.args(["build", "--quiet", "--locked", "--bins"]);
    for package in PACKAGES {
        command.args(["--package", package]);
    }
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    finish(command)?;
    let mut twin = Command::new(option_env!("CARGO").unwrap_or("cargo"));
    twin.args(["build", "--quiet", "--locked", "--workspace"]).args(FAULTS_BUILD);
    if !cfg!(debug_assertions) {
        twin.arg("--release");
    }
    finish(twin)
}

fn finish(mut build: Command) -> Result<()> {
    let status = build.current_dir(repository()).stdin(Stdio::null()).status()?;
    ensure!(status.success(), "cargo build ended with {status}");
    Ok(())
}

/// The folder that cargo puts programs into: ours, or the one above `deps/` for a test.
fn folder() -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let folder = own.parent().context("an executable without a folder")?;
    let above_deps = folder.ends_with("deps").then(|| folder.parent()).flatten();
    Ok(above_deps.unwrap_or(folder).to_owned())
}
