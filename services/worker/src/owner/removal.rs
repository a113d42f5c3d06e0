//! Removing an instance: what is queued is answered, and everything about it is forgotten.

use bus::{BusError, Subscription};
use proto::Fault;
use proto::fault::code;
use store::Groups;
use telegram::{Account, calls};

use super::{Owner, close};
use crate::pipeline;

impl Owner {
    /// Logs the account out, answers what is queued, and forgets the instance. The record goes
    /// last: without it nobody would look for the rest after a crash.
    pub(super) async fn remove(
        &self,
        account: Option<&Account>,
        groups: &Groups,
    ) -> Result<bool, Fault> {
        let logged_out = match account {
            Some(account) => {
                let done = calls::myself::log_out(account).await;
                close(Some(account.clone())).await;
                done.is_ok()
            }
            None => false,
        };
        self.empty_queue(groups).await.map_err(|error| {
            Fault::unavailable("BROKER_UNAVAILABLE", format!("its queue is still there: {error}"))
        })?;
        let (shared, lease) = (&self.shared, &self.lease);
        let forgotten = async {
            shared.sessions.forget(lease).await?;
            shared.peers.forget(lease).await?;
            groups.forget(lease).await?;
            shared.instances.remove(lease).await?;
            shared.statuses.forget(lease).await
        };
        forgotten
            .await
            .map_err(|error| Fault::unavailable(code::STORE_UNAVAILABLE, error.to_string()))?;
        Ok(logged_out)
    }

    /// Nothing more comes in, what is there is answered, and the queue is deleted.
    async fn empty_queue(&self, groups: &Groups) -> Result<(), BusError> {
        let (bus, instance) = (&self.shared.bus, &self.lease.instance);
        bus.unbind_instance_queue(instance).await?;
        let queue = self.shared.names.command_queue(instance);
        let gone = Fault::detached(code::NOT_CONNECTED, "the instance is being removed");
        let tenure = self.tenure(Err(gone), groups.clone());
        // Counted while nobody consumes: what is being delivered would not be among them.
        let queued = bus.queue_depth(&queue).await?.map_or(0, |depth| depth.ready);
        let mut consumption = bus.consume(Subscription::new(queue)).await?;
        for _ in 0..queued {
            let Ok(delivery) = consumption.next().await else { break };
            pipeline::take(&tenure, delivery).await;
        }
        consumption.close().await;
        bus.delete_instance_queue(instance).await.map(drop)
    }
}
