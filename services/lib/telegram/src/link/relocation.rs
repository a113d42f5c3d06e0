//! Following an account to another data centre. Telegram may move one that connects from far away for long; from then
//! on the old data centre answers every request with `USER_MIGRATE_X`, and executes none of them
//! (<https://core.telegram.org/api/datacenter#user-migration>).
//!
//! The login goes along by `auth.exportAuthorization` here and `auth.importAuthorization` there, where the account gets
//! an auth key of its own. The new home is noted only when it has the login: whoever breaks off before that is still at
//! the old one, is told the same again, and goes the same way.

use grammers_tl_types as tl;
use tracing::info;

use super::Link;
use crate::error::CallError;
use crate::verdict;

impl Link {
    /// Whether Telegram says that the account of this session lives elsewhere. Before a login it is the login's matter.
    pub(super) fn has_moved(&self, error: &CallError) -> bool {
        error.migrate_to().is_some() && self.session.user().is_some()
    }

    /// Takes the login from `from` to where `error` says that the account is.
    ///
    /// # Errors
    /// The caller's request was not executed, whatever went wrong: `NotSent`, unless the login itself is over.
    pub(super) async fn relocate(&self, from: i32, error: &CallError) -> Result<(), CallError> {
        let Some(to) = error.migrate_to() else { return Ok(()) };
        let _alone = self.moving.write().await;
        if self.session.home_dc() != from {
            // Another call met the same answer, and was here before.
            return Ok(());
        }
        let taken = self.take_login(from, to).await;
        if taken.is_err() {
            self.cut("the account could not be followed to its data centre").await;
        }
        taken.map_err(|error| match error {
            CallError::Closed | CallError::KeyUnknown => error,
            error if verdict::verdict(&error).ends_session() => error,
            error => CallError::NotSent(format!("the account moved to data centre {to}: {error}")),
        })?;
        self.session.set_home_dc(to);
        info!(from, to, "the account has moved to another data centre");
        Ok(())
    }

    async fn take_login(&self, from: i32, to: i32) -> Result<(), CallError> {
        let here = self.until_closed(CallError::Closed, self.proven(from)).await?;
        let export = tl::functions::auth::ExportAuthorization { dc_id: to };
        let tl::enums::auth::ExportedAuthorization::Authorization(login) =
            self.send(&here, from, &export).await?;
        // An account has one connection at a time.
        self.cut("the account lives in another data centre").await;
        let there = self.until_closed(CallError::Closed, self.proven(to)).await?;
        let import = tl::functions::auth::ImportAuthorization { id: login.id, bytes: login.bytes };
        self.send(&there, to, &import).await.map(drop)
    }
}
