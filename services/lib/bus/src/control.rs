//! The owner's own control queue: exclusive, so that it vanishes with its worker's connection and
//! orders for its instances go to the alternate exchange at once.
//!
//! Only the connection that declared an exclusive queue may bind it, hence the binder that shares
//! the consumption's channel's connection. After [`crate::Lost`] everything is to be made anew.

use std::sync::Arc;

use lapin::Channel;
use lapin::options::{QueueBindOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use proto::{InstanceId, Names};
use tokio::time::timeout;

use crate::bus::Bus;
use crate::config::Settings;
use crate::consumer::{Consumption, Lost, Subscription};
use crate::delivery::Delivery;
use crate::error::{BusError, Doing, from_lapin};
use crate::properties::short_string;

/// A worker's own queue on the control exchange.
pub struct ControlQueue {
    consumption: Consumption,
    binder: ControlBinder,
}

/// Binds and unbinds instances; clones share the queue.
#[derive(Clone)]
pub struct ControlBinder {
    inner: Arc<Inner>,
}

struct Inner {
    queue: String,
    channel: Channel,
    names: Names,
    settings: Arc<Settings>,
}

impl Bus {
    /// Declares the control queue of a worker and consumes it. `owner` must be unique among the
    /// workers of a vhost.
    ///
    /// # Errors
    /// [`BusError::Refused`] 405 if another connection has that queue (a worker of the same name,
    /// or our own former connection that the broker has not given up yet).
    pub async fn control_queue(
        &self,
        owner: &str,
        prefetch: u16,
    ) -> Result<ControlQueue, BusError> {
        let names = self.names().clone();
        let queue = names.control_queue(owner);
        if [names.control_shared(), names.control_unowned()].contains(&queue) {
            let why = format!("a worker cannot be called {owner:?}: {queue} is a shared queue");
            return Err(BusError::Unencodable { field: "owner", why });
        }
        let link = &self.inner.control;
        let within = self.inner.settings.operation_timeout;
        let channel = link.channel().await?;
        let options = QueueDeclareOptions { exclusive: true, ..Default::default() };
        let name = short_string("queue", &queue)?;
        let declaring = channel.queue_declare(name, options, FieldTable::default());
        match timeout(within, declaring).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => return Err(from_lapin(&error, Doing::Operating)),
            Err(_) => return Err(BusError::Timeout { what: "queue.declare", after: within }),
        }
        let subscription = Subscription::new(queue.clone()).prefetch(prefetch);
        let counts = self.inner.counts.clone();
        let consumption =
            Consumption::start(channel.clone(), &subscription, false, within, counts).await?;
        let settings = self.inner.settings.clone();
        let binder = ControlBinder { inner: Arc::new(Inner { queue, channel, names, settings }) };
        Ok(ControlQueue { consumption, binder })
    }
}

impl ControlQueue {
    /// The next order.
    ///
    /// # Errors
    /// [`Lost`] once the queue is gone: make a new one and bind every instance again.
    pub async fn next(&mut self) -> Result<Delivery, Lost> {
        self.consumption.next().await
    }

    /// A handle that binds instances while somebody else waits for orders.
    #[must_use]
    pub fn binder(&self) -> ControlBinder {
        self.binder.clone()
    }

    /// Stops consuming. The queue itself goes with the connection.
    pub async fn close(self) {
        self.consumption.close().await;
    }
}

impl ControlBinder {
    /// From now on this worker gets the `account.*` orders of an instance.
    ///
    /// # Errors
    /// [`BusError::Unreachable`] or [`BusError::Refused`] once the queue is gone.
    pub async fn bind(&self, instance: &InstanceId) -> Result<(), BusError> {
        let (queue, exchange, key) = self.binding(instance)?;
        let channel = &self.inner.channel;
        let options = QueueBindOptions::default();
        self.within(channel.queue_bind(queue, exchange, key, options, FieldTable::default())).await
    }

    /// From now on it doesn't; orders go to the alternate exchange until another worker binds.
    ///
    /// # Errors
    /// As [`ControlBinder::bind`].
    pub async fn unbind(&self, instance: &InstanceId) -> Result<(), BusError> {
        let (queue, exchange, key) = self.binding(instance)?;
        let channel = &self.inner.channel;
        self.within(channel.queue_unbind(queue, exchange, key, FieldTable::default())).await
    }

    fn binding(&self, instance: &InstanceId) -> Result<ShortBinding, BusError> {
        let names = &self.inner.names;
        Ok((
            short_string("queue", &self.inner.queue)?,
            short_string("exchange", &names.control())?,
            short_string("routing_key", &names.account_binding(instance))?,
        ))
    }

    async fn within(
        &self,
        asking: impl Future<Output = lapin::Result<()>>,
    ) -> Result<(), BusError> {
        let after = self.inner.settings.operation_timeout;
        match timeout(after, asking).await {
            Ok(done) => done.map_err(|error| from_lapin(&error, Doing::Operating)),
            Err(_) => Err(BusError::Timeout { what: "queue.bind", after }),
        }
    }
}

type ShortBinding =
    (lapin::types::ShortString, lapin::types::ShortString, lapin::types::ShortString);
