//! A stopped account: it is not connected, its commands wait. Telegram ends a login that is not used, so
//! now and then it shows for a moment that it lives.

use chrono::TimeDelta;
use proto::Fault;
use proto::event::AccountState;
use store::Stopped;
use telegram::calls;

use super::{Goods, Owner, Turn, close};
use crate::standing::Standing;
use crate::stop::Failure;

/// Between two signs of life. A person can have Telegram end sessions after a week without any:
/// <https://core.telegram.org/method/account.setAuthorizationTTL>.
const ROUSED_EVERY: TimeDelta = TimeDelta::days(3);
/// Before it is tried again where Telegram could not be reached.
const AGAIN_AFTER: TimeDelta = TimeDelta::hours(1);

impl Owner {
    /// Has the commands wait, until the account is started again or has to show that it lives.
    pub(super) async fn rest(&mut self, goods: &Goods, stopped: &Stopped) -> Turn {
        self.stand_stopped(stopped).await;
        self.rouse_at = Some(stopped.lived_at + ROUSED_EVERY);
        let tenure = self.tenure(Err(self.standing.borrow().fault()), true, goods);
        let turn = self.serve(&tenure, goods).await;
        self.rouse_at = None;
        turn
    }

    /// Whoever had it stopped is told so only when it is.
    pub(super) async fn stand_stopped(&self, stopped: &Stopped) {
        self.stand(Standing::new(AccountState::Stopped, None, stopped.since)).await;
        self.remember().await;
    }

    /// Notes in the instance's record that it is stopped, or no more: it stays so over restarts.
    pub(super) async fn note_stopped(
        &self,
        rest: &mut Option<Stopped>,
        is_stopped: bool,
    ) -> Result<(), Fault> {
        let now = self.shared.clock.now();
        let stopped = is_stopped.then_some(Stopped { since: now, lived_at: now });
        if rest.is_some() == is_stopped {
            return Ok(());
        }
        let noted = stopped.clone();
        self.change_record(|record| {
            record.stopped = noted;
            Ok(())
        })
        .await?;
        *rest = stopped;
        Ok(())
    }

    /// Connects for as long as one call takes.
    ///
    /// # Errors
    /// The instance is no longer ours, or the worker is going down.
    pub(super) async fn show_life(&mut self, rest: &mut Option<Stopped>) -> Result<(), Failure> {
        let now = self.shared.clock.now();
        let Some(stopped) = rest else { return Ok(()) };
        let lived_at = match self.live_once().await? {
            Ok(()) => now,
            Err(()) => now - ROUSED_EVERY + AGAIN_AFTER,
        };
        stopped.lived_at = lived_at;
        let lived = rest.clone();
        let noted = self.note(|record| {
            record.stopped = lived;
            Ok(())
        });
        noted.await.map(drop)
    }

    async fn live_once(&mut self) -> Result<Result<(), ()>, Failure> {
        let Some(account) = self.open().await? else { return Ok(Ok(())) };
        self.shared.connecting.wait().await;
        let lived = match account.connect().await {
            Ok(()) => calls::myself::update_mark(&account).await.map(drop),
            Err(error) => Err(error),
        };
        close(Some(account)).await;
        let Err(error) = lived else { return Ok(Ok(())) };
        let verdict = telegram::verdict::verdict(&error);
        if verdict.ends_session() {
            self.condemn(verdict).await;
            return Ok(Ok(()));
        }
        tracing::warn!(%error, instance.id = %self.lease.instance, "a stopped account could not show that it lives");
        Ok(Err(()))
    }
}
