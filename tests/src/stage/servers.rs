//! One broker and one Redis, from wherever `scripts/servers` found them: given addresses, private
//! processes, or containers.

use std::collections::HashMap;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};

use super::compose::Containers;
use super::folder::Folder;
use super::rabbit::{self, Rabbit, RabbitPrograms};
use super::redis::Redis;
use super::scripts;

/// Where the servers are: what `stage serve` prints and `stage run` exports.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Addresses {
    /// `QUEUEGRAM_AMQP__URL`
    pub amqp_url: String,
    /// `QUEUEGRAM_AMQP__MANAGEMENT_URL`, with the credentials in it.
    pub management_url: String,
    /// `QUEUEGRAM_REDIS__URL`
    pub redis_url: String,
    /// The Redis program, with which each scene starts one of its own; none where only an address
    /// was given.
    pub redis_server: Option<PathBuf>,
}

const AMQP_URL: &str = "QUEUEGRAM_AMQP__URL";
const MANAGEMENT_URL: &str = "QUEUEGRAM_AMQP__MANAGEMENT_URL";
const REDIS_URL: &str = "QUEUEGRAM_REDIS__URL";
const REDIS_SERVER: &str = "STAGE_REDIS_SERVER";

impl Addresses {
    /// Those in our own environment, if all are there.
    #[must_use]
    pub fn from_environment() -> Option<Self> {
        Some(Self {
            amqp_url: std::env::var(AMQP_URL).ok()?,
            management_url: std::env::var(MANAGEMENT_URL).ok()?,
            redis_url: std::env::var(REDIS_URL).ok()?,
            redis_server: std::env::var_os(REDIS_SERVER).map(PathBuf::from),
        })
    }

    /// As environment variables.
    #[must_use]
    pub fn environment(&self) -> Vec<(String, String)> {
        let mut pairs = vec![
            (AMQP_URL.to_owned(), self.amqp_url.clone()),
            (MANAGEMENT_URL.to_owned(), self.management_url.clone()),
            (REDIS_URL.to_owned(), self.redis_url.clone()),
        ];
        if let Some(program) = &self.redis_server {
            pairs.push((REDIS_SERVER.to_owned(), program.display().to_string()));
        }
        pairs
    }
}

/// Servers that run until dropped.
#[derive(Debug)]
pub struct Servers {
    /// Where they are.
    pub addresses: Addresses,
    // Held for their destructors, in this order: processes before the folder they write to.
    _rabbit: Option<Rabbit>,
    _redis: Option<Redis>,
    _containers: Option<Containers>,
    _folder: Folder,
}

impl Servers {
    /// Finds (or installs) and starts them. `progress` is told, in a few words, what is going on.
    ///
    /// # Errors
    /// When one is missing or does not start.
    pub async fn start(progress: impl Fn(&str)) -> Result<Self> {
        let found = tokio::task::spawn_blocking(|| scripts::key_values("servers")).await??;
        let folder = Folder::new("stage")?;
        let containers = match found.get("COMPOSE") {
            Some(compose) => {
                progress("starting containers");
                Some(Containers::start(compose, need(&found, "COMPOSE_FILE")?)?)
            }
            None => None,
        };

        let redis_server = found.get("REDIS_SERVER").map(PathBuf::from);
        let (redis, redis_url) = match need(&found, "REDIS_FROM")? {
            "environment" => (None, std::env::var(REDIS_URL)?),
            "programs" => {
                let program = redis_server.as_ref().context("no REDIS_SERVER")?;
                progress("starting a private Redis");
                let redis = Redis::start(program, folder.path()).await?;
                let url = redis.url.clone();
                (Some(redis), url)
            }
            _ => (None, containers.as_ref().context("no containers")?.redis_url.clone()),
        };

        let (rabbit, amqp_url, management_url) = match need(&found, "RABBITMQ_FROM")? {
            "environment" => (None, std::env::var(AMQP_URL)?, std::env::var(MANAGEMENT_URL)?),
            "programs" => {
                progress("starting a private RabbitMQ");
                let programs = RabbitPrograms {
                    server: need(&found, "RABBITMQ_SERVER")?.into(),
                    epmd: need(&found, "EPMD")?.into(),
                };
                let rabbit = Rabbit::start(&programs, folder.path()).await?;
                let (amqp, management) = (rabbit.amqp_url.clone(), rabbit.management_url.clone());
                (Some(rabbit), amqp, management)
            }
            _ => {
                let containers = containers.as_ref().context("no containers")?;
                (None, containers.amqp_url.clone(), containers.management_url.clone())
            }
        };
        rabbit::wait_for(&amqp_url, &management_url).await?;

        Ok(Self {
            addresses: Addresses { amqp_url, management_url, redis_url, redis_server },
            _rabbit: rabbit,
            _redis: redis,
            _containers: containers,
            _folder: folder,
        })
    }
}

fn need<'a>(found: &'a HashMap<String, String>, key: &str) -> Result<&'a str> {
    match found.get(key) {
        Some(value) => Ok(value),
        None => bail!("scripts/servers did not print {key}"),
    }
}
