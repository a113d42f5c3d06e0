//! An account's limits: where the last owner left them, and other ones from now on.

use std::sync::Arc;

use proto::Fault;
use proto::control::AccountSetLimits;
use proto::fault::code;
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
        let noted = async {
            let mut record = self.record().await?;
            let holds = Settings::of(&self.shared.config.limits, &record);
            own::change(record.limits.get_or_insert_default(), wish, &holds)
                .map_err(|fault| Failure::Stop(fault.into()))?;
            let (shared, lease) = (&self.shared, &self.lease);
            persist::retry(&self.stop, || shared.instances.put(lease, &record)).await?;
            goods.limiter.reconfigure(Settings::of(&shared.config.limits, &record));
            goods.lanes.wake();
            Ok::<_, Failure>(())
        };
        noted.await.map_err(|failure| match failure.into_fault() {
            Ok(fault) => fault,
            Err(why) => Fault::unavailable(code::WORKER_STOPPING, why),
        })
    }
}
