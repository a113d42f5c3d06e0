//! The logs of a seed: what is counted in them, and where they stay when something was broken.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::stage::scripts;

/// How often a worker says that it owns an instance now.
#[must_use]
pub fn leases_taken(folder: &Path) -> usize {
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let logs = files.filter(|file| file.file_name().to_string_lossy().starts_with("worker-"));
    logs.filter_map(|file| std::fs::read_to_string(file.path()).ok())
        .map(|text| text.matches("\"message\":\"owned\"").count())
        .sum()
}

/// Copies the seed's folder to where it stays, with its story.
///
/// # Errors
/// When the disk is full, say.
pub fn keep(seed: u64, folder: &Path, story: &str) -> Result<PathBuf> {
    let kept = scripts::repository().join("target/faults").join(format!("seed-{seed}"));
    if kept.exists() {
        std::fs::remove_dir_all(&kept)?;
    }
    copy(folder, &kept).context("keeping the logs")?;
    std::fs::write(kept.join("story.txt"), story)?;
    Ok(std::fs::canonicalize(kept)?)
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        match entry.file_type()?.is_dir() {
            true => copy(&entry.path(), &target)?,
            false => std::fs::copy(entry.path(), target).map(|_| ())?,
        }
    }
    Ok(())
}
