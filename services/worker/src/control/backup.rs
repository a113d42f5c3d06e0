//! A login as a file: sealed with the vault's key, so that it is worth nothing to whoever finds it, and good for the
//! instance that it was made of.

use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use proto::control::{AccountExport, AccountExported};
use proto::fault::code;
use proto::{Command, Fault, InstanceId};
use store::StoreError;
use telegram::SessionRecord;

use super::account::unavailable;
use super::{Control, asker};

impl Control {
    /// Gives a backup of an instance's login.
    pub(super) async fn account_export(
        self: &Arc<Self>,
        order: &Command,
        params: AccountExport,
    ) -> Result<AccountExported, Fault> {
        let by = asker(order, params.by)?;
        let instance = order.instance.clone();
        let standing = self.owned(&instance).await?.standing.borrow().clone();
        if standing.is_final() {
            // A login that Telegram ended would never come back to life from a file.
            return Err(standing.fault());
        }
        let backup = self.shared.sessions.back_up(&instance, |session| {
            let session = SessionRecord::from_bytes(session);
            let session = session.map_err(|error| Unfit::Unreadable(error.to_string()))?;
            if !session.is_logged_in() {
                return Err(Unfit::NobodyLoggedIn);
            }
            Ok(session.login_alone().to_bytes())
        });
        let backup = match backup.await {
            Ok(Some(backup)) => backup,
            Ok(None) | Err(Unfit::NobodyLoggedIn) => {
                let message = "the instance has no login that could be exported";
                return Err(Fault::detached(code::NOT_CONNECTED, message));
            }
            Err(Unfit::Unreadable(why)) => return Err(Fault::internal(why)),
            Err(Unfit::Store(error)) => return Err(unavailable(error)),
        };
        tracing::info!(instance.id = %instance, by, "a backup of the login is handed out");
        Ok(AccountExported { instance, backup: BASE64_STANDARD.encode(backup) })
    }

    /// The session in a backup of this instance, as one that has to be proven again.
    pub(super) fn open_backup(
        &self,
        instance: &InstanceId,
        backup: &str,
    ) -> Result<SessionRecord, Fault> {
        let invalid = |why: &str| {
            Fault::invalid(code::BACKUP_INVALID, format!("params.import.backup: {why}"))
        };
        let sealed = BASE64_STANDARD.decode(backup.trim()).map_err(|_| invalid("is not base64"))?;
        let opened = self.shared.sessions.open_backup(instance, &sealed);
        let session = opened.map_err(|error| match error {
            StoreError::WrongKey { .. } => invalid("was made with the key of another vault"),
            StoreError::Version { .. } => invalid("was made by a later release"),
            _ => invalid("is damaged, or was made of an instance with another id"),
        })?;
        let session = SessionRecord::from_bytes(&session);
        let session = session.map_err(|error| invalid(&error.to_string()))?;
        Ok(SessionRecord { user: None, ..session })
    }
}

/// Why there is no backup.
enum Unfit {
    NobodyLoggedIn,
    Unreadable(String),
    Store(StoreError),
}

impl From<StoreError> for Unfit {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
