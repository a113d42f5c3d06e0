//! The three ways on which one worker reaches the world, each through a relay of its own: so one worker
//! can be cut off from one server while the others go on.

use std::fmt;

use anyhow::{Context as _, Result};
use url::Url;

use super::relay::Relay;
use crate::stage::Scene;

/// What a worker talks to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Server {
    /// RabbitMQ.
    Rabbit,
    /// Redis.
    Redis,
    /// The simulated Telegram.
    Telegram,
}

impl Server {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Rabbit, Self::Redis, Self::Telegram];
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rabbit => "RabbitMQ",
            Self::Redis => "Redis",
            Self::Telegram => "Telegram",
        })
    }
}

/// One worker's relays.
#[derive(Debug)]
pub struct Links {
    rabbit: Relay,
    redis: Relay,
    telegram: Relay,
    environment: Vec<(String, String)>,
}

impl Links {
    /// Relays to the servers of `scene`.
    ///
    /// # Errors
    /// When an address makes no sense or no port is free.
    pub async fn to(scene: &Scene) -> Result<Self> {
        let (mut amqp, rabbit) = relayed(&scene.vhost.amqp_url, 5672).await?;
        let (mut data, redis) = relayed(scene.redis_url(), 6379).await?;
        let telegram = Relay::start(scene.tgsim.address.parse()?).await?;
        for (url, relay) in [(&mut amqp, &rabbit), (&mut data, &redis)] {
            url.set_port(Some(relay.address.port())).ok().context("an address without a port")?;
        }
        let environment = [
            ("QUEUEGRAM_AMQP__URL", amqp.to_string()),
            ("QUEUEGRAM_REDIS__URL", data.to_string()),
            ("QUEUEGRAM_TELEGRAM__SERVER__ADDRESS", telegram.address.to_string()),
        ]
        .map(|(key, value)| (key.to_owned(), value));
        Ok(Self { rabbit, redis, telegram, environment: environment.into() })
    }

    /// The way to one server.
    #[must_use]
    pub fn way(&self, server: Server) -> &Relay {
        match server {
            Server::Rabbit => &self.rabbit,
            Server::Redis => &self.redis,
            Server::Telegram => &self.telegram,
        }
    }

    /// Everything passes again.
    pub fn heal(&self) {
        for server in Server::ALL {
            self.way(server).heal();
        }
    }

    /// The settings that lead a worker through these relays.
    #[must_use]
    pub fn environment(&self) -> &[(String, String)] {
        &self.environment
    }
}

async fn relayed(url: &str, usual_port: u16) -> Result<(Url, Relay)> {
    let url = Url::parse(url).context("a server's address")?;
    let host = url.host_str().context("an address without a host")?;
    let target = format!("{host}:{}", url.port().unwrap_or(usual_port));
    let relay = Relay::start(target.parse()?).await?;
    Ok((url, relay))
}
