//! Who owns an instance. Two connections on one login destroy it at Telegram, so there is at most
//! one owner, and a former owner that doesn't know yet is kept from writing.
//!
//! A lease is a key with a lifetime in Redis, by Redis' own clock, and comes with an *epoch*: a
//! number that only ever rises, even where Redis lost its data (it is never below the time in
//! milliseconds). Every later write shows the epoch; a lower one is [`StoreError::Fenced`].

use std::sync::LazyLock;
use std::time::Duration;

use deadpool_redis::redis::{Script, ScriptInvocation, cmd, pipe};
use proto::InstanceId;

use crate::error::StoreError;
use crate::redis::Redis;

/// How long a lease lasts that is not renewed.
pub const LEASE_TTL: Duration = Duration::from_secs(15);
/// Most leases that are asked about, taken or renewed in one request. 10,000 renewals at once take
/// Redis some 100 ms, and everybody else waits so long; this many take 5.
pub const LEASE_BATCH_MAX: usize = 500;

/// The proof that this process owns an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Which instance.
    pub instance: InstanceId,
    /// Rises with each owner.
    pub epoch: u64,
    /// Whether nobody else can still be connected: the last owner released the lease. Where it is
    /// false, the last one may be frozen or cut off, or Redis lost what it knew, and a grace must
    /// pass before Telegram is connected to.
    pub clean: bool,
    owner: String,
}

impl Lease {
    /// The owner's name, as given to [`Leases::try_acquire`].
    #[must_use]
    pub fn owner(&self) -> &str {
        &self.owner
    }

    fn token(&self) -> String {
        format!("{}|{}", self.owner, self.epoch)
    }
}

/// Who holds a lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The owner's name.
    pub owner: String,
    /// Its epoch.
    pub epoch: u64,
}

static ACQUIRE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        if redis.call('EXISTS', KEYS[1]) == 1 then return false end
        local time = redis.call('TIME')
        local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
        local last = redis.call('GET', KEYS[2])
        local epoch = string.format('%.0f', math.max((tonumber(last) or 0) + 1, now_ms))
        local clean = last and redis.call('GET', KEYS[3]) == last
        redis.call('SET', KEYS[2], epoch)
        redis.call('DEL', KEYS[3])
        redis.call('SET', KEYS[1], ARGV[1] .. '|' .. epoch, 'PX', ARGV[2])
        return {epoch, clean and 1 or 0}
        ",
    )
});

static RENEW: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
        return redis.call('PEXPIRE', KEYS[1], ARGV[2])
        ",
    )
});

static GIVE_UP: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
        return redis.call('DEL', KEYS[1])
        ",
    )
});

static RELEASE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
        redis.call('SET', KEYS[2], ARGV[2])
        return redis.call('DEL', KEYS[1])
        ",
    )
});

/// Takes, renews and gives back leases.
#[derive(Clone)]
pub struct Leases {
    redis: Redis,
    ttl: Duration,
}

impl Leases {
    /// Leases that last [`LEASE_TTL`].
    #[must_use]
    pub fn new(redis: &Redis) -> Self {
        Self::with_ttl(redis, LEASE_TTL)
    }

    /// Leases that last another time.
    #[must_use]
    pub fn with_ttl(redis: &Redis, ttl: Duration) -> Self {
        Self { redis: redis.clone(), ttl }
    }

    /// How long a lease lasts after it was taken or renewed. A holder counts from *before* it
    /// asked, and stops a margin earlier.
    #[must_use]
    pub fn ttl(&self) -> Duration {
        self.ttl
    }

    /// Takes the lease if nobody holds it. `owner` names this process, and must be new at each of
    /// its starts.
    ///
    /// # Errors
    /// Redis can't be asked. Where the answer was lost, the lease may be held all the same, until
    /// it runs out.
    pub async fn try_acquire(
        &self,
        instance: &InstanceId,
        owner: &str,
    ) -> Result<Option<Lease>, StoreError> {
        let taken = self.redis.invoke(&self.acquisition(instance, owner)).await?;
        Ok(lease_of(instance, owner, taken))
    }

    /// Takes those of these leases that nobody holds, in one request: at most [`LEASE_BATCH_MAX`].
    /// The answers come in the order of the instances.
    ///
    /// # Errors
    /// As for [`Leases::try_acquire`], for all of them.
    pub async fn try_acquire_all(
        &self,
        instances: &[InstanceId],
        owner: &str,
    ) -> Result<Vec<Option<Lease>>, StoreError> {
        let calls: Vec<_> =
            instances.iter().map(|instance| self.acquisition(instance, owner)).collect();
        let taken: Vec<Taken> = self.redis.invoke_all(&ACQUIRE, &calls).await?;
        let pairs = instances.iter().zip(taken);
        Ok(pairs.map(|(instance, taken)| lease_of(instance, owner, taken)).collect())
    }

    fn acquisition(&self, instance: &InstanceId, owner: &str) -> ScriptInvocation<'_> {
        let keys = self.redis.keys();
        let mut call = ACQUIRE.key(keys.lease(instance));
        call.key(keys.epoch(instance)).key(keys.released(instance));
        call.arg(owner).arg(millis(self.ttl));
        call
    }

    /// Makes the lease last again; false where it is lost, and then for good.
    ///
    /// # Errors
    /// Redis can't be asked: the lease holds until its time is over, not longer.
    pub async fn renew(&self, lease: &Lease) -> Result<bool, StoreError> {
        Ok(self.redis.invoke::<u8>(&self.renewal(lease)).await? == 1)
    }

    /// Makes these leases last again, in one request: at most [`LEASE_BATCH_MAX`]. The answers come
    /// in the order of the leases; false where one is lost, and then for good.
    ///
    /// # Errors
    /// As for [`Leases::renew`], for all of them.
    pub async fn renew_all(&self, leases: &[Lease]) -> Result<Vec<bool>, StoreError> {
        let calls: Vec<_> = leases.iter().map(|lease| self.renewal(lease)).collect();
        let renewed: Vec<u8> = self.redis.invoke_all(&RENEW, &calls).await?;
        Ok(renewed.into_iter().map(|renewed| renewed == 1).collect())
    }

    fn renewal(&self, lease: &Lease) -> ScriptInvocation<'_> {
        let mut call = RENEW.key(self.redis.keys().lease(&lease.instance));
        call.arg(lease.token()).arg(millis(self.ttl));
        call
    }

    /// Gives the lease back and says nothing about who may still be connected: the next owner waits
    /// as after a crash. For a holder that has itself not waited so long yet. False where it was
    /// lost before.
    ///
    /// # Errors
    /// Redis can't be asked: the lease runs out by itself.
    pub async fn give_up(&self, lease: &Lease) -> Result<bool, StoreError> {
        let mut call = GIVE_UP.key(self.redis.keys().lease(&lease.instance));
        call.arg(lease.token());
        Ok(self.redis.invoke::<u8>(&call).await? == 1)
    }

    /// Gives the lease back and says that nothing of ours is connected any more: the next owner
    /// need not wait. False where it was lost before.
    ///
    /// # Errors
    /// Redis can't be asked: the lease runs out by itself, and the next owner waits.
    pub async fn release(&self, lease: &Lease) -> Result<bool, StoreError> {
        let keys = self.redis.keys();
        let mut call = RELEASE.key(keys.lease(&lease.instance));
        call.key(keys.released(&lease.instance)).arg(lease.token()).arg(lease.epoch);
        Ok(self.redis.invoke::<u8>(&call).await? == 1)
    }

    /// Who holds the lease, if anybody does.
    ///
    /// # Errors
    /// Redis can't be asked, or holds something else there.
    pub async fn holder(&self, instance: &InstanceId) -> Result<Option<Holder>, StoreError> {
        let key = self.redis.keys().lease(instance);
        let token: Option<String> = self
            .redis
            .ask(async |mut connection| cmd("GET").arg(&key).query_async(&mut connection).await)
            .await?;
        let Some(token) = token else { return Ok(None) };
        let parsed = token.rsplit_once('|').and_then(|(owner, epoch)| {
            Some(Holder { owner: owner.to_owned(), epoch: epoch.parse().ok()? })
        });
        parsed.map(Some).ok_or_else(|| StoreError::corrupt(key, "it is no lease"))
    }

    /// Of these instances, those that nobody holds, in the order given.
    ///
    /// # Errors
    /// Redis can't be asked.
    pub async fn unowned(&self, instances: &[InstanceId]) -> Result<Vec<InstanceId>, StoreError> {
        let mut unowned = Vec::new();
        for some in instances.chunks(LEASE_BATCH_MAX) {
            let mut batch = pipe();
            for instance in some {
                batch.exists(self.redis.keys().lease(instance));
            }
            let held: Vec<bool> = self
                .redis
                .ask(async |mut connection| batch.query_async(&mut connection).await)
                .await?;
            let pairs = some.iter().zip(held);
            unowned.extend(pairs.filter(|(_, held)| !held).map(|(instance, _)| instance.clone()));
        }
        Ok(unowned)
    }
}

/// What a script says of an acquisition: the epoch, and whether the last owner released the lease.
type Taken = Option<(u64, u8)>;

fn lease_of(instance: &InstanceId, owner: &str, taken: Taken) -> Option<Lease> {
    taken.map(|(epoch, clean)| Lease {
        instance: instance.clone(),
        epoch,
        clean: clean == 1,
        owner: owner.to_owned(),
    })
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
