//! Noting, counting and telling how an account stands.

use proto::event::{AccountState, AccountStateChanged};
use store::InstanceStatus;
use telegram::AccountVerdict;

use super::{Goods, Owner};
use crate::answers::Answers;
use crate::persist;
use crate::standing::Standing;

impl Owner {
    /// Telegram ended the account's login: noted, so that it isn't tried again at every start.
    pub(super) async fn condemn(&self, verdict: AccountVerdict) {
        self.stand(Standing::after(verdict, self.shared.clock.now())).await;
        self.remember().await;
    }

    /// The account can't be used, for a reason that is ours: its next owner tries again.
    pub(super) async fn fail(&self, reason: &'static str) {
        let now = self.shared.clock.now();
        self.stand(Standing::new(AccountState::Failed, Some(reason.to_owned()), now)).await;
        self.remember().await;
    }

    /// A connected account stands as Telegram's limits say.
    pub(super) async fn stand_by_limits(&self, goods: &Goods) {
        self.stand(goods.limiter.standing()).await;
        self.remember().await;
    }

    /// Notes a new state, counts it, and tells it.
    pub(super) async fn stand(&self, to: Standing) {
        let from = self.standing.borrow().clone();
        let same = from.state == to.state && from.reason == to.reason && from.until == to.until;
        if same && from.since.is_some() {
            return;
        }
        self.shared.metrics.moved(Some(from.state), Some(to.state));
        tracing::info!(
            instance.id = %self.lease.instance,
            from = from.state.as_str(),
            to = to.state.as_str(),
            reason = to.reason,
            "account state"
        );
        let data = AccountStateChanged {
            from: from.state,
            to: to.state,
            reason: to.reason.clone(),
            since: to.since,
            until: to.until,
        };
        self.standing.send_replace(to);
        let instance = &self.lease.instance;
        self.shared.answers.tell(Answers::event_id(), instance, &data, |event| event).await;
    }

    /// Keeps the state in the instance's record, so that a login that Telegram ended is not tried
    /// again at every start.
    pub(super) async fn remember(&self) {
        let (shared, lease) = (&self.shared, &self.lease);
        let standing = self.standing.borrow().clone();
        let status = InstanceStatus {
            state: standing.state,
            reason: standing.reason,
            since: standing.since.unwrap_or_else(|| shared.clock.now()),
            until: standing.until,
            owner: shared.worker_id.clone(),
        };
        let noted = persist::retry(&self.stop, || shared.statuses.set(lease, &status));
        if let Err(failure) = noted.await {
            tracing::warn!(?failure, "the account's state was not noted");
        }
    }
}
