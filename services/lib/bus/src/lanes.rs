//! Which lanes of an instance there are: by AMQP for its owner, which asks about each by its name, and
//! by the management API for people, which also finds those that nobody can name.

use proto::InstanceId;
use serde::Deserialize;

use crate::bus::Bus;
use crate::error::BusError;
use crate::management::Management;
use crate::topology::{Named, queues_below};

/// A lane's queue as the management API tells it, which is a few seconds late.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaneQueue {
    /// Whose it is.
    pub instance: InstanceId,
    /// The lane: a class of calls, or `slow.<chat_id>`.
    pub lane: String,
    /// The queue's name.
    pub queue: String,
    /// Messages ready for delivery.
    pub ready: u64,
    /// Consumers.
    pub consumers: u64,
}

#[derive(Deserialize)]
struct Seen {
    name: String,
    /// Missing until the broker's first statistics of the queue.
    #[serde(default)]
    messages_ready: u64,
    #[serde(default)]
    consumers: u64,
}

impl Named for Seen {
    fn name(&self) -> &str {
        &self.name
    }
}

impl Bus {
    /// Which of these lanes of an instance have a queue, and how many messages are ready in each.
    ///
    /// # Errors
    /// As [`Bus::queue_depth`].
    pub async fn lane_queues(
        &self,
        instance: &InstanceId,
        lanes: &[&str],
    ) -> Result<Vec<(String, u32)>, BusError> {
        let mut found = Vec::new();
        for lane in lanes {
            let queue = self.names().lane_queue(instance, lane);
            if let Some(depth) = self.queue_depth(&queue).await? {
                found.push(((*lane).to_owned(), depth.ready));
            }
        }
        Ok(found)
    }

    /// The lanes of one instance, or of all of them, that have a queue: at most 500.
    ///
    /// # Errors
    /// [`BusError::Management`] if the broker can't be asked.
    pub async fn find_lanes(
        &self,
        management: &Management,
        instance: Option<&InstanceId>,
    ) -> Result<Vec<LaneQueue>, BusError> {
        let names = self.names();
        let of_all = || format!("{}.", names.lanes());
        let below = instance.map_or_else(of_all, |id| names.lane_queue(id, ""));
        let columns = "name,messages_ready,consumers";
        let seen = queues_below::<Seen>(management, &below, columns).await?;
        let lane = |seen: Seen| {
            let (instance, lane) = names.lane_of_queue(&seen.name)?;
            let lane = lane.to_owned();
            let Seen { name: queue, messages_ready: ready, consumers } = seen;
            Some(LaneQueue { instance, lane, queue, ready, consumers })
        };
        Ok(seen.into_iter().filter_map(lane).collect())
    }
}
