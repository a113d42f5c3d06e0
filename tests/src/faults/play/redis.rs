//! Faults of Redis.

use std::io::ErrorKind;
use std::time::Duration;

use anyhow::{Context as _, Result};
use deadpool_redis::redis;
use tokio::sync::MutexGuard;
use tokio::time::sleep;

use super::Stage;
use crate::faults::fault::Fault;
use crate::stage::Scene;
use crate::stage::redis::Redis;

impl Stage {
    pub(super) async fn hurt_redis(&self, fault: &Fault) -> Result<()> {
        let _turn = self.redis_turn.lock().await;
        let url = self.scene.lock().await.redis_url().to_owned();
        match fault {
            Fault::RedisFrozen(time) => {
                redis_of(&mut self.scene.lock().await)?.freeze(true)?;
                sleep(*time).await;
                redis_of(&mut self.scene.lock().await)?.freeze(false)?;
            }
            Fault::RedisFull(time) => {
                // Less than an empty Redis takes: with `noeviction` every write is refused.
                ask(&url, &["CONFIG", "SET", "maxmemory-policy", "noeviction"]).await?;
                ask(&url, &["CONFIG", "SET", "maxmemory", "1"]).await?;
                sleep(*time).await;
                ask(&url, &["CONFIG", "SET", "maxmemory", "0"]).await?;
            }
            Fault::RedisRestarted => self.restart_redis(&url, "SAVE", |_| Ok(())).await?,
            Fault::RedisSetBack(time) => {
                ask(&url, &["SAVE"]).await?;
                let dump = redis_of(&mut self.scene.lock().await)?.dump();
                let older = dump.with_extension("older");
                std::fs::copy(&dump, &older)?;
                sleep(*time).await;
                let set_back = |redis: &Redis| Ok(std::fs::rename(&older, redis.dump())?);
                self.restart_redis(&url, "NOSAVE", set_back).await?;
            }
            _ => {
                let empty = |redis: &Redis| match std::fs::remove_file(redis.dump()) {
                    Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
                    _ => Ok(()),
                };
                self.restart_redis(&url, "NOSAVE", empty).await?;
            }
        }
        Ok(())
    }

    async fn restart_redis(
        &self,
        url: &str,
        save: &str,
        between: impl FnOnce(&Redis) -> Result<()>,
    ) -> Result<()> {
        let mut scene = self.scene.lock().await;
        let redis = redis_of(&mut scene)?;
        // It answers by closing the connection.
        let _closed = ask(url, &["SHUTDOWN", save]).await;
        redis.ended().await?;
        between(redis)?;
        redis.start_again().await
    }
}

fn redis_of<'a>(scene: &'a mut MutexGuard<'_, Scene>) -> Result<&'a mut Redis> {
    scene.redis.process().context("this scene's Redis is not ours to hurt")
}

/// One command to the Redis at this address.
///
/// # Errors
/// When it does not answer, or refuses.
pub async fn ask(url: &str, words: &[&str]) -> Result<redis::Value> {
    let (name, args) = words.split_first().context("no command")?;
    let mut command = redis::cmd(name);
    command.arg(args);
    let asked = async {
        let mut line = redis::Client::open(url)?.get_multiplexed_async_connection().await?;
        Ok(command.query_async(&mut line).await?)
    };
    tokio::time::timeout(Duration::from_secs(20), asked).await.context("Redis is silent")?
}
