//! Foreign clients: programs in other languages, on other people's libraries, that look at what ours
//! do. Their environments are made by `scripts/python-witnesses` and `scripts/node-witnesses`.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tokio::process::Command;
use tokio::sync::OnceCell;

use super::folder::Folder;
use super::scripts::{key_values, repository};

const BOUND: Duration = Duration::from_secs(180);

/// The languages that witnesses are written in.
#[derive(Debug, Clone, Copy)]
pub enum Language {
    /// `tests/witnesses/python`
    Python,
    /// `tests/witnesses/node`
    Node,
}

/// Runs `script` of that language's folder with these arguments; it must succeed. What it printed.
///
/// # Errors
/// When it fails or does not end; the error holds what it said.
pub async fn testify(
    language: Language,
    script: &str,
    args: &[&str],
    env: &[(String, String)],
) -> Result<String> {
    let interpreter = interpreter(language).await?;
    let folder = repository().join("tests/witnesses").join(match language {
        Language::Python => "python",
        Language::Node => "node",
    });
    // Some libraries leave files behind where they run.
    let litter = Folder::new("witness")?;
    let child = Command::new(interpreter)
        .arg(folder.join(script))
        .args(args)
        .envs(env.iter().map(|(key, value)| (key, value)))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PYTHONUNBUFFERED", "1")
        .current_dir(litter.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("starting the witness {script}"))?;
    let output = tokio::time::timeout(BOUND, child.wait_with_output())
        .await
        .with_context(|| format!("the witness {script} hangs"))??;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(
        output.status.success(),
        "the witness {script} ended with {}:\n{said}{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(said)
}

/// The language's interpreter, with the pinned libraries.
pub(super) async fn interpreter(language: Language) -> Result<PathBuf> {
    static PYTHON: OnceCell<PathBuf> = OnceCell::const_new();
    static NODE: OnceCell<PathBuf> = OnceCell::const_new();
    let (cell, script, key) = match language {
        Language::Python => (&PYTHON, "python-witnesses", "PYTHON"),
        Language::Node => (&NODE, "node-witnesses", "NODE"),
    };
    let found = cell
        .get_or_try_init(|| async {
            let mut values = tokio::task::spawn_blocking(move || key_values(script)).await??;
            values.remove(key).map(PathBuf::from).with_context(|| format!("{script}: no {key}"))
        })
        .await?;
    Ok(found.clone())
}
