//! Whether the vault is this site's: the ground that ownership stands on.

use std::sync::{Mutex, PoisonError};

use chassis::Latch;
use store::{Sites, StoreError};

/// Knows whether anything of the vault may be connected here.
pub struct Ground {
    sites: Sites,
    latch: Latch,
    /// None before the first look.
    ours: Mutex<Option<bool>>,
}

impl Ground {
    /// Not ours until the first look. `latch` tells why the worker is not ready.
    pub fn new(sites: Sites, latch: Latch) -> Self {
        Self { sites, latch, ours: Mutex::new(None) }
    }

    /// What was found at the last look; not ours before the first.
    pub fn is_ours(&self) -> bool {
        *self.lock() == Some(true)
    }

    /// Looks again; true where the vault is this site's.
    ///
    /// # Errors
    /// A store can't be asked.
    pub async fn look(&self) -> Result<bool, StoreError> {
        let why = match self.sites.look().await {
            Ok(why) => why,
            Err(error) => {
                // What was found before still holds; but without a vault no login can be kept, and
                // no instance taken.
                if error.is_vaults() {
                    self.latch.clear(error.to_string());
                }
                return Err(error);
            }
        };
        let ours = why.is_none();
        let changed = self.lock().replace(ours) != Some(ours);
        match why {
            None => self.latch.set(),
            Some(why) => {
                if changed {
                    tracing::error!(why, "the vault is another site's: nothing is connected");
                }
                let told = format!("{why}; nothing is connected before `queuegram vault claim`");
                self.latch.clear(told);
            }
        }
        Ok(ours)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<bool>> {
        self.ours.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
