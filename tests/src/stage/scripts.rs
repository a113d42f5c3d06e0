//! The repository's own scripts, seen from Rust: where they are, and what `scripts/servers` found.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

/// The repository's root.
#[must_use]
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Runs `scripts/<name>`, whose messages go on to our standard error, and reads its `KEY=VALUE` lines.
///
/// # Errors
/// When it fails; it has told why itself.
pub fn key_values(name: &str) -> Result<HashMap<String, String>> {
    read(name, Command::new(repository().join("scripts").join(name)))
}

/// The same, blind to servers that the environment names: for whoever needs programs of its own.
///
/// # Errors
/// As [`key_values`].
pub fn key_values_alone(name: &str) -> Result<HashMap<String, String>> {
    let mut script = Command::new(repository().join("scripts").join(name));
    for (variable, _) in std::env::vars_os() {
        if variable.to_string_lossy().starts_with("QUEUEGRAM_") {
            script.env_remove(variable);
        }
    }
    read(name, script)
}

fn read(name: &str, mut script: Command) -> Result<HashMap<String, String>> {
    let output = script
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("running scripts/{name}"))?;
    if !output.status.success() {
        bail!("scripts/{name} ended with {}", output.status);
    }
    let text = String::from_utf8(output.stdout)?;
    Ok(text
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect())
}
