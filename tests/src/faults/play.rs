//! Plays the faults of a schedule on the parts of one seed.

mod redis;

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, sleep_until};

pub use self::redis::ask;
use super::fault::{Fault, Trouble};
use super::fleet::{Fleet, SLOTS};
use super::links::Server;
use super::relay::{End, Weather};
use super::scale::Scale;
use super::schedule::Schedule;
use crate::stage::Scene;
use crate::stage::rabbit::Rabbit;

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
            Fault::Limits => {
                let limits = json!({ "limits": limits() });
                self.scene.lock().await.tgsim.post("/limits", &limits).await?;
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
}

/// Limits that some commands of every seed meet, with waits that are longer than a command is held for and
/// short enough for a seed.
fn limits() -> Vec<Value> {
    let rows = [
        "channels.createChannel",
        "messages.createChat",
        "channels.inviteToChannel",
        "messages.addChatUser",
        "channels.editTitle",
        "messages.editChatTitle",
        "messages.exportChatInvite",
    ];
    rows.map(|request| json!({ "request": request, "every_s": 3.0, "burst": 1 })).into()
}
