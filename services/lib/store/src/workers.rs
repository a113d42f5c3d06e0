//! Which workers are alive, how much each can own and how much it does: a heartbeat of each in one
//! hash, that counts by Redis' own clock for as long as a lease does.

use std::sync::LazyLock;
use std::time::Duration;

use deadpool_redis::redis::{Script, cmd};

use crate::error::StoreError;
use crate::redis::Redis;

/// A worker that is alive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presence {
    /// Its name, new at each of its starts.
    pub worker: String,
    /// Most instances that it owns.
    pub capacity: usize,
    /// How many it owned at its last heartbeat.
    pub owned: usize,
}

impl Presence {
    /// How many more it takes.
    #[must_use]
    pub fn room(&self) -> usize {
        self.capacity.saturating_sub(self.owned)
    }
}

/// Notes the caller and tells of all that are alive; those that have been silent are forgotten.
static BEAT: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local time = redis.call('TIME')
        local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
        local until_ms = string.format('%.0f', now_ms + ARGV[2])
        redis.call('HSET', KEYS[1], ARGV[1], until_ms .. '|' .. ARGV[3] .. '|' .. ARGV[4])
        local alive = {}
        local all = redis.call('HGETALL', KEYS[1])
        for at = 1, #all, 2 do
            local ends, capacity, owned = string.match(all[at + 1], '^(%d+)|(%d+)|(%d+)$')
            if ends and tonumber(ends) > now_ms then
                table.insert(alive, {all[at], capacity, owned})
            else
                redis.call('HDEL', KEYS[1], all[at])
            end
        end
        return alive
        ",
    )
});

/// The heartbeats of the workers.
#[derive(Clone)]
pub struct Workers {
    redis: Redis,
    ttl: Duration,
}

impl Workers {
    /// Heartbeats that count for `ttl`.
    #[must_use]
    pub fn new(redis: &Redis, ttl: Duration) -> Self {
        Self { redis: redis.clone(), ttl }
    }

    /// Says that this worker is alive, and gives all that are, itself too, by name.
    ///
    /// # Errors
    /// Redis can't be asked.
    pub async fn beat(&self, me: &Presence) -> Result<Vec<Presence>, StoreError> {
        let mut call = BEAT.key(self.redis.keys().workers());
        call.arg(&me.worker).arg(u64::try_from(self.ttl.as_millis()).unwrap_or(u64::MAX));
        call.arg(me.capacity).arg(me.owned);
        let alive: Vec<(String, usize, usize)> = self.redis.invoke(&call).await?;
        let mut alive: Vec<Presence> = alive
            .into_iter()
            .map(|(worker, capacity, owned)| Presence { worker, capacity, owned })
            .collect();
        alive.sort_by(|a, b| a.worker.cmp(&b.worker));
        Ok(alive)
    }

    /// Says that this worker takes nothing more: the others count without it from now on.
    ///
    /// # Errors
    /// Redis can't be asked: they count without it when its heartbeat runs out.
    pub async fn withdraw(&self, worker: &str) -> Result<(), StoreError> {
        let key = self.redis.keys().workers();
        self.redis
            .ask(async |mut connection| {
                cmd("HDEL").arg(&key).arg(worker).exec_async(&mut connection).await
            })
            .await
    }
}
