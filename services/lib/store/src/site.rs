//! Which installation a vault belongs to: its *site*. Two that work with copies of one vault would
//! open each login twice, and Telegram destroys a login that is used twice.
//!
//! # What is kept
//! In the vault (`_vault/site`): the vault's own id, which every copy shares; the id of the site; how
//! often the vault was claimed; the place at which it was claimed last. In Redis, under the
//! installation's prefix: the id of the site, with the vault's address. In Redis again, under the
//! *vault's* id and no prefix, so that installations which share a server meet there: the highest
//! claim, whose it is, and when it was last seen alive.
//!
//! # Whose a vault is ([`judge`])
//! - Nobody's yet: it becomes this site's.
//! - This Redis knows of a higher claim: a copy of it, or the vault itself, is worked elsewhere.
//! - This Redis' site is the vault's, with the same address: ours.
//! - This Redis has another site, or knows the vault at another address: it was copied, or moved.
//! - This Redis knows of no site: ours where this process has seen that it is (Redis was emptied), or
//!   where it stands at the place of the last claim: the same addresses on the same machine. Else it
//!   was copied.
//!
//! Who finds that it is not ours connects nothing, and drops at once what it has, until a person
//! claims it. A claim begins a new generation of Redis' data ([`crate::Generations`]), so nobody
//! connects before the former site has looked (once a second in Redis, every ten seconds in the
//! vault) and has let go. Where the two share neither a Redis nor the vault there is nothing in
//! which they could meet: then the first must be stopped before.

use std::fs;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use chrono::{DateTime, Utc};
use deadpool_redis::redis::{Script, cmd};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::config::{RedisConfig, VaultConfig};
use crate::error::{StoreError, VAULT};
use crate::generation::{Generations, random_id};
use crate::redis::Redis;
use crate::vault::Vault;

mod judge;

use judge::{Named, Verdict, judge};

const VERSION: u32 = 1;
/// The vault's own kind of record.
pub(crate) const KIND: &str = "site";
const WHAT: &str = "the vault's site";
/// How often the vault is asked whose it is; Redis is asked at each look.
const READ_EVERY: Duration = Duration::from_secs(10);
/// How often is tried again what another worker did first.
const TRIES_MAX: usize = 8;

/// Notes that the site lives, unless a higher claim, or another one's of the same number, stands
/// there; tells what stands there in the end. `ARGV`: the claim and the site; claim 0 only asks.
static NAME: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local found = redis.call('HMGET', KEYS[1], 'claim', 'site')
        local claim, mine = tonumber(found[1] or '0'), tonumber(ARGV[1])
        if mine > claim or (mine > 0 and mine == claim and found[2] == ARGV[2]) then
            local time = redis.call('TIME')
            redis.call('HSET', KEYS[1], 'claim', ARGV[1], 'site', ARGV[2], 'seen', time[1])
            return {ARGV[1], ARGV[2]}
        end
        return {found[1] or '0', found[2] or ''}
        ",
    )
});

/// Where an installation stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The vault's address.
    vault: String,
    /// The addresses of vault and Redis, and the machine.
    whole: String,
}

impl Place {
    /// The place that these settings and this machine make.
    #[must_use]
    pub fn here(vault: &VaultConfig, redis: &RedisConfig) -> Self {
        let machine = ["/etc/machine-id", "/proc/sys/kernel/hostname"].iter();
        let machine = machine.filter_map(|file| fs::read_to_string(file).ok());
        let machine = machine.map(|name| name.trim().to_owned()).find(|name| !name.is_empty());
        let (address, prefix) = (redis.url.address(), &redis.prefix);
        let machine = machine.unwrap_or_default();
        let vault = vault.address();
        Self { vault: digest(&[&vault]), whole: digest(&[&vault, &address, prefix, &machine]) }
    }
}

/// Whose the vault is, as it says itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteRecord {
    v: u32,
    /// The vault's id; copies have the same.
    pub vault: String,
    /// The site that it belongs to.
    pub site: String,
    /// How often it was claimed.
    pub claim: u64,
    place: String,
    /// When it was claimed last.
    #[serde(with = "proto::time::rfc3339_ms")]
    pub claimed_at: DateTime<Utc>,
}

/// What came of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// Whose it is now.
    pub record: SiteRecord,
    /// Whether it was this site's before.
    pub was_ours: bool,
}

/// Looks whose the vault is; cheap to clone.
#[derive(Clone)]
pub struct Sites {
    vault: Vault,
    redis: Redis,
    generations: Generations,
    place: Place,
    memory: Arc<Mutex<Memory>>,
}

/// What this process knows.
#[derive(Default)]
struct Memory {
    record: Option<(SiteRecord, Instant)>,
    /// The claim under which the vault was ours at the last look.
    ours: Option<u64>,
    /// The claim under which it was found to be another's: no loss of Redis' data makes it ours.
    theirs: Option<u64>,
}

impl Sites {
    /// Looks on behalf of an installation at this place.
    #[must_use]
    pub fn new(vault: &Vault, redis: &Redis, generations: &Generations, place: Place) -> Self {
        Self {
            vault: vault.clone(),
            redis: redis.clone(),
            generations: generations.clone(),
            place,
            memory: Arc::default(),
        }
    }

    /// None where the vault is this site's; else why it is not.
    ///
    /// # Errors
    /// Redis or the vault can't be asked. What was true at the last look still holds.
    pub async fn look(&self) -> Result<Option<&'static str>, StoreError> {
        let mut memory = self.memory.lock().await;
        for _ in 0..TRIES_MAX {
            let record = self.record(&mut memory).await?;
            match self.judged(record.as_ref(), &memory).await? {
                Verdict::Nobodys => {
                    self.put(None, 1).await?;
                    memory.record = None;
                }
                Verdict::Ours(record) => {
                    self.note(&record).await?;
                    (memory.ours, memory.theirs) = (Some(record.claim), None);
                    return Ok(None);
                }
                Verdict::Theirs { claim, why } => {
                    (memory.ours, memory.theirs) = (None, Some(claim));
                    return Ok(Some(why));
                }
            }
        }
        Err(busy())
    }

    /// Makes the vault this site's, whosever it was: nobody connects anything until the former
    /// site's workers have let go.
    ///
    /// # Errors
    /// Redis or the vault can't be asked.
    pub async fn claim(&self) -> Result<Claimed, StoreError> {
        let mut memory = self.memory.lock().await;
        memory.record = None;
        for _ in 0..TRIES_MAX {
            let before = self.record(&mut memory).await?;
            if let Verdict::Ours(record) = self.judged(before.as_ref(), &memory).await? {
                return Ok(Claimed { record, was_ours: true });
            }
            memory.record = None;
            let named = self.named(before.as_ref(), 0).await?;
            let highest = before.as_ref().map_or(0, |record| record.claim).max(named.claim);
            let Some(record) = self.put(before.as_ref(), highest + 1).await? else { continue };
            // Quiet begins before any worker of this site may find that the vault is its own.
            self.generations.renew().await?;
            self.named(Some(&record), record.claim).await?;
            let key = self.redis.keys().site();
            let text = self.here_text(&record);
            self.redis
                .ask(async |mut connection| {
                    cmd("SET").arg(&key).arg(&text).exec_async(&mut connection).await
                })
                .await?;
            return Ok(Claimed { record, was_ours: false });
        }
        Err(busy())
    }

    /// What the vault says itself; none where nobody has worked with it yet.
    ///
    /// # Errors
    /// The vault can't be asked.
    pub async fn read(&self) -> Result<Option<SiteRecord>, StoreError> {
        self.record(&mut *self.memory.lock().await).await
    }

    async fn judged(
        &self,
        record: Option<&SiteRecord>,
        memory: &Memory,
    ) -> Result<Verdict, StoreError> {
        let key = self.redis.keys().site();
        let here: Option<String> = self
            .redis
            .ask(async |mut connection| cmd("GET").arg(&key).query_async(&mut connection).await)
            .await?;
        let named = self.named(record, 0).await?;
        let known = (memory.ours, memory.theirs);
        Ok(judge(record, here.as_deref(), &named, &self.place, known))
    }

    async fn record(&self, memory: &mut Memory) -> Result<Option<SiteRecord>, StoreError> {
        if let Some((record, at)) = &memory.record
            && at.elapsed() < READ_EVERY
        {
            return Ok(Some(record.clone()));
        }
        let Some(stored) = self.vault.get_own(KIND).await? else { return Ok(None) };
        let record: SiteRecord = serde_json::from_slice(&stored.content)
            .map_err(|error| StoreError::corrupt(WHAT, error))?;
        if record.v > VERSION {
            return Err(StoreError::Version { what: WHAT.to_owned(), found: record.v });
        }
        memory.record = Some((record.clone(), Instant::now()));
        Ok(Some(record))
    }

    /// Writes a new site into the vault; none where another worker was faster.
    async fn put(
        &self,
        before: Option<&SiteRecord>,
        claim: u64,
    ) -> Result<Option<SiteRecord>, StoreError> {
        let record = SiteRecord {
            v: VERSION,
            vault: before.map_or_else(random_id, |before| Ok(before.vault.clone()))?,
            site: random_id()?,
            claim,
            place: self.place.whole.clone(),
            claimed_at: Utc::now(),
        };
        let text = serde_json::to_vec(&record).map_err(|error| StoreError::corrupt(WHAT, error))?;
        Ok(self.vault.create_own(KIND, claim, &text).await?.then_some(record))
    }

    /// Notes in Redis that the vault is ours, where it does not stand there any more.
    async fn note(&self, record: &SiteRecord) -> Result<(), StoreError> {
        self.named(Some(record), record.claim).await?;
        let (key, text) = (self.redis.keys().site(), self.here_text(record));
        self.redis
            .ask(async |mut connection| {
                let mut set = cmd("SET");
                set.arg(&key).arg(&text).arg("NX").exec_async(&mut connection).await
            })
            .await
    }

    /// The highest claim that Redis knows of this vault or a copy of it, ours included from now on if
    /// it is `claim`.
    async fn named(&self, record: Option<&SiteRecord>, claim: u64) -> Result<Named, StoreError> {
        let Some(record) = record else { return Ok(Named::default()) };
        let mut call = NAME.key(format!("queuegram:vault:{}", record.vault));
        call.arg(claim).arg(&record.site);
        let (claim, site): (u64, String) = self.redis.invoke(&call).await?;
        Ok(Named { claim, site })
    }

    fn here_text(&self, record: &SiteRecord) -> String {
        format!("{}|{}", record.site, self.place.vault)
    }
}

fn busy() -> StoreError {
    StoreError::Unreachable { store: VAULT, why: "its site changes all the time".into() }
}

fn digest(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hex::encode(&hash.finalize()[..16])
}
