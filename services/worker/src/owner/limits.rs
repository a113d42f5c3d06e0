//! An account's limits: where the last owner left them, and other ones from now on.

use std::sync::Arc;

use proto::Fault;
use proto::control::AccountSetLimits;
use store::InstanceRecord;

use super::{Goods, Owner};
use crate::limits::{ByLease, Kept, Limiter, Settings, own};
use crate::persist;
use crate::stop::Failure;

impl Owner {
    /// The account's limits, from where the last owner left them.
    pub(super) async fn limiter(
        &self,
        record: &InstanceRecord,
        lost: bool,
    ) -> Result<Arc<Limiter<ByLease>>, Failure> {
        let (shared, lease) = (&self.shared, &self.lease);
        let kept = persist::retry(&self.stop, || shared.limits.load(&lease.instance)).await?;
        let remembered = shared.remembered.take(&lease.instance).filter(|_| lost);
        let kept = remembered.or(kept.as_deref().and_then(Kept::read));
        let settings = Settings::of(&shared.config.limits, record);
        let (clock, keeping) = (shared.clock.clone(), ByLease::new(&shared.limits, lease));
        Ok(Arc::new(Limiter::new(settings, kept, lost, clock, keeping)))
    }

    /// Limits are as the instance's record says from now on: it may be a young account now.
    pub(super) async fn fit_limits(&self, goods: &Goods) {
        match self.record().await {
            Ok(record) => {
                goods.limiter.reconfigure(Settings::of(&self.shared.config.limits, &record));
                goods.lanes.wake();
            }
            Err(failure) => tracing::warn!(?failure, "the account's limits are as they were"),
        }
    }

    /// Changes the limits that the instance has of its own. The record has them before they hold:
    /// they hold after a restart, too.
    pub(super) async fn set_limits(
        &self,
        goods: &Goods,
        wish: &AccountSetLimits,
    ) -> Result<(), Fault> {
        let config = &self.shared.config.limits;
        let change = |record: &mut InstanceRecord| {
            let holds = Settings::of(config, record);
            own::change(record.limits.get_or_insert_default(), wish, &holds)
        };
        let record = self.change_record(change).await?;
        goods.limiter.reconfigure(Settings::of(config, &record));
        goods.lanes.wake();
        Ok(())
    }
}
