//! The bus of one process: its connections and what hangs on them.

use std::sync::Arc;

use proto::Names;

use crate::config::{AmqpConfig, Settings};
use crate::connection::Link;
use crate::consumer::{Consumption, Subscription};
use crate::counters::{BusCounts, Counts};
use crate::error::BusError;
use crate::fleet::Fleet;
use crate::operations::Operations;
use crate::publisher::Publisher;

/// A handle on the connections; clones share them. They end with the last clone.
#[derive(Clone)]
pub struct Bus {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub settings: Arc<Settings>,
    pub names: Names,
    /// Orders, declarations, and the queues that all workers share: what must go on while
    /// instances by the thousand come back.
    pub control: Arc<Link>,
    pub operations: Operations,
    /// The instances' queues.
    pub consuming: Fleet,
    pub publishing: Arc<Link>,
    publisher: Publisher,
    pub counts: Arc<Counts>,
}

impl Bus {
    /// Starts the connections for control and publishing and waits for both, at most the connect
    /// timeout. For programs that are no use without a broker.
    ///
    /// # Errors
    /// [`BusError::Config`] for a wrong setting, [`BusError::Denied`] at once if the broker refuses
    /// us, [`BusError::Unreachable`] if it can't be reached in time.
    pub async fn connect(config: &AmqpConfig, name: &str) -> Result<Self, BusError> {
        let bus = Self::start(config, name)?;
        let within = bus.inner.settings.connect_timeout;
        bus.inner.control.first(within).await?;
        bus.inner.publishing.first(within).await?;
        Ok(bus)
    }

    /// Starts the connections and returns at once; [`Bus::connected`] tells when they are there.
    /// For processes that outlive their broker's restarts. Needs a tokio runtime.
    ///
    /// # Errors
    /// [`BusError::Config`] for a wrong setting.
    pub fn start(config: &AmqpConfig, name: &str) -> Result<Self, BusError> {
        let settings = Arc::new(Settings::check(config)?);
        let names = Names::new(&config.prefix)
            .map_err(|why| BusError::Config { field: "prefix", why: why.to_string() })?;
        let counts = Arc::<Counts>::default();
        let link = |what: &str| {
            Arc::new(Link::start(settings.clone(), format!("{name} {what}"), counts.clone()))
        };
        let control = link("control");
        let operations = Operations::new(control.clone(), settings.operation_timeout);
        let consuming = Fleet::new(settings.clone(), format!("{name} consuming"), counts.clone());
        let publishing = link("publishing");
        let publisher = Publisher::new(publishing.clone(), settings.clone(), counts.clone());
        let inner = Inner {
            settings,
            names,
            control,
            operations,
            consuming,
            publishing,
            publisher,
            counts,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Waits, as long as it takes, until all connections are there. False once the bus is closed.
    pub async fn connected(&self) -> bool {
        let inner = &self.inner;
        inner.control.connected().await
            && inner.publishing.connected().await
            && inner.consuming.connected().await
    }

    /// True while all connections are there.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        let inner = &self.inner;
        inner.control.is_up() && inner.publishing.is_up() && inner.consuming.is_up()
    }

    /// How many connections consume instances' queues. They are opened as they are needed.
    #[must_use]
    pub fn consuming_connections(&self) -> usize {
        self.inner.consuming.count()
    }

    /// The names of everything of ours on the broker.
    #[must_use]
    pub fn names(&self) -> &Names {
        &self.inner.names
    }

    /// The publisher; all of a bus share its channels and its bound.
    #[must_use]
    pub fn publisher(&self) -> Publisher {
        self.inner.publisher.clone()
    }

    /// Starts a consumption on a channel of its own, on one of the consuming connections, when it
    /// is its turn: few are begun at once, so that thousands of instances can come back together.
    /// Dropping the future gives the turn up.
    ///
    /// # Errors
    /// [`BusError::Refused`] 404 where the queue is missing, 403 without permission or where an
    /// exclusive consumer is there already; [`BusError::Unreachable`] without a connection.
    pub async fn consume(&self, subscription: Subscription) -> Result<Consumption, BusError> {
        let _turn = self.inner.consuming.turn().await?;
        let (channel, seat) = self.inner.consuming.channel().await?;
        let within = self.inner.settings.operation_timeout;
        let counts = self.inner.counts.clone();
        let started = Consumption::start(channel, &subscription, false, within, counts).await?;
        Ok(started.seated(seat))
    }

    /// The same on the control connection and without waiting in line: for the few queues that all
    /// workers share.
    ///
    /// # Errors
    /// As [`Bus::consume`].
    pub async fn consume_shared(
        &self,
        subscription: Subscription,
    ) -> Result<Consumption, BusError> {
        let channel = self.inner.control.channel().await?;
        let within = self.inner.settings.operation_timeout;
        let counts = self.inner.counts.clone();
        Consumption::start(channel, &subscription, false, within, counts).await
    }

    /// What happened on this bus so far.
    #[must_use]
    pub fn counts(&self) -> BusCounts {
        self.inner.counts.read()
    }

    /// Closes the connections in order, each within a bound. Whatever is unsettled goes back to its
    /// queue; every later call fails with [`BusError::Closed`].
    pub async fn close(&self) {
        let inner = &self.inner;
        tokio::join!(inner.consuming.close(), inner.control.close());
        inner.publishing.close().await;
    }
}
