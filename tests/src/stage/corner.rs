//! A Redis for one scene: a process of its own where the program is at hand, else one whole database
//! of the given server, and only one that was empty.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use url::Url;

use super::redis::Redis;
use super::servers::Addresses;

/// Redis has 16 databases unless told otherwise.
const DATABASES: u8 = 16;
/// Marks a database as taken; the first of two scenes at once gets it.
const CLAIM: &str = "queuegram-stage";

/// A Redis with nothing in it but what the scene puts there, until dropped.
#[derive(Debug)]
pub struct RedisCorner {
    /// `redis://…/database`
    pub url: String,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Own { process: Box<Redis> },
    Database { _claimed: Claimed },
}

impl RedisCorner {
    /// Has it lose everything that the scene put there.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn flush(&self) -> Result<()> {
        let mut wire = Wire::open(&Url::parse(&self.url)?).await?;
        let database = self.url.rsplit('/').next().and_then(|number| number.parse().ok());
        ensure!(wire.select(database.unwrap_or(0)).await?, "no such database");
        wire.ask("FLUSHDB").await?;
        wire.ask(&format!("SET {CLAIM} 1")).await.map(drop)
    }

    /// Starts or claims one.
    ///
    /// # Errors
    /// When it does not start, or no database of the given server is empty.
    pub async fn new(addresses: &Addresses, folder: &Path) -> Result<Self> {
        if let Some(program) = &addresses.redis_server {
            let process = Redis::start(program, folder).await?;
            return Ok(Self {
                url: process.url.clone(),
                kind: Kind::Own { process: Box::new(process) },
            });
        }
        let mut url = Url::parse(&addresses.redis_url).context("the address of Redis")?;
        for database in (1..DATABASES).rev() {
            url.set_path(&database.to_string());
            let mut wire = Wire::open(&url).await?;
            if !wire.select(database).await? {
                continue;
            }
            // SET … NX before looking, so that two scenes can't both find it empty.
            if wire.ask(&format!("SET {CLAIM} 1 NX")).await? != "+OK" {
                continue;
            }
            if wire.ask("DBSIZE").await? == ":1" {
                let claimed = Claimed { url: url.clone(), database };
                return Ok(Self {
                    url: url.to_string(),
                    kind: Kind::Database { _claimed: claimed },
                });
            }
            wire.ask(&format!("DEL {CLAIM}")).await?;
        }
        bail!("no database of the Redis given in the environment is empty")
    }

    /// The process, where it is one of our own, for whoever wants to hurt it.
    pub fn process(&mut self) -> Option<&mut Redis> {
        match &mut self.kind {
            Kind::Own { process } => Some(process),
            Kind::Database { .. } => None,
        }
    }
}

/// Empties the database that it claimed.
#[derive(Debug)]
struct Claimed {
    url: Url,
    database: u8,
}

impl Drop for Claimed {
    fn drop(&mut self) {
        let (url, database) = (self.url.clone(), self.database);
        // As with a vhost: a destructor can't await.
        let flush = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
            let flush = async {
                let mut wire = Wire::open(&url).await?;
                ensure!(wire.select(database).await?, "the database is gone");
                wire.ask("FLUSHDB").await
            };
            runtime.block_on(flush).ok()
        });
        let _flushed = flush.join();
    }
}

/// Redis' line protocol, as much of it as a claim needs.
struct Wire(BufReader<TcpStream>);

impl Wire {
    async fn open(url: &Url) -> Result<Self> {
        ensure!(url.scheme() == "redis", "only redis:// addresses, not {}://", url.scheme());
        let host = url.host_str().unwrap_or("127.0.0.1");
        let stream = TcpStream::connect((host, url.port().unwrap_or(6379))).await?;
        let mut wire = Self(BufReader::new(stream));
        if let Some(password) = url.password() {
            let answer = wire.ask(&format!("AUTH {} {password}", user(url))).await?;
            ensure!(answer == "+OK", "Redis refuses the credentials");
        }
        Ok(wire)
    }

    /// Turns to a database; `false` where the server has none of that number.
    async fn select(&mut self, database: u8) -> Result<bool> {
        Ok(self.ask(&format!("SELECT {database}")).await? == "+OK")
    }

    async fn ask(&mut self, line: &str) -> Result<String> {
        let exchange = async {
            self.0.write_all(format!("{line}\r\n").as_bytes()).await?;
            let mut answer = String::new();
            self.0.read_line(&mut answer).await?;
            anyhow::Ok(answer.trim_end().to_owned())
        };
        tokio::time::timeout(Duration::from_secs(10), exchange).await.context("Redis is silent")?
    }
}

fn user(url: &Url) -> &str {
    if url.username().is_empty() { "default" } else { url.username() }
}
