//! Removing an instance: what is queued is answered, and everything about it is forgotten.

use std::time::Duration;

use bus::{BusError, Subscription};
use proto::Fault;
use proto::fault::code;
use telegram::{Account, AccountVerdict, calls};
use tokio::time::timeout;

use super::{Goods, Owner, close};
use crate::limits::Lane;
use crate::pipeline::{self, Ending};
use crate::tenure::Tenure;

/// A queue from which nothing comes for so long is empty.
const QUIET: Duration = Duration::from_secs(1);

impl Owner {
    /// Answers what is queued, logs the account out, and forgets the instance. Until the queue is
    /// gone nothing is changed that can't be undone. The record goes last: without it nobody would
    /// look for the rest after a crash.
    pub(super) async fn remove(
        &self,
        account: &mut Option<Account>,
        goods: &Goods,
    ) -> Result<bool, Fault> {
        self.empty_queues(goods).await.map_err(|why| {
            Fault::unavailable(code::BROKER_UNAVAILABLE, format!("its queue is still there: {why}"))
        })?;
        let logged_out = match account.take() {
            Some(account) => {
                let done = calls::myself::log_out(&account).await;
                close(Some(account)).await;
                // Where the forgetting fails, this is what is left.
                self.condemn(AccountVerdict::LOGGED_OUT).await;
                done.is_ok()
            }
            None => false,
        };
        let (shared, lease) = (&self.shared, &self.lease);
        let forgotten = async {
            shared.sessions.forget(lease).await?;
            shared.peers.forget(lease).await?;
            goods.groups.forget(lease).await?;
            shared.statuses.forget(lease).await?;
            shared.lanes.forget(lease).await?;
            shared.limits.forget(lease).await?;
            shared.ledger.forget(lease).await?;
            shared.pauses.forget(&lease.instance).await?;
            shared.instances.remove(lease).await
        };
        forgotten
            .await
            .map_err(|error| Fault::unavailable(code::STORE_UNAVAILABLE, error.to_string()))?;
        // A command that came in between may have made the queue anew, for an instance that was
        // still known then.
        if let Err(why) = self.empty_queues(goods).await {
            tracing::warn!(instance.id = %lease.instance, why, "a queue may be left over");
        }
        Ok(logged_out)
    }

    /// Nothing more comes in, what waits is answered, and the queues are deleted: the instance's own and
    /// those of its lanes. They are not, where something in them could not be answered.
    async fn empty_queues(&self, goods: &Goods) -> Result<(), String> {
        let (bus, instance) = (&self.shared.bus, &self.lease.instance);
        let gone = Fault::detached(code::NOT_CONNECTED, "the instance is being removed");
        let tenure = self.tenure(Err(gone), false, goods);
        let queue = self.shared.names.command_queue(instance);
        if bus.queue_depth(&queue).await.map_err(words)?.is_some() {
            bus.unbind_instance_queue(instance).await.map_err(words)?;
        }
        // Lanes first: what is in them came before.
        for lane in goods.lanes.known() {
            let name = lane.to_string();
            let queue = self.shared.names.lane_queue(instance, &name);
            self.empty(&tenure, &queue, Some(lane)).await?;
            bus.delete_lane(instance, &name).await.map_err(words)?;
        }
        self.empty(&tenure, &queue, None).await?;
        bus.delete_instance_queue(instance).await.map(drop).map_err(words)
    }

    async fn empty(&self, tenure: &Tenure, queue: &str, lane: Option<Lane>) -> Result<(), String> {
        let bus = &self.shared.bus;
        // Counted while nobody consumes: what is being delivered would not be among them.
        while let Some(1..) = bus.queue_depth(queue).await.map_err(words)?.map(|depth| depth.ready)
        {
            let mut consumption = bus.consume(Subscription::new(queue)).await.map_err(words)?;
            // Nothing comes where the last of them ran out of time meanwhile.
            while let Ok(next) = timeout(QUIET, consumption.next()).await {
                let delivery = next.map_err(|lost| lost.to_string())?;
                match pipeline::take(tenure, delivery, lane).await {
                    Ending::Settled => {}
                    Ending::GivenBack(why) => return Err(why.to_owned()),
                    // Without an account nothing waits for a limit.
                    Ending::Stays => return Err("a command of it waits for a limit".to_owned()),
                    Ending::Held(hold) => return Err(format!("{} is paused", hold.method)),
                }
            }
            consumption.close().await;
            if self.stop.is_cancelled() {
                return Err("the worker is going down".to_owned());
            }
        }
        Ok(())
    }
}

fn words(error: BusError) -> String {
    error.to_string()
}
