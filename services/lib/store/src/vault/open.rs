//! Opening the vault: with the right key, and only where the store keeps what the vault relies on. A check
//! record tells a wrong key from an empty vault.

use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt;
use object_store::ObjectStore;
use object_store::path::Path;

use super::{CHECK, OWN, RecordName, Vault, ask, key_file, place};
use crate::config::VaultConfig;
use crate::error::StoreError;
use crate::seal::Slot;

impl Vault {
    /// Opens the vault, and proves that the key is its key.
    ///
    /// # Errors
    /// Settings that make no sense; a key file that is missing, unreadable or not the vault's; a
    /// store that can't be reached.
    pub async fn open(config: &VaultConfig) -> Result<Self, StoreError> {
        Self::over(place::store(config)?, config).await
    }

    pub(super) async fn over(
        store: Arc<dyn ObjectStore>,
        config: &VaultConfig,
    ) -> Result<Self, StoreError> {
        let within = config.timeout();
        // Asked before the key and the check record are looked for: whoever fills an empty vault
        // makes these two first.
        let is_empty = is_empty(&store, within).await?;
        let key = match key_file::given(config)? {
            Some(key) => key,
            None if !is_empty => {
                return Err(key_error(config, "is missing, and the vault holds records"));
            }
            None if !config.create_key => {
                return Err(key_error(
                    config,
                    "does not exist; restore it, or let it be made (vault.create_key)",
                ));
            }
            None => key_file::create(&config.key_file)?,
        };
        let vault = Self { store, key: Arc::new(key), within };
        vault.check(is_empty).await?;
        Ok(vault)
    }

    async fn check(&self, is_empty: bool) -> Result<(), StoreError> {
        let folder = Path::from_iter([OWN, CHECK]);
        let slot = Slot { instance: OWN, kind: CHECK };
        if self.read_newest(&folder, slot).await?.is_none() {
            if !is_empty {
                let why = "it holds records and no check record";
                return Err(StoreError::corrupt("the vault", why));
            }
            // Where another process opened the empty vault first, its key must be this one.
            let name = RecordName { epoch: 0, seq: 0 };
            self.create(&folder, name, self.key.seal(slot, b"queuegram")?).await?;
            if self.read_newest(&folder, slot).await?.is_none() {
                return Err(unfit("does not list what was just written"));
            }
        }
        self.prove_create_only(&folder).await
    }

    /// Creates what is there already, with the bytes that it has: that must be refused. A store
    /// which overwrites instead would let a former owner's record take the place of its successor's.
    async fn prove_create_only(&self, folder: &Path) -> Result<(), StoreError> {
        let Some((name, sealed)) = self.read_sealed(folder).await? else { return Ok(()) };
        match self.create(folder, name, sealed).await? {
            false => Ok(()),
            true => Err(unfit(
                "overwrites a record that was only to be created (If-None-Match: * is not heeded)",
            )),
        }
    }
}

async fn is_empty(store: &Arc<dyn ObjectStore>, within: Duration) -> Result<bool, StoreError> {
    let mut objects = store.list(None);
    Ok(ask(within, objects.try_next()).await?.is_none())
}

fn unfit(why: &str) -> StoreError {
    let why = format!("this store {why}, and no vault is safe there");
    StoreError::Config { key: "vault.url", why }
}

fn key_error(config: &VaultConfig, why: &str) -> StoreError {
    let why = format!("{} {why}", config.key_file.display());
    StoreError::Config { key: "vault.key_file", why }
}
