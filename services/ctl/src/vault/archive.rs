//! The file of `vault backup`: a line of JSON for the whole, one for each instance, and one that ends
//! it. The last tells how many there are and the SHA-256 of all lines before it, so that a file that
//! was cut short or changed is not taken for a good one. What is in it is sealed with the vault's key.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader, BufWriter, Seek, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use chrono::{DateTime, Utc};
use proto::{InstanceId, control::BackupRecord, envelope::ORDER_BYTES_MAX};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::exit::Failure;

/// The version of this form.
const VERSION: u32 = 1;
/// Longer than any line that we write.
const LINE_BYTES_MAX: usize = ORDER_BYTES_MAX + 64 * 1024;
/// The most lines of a file.
const LINES_MAX: u64 = 1_000_000;

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Says what the file is, by its name; the version of its form.
    pub queuegram_vault_backup: u32,
    /// When it was begun.
    #[serde(with = "proto::time::rfc3339_ms")]
    pub made_at: DateTime<Utc>,
    /// The id of the vault that it was made of.
    pub vault: Option<String>,
    /// The id of the key that sealed there then.
    pub key: Option<String>,
    /// The record by which the vault knows its key.
    pub check: Option<BackupRecord>,
}

impl Header {
    /// Of a backup that is made now.
    pub fn new(vault: Option<String>, key: Option<String>, check: Option<BackupRecord>) -> Self {
        Self { queuegram_vault_backup: VERSION, made_at: Utc::now(), vault, key, check }
    }
}

/// One instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its id.
    pub instance: InstanceId,
    /// Its records.
    pub records: Vec<BackupRecord>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Last {
    end: End,
}

/// The last line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// How many instances there are.
    pub instances: u64,
    /// How many records they have together.
    pub records: u64,
    /// SHA-256 (hex) of all lines before, with their line ends.
    pub sha256: String,
}

/// A file that is being written. It overwrites nothing; unless it is finished it is removed again.
pub struct Writer {
    path: PathBuf,
    file: BufWriter<File>,
    hash: Sha256,
    instances: u64,
    records: u64,
    finished: bool,
}

impl Writer {
    /// Makes the file, for its owner alone.
    pub fn create(path: &Path, header: &Header) -> Result<Self, Failure> {
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let file = made.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => exists(path),
            _ => wrong(path, &error.to_string()),
        })?;
        let mut writer = Self {
            path: path.to_owned(),
            file: BufWriter::new(file),
            hash: Sha256::new(),
            instances: 0,
            records: 0,
            finished: false,
        };
        writer.line(header)?;
        Ok(writer)
    }

    /// Adds an instance.
    pub fn add(&mut self, entry: &Entry) -> Result<(), Failure> {
        self.instances += 1;
        self.records += entry.records.len() as u64;
        self.line(entry)
    }

    /// Ends the file, and has the disk keep it.
    pub fn finish(mut self) -> Result<End, Failure> {
        let end = End {
            instances: self.instances,
            records: self.records,
            sha256: hex::encode(self.hash.clone().finalize()),
        };
        self.line(&Last { end: end.clone() })?;
        let kept = self.file.flush().and_then(|()| self.file.get_ref().sync_all());
        kept.map_err(|error| wrong(&self.path, &error.to_string()))?;
        self.finished = true;
        Ok(end)
    }

    fn line(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        let mut line = serde_json::to_vec(value)?;
        line.push(b'\n');
        self.hash.update(&line);
        self.file.write_all(&line).map_err(|error| wrong(&self.path, &error.to_string()))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if !self.finished {
            // Half a backup is none; it would stand in the way of the next.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// A file that was read to its end and found whole.
#[derive(Debug)]
pub struct Archive {
    /// Its first line.
    pub header: Header,
    /// Its last one.
    pub end: End,
    path: PathBuf,
    file: File,
}

impl Archive {
    /// Opens the file and reads all of it, so that nothing is put back of one that is not whole.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let file = File::open(path).map_err(|error| wrong(path, &error.to_string()))?;
        let mut lines = Lines::new(&file, path);
        let first = lines.next()?.ok_or_else(|| wrong(path, "is empty"))?;
        let header = read_header(path, &first)?;
        let mut hash = Sha256::new_with_prefix(&first);
        let (mut instances, mut records) = (0_u64, 0_u64);
        let cut = || wrong(path, "is cut short: its last line is missing");
        let end = loop {
            let line = lines.next()?.ok_or_else(cut)?;
            if let Ok(Last { end }) = serde_json::from_slice(&line) {
                break end;
            }
            if line.last() != Some(&b'\n') {
                return Err(cut());
            }
            let entry: Entry = serde_json::from_slice(&line).map_err(|error| {
                wrong(path, &format!("line {} is damaged: {error}", lines.number))
            })?;
            instances += 1;
            records += entry.records.len() as u64;
            hash.update(&line);
        };
        let sha256 = hex::encode(hash.finalize());
        if (End { instances, records, sha256 }) != end {
            return Err(wrong(path, "is damaged: it is not what its last line says"));
        }
        if lines.next()?.is_some() {
            return Err(wrong(path, "is damaged: it goes on after its last line"));
        }
        Ok(Self { header, end, path: path.to_owned(), file })
    }

    /// Gives the instances one after the other.
    pub fn each<'a>(
        &'a mut self,
    ) -> Result<impl Iterator<Item = Result<Entry, Failure>> + 'a, Failure> {
        self.file.rewind().map_err(|error| wrong(&self.path, &error.to_string()))?;
        let mut lines = Lines::new(&self.file, &self.path);
        lines.next()?;
        let path = &self.path;
        let mut left = self.end.instances;
        Ok(std::iter::from_fn(move || {
            left = left.checked_sub(1)?;
            let changed = || wrong(path, "was changed while it was read");
            let entry = lines.next().and_then(|line| {
                serde_json::from_slice(&line.ok_or_else(changed)?).map_err(|_| changed())
            });
            Some(entry)
        }))
    }
}

fn read_header(path: &Path, line: &[u8]) -> Result<Header, Failure> {
    /// As much of it as every version has.
    #[derive(Deserialize)]
    struct Any {
        queuegram_vault_backup: u32,
    }
    let foreign = |_| wrong(path, "is no backup of a vault");
    let any: Any = serde_json::from_slice(line).map_err(foreign)?;
    if any.queuegram_vault_backup > VERSION {
        return Err(wrong(path, "was made by a later release"));
    }
    serde_json::from_slice(line).map_err(foreign)
}

/// Lines of bounded length and number.
struct Lines<'a> {
    file: BufReader<&'a File>,
    path: &'a Path,
    number: u64,
}

impl<'a> Lines<'a> {
    fn new(file: &'a File, path: &'a Path) -> Self {
        Self { file: BufReader::new(file), path, number: 0 }
    }

    /// The next one with its line end, which the last may lack.
    fn next(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        let mut line = Vec::new();
        let mut bounded = io::Read::take(&mut self.file, LINE_BYTES_MAX as u64 + 1);
        let read = bounded.read_until(b'\n', &mut line);
        let read = read.map_err(|error| wrong(self.path, &error.to_string()))?;
        if read == 0 {
            return Ok(None);
        }
        self.number += 1;
        if read > LINE_BYTES_MAX || self.number > LINES_MAX {
            return Err(wrong(self.path, "is no backup of a vault: it is too large for one"));
        }
        Ok(Some(line))
    }
}

/// Told before any worker is asked.
pub fn must_be_new(path: &Path) -> Result<(), Failure> {
    match path.symlink_metadata() {
        Ok(_) => Err(exists(path)),
        Err(_) => Ok(()),
    }
}

fn exists(path: &Path) -> Failure {
    wrong(path, "is there already and is not overwritten")
}

fn wrong(path: &Path, why: &str) -> Failure {
    Failure::Usage(format!("{}: {why}", path.display()))
}

#[cfg(test)]
mod tests;
