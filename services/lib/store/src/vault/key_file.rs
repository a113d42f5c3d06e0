//! The file with the vault's key: read, or made once with rights for its owner alone.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use zeroize::Zeroizing;

use crate::config::VaultConfig;
use crate::error::StoreError;
use crate::keyring::KeyRing;
use crate::seal::VaultKey;

/// The keys that the settings give, by themselves or in a file; none where the file does not exist.
pub(super) fn given(config: &VaultConfig) -> Result<Option<KeyRing>, StoreError> {
    let Some(keys) = &config.keys else { return read(&config.key_file) };
    let ring = KeyRing::parse(keys.expose());
    ring.map(Some).map_err(|why| StoreError::Config { key: "vault.keys", why })
}

/// The file's keys, or none where there is no file.
fn read(path: &Path) -> Result<Option<KeyRing>, StoreError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => Zeroizing::new(text),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(wrong(path, &format!("can't be read: {error}"))),
    };
    let mode = fs::metadata(path).map(|file| file.permissions().mode()).unwrap_or_default();
    if mode & 0o007 != 0 {
        tracing::warn!(file = %path.display(), "every user of this machine can read the vault's key");
    }
    KeyRing::parse(&text).map(Some).map_err(|why| wrong(path, &why))
}

/// Makes the file. Where another process makes it at the same time, both end up with one key.
pub(super) fn create(path: &Path) -> Result<KeyRing, StoreError> {
    let key = VaultKey::generate()?;
    match write(path, &key) {
        Ok(()) => {
            tracing::warn!(
                file = %path.display(),
                "made a new key for the vault: whoever loses this file loses every login"
            );
            Ok(key.into())
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            read(path)?.ok_or_else(|| wrong(path, "went away while it was made"))
        }
        Err(error) => Err(wrong(path, &format!("can't be made: {error}"))),
    }
}

/// Whole or not at all: written beside it, then given its name, which fails if that is taken.
fn write(path: &Path, key: &VaultKey) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        make_folder(folder)?;
    }
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{}", std::process::id()));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    let written = file
        .write_all(format!("{}\n", key.to_hex().as_str()).as_bytes())
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::hard_link(&draft, path));
    fs::remove_file(&draft).and(written)
}

/// A folder for its owner alone, if it is missing.
pub(super) fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

fn wrong(path: &Path, why: &str) -> StoreError {
    StoreError::Config { key: "vault.key_file", why: format!("{} {why}", path.display()) }
}
