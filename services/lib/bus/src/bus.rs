//! The bus of one process: its two connections and what hangs on them.

use std::sync::Arc;

use proto::Names;

use crate::config::{AmqpConfig, Settings};
use crate::connection::Link;
use crate::consumer::{Consumption, Subscription};
use crate::counters::{BusCounts, Counts};
use crate::error::BusError;
use crate::publisher::Publisher;

/// A handle on both connections; clones share them. They end with the last clone.
#[derive(Clone)]
pub struct Bus {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub settings: Arc<Settings>,
    pub names: Names,
    pub consuming: Arc<Link>,
    pub publishing: Arc<Link>,
    publisher: Publisher,
    pub counts: Arc<Counts>,
}

impl Bus {
    /// Starts the connections and waits for both, at most the connect timeout. For programs that
    /// are no use without a broker.
    ///
    /// # Errors
    /// [`BusError::Config`] for a wrong setting, [`BusError::Denied`] at once if the broker refuses
    /// us, [`BusError::Unreachable`] if it can't be reached in time.
    pub async fn connect(config: &AmqpConfig, name: &str) -> Result<Self, BusError> {
        let bus = Self::start(config, name)?;
        let within = bus.inner.settings.connect_timeout;
        bus.inner.consuming.first(within).await?;
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
        let consuming = link("consuming");
        let publishing = link("publishing");
        let publisher = Publisher::new(publishing.clone(), settings.clone(), counts.clone());
        let inner = Inner { settings, names, consuming, publishing, publisher, counts };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Waits, as long as it takes, until both connections are there. False once the bus is closed.
    pub async fn connected(&self) -> bool {
        self.inner.consuming.connected().await && self.inner.publishing.connected().await
    }

    /// True while both connections are there.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.inner.consuming.is_up() && self.inner.publishing.is_up()
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

    /// Starts a consumption on a channel of its own.
    ///
    /// # Errors
    /// [`BusError::Refused`] 404 where the queue is missing, 403 without permission or where an
    /// exclusive consumer is there already; [`BusError::Unreachable`] without a connection.
    pub async fn consume(&self, subscription: Subscription) -> Result<Consumption, BusError> {
        let channel = self.inner.consuming.channel().await?;
        let within = self.inner.settings.operation_timeout;
        let counts = self.inner.counts.clone();
        Consumption::start(channel, &subscription, false, within, counts).await
    }

    /// What happened on this bus so far.
    #[must_use]
    pub fn counts(&self) -> BusCounts {
        self.inner.counts.read()
    }

    /// Closes both connections in order, within a bound. Whatever is unsettled goes back to its
    /// queue; every later call fails with [`BusError::Closed`].
    pub async fn close(&self) {
        self.inner.consuming.close().await;
        self.inner.publishing.close().await;
    }
}
