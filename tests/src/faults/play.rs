//! Plays the faults of a schedule on the parts of one seed.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::{Context as _, Result};
use deadpool_redis::redis;
use serde_json::json;
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::{Instant, sleep, sleep_until};

use super::fault::{Fault, Trouble};
use super::fleet::{Fleet, SLOTS};
use super::links::Server;
use super::relay::{End, Weather};
use super::scale::Scale;
use super::schedule::Schedule;
use crate::stage::Scene;
use crate::stage::rabbit::Rabbit;
use crate::stage::redis::Redis;

/// A fault that was tried.
#[derive(Debug)]
pub struct Played {
    /// Which.
    pub fault: Fault,
    /// When it began.
    pub from: Duration,
    /// When it was over.
    pub to: Duration,
    /// Why it could not be played.
    pub failed: Option<anyhow::Error>,
}

impl fmt::Display for Played {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, to) = (self.from.as_secs_f64(), self.to.as_secs_f64());
        write!(f, "{from:6.2} s – {to:6.2} s  {}", self.fault)?;
        match &self.failed {
            Some(why) => write!(f, ": NOT PLAYED: {why:#}"),
            None => Ok(()),
        }
    }
}

/// What faults are done to.
#[derive(Debug)]
pub struct Stage {
    /// The workers.
    pub fleet: Arc<Fleet>,
    /// The lane's own broker. Held while it is hurt: one fault of a server at a time.
    pub rabbit: Arc<Mutex<Rabbit>>,
    /// Redis and the simulated Telegram.
    pub scene: Mutex<Scene>,
    /// Held while Redis is hurt, as the scene is needed by others meanwhile.
    pub redis_turn: Mutex<()>,
    /// The accounts' numbers by instance, once they are connected.
    pub users: OnceLock<Vec<i64>>,
    /// How long a second is.
    pub scale: Scale,
}

impl Stage {
    /// The accounts' numbers by instance; none before they are connected.
    pub fn users(&self) -> &[i64] {
        self.users.get().map_or(&[], Vec::as_slice)
    }

    /// Plays every fault at its time; those that overlap go on beside each other.
    pub async fn play(self: &Arc<Self>, schedule: &Schedule, began: Instant) -> Vec<Played> {
        let mut tasks = tokio::task::JoinSet::new();
        for (at, fault) in schedule.faults.clone() {
            let this = Arc::clone(self);
            tasks.spawn(async move {
                sleep_until(began + at).await;
                let started = began.elapsed();
                let done = this.carry_out(&fault).await;
                Played { fault, from: started, to: began.elapsed(), failed: done.err() }
            });
        }
        let mut played = tasks.join_all().await;
        played.sort_by_key(|played| played.from);
        played
    }

    async fn carry_out(&self, fault: &Fault) -> Result<()> {
        let (fleet, away) = (&self.fleet, self.scale.time(8.0));
        match fault {
            Fault::AtPoint { slot, order, nap } => {
                fleet.set_nap(*slot, *nap);
                fleet.roll(*slot, true, Some(order.clone()));
            }
            Fault::Kill(slot) => fleet.kill(*slot, away, None),
            Fault::Freeze(slot, nap) => {
                fleet.freeze(*slot, *nap);
                sleep(*nap).await;
            }
            Fault::Roll(slot) => fleet.roll(*slot, true, None),
            Fault::Workers => self.workers().await,
            Fault::RabbitKilled => {
                let mut rabbit = self.rabbit.lock().await;
                rabbit.kill();
                sleep(away).await;
                rabbit.start_again().await?;
            }
            Fault::RabbitRestarted => {
                let mut rabbit = self.rabbit.lock().await;
                rabbit.stop().await?;
                rabbit.start_again().await?;
            }
            Fault::RabbitBlocked(time) => {
                let rabbit = self.rabbit.lock().await;
                rabbit.block(true).await?;
                sleep(*time).await;
                rabbit.block(false).await?;
            }
            Fault::RabbitFrozen(time) => {
                let rabbit = self.rabbit.lock().await;
                rabbit.freeze(true)?;
                sleep(*time).await;
                rabbit.freeze(false)?;
            }
            Fault::RedisRestarted
            | Fault::RedisEmptied
            | Fault::RedisSetBack(_)
            | Fault::RedisFrozen(_)
            | Fault::RedisFull(_) => self.hurt_redis(fault).await?,
            Fault::Telegram(trouble, request, times) => {
                let then = match trouble {
                    Trouble::CutBefore => json!({ "cut": "before" }),
                    Trouble::CutAfter => json!({ "cut": "after" }),
                    Trouble::HalfOpen => json!({ "half_open": true }),
                    Trouble::ServerError => json!({ "error": [500, "INTERNAL_SERVER_ERROR"] }),
                    Trouble::KeyUnknown => json!({ "transport": -404 }),
                };
                let rule = json!({ "match": { "request": request }, "times": times, "then": then });
                self.scene.lock().await.tgsim.script(&rule).await?;
            }
            Fault::Migrate(instance) => {
                let scene = self.scene.lock().await;
                let (user, dc) = (self.users()[*instance], scene.tgsim.dc + 1);
                let rule = json!({ "match": { "user_id": user }, "then": { "migrate_dc": dc } });
                scene.tgsim.script(&rule).await?;
            }
            Fault::CutOff { slot, server, half_open, time } => {
                let weather = if *half_open { Weather::HalfOpen } else { Weather::Refused };
                self.weather(*slot, *server, weather, *time).await;
            }
            Fault::Slow(slot, server, late, time) => {
                self.weather(*slot, *server, Weather::Slow(*late), *time).await;
            }
            Fault::Ends(slot, server, reset) => {
                let end = if *reset { End::Reset } else { End::Finish };
                fleet.slots()[*slot].links.way(*server).cut(end);
            }
            Fault::ResetAfter(slot, server, bytes) => {
                fleet.slots()[*slot].links.way(*server).reset_after(*bytes);
            }
        }
        Ok(())
    }

    async fn weather(&self, slot: usize, server: Server, weather: Weather, time: Duration) {
        let way = self.fleet.slots()[slot].links.way(server);
        way.set(weather);
        sleep(time).await;
        way.heal();
    }

    /// Down to one worker, up to five, down to two, each time in order.
    async fn workers(&self) {
        for count in [1, SLOTS, 2] {
            for slot in 0..SLOTS {
                match slot < count {
                    true => self.fleet.want(slot, None),
                    false => self.fleet.roll(slot, false, None),
                }
            }
            sleep(self.scale.time(15.0)).await;
        }
    }

    async fn hurt_redis(&self, fault: &Fault) -> Result<()> {
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
                    Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
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
