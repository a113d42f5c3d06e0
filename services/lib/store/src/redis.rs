//! Connections to Redis: a few, held open, each carrying many requests at once.
//!
//! They come from a pool but are not given back after each request: the pool would check them by
//! a ping before each use, a second round trip. One that fails, or that turns out to lead to a
//! server which takes no writes (after a failover), is thrown away and made anew.

use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use deadpool_redis::redis::aio::MultiplexedConnection;
use deadpool_redis::redis::{
    AsyncConnectionConfig, ErrorKind, FromRedisValue, RedisError, Script, ScriptInvocation,
    ServerErrorKind, pipe,
};
use deadpool_redis::{Connection, Manager, Pool, PoolError, Runtime};
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::config::RedisConfig;
use crate::error::{REDIS, StoreError};
use crate::keys::Keys;
use crate::leases::Lease;

/// Put before the body of every script that writes state: `KEYS[1]` is the instance's epoch key and
/// `ARGV[1]` the epoch that the writer holds. Where the epoch is lost or has risen, it is fenced.
macro_rules! fenced {
    ($body:literal) => {
        std::sync::LazyLock::new(|| {
            deadpool_redis::redis::Script::new(concat!(
                "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return {'fenced', {}} end\n",
                $body
            ))
        })
    };
}
pub(crate) use fenced;

static SET: LazyLock<Script> = fenced!(
    r"
    redis.call('SET', KEYS[2], ARGV[2])
    return {'ok', {}}
    "
);

static DELETE: LazyLock<Script> = fenced!(
    r"
    redis.call('DEL', KEYS[2])
    return {'ok', {}}
    "
);

/// A handle to Redis; cheap to clone.
#[derive(Clone)]
pub struct Redis {
    shared: Arc<Shared>,
}

struct Shared {
    pool: Pool,
    slots: Vec<Mutex<Slot>>,
    next: AtomicUsize,
    config: RedisConfig,
    keys: Keys,
}

/// One held connection. `made` counts, so that a late failure of an old one spares its successor.
#[derive(Default)]
struct Slot {
    held: Option<Connection>,
    made: u64,
}

struct Borrowed {
    connection: MultiplexedConnection,
    slot: usize,
    made: u64,
}

impl Redis {
    /// Sets the connections up; they are opened when they are needed, and again after a failure.
    ///
    /// # Errors
    /// Settings that make no sense. A server that can't be reached is none: see [`Redis::ping`].
    pub fn new(config: &RedisConfig) -> Result<Self, StoreError> {
        let connections = config.connections.clamp(1, 64);
        let wrong =
            |error: &dyn ToString| StoreError::Config { key: "redis.url", why: error.to_string() };
        let connection_config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(config.connect_timeout()))
            .set_response_timeout(Some(config.timeout()));
        let manager = Manager::new_with_config(config.url.expose(), connection_config)
            .map_err(|error| wrong(&error))?;
        let pool = Pool::builder(manager)
            .max_size(connections)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(config.connect_timeout()))
            .create_timeout(Some(config.connect_timeout()))
            .recycle_timeout(Some(config.timeout()))
            .build()
            .map_err(|error| wrong(&error))?;
        let slots = (0..connections).map(|_| Mutex::default()).collect();
        let keys = Keys::new(&config.prefix);
        let shared =
            Shared { pool, slots, next: AtomicUsize::new(0), config: config.clone(), keys };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Sets the connections up and waits until the server answers.
    ///
    /// # Errors
    /// As for [`Redis::new`] and [`Redis::ping`].
    pub async fn connect(config: &RedisConfig) -> Result<Self, StoreError> {
        let redis = Self::new(config)?;
        redis.ping().await?;
        Ok(redis)
    }

    /// Asks whether the server is there.
    ///
    /// # Errors
    /// It isn't, or refuses.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.ask(async |mut connection| {
            deadpool_redis::redis::cmd("PING").exec_async(&mut connection).await
        })
        .await
    }

    pub(crate) fn keys(&self) -> &Keys {
        &self.shared.keys
    }

    pub(crate) async fn invoke<T: FromRedisValue>(
        &self,
        call: &ScriptInvocation<'_>,
    ) -> Result<T, StoreError> {
        self.ask(async |mut connection| call.invoke_async(&mut connection).await).await
    }

    /// The same script many times, one way to the server and back. Each call is one script of its
    /// own, so that their keys may lie anywhere.
    pub(crate) async fn invoke_all<T: FromRedisValue>(
        &self,
        script: &Script,
        calls: &[ScriptInvocation<'_>],
    ) -> Result<Vec<T>, StoreError> {
        let mut batch = pipe();
        // A server that was started anew does not know the script, and a pipeline can't be asked
        // again for a part of it.
        batch.load_script(script).ignore();
        for call in calls {
            batch.invoke_script(call);
        }
        self.ask(async |mut connection| batch.query_async(&mut connection).await).await
    }

    /// A script that writes under a lease and has nothing else to say.
    pub(crate) async fn fenced_write(&self, call: &ScriptInvocation<'_>) -> Result<(), StoreError> {
        let (word, _): (String, Vec<String>) = self.invoke(call).await?;
        if word == "ok" { Ok(()) } else { Err(StoreError::Fenced) }
    }

    /// Sets one key of an instance, under its owner's lease.
    pub(crate) async fn fenced_set(
        &self,
        lease: &Lease,
        key: String,
        text: &str,
    ) -> Result<(), StoreError> {
        let mut call = SET.key(self.keys().epoch(&lease.instance));
        call.key(key).arg(lease.epoch).arg(text);
        self.fenced_write(&call).await
    }

    /// Deletes one key of an instance, under its owner's lease.
    pub(crate) async fn fenced_delete(&self, lease: &Lease, key: String) -> Result<(), StoreError> {
        let mut call = DELETE.key(self.keys().epoch(&lease.instance));
        call.key(key).arg(lease.epoch);
        self.fenced_write(&call).await
    }

    /// One request on one of the connections, bounded in time.
    pub(crate) async fn ask<T, F>(
        &self,
        request: impl FnOnce(MultiplexedConnection) -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, RedisError>>,
    {
        let within = self.shared.config.timeout();
        let borrowed = self.borrow().await?;
        let (slot, made) = (borrowed.slot, borrowed.made);
        let answer = match timeout(within, request(borrowed.connection)).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) if error.is_timeout() => StoreError::Timeout { store: REDIS, within },
            Ok(Err(error)) => error.into(),
            Err(_) => StoreError::Timeout { store: REDIS, within },
        };
        if answer.is_passing() {
            self.discard(slot, made).await;
        }
        Err(answer)
    }

    /// The next connection in turn. Only one task opens a missing one; the others wait for it.
    async fn borrow(&self) -> Result<Borrowed, StoreError> {
        let shared = &self.shared;
        let slot = shared.next.fetch_add(1, Ordering::Relaxed) % shared.slots.len();
        let mut place = shared.slots[slot].lock().await;
        if place.held.is_none() {
            place.held = Some(shared.pool.get().await.map_err(|error| self.no_connection(error))?);
            place.made += 1;
        }
        match &place.held {
            Some(held) => Ok(Borrowed {
                connection: MultiplexedConnection::clone(held),
                slot,
                made: place.made,
            }),
            None => Err(StoreError::Unreachable { store: REDIS, why: "no connection".into() }),
        }
    }

    async fn discard(&self, slot: usize, made: u64) {
        let mut place = self.shared.slots[slot].lock().await;
        if place.made == made
            && let Some(held) = place.held.take()
        {
            // Taken out of the pool for good, which else would hand it out again.
            drop(Connection::take(held));
        }
    }

    fn no_connection(&self, error: PoolError) -> StoreError {
        match error {
            // Opening fails in many ways, and most pass: only denied access does not.
            PoolError::Backend(error) if is_denial(&error) => error.into(),
            PoolError::Backend(error) => {
                StoreError::Unreachable { store: REDIS, why: error.to_string() }
            }
            PoolError::Timeout(_) => {
                StoreError::Timeout { store: REDIS, within: self.shared.config.connect_timeout() }
            }
            other => StoreError::Unreachable { store: REDIS, why: other.to_string() },
        }
    }
}

fn is_denial(error: &RedisError) -> bool {
    matches!(
        error.kind(),
        ErrorKind::AuthenticationFailed
            | ErrorKind::InvalidClientConfig
            | ErrorKind::Server(ServerErrorKind::NoPerm)
    ) || matches!(error.code(), Some("NOAUTH" | "WRONGPASS"))
}
