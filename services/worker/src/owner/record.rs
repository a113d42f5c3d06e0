//! The instance's record in the vault, which its owner alone writes.

use proto::Fault;
use proto::control::{AccountSet, AccountSetKey};
use proto::fault::code;
use store::InstanceRecord;

use super::Owner;
use crate::stop::Failure;
use crate::{identity, persist, settings};

impl Owner {
    pub(super) async fn record(&self) -> Result<InstanceRecord, Failure> {
        let (shared, lease) = (&self.shared, &self.lease);
        let record = persist::retry(&self.stop, || shared.instances.get(&lease.instance)).await?;
        record.ok_or_else(|| persist::abandoned("the instance is no more"))
    }

    /// Notes something in the record; the one place where it is written.
    pub(super) async fn note(
        &self,
        change: impl FnOnce(&mut InstanceRecord) -> Result<(), Fault>,
    ) -> Result<InstanceRecord, Failure> {
        let mut record = self.record().await?;
        change(&mut record).map_err(|fault| Failure::Stop(fault.into()))?;
        let (shared, lease) = (&self.shared, &self.lease);
        persist::retry(&self.stop, || shared.instances.put(lease, &record)).await?;
        Ok(record)
    }

    /// The same for whoever ordered it, and is told why not.
    pub(super) async fn change_record(
        &self,
        change: impl FnOnce(&mut InstanceRecord) -> Result<(), Fault>,
    ) -> Result<InstanceRecord, Fault> {
        self.note(change).await.map_err(|failure| match failure.into_fault() {
            Ok(fault) => fault,
            Err(why) => Fault::unavailable(code::WORKER_STOPPING, why),
        })
    }

    /// Changes the instance's settings; true where the account has to be connected another way.
    pub(super) async fn set(&self, wish: &AccountSet) -> Result<bool, Fault> {
        let wishes = identity::opened(wish, &self.lease.instance, &self.shared.service_key)?;
        let mut other_way = false;
        let changed = self.change_record(|record| {
            settings::set(record, wish, &self.shared.names)?;
            other_way = identity::apply(record, wishes)?;
            Ok(())
        });
        changed.await?;
        Ok(other_way)
    }

    /// Gives the instance a new API key.
    pub(super) async fn set_key(&self, wish: &AccountSetKey) -> Result<(), Fault> {
        let now = self.shared.clock.now();
        self.change_record(|record| settings::set_key(record, wish, now)).await.map(drop)
    }
}
