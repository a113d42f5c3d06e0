//! The caller's side: what a command line or a test needs to send a command like anybody else and
//! to hear the answer, and the durable reply queues of engines that can't declare their own.

use std::collections::VecDeque;
use std::time::Duration;

use lapin::options::{QueueBindOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use tokio::time::{Instant, timeout, timeout_at};

use crate::bus::Bus;
use crate::consumer::{Consumption, Subscription};
use crate::declare::Declared;
use crate::delivery::Delivery;
use crate::error::{BusError, Doing, from_lapin};
use crate::management::Management;
use crate::properties::short_string;
use crate::topology::{Binding, Policy, Queue};

/// Replies to other questions that are kept while one is waited for; the oldest go first.
const MAX_KEPT: usize = 1000;
/// How many messages a temporary queue hands out ahead. They need no settling.
const AHEAD: u16 = 100;

/// A reply queue of our own, gone with the connection.
pub struct CallQueue {
    consumption: Consumption,
    kept: VecDeque<Delivery>,
}

/// A durable reply queue and where its refused messages go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplyQueue {
    /// The queue.
    pub queue: String,
    /// Its dead-letter queue.
    pub dead_letters: String,
    /// What was found where the queues should be.
    pub declared: [Declared; 2],
}

impl Bus {
    /// Makes a reply queue for [`CallQueue::wait_for`], named by the broker.
    ///
    /// # Errors
    /// [`BusError::Unreachable`] without a connection, [`BusError::Refused`] 403 without the
    /// permission to declare `amq.gen-…` queues.
    pub async fn call_queue(&self) -> Result<CallQueue, BusError> {
        Ok(CallQueue { consumption: self.listen(&[]).await?, kept: VecDeque::new() })
    }

    /// Listens to what is published from now on: a temporary queue with these bindings, consumed
    /// without acknowledgement (deliveries need no settling).
    ///
    /// # Errors
    /// As [`Bus::call_queue`]; [`BusError::Refused`] 404 where an exchange is missing.
    pub async fn listen(&self, bindings: &[(String, String)]) -> Result<Consumption, BusError> {
        let within = self.inner.settings.operation_timeout;
        let channel = self.inner.control.channel().await?;
        let mut routes = Vec::with_capacity(bindings.len());
        for (exchange, key) in bindings {
            routes.push((short_string("exchange", exchange)?, short_string("routing_key", key)?));
        }
        let making = async {
            let options =
                QueueDeclareOptions { exclusive: true, auto_delete: true, ..Default::default() };
            let queue = channel.queue_declare("".into(), options, FieldTable::default()).await?;
            for (exchange, key) in routes {
                let options = QueueBindOptions::default();
                let name = queue.name().clone();
                channel.queue_bind(name, exchange, key, options, FieldTable::default()).await?;
            }
            Ok(queue.name().to_string())
        };
        let queue = match timeout(within, making).await {
            Ok(made) => made.map_err(|error| from_lapin(&error, Doing::Operating))?,
            Err(_) => return Err(BusError::Timeout { what: "queue.declare", after: within }),
        };
        let subscription = Subscription::new(queue).prefetch(AHEAD);
        let counts = self.inner.counts.clone();
        Consumption::start(channel, &subscription, true, within, counts).await
    }

    /// Makes a durable queue for a consumer that can't declare one, bound as asked, and its
    /// dead-letter queue `<name>.dead`, by a policy: clients that re-declare the queue plainly
    /// must find no arguments there that they don't know.
    ///
    /// # Errors
    /// [`BusError::Unencodable`] for a name of our own (`tg.…`) or of the broker's (`amq.…`),
    /// [`BusError::Management`] if the policy can't be set.
    pub async fn declare_reply_queue(
        &self,
        management: &Management,
        name: &str,
        bindings: &[(String, String)],
    ) -> Result<ReplyQueue, BusError> {
        let taken = self.names().is_own(name) || name.starts_with("amq.") || name.is_empty();
        if taken || name.len() > 240 {
            let why = format!("{name:?} cannot be the name of a reply queue");
            return Err(BusError::Unencodable { field: "name", why });
        }
        let kind = self.inner.settings.queue_kind;
        let queue = Queue { name: name.to_owned(), kind, single_active: false };
        let dead = Queue { name: format!("{name}.dead"), kind, single_active: false };
        // The place for dead letters first, so that there is no moment without it.
        let dead_declared = self.declare_queue(&dead).await?;
        let version = management.version().await?;
        for policy in Policy::of_reply_queue(name, &dead.name, version) {
            management.put_policy(&policy).await?;
        }
        let declared = self.declare_queue(&queue).await?;
        for (exchange, key) in bindings {
            let (exchange, key) = (exchange.clone(), key.clone());
            self.bind(&Binding { exchange, queue: name.to_owned(), key }).await?;
        }
        let declared = [declared, dead_declared];
        Ok(ReplyQueue { queue: queue.name, dead_letters: dead.name, declared })
    }
}

impl CallQueue {
    /// The name to put into `reply_to`.
    #[must_use]
    pub fn reply_to(&self) -> &str {
        self.consumption.queue()
    }

    /// Waits for the reply with this correlation id. Replies to other questions are kept for
    /// theirs. None when the time is over.
    ///
    /// # Errors
    /// [`BusError::Lost`] if the queue went with its connection: the reply can't come any more.
    pub async fn wait_for(
        &mut self,
        correlation: &str,
        within: Duration,
    ) -> Result<Option<Delivery>, BusError> {
        let answers =
            |reply: &Delivery| reply.properties.correlation_id.as_deref() == Some(correlation);
        if let Some(index) = self.kept.iter().position(answers) {
            return Ok(self.kept.remove(index));
        }
        let deadline = Instant::now() + within;
        loop {
            match timeout_at(deadline, self.consumption.next()).await {
                Ok(Ok(reply)) if answers(&reply) => return Ok(Some(reply)),
                Ok(Ok(other)) => {
                    if self.kept.len() == MAX_KEPT {
                        self.kept.pop_front();
                    }
                    self.kept.push_back(other);
                }
                Ok(Err(lost)) => return Err(BusError::Lost { why: lost.to_string() }),
                Err(_) => return Ok(None),
            }
        }
    }
}
