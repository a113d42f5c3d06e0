//! Opening the account as it was stored, and connecting it until it works.

use std::sync::Arc;

use proto::event::AccountState;
use telegram::{Account, CallError, calls};

use super::{Owner, PAUSE_FIRST, PAUSE_MAX};
use crate::keeper::Keeper;
use crate::persist;
use crate::standing::Standing;
use crate::stop::Failure;

impl Owner {
    /// After an unclean end the last owner's socket may still be open: two connections that send
    /// on one key make Telegram destroy the login.
    pub(super) async fn grace(&self) {
        if self.lease.clean {
            return;
        }
        tokio::select! {
            () = tokio::time::sleep(self.shared.config.takeover_grace()) => {}
            () = self.stop.cancelled() => {}
        }
    }

    /// The account as it was stored; none where there is no login.
    pub(super) async fn open(&mut self) -> Result<Option<Account>, Failure> {
        let (shared, lease) = (&self.shared, &self.lease);
        let kept = persist::retry(&self.stop, || Keeper::load(shared, lease)).await?;
        let kept = kept.filter(|kept| kept.session.is_logged_in());
        let Some(kept) = kept else {
            let now = self.shared.clock.now();
            self.stand(Standing::new(AccountState::New, None, now)).await;
            return Ok(None);
        };
        let status = persist::retry(&self.stop, || shared.statuses.get(&lease.instance)).await?;
        if let Some(ended) = status.map(Standing::left).filter(Standing::is_final) {
            self.stand(ended).await;
            return Ok(None);
        }
        let keeper = Arc::new(Keeper::new(shared.clone(), lease.clone()));
        Ok(Some(shared.telegram.open(Some(kept.session), kept.peers, keeper)))
    }

    /// Connects until it works; commands wait meanwhile. `None` where Telegram says that it never
    /// will, or the tenure ends.
    pub(super) async fn connect(&mut self, account: &Account) -> Option<()> {
        let now = self.shared.clock.now();
        self.stand(Standing::new(AccountState::Connecting, None, now)).await;
        let mut pause = PAUSE_FIRST;
        loop {
            let proven = tokio::select! {
                proven = prove(account) => proven,
                () = self.stop.cancelled() => return None,
            };
            let error = match proven {
                Ok(()) => break,
                Err(error) => error,
            };
            let verdict = telegram::fault::verdict(&error);
            if verdict.ends_session() {
                self.condemn(verdict).await;
                return None;
            }
            tracing::warn!(%error, instance.id = %self.lease.instance, "can't connect; trying again");
            tokio::select! {
                () = tokio::time::sleep(pause) => pause = (pause * 2).min(PAUSE_MAX),
                () = self.stop.cancelled() => return None,
            }
        }
        let now = self.shared.clock.now();
        self.stand(Standing::new(AccountState::Online, None, now)).await;
        self.remember().await;
        Some(())
    }
}

/// Connects, and shows that the login is alive.
async fn prove(account: &Account) -> Result<(), CallError> {
    account.connect().await?;
    calls::myself::update_mark(account).await.map(drop)
}
