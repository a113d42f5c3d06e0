//! Declaring over AMQP: what a worker needs before it consumes, and the queues of its instances.
//!
//! They go over the control connection, which the broker doesn't block on a memory alarm.

use lapin::options::{
    ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, ExchangeKind};
use proto::InstanceId;

use crate::bus::Bus;
use crate::error::BusError;
use crate::management::BrokerVersion;
use crate::properties::short_string;
use crate::topology::{Binding, Queue, Topology};

/// What a queue declaration found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Declared {
    /// The queue is as described, made now or before.
    AsDescribed,
    /// A queue of that name with other arguments was there and is kept; this is the broker's
    /// objection. Only its type or single active consumer can differ.
    Different(String),
}

/// How full a queue is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueDepth {
    /// Messages ready for delivery; unacknowledged ones are not among them.
    pub ready: u32,
    /// Consumers. Of a quorum queue with a single active consumer only that one counts; classic
    /// queues count those that wait as well.
    pub consumers: u32,
}

impl Bus {
    /// Declares everything of the topology that all instances share: exchanges, queues, bindings.
    /// Policies are not AMQP; [`Topology::apply`] sets them.
    ///
    /// # Errors
    /// [`BusError::Refused`] 403 without the permission, 406 where an exchange of that name has
    /// another type or arguments.
    pub async fn declare_topology(&self) -> Result<(), BusError> {
        let kind = self.inner.settings.queue_kind;
        let topology = Topology::describe(self.names(), kind, BrokerVersion::OLDEST);
        for exchange in &topology.exchanges {
            self.declare_exchange(&exchange.name).await?;
        }
        for queue in &topology.queues {
            self.declare_queue(queue).await?;
        }
        for binding in &topology.bindings {
            self.bind(binding).await?;
        }
        Ok(())
    }

    /// Declares an instance's command queue and binds it.
    ///
    /// # Errors
    /// As [`Bus::declare_topology`].
    pub async fn declare_instance_queue(
        &self,
        instance: &InstanceId,
    ) -> Result<Declared, BusError> {
        let kind = self.inner.settings.queue_kind;
        let queue = Queue::of_instance(self.names(), instance, kind);
        let declared = self.declare_queue(&queue).await?;
        self.bind(&Binding::of_instance(self.names(), instance)).await?;
        Ok(declared)
    }

    /// Declares the queue of one lane of an instance. It is bound to nothing: only the owner publishes
    /// to it, through the default exchange.
    ///
    /// # Errors
    /// As [`Bus::declare_topology`].
    pub async fn declare_lane(
        &self,
        instance: &InstanceId,
        lane: &str,
    ) -> Result<Declared, BusError> {
        let kind = self.inner.settings.queue_kind;
        self.declare_queue(&Queue::of_lane(self.names(), instance, lane, kind)).await
    }

    /// Deletes a lane's queue **with everything in it**.
    ///
    /// # Errors
    /// As [`Bus::unbind_instance_queue`]; a missing queue counts as deleted.
    pub async fn delete_lane(&self, instance: &InstanceId, lane: &str) -> Result<u32, BusError> {
        self.delete_queue(&self.names().lane_queue(instance, lane)).await
    }

    /// Takes an instance's queue off the commands exchange, so that later commands are unrouted
    /// (and answered); what is in the queue stays. The first step of removing an instance.
    ///
    /// # Errors
    /// [`BusError::Unreachable`] without a connection, [`BusError::Refused`] 403 without the
    /// permission. A missing queue is none.
    pub async fn unbind_instance_queue(&self, instance: &InstanceId) -> Result<(), BusError> {
        let binding = Binding::of_instance(self.names(), instance);
        let queue = short_string("queue", &binding.queue)?;
        let exchange = short_string("exchange", &binding.exchange)?;
        let key = short_string("routing_key", &binding.key)?;
        let done = self
            .inner
            .operations
            .once("queue.unbind", async |channel: &Channel| {
                channel.queue_unbind(queue, exchange, key, FieldTable::default()).await
            })
            .await;
        done.or_else(|error| if error.is_missing() { Ok(()) } else { Err(error) })
    }

    /// Deletes an instance's queue **with everything in it**, and returns how much that was.
    /// Unbind it and settle its backlog first. Never with `if-empty`: for quorum queues RabbitMQ
    /// answers that by closing the connection.
    ///
    /// # Errors
    /// As [`Bus::unbind_instance_queue`]; a missing queue counts as deleted.
    pub async fn delete_instance_queue(&self, instance: &InstanceId) -> Result<u32, BusError> {
        self.delete_queue(&self.names().command_queue(instance)).await
    }

    /// Deletes any queue; a missing one counts as deleted.
    pub(crate) async fn delete_queue(&self, queue: &str) -> Result<u32, BusError> {
        let queue = short_string("queue", queue)?;
        let done = self
            .inner
            .operations
            .once("queue.delete", async |channel: &Channel| {
                channel.queue_delete(queue, QueueDeleteOptions::default()).await
            })
            .await;
        done.or_else(|error| if error.is_missing() { Ok(0) } else { Err(error) })
    }

    /// How full a queue is; none if there is no such queue.
    ///
    /// # Errors
    /// [`BusError::Unreachable`] without a connection, [`BusError::Refused`] 405 for somebody
    /// else's exclusive queue.
    pub async fn queue_depth(&self, queue: &str) -> Result<Option<QueueDepth>, BusError> {
        let queue = short_string("queue", queue)?;
        let asked = self
            .inner
            .operations
            .once("queue.declare (passive)", async |channel: &Channel| {
                let passive = QueueDeclareOptions { passive: true, ..Default::default() };
                channel.queue_declare(queue, passive, FieldTable::default()).await
            })
            .await;
        match asked {
            Ok(found) => {
                let (ready, consumers) = (found.message_count(), found.consumer_count());
                Ok(Some(QueueDepth { ready, consumers }))
            }
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn declare_exchange(&self, name: &str) -> Result<(), BusError> {
        let name = short_string("exchange", name)?;
        let durable = ExchangeDeclareOptions { durable: true, ..Default::default() };
        self.inner
            .operations
            .once("exchange.declare", async |channel: &Channel| {
                let kind = ExchangeKind::Topic;
                channel.exchange_declare(name, kind, durable, FieldTable::default()).await
            })
            .await
    }

    pub(crate) async fn declare_queue(&self, queue: &Queue) -> Result<Declared, BusError> {
        let name = short_string("queue", &queue.name)?;
        let durable = QueueDeclareOptions { durable: true, ..Default::default() };
        let arguments = arguments_of(queue)?;
        let declared = self
            .inner
            .operations
            .once("queue.declare", async |channel: &Channel| {
                channel.queue_declare(name, durable, arguments).await
            })
            .await;
        match declared {
            Ok(_) => Ok(Declared::AsDescribed),
            // It was made with another setting. It works, and its messages count for more than
            // our taste, so it is kept and doctor tells.
            Err(BusError::Refused { code: 406, text }) => {
                tracing::warn!(queue = queue.name, objection = %text, "keeping a queue that is declared differently");
                Ok(Declared::Different(text))
            }
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn bind(&self, binding: &Binding) -> Result<(), BusError> {
        let queue = short_string("queue", &binding.queue)?;
        let exchange = short_string("exchange", &binding.exchange)?;
        let key = short_string("routing_key", &binding.key)?;
        self.inner
            .operations
            .once("queue.bind", async |channel: &Channel| {
                let options = QueueBindOptions::default();
                channel.queue_bind(queue, exchange, key, options, FieldTable::default()).await
            })
            .await
    }
}

/// A queue's arguments as an AMQP table.
fn arguments_of(queue: &Queue) -> Result<FieldTable, BusError> {
    let mut table = FieldTable::default();
    for (name, value) in queue.arguments() {
        let value = match value {
            serde_json::Value::Bool(on) => AMQPValue::Boolean(on),
            serde_json::Value::String(text) => AMQPValue::LongString(text.into()),
            other => {
                let why = format!("{other} has no form in AMQP");
                return Err(BusError::Unencodable { field: "arguments", why });
            }
        };
        table.insert(short_string("arguments", &name)?, value);
    }
    Ok(table)
}
