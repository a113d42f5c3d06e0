//! The people and groups that an account knows how to name to Telegram. Lost ones can be looked up
//! again, so they are kept in Redis only; sealed one by one, since they say whom an account knows.

use std::sync::LazyLock;

use deadpool_redis::redis::{Script, cmd};
use proto::InstanceId;
use zeroize::Zeroizing;

use crate::error::StoreError;
use crate::leases::Lease;
use crate::redis::{Redis, fenced};
use crate::seal::Slot;
use crate::vault::Vault;

/// The most peers of one instance; the ones saved longest ago go first.
pub const PEERS_MAX: usize = 20_000;
/// The most bytes of one peer.
const PEER_BYTES_MAX: usize = 4 * 1024;
/// Peers in one request: it keeps the server for well under a millisecond.
const BATCH: usize = 200;

static SAVE: LazyLock<Script> = fenced!(
    r"
    local time = redis.call('TIME')
    local now_us = time[1] * 1000000 + time[2]
    for i = 3, #ARGV, 2 do
        redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1])
        redis.call('ZADD', KEYS[3], now_us + i, ARGV[i])
    end
    local over = redis.call('ZCARD', KEYS[3]) - ARGV[2]
    if over > 0 then
        local oldest = redis.call('ZPOPMIN', KEYS[3], over)
        for i = 1, #oldest, 2 do redis.call('HDEL', KEYS[2], oldest[i]) end
    end
    return {'ok', {}}
    "
);

static FORGET: LazyLock<Script> = fenced!(
    r"
    redis.call('DEL', KEYS[2], KEYS[3])
    return {'ok', {}}
    "
);

/// Keeps the peers.
#[derive(Clone)]
pub struct Peers {
    vault: Vault,
    redis: Redis,
    most: usize,
}

impl Peers {
    /// The peers in this Redis, sealed with this vault's key.
    #[must_use]
    pub fn new(vault: &Vault, redis: &Redis) -> Self {
        Self::with_most(vault, redis, PEERS_MAX)
    }

    /// The same, with another bound than [`PEERS_MAX`].
    #[must_use]
    pub fn with_most(vault: &Vault, redis: &Redis, most: usize) -> Self {
        Self { vault: vault.clone(), redis: redis.clone(), most }
    }

    /// Every peer that is kept: its number and what was saved for it. One that can't be read is
    /// left out, since it can be looked up again.
    ///
    /// # Errors
    /// Redis can't be asked.
    pub async fn load(
        &self,
        instance: &InstanceId,
    ) -> Result<Vec<(i64, Zeroizing<Vec<u8>>)>, StoreError> {
        let key = self.redis.keys().peers(instance);
        let sealed: Vec<(i64, Vec<u8>)> = self
            .redis
            .ask(async |mut connection| cmd("HGETALL").arg(&key).query_async(&mut connection).await)
            .await?;
        let (mut peers, mut unreadable) = (Vec::with_capacity(sealed.len()), 0_usize);
        for (id, sealed) in sealed {
            match self.open(instance, id, &sealed) {
                Ok(peer) => peers.push((id, peer)),
                Err(_) => unreadable += 1,
            }
        }
        if unreadable > 0 {
            tracing::warn!(%instance, unreadable, "peers were left out");
        }
        Ok(peers)
    }

    /// Saves new or changed peers; the others stay.
    ///
    /// # Errors
    /// Fenced; Redis can't be asked; a peer that is too large.
    pub async fn save(&self, lease: &Lease, peers: &[(i64, Vec<u8>)]) -> Result<(), StoreError> {
        let keys = self.redis.keys();
        for batch in peers.chunks(BATCH) {
            let mut call = SAVE.key(keys.epoch(&lease.instance));
            call.key(keys.peers(&lease.instance)).key(keys.peers_used(&lease.instance));
            call.arg(lease.epoch).arg(self.most);
            for (id, peer) in batch {
                call.arg(*id).arg(self.seal(&lease.instance, *id, peer)?);
            }
            self.redis.fenced_write(&call).await?;
        }
        Ok(())
    }

    /// Forgets all of an instance's peers.
    ///
    /// # Errors
    /// Fenced; Redis can't be asked.
    pub async fn forget(&self, lease: &Lease) -> Result<(), StoreError> {
        let keys = self.redis.keys();
        let mut call = FORGET.key(keys.epoch(&lease.instance));
        call.key(keys.peers(&lease.instance)).key(keys.peers_used(&lease.instance));
        call.arg(lease.epoch);
        self.redis.fenced_write(&call).await
    }

    fn seal(&self, instance: &InstanceId, id: i64, peer: &[u8]) -> Result<Vec<u8>, StoreError> {
        if peer.len() > PEER_BYTES_MAX {
            return Err(StoreError::TooLarge {
                what: "a peer",
                size: peer.len(),
                size_max: PEER_BYTES_MAX,
            });
        }
        let kind = format!("peer {id}");
        self.vault.key().seal(Slot { instance: instance.as_str(), kind: &kind }, peer)
    }

    fn open(
        &self,
        instance: &InstanceId,
        id: i64,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        let kind = format!("peer {id}");
        self.vault.key().open(Slot { instance: instance.as_str(), kind: &kind }, sealed)
    }
}
