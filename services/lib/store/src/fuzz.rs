//! A door for `tests/fuzz` to what reads the vault; nothing else may use it.

use proto::InstanceId;
use zeroize::Zeroizing;

use crate::error::StoreError;
use crate::groups::Book;
use crate::instances::InstanceRecord;
use crate::seal::{Slot, VaultKey};

/// A record's content, sealed with a key for its place.
///
/// # Errors
/// No randomness.
pub fn seal(
    key: [u8; 32],
    instance: &str,
    kind: &str,
    plain: &[u8],
) -> Result<Vec<u8>, StoreError> {
    VaultKey::new(Zeroizing::new(key)).seal(Slot { instance, kind }, plain)
}

/// A record's content.
///
/// # Errors
/// Whatever is wrong with it.
pub fn open(
    key: [u8; 32],
    instance: &str,
    kind: &str,
    sealed: &[u8],
) -> Result<Vec<u8>, StoreError> {
    let opened = VaultKey::new(Zeroizing::new(key)).open(Slot { instance, kind }, sealed)?;
    Ok(opened.to_vec())
}

/// The key in a key file, in hex.
#[must_use]
pub fn key(text: &str) -> Option<String> {
    VaultKey::parse(text).map(|key| key.to_hex().to_string())
}

/// An instance's record, as it would be written again.
///
/// # Errors
/// What can't be read.
pub fn instance(id: &InstanceId, content: &[u8]) -> Result<Vec<u8>, StoreError> {
    let record = InstanceRecord::read(id, content)?;
    serde_json::to_vec(&record).map_err(|error| StoreError::corrupt("an instance", error))
}

/// An instance's groups, as they would be written again.
///
/// # Errors
/// What can't be read.
pub fn groups(id: &InstanceId, content: &[u8]) -> Result<Vec<u8>, StoreError> {
    Book::read(id, content)?.write()
}
