//! Where the vault's records lie: a folder, or a corner of a bucket.

use std::sync::Arc;

use object_store::ObjectStore;
use object_store::local::LocalFileSystem;

use super::{key_file, s3};
use crate::config::{S3, VaultConfig};
use crate::error::StoreError;

/// The store that the settings name. Nothing is asked of a server yet.
pub(super) fn store(config: &VaultConfig) -> Result<Arc<dyn ObjectStore>, StoreError> {
    config.validate()?;
    match config.url.scheme() {
        S3 => s3::bucket(config),
        _ => folder(config),
    }
}

fn folder(config: &VaultConfig) -> Result<Arc<dyn ObjectStore>, StoreError> {
    let wrong = |why: String| StoreError::Config { key: "vault.url", why };
    let path = config.url.to_file_path().map_err(|()| wrong("is no folder's path".to_owned()))?;
    key_file::make_folder(&path)
        .map_err(|error| wrong(format!("{} can't be made: {error}", path.display())))?;
    let store =
        LocalFileSystem::new_with_prefix(&path).map_err(|error| wrong(error.to_string()))?;
    Ok(Arc::new(store.with_fsync(true).with_automatic_cleanup(true)))
}
