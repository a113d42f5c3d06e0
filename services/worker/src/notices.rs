//! What an account's admin is told: the events of its states and limits, as they were published, at the
//! place that its settings name. Any worker tells them for all instances, out of `tg.notices`.
//!
//! For one instance they are told one after the other. A place that takes nothing is tried for half a
//! minute and then passed over: the event was on `tg.events` too, and what waits may be another's.

mod place;
mod post;

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bus::{Backoff, Delivery, OutMessage, Subscription, is_probe};
use proto::InstanceId;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use self::place::NoticePlace;
pub use self::post::LOG_DIRECTIVE;
use self::post::{Posted, Poster};
use crate::answers::{Taken, Untold};
use crate::persist;
use crate::stop::Failure;
use crate::tenure::Shared;

/// Notices in hand at once, those that wait behind another among them.
const PREFETCH: u16 = 1_024;
/// Most notices of one instance that wait. A place that takes nothing must not stop the others' notices.
const LINE_MAX: usize = 32;
/// How often one is told to a place that does not take it.
const TRIES_MAX: u32 = 5;
/// The pauses in between; about half a minute in all.
const PAUSES: Backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(15));

/// Tells notices.
pub struct Notices {
    shared: Arc<Shared>,
    poster: Poster,
    /// What waits behind the notice that is being told, for each instance of which one is.
    lines: Mutex<HashMap<InstanceId, VecDeque<Delivery>>>,
    stopping: CancellationToken,
    tasks: TaskTracker,
}

/// What became of a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// Its place has it.
    Told,
    /// Its place would not take it.
    Refused,
    /// Nobody wants it: the instance names no place, or is gone.
    Unwanted,
}

impl Notice {
    /// Every one, for the metric.
    pub const ALL: [Self; 3] = [Self::Told, Self::Refused, Self::Unwanted];

    /// The word in the metric.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Told => "told",
            Self::Refused => "refused",
            Self::Unwanted => "unwanted",
        }
    }
}

impl Notices {
    /// Tells what the worker is given, until `stopping`.
    pub fn new(shared: Arc<Shared>, stopping: CancellationToken) -> Arc<Self> {
        let (poster, lines, tasks) = (Poster::new(), Mutex::default(), TaskTracker::new());
        Arc::new(Self { shared, poster, lines, stopping, tasks })
    }

    /// Reads the queue that all workers share.
    pub async fn read(self: Arc<Self>) {
        let mut backoff = Backoff::BROKER;
        while !self.stopping.is_cancelled() {
            let queue = Subscription::new(self.shared.names.notices()).prefetch(PREFETCH);
            match self.shared.bus.consume_shared(queue).await {
                Ok(mut consumption) => {
                    let since = Instant::now();
                    loop {
                        tokio::select! {
                            delivery = consumption.next() => match delivery {
                                Ok(delivery) => self.take(delivery),
                                Err(_) => break,
                            },
                            () = self.stopping.cancelled() => {
                                self.tasks.close();
                                self.tasks.wait().await;
                                break;
                            }
                        }
                    }
                    consumption.close().await;
                    backoff.stood_since(since);
                }
                Err(error) => tracing::warn!(%error, "can't read notices; trying again"),
            }
            backoff.wait(&self.stopping).await;
        }
    }

    fn take(self: &Arc<Self>, delivery: Delivery) {
        let Some(instance) = instance_of(&delivery) else {
            tracing::warn!(routing_key = delivery.routing_key, "not an event of an instance");
            self.tasks.spawn(async move { delivery.ack().await });
            return;
        };
        match self.lines().entry(instance.clone()) {
            Entry::Occupied(mut line) => {
                line.get_mut().push_back(delivery);
                let oldest =
                    if line.get().len() > LINE_MAX { line.get_mut().pop_front() } else { None };
                return self.pass_over(&instance, oldest);
            }
            Entry::Vacant(line) => line.insert(VecDeque::new()),
        };
        let this = self.clone();
        self.tasks.spawn(async move {
            let mut next = Some(delivery);
            while let Some(delivery) = next {
                this.settle(&instance, delivery).await;
                next = this.next_of(&instance);
            }
        });
    }

    /// The newest are worth more than the oldest.
    fn pass_over(self: &Arc<Self>, instance: &InstanceId, oldest: Option<Delivery>) {
        let Some(oldest) = oldest else { return };
        tracing::warn!(instance.id = %instance, "a notice was passed over: too many wait");
        self.shared.metrics.noticed(Notice::Refused);
        self.tasks.spawn(async move { oldest.ack().await });
    }

    /// What waits behind the notice that was told; the line is gone where nothing does.
    fn next_of(&self, instance: &InstanceId) -> Option<Delivery> {
        let mut lines = self.lines();
        let next = lines.get_mut(instance).and_then(VecDeque::pop_front);
        if next.is_none() {
            lines.remove(instance);
        }
        next
    }

    async fn settle(&self, instance: &InstanceId, delivery: Delivery) {
        let told = match self.stopping.is_cancelled() {
            true => Err(Untold),
            false => self.tell(instance, &delivery).await,
        };
        let settled = match told {
            Ok(notice) => {
                self.shared.metrics.noticed(notice);
                delivery.ack().await
            }
            Err(Untold) => delivery.give_back().await,
        };
        if let Err(error) = settled {
            tracing::warn!(%error, instance.id = %instance, "a notice was not settled");
        }
    }

    /// Tells the admin of `instance`; [`Untold`] where the worker stops first, and the next one tells it.
    async fn tell(&self, instance: &InstanceId, delivery: &Delivery) -> Result<Notice, Untold> {
        if is_probe(delivery) {
            return Ok(Notice::Unwanted);
        }
        let mut backoff = PAUSES;
        for tried in 1..=TRIES_MAX {
            // Each time anew: it may have been changed because it takes nothing.
            let Some(place) = self.place_of(instance).await? else { return Ok(Notice::Unwanted) };
            let told = tokio::select! {
                told = self.try_telling(&place, delivery) => told?,
                () = self.stopping.cancelled() => return Err(Untold),
            };
            let last = match told {
                Posted::Taken => return Ok(Notice::Told),
                Posted::Refused(status) => Some(format!("answered with {status}")),
                Posted::Failed(why) => (tried == TRIES_MAX).then_some(why),
            };
            if let Some(why) = last {
                tracing::warn!(instance.id = %instance, %place, why, tried, "a notice was not taken");
                break;
            }
            if !backoff.wait(&self.stopping).await {
                return Err(Untold);
            }
        }
        Ok(Notice::Refused)
    }

    async fn try_telling(
        &self,
        place: &NoticePlace,
        delivery: &Delivery,
    ) -> Result<Posted, Untold> {
        match place {
            NoticePlace::Queue(queue) => self.put_into(queue, delivery).await,
            NoticePlace::Url(url) => Ok(self.poster.post(url, &delivery.body).await),
        }
    }

    /// Where the instance's admin is told now, if anywhere.
    async fn place_of(&self, instance: &InstanceId) -> Result<Option<NoticePlace>, Untold> {
        let found = persist::retry(&self.stopping, || self.shared.instances.get(instance)).await;
        let record = match found.map_err(Failure::into_fault) {
            Ok(record) => record,
            Err(Ok(fault)) => {
                tracing::error!(instance.id = %instance, why = fault.message, "nobody is told");
                None
            }
            Err(Err(_)) => return Err(Untold),
        };
        let place = record.and_then(|record| record.notify);
        Ok(place.and_then(|text| NoticePlace::read(&text, &self.shared.names).ok()))
    }

    async fn put_into(&self, queue: &str, delivery: &Delivery) -> Result<Posted, Untold> {
        let message = OutMessage {
            exchange: String::new(),
            routing_key: queue.to_owned(),
            properties: proto::Properties { user_id: None, ..delivery.properties.clone() },
            headers: BTreeMap::new(),
            body: delivery.body.clone(),
            mandatory: true,
            persistent: true,
        };
        Ok(match self.shared.answers.pass_on(message, &self.stopping).await? {
            Taken::Yes => Posted::Taken,
            Taken::No => Posted::Failed("there is no such queue, or it is full".to_owned()),
            Taken::Unheard => {
                Posted::Failed("the broker did not say whether it took it".to_owned())
            }
        })
    }

    fn lines(&self) -> MutexGuard<'_, HashMap<InstanceId, VecDeque<Delivery>>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// By its routing key, `<instance>.<event>`: the body may be one of a later release.
fn instance_of(delivery: &Delivery) -> Option<InstanceId> {
    delivery.routing_key.split_once('.')?.0.parse().ok()
}
