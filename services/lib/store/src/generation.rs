//! Whether Redis still has what it had. A Redis that was emptied, or set back to an older snapshot,
//! has forgotten who owns what and which commands were carried out; whoever believed it would open a
//! login a second time, or repeat an effect.
//!
//! # What is kept
//! In Redis, one hash: a random `id`, `since` when these data began, a `tick` that rises with each
//! look of each worker, and the server's own `run_id`. Beside it a *mark* of each worker: how often
//! it has looked. In the vault, every ten seconds or so and at a worker's end: id, since and tick.
//!
//! # How a loss is recognised
//! - *By a living worker*: the id is gone; its own mark is missing or lower than the one that Redis
//!   confirmed to it; or another id stands there that is not newer. The mark is the worker's own, so
//!   nobody else's looks can cover up what was lost. It tells every loss of more than the time
//!   between two looks (a second).
//! - *Across a stop of all workers*, by the vault: its id is not in Redis, or its tick is higher.
//!   What was lost of the last ten seconds before a simultaneous crash of all workers *and* of Redis
//!   can't be seen; a worker that stops in order leaves its last tick.
//!
//! # What follows
//! Whoever recognises it begins a new generation, if the id that it found bad (or none) still stands
//! there: so one does, and the others find a newer id. Until leases and graces from before have
//! run out, counted from `since`, nobody acquires; that is for the workers to keep
//! ([`Sight::age`]). Those who hold leases renew them at once: Redis confirms what it still knows
//! and refuses the rest. Epochs rise all the same, since they are never below the time.
//!
//! - *Emptied while two workers hold leases*: both see it at their next look, and their leases are
//!   refused. Nothing is acquired until even a worker that is cut off from Redis has shut its gates.
//! - *A snapshot of 30 s before*: the marks are lower. Leases in it have run out by Redis' clock; the
//!   living owners' are not in it.
//! - *A snapshot of a second before*: the marks are lower by one or more. Most leases are in it and
//!   are confirmed: whoever holds one goes on.
//! - *A snapshot, or a last second of the append-only file, that is younger than the last look*: no
//!   mark tells. But the server was started anew, which its `run_id` tells to everybody
//!   ([`Sight::restarted`]); for a lease's time after that, workers believe no clean release, and
//!   wait until leases from before have run out.
//! - *Restarted with all its data*: the same generation. Owners renew and go on.
//! - *The vault can't be reached*: the new generation stands in Redis and is noted later, with the
//!   next tick. Until then an older generation in the vault is told from a newer one in Redis by
//!   `since`. Only if all workers stop meanwhile, and then Redis is set back to the former
//!   generation, at a tick higher than the vault's last, it is not seen.
//! - *A worker's first look* needs the vault: without it nothing is known of before.
//!
//! A vault without instances has nothing to lose, and Redis' data begin with it: `since` is the
//! epoch of Unix time and nobody waits. The same where the vault has no note yet, but Redis knows of
//! its instances, as after an update from a release that kept no generations.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use chrono::{DateTime, Utc};
use deadpool_redis::redis::Script;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use crate::error::{REDIS, StoreError};
use crate::instances::Instances;
use crate::redis::Redis;
use crate::vault::Vault;

const VERSION: u32 = 1;
/// The vault's own kind of record.
pub(crate) const KIND: &str = "generation";
/// How old the vault's note may get.
const NOTE_EVERY: Duration = Duration::from_secs(10);
/// How long a mark stays of a worker that is gone.
const MARK_TTL: Duration = Duration::from_secs(86_400);
/// How often what another worker has just made is looked at anew.
const TRIES_MAX: usize = 8;
const NOTE: &str = "the vault's note of a generation";

/// Redis' data since they were last lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generation {
    /// Random.
    pub id: String,
    /// When they began, by Redis' clock. Where nothing was ever lost: the epoch of Unix time.
    pub since: DateTime<Utc>,
}

/// What a look showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sight {
    /// The data as they are now.
    pub generation: Generation,
    /// How long ago they began; none where nothing was ever lost.
    pub age: Option<Duration>,
    /// How long ago the server was seen to have been started anew, if it was: it may have lost what
    /// was written just before.
    pub restarted: Option<Duration>,
    tick: u64,
    /// Whether this caller is to note it in the vault.
    note_due: bool,
}

/// Looks whether Redis still has what it had; cheap to clone.
#[derive(Clone)]
pub struct Generations {
    redis: Redis,
    vault: Vault,
    instances: Instances,
    worker: String,
    memory: Arc<Mutex<Memory>>,
}

/// What this worker knows from before.
#[derive(Default)]
struct Memory {
    /// The generation that was seen last, and the mark that Redis confirmed for it.
    seen: Option<(Generation, u64)>,
    /// The mark of the last try. Where its answer was lost, Redis may have it all the same.
    tried: u64,
}

/// The note in the vault.
#[derive(Debug, Serialize, Deserialize)]
struct Note {
    v: u32,
    id: String,
    since_ms: i64,
    tick: u64,
}

/// Looks, and leaves the mark, unless something is wrong. `ARGV`: the id and mark that were
/// confirmed last (empty and 0 at first), the new mark, its lifetime, the time between notes.
static LOOK: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local found = redis.call('HMGET', KEYS[1], 'id', 'since', 'tick', 'run', 'restarted', 'noted')
        local id, since = found[1], found[2]
        if not id or not since then return {'none', '', '0', '0', '0', '0', 0} end
        local time = redis.call('TIME')
        local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
        local now = string.format('%.0f', now_ms)
        if id == ARGV[1] then
            local mark = tonumber(redis.call('GET', KEYS[2]) or '0')
            if mark < tonumber(ARGV[2]) then
                return {'older', id, since, found[3] or '0', now, '0', 0}
            end
        end
        redis.call('SET', KEYS[2], ARGV[3], 'PX', ARGV[4])
        local tick = redis.call('HINCRBY', KEYS[1], 'tick', 1)
        local restarted = found[5] or '0'
        local info = redis.pcall('INFO', 'server')
        local run = type(info) == 'string' and string.match(info, 'run_id:(%w+)') or ''
        if run ~= '' and run ~= found[4] then
            if found[4] then restarted = now end
            redis.call('HSET', KEYS[1], 'run', run, 'restarted', restarted)
        end
        local due = 0
        if now_ms - tonumber(found[6] or '0') >= tonumber(ARGV[5]) then
            redis.call('HSET', KEYS[1], 'noted', now)
            due = 1
        end
        return {'there', id, since, tostring(tick), now, restarted, due}
        ",
    )
});

/// Begins a generation, unless another one than the bad one stands there. `ARGV`: the bad id (empty
/// for none), the new id, whether its beginning is now, the tick that it must be above.
static BEGIN: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local id = redis.call('HGET', KEYS[1], 'id') or ''
        if id ~= ARGV[1] then return 0 end
        local since = '0'
        if ARGV[3] == '1' then
            local time = redis.call('TIME')
            since = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
        end
        local tick = math.max(tonumber(redis.call('HGET', KEYS[1], 'tick') or '0'), tonumber(ARGV[4]))
        redis.call('DEL', KEYS[1])
        redis.call('HSET', KEYS[1], 'id', ARGV[2], 'since', since,
            'tick', string.format('%.0f', tick + 1))
        return 1
        ",
    )
});

/// What [`LOOK`] answers: a word, id, since, tick, now and restarted (milliseconds, as text: numbers
/// of Lua lose digits), whether a note is due.
type Answer = (String, String, String, String, String, String, u8);

/// How Redis' data look.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Found {
    /// There are none.
    Nothing,
    /// They are older than what this worker saw.
    Older { id: String, tick: u64 },
    /// This.
    There(Sight),
}

/// What is known of before.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Known {
    /// What this worker saw last.
    Seen(Generation),
    /// What the vault has noted.
    Noted(Generation, u64),
    /// No worker has ever looked, and Redis has nothing to lose, or has it still.
    Fresh,
    /// No worker has ever looked, and Redis lacks what it must have had.
    Robbed,
}

/// What is to be thought of it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Verdict {
    Good(Sight),
    First,
    Lost { id: String, tick: u64, why: &'static str },
}

fn judge(found: Found, known: &Known) -> Verdict {
    let lost = |id: &str, tick, why| Verdict::Lost { id: id.to_owned(), tick, why };
    let noted_tick = match known {
        Known::Noted(_, tick) => *tick,
        _ => 0,
    };
    match (found, known) {
        (Found::Nothing, Known::Fresh) => Verdict::First,
        (Found::Nothing, _) => lost("", noted_tick, "it is empty"),
        (Found::Older { id, tick }, _) => {
            lost(&id, tick, "it has forgotten what this worker wrote")
        }
        (Found::There(sight), Known::Fresh | Known::Robbed) => Verdict::Good(sight),
        (Found::There(sight), Known::Seen(before) | Known::Noted(before, _)) => {
            let now = &sight.generation;
            if now.id == before.id {
                // This look has raised it by one.
                if noted_tick > 0 && sight.tick <= noted_tick {
                    return lost(&now.id, noted_tick, "it is older than the vault's note");
                }
            } else if now.since <= before.since {
                return lost(&now.id, noted_tick, "it has gone back to a former generation");
            }
            Verdict::Good(sight)
        }
    }
}

impl Generations {
    /// Looks on behalf of this worker.
    #[must_use]
    pub fn new(redis: &Redis, vault: &Vault, instances: &Instances, worker: &str) -> Self {
        Self {
            redis: redis.clone(),
            vault: vault.clone(),
            instances: instances.clone(),
            worker: worker.to_owned(),
            memory: Arc::default(),
        }
    }

    /// Looks, and begins a new generation where Redis has lost data.
    ///
    /// # Errors
    /// Redis can't be asked; at the first look the vault can't; data change hands all the time.
    pub async fn look(&self) -> Result<Sight, StoreError> {
        let mut memory = self.memory.lock().await;
        for _ in 0..TRIES_MAX {
            let known = match &memory.seen {
                Some((generation, _)) => Known::Seen(generation.clone()),
                None => self.known().await?,
            };
            let (bad, tick, why) = match judge(self.ask(&mut memory).await?, &known) {
                Verdict::Good(sight) => {
                    memory.seen = Some((sight.generation.clone(), memory.tried));
                    return Ok(sight);
                }
                Verdict::First => (String::new(), 0, None),
                Verdict::Lost { id, tick, why } => (id, tick, Some(why)),
            };
            let id = random_id()?;
            if self.begin(&bad, &id, tick, why.is_some()).await? {
                if let Some(why) = why {
                    tracing::error!(why, "Redis has lost data: a new generation begins");
                }
                // No mark of ours stands there yet, whatever the next look finds.
                memory.seen = Some((Generation { id, since: DateTime::UNIX_EPOCH }, 0));
            }
            // Else another worker was faster: the next try sees what it made.
        }
        Err(StoreError::Unreachable { store: REDIS, why: "its data change all the time".into() })
    }

    /// Begins a new generation though nothing was lost: for what must wait until every lease of
    /// before has run out, and for commands that another installation may have carried out.
    ///
    /// # Errors
    /// Redis or the vault can't be asked.
    pub async fn renew(&self) -> Result<(), StoreError> {
        for _ in 0..TRIES_MAX {
            let sight = self.look().await?;
            if self.begin(&sight.generation.id, &random_id()?, sight.tick, true).await? {
                return Ok(());
            }
        }
        Err(StoreError::Unreachable { store: REDIS, why: "its data change all the time".into() })
    }

    /// Notes the tick in the vault, so that a loss is seen across a stop of all workers.
    ///
    /// # Errors
    /// The vault can't be asked.
    pub async fn note(&self, sight: &Sight) -> Result<(), StoreError> {
        let since_ms = sight.generation.since.timestamp_millis();
        let (id, tick) = (sight.generation.id.clone(), sight.tick);
        let note = serde_json::to_vec(&Note { v: VERSION, id, since_ms, tick })
            .map_err(|error| StoreError::corrupt(NOTE, error))?;
        let epoch = u64::try_from(since_ms).unwrap_or_default();
        match self.vault.put_own(KIND, epoch, &note).await {
            // There is one of a later generation.
            Ok(_) | Err(StoreError::Fenced) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// What is known by a worker that has not looked yet.
    async fn known(&self) -> Result<Known, StoreError> {
        if let Some(stored) = self.vault.get_own(KIND).await? {
            let note: Note = serde_json::from_slice(&stored.content)
                .map_err(|error| StoreError::corrupt(NOTE, error))?;
            if note.v > VERSION {
                return Err(StoreError::Version { what: NOTE.to_owned(), found: note.v });
            }
            let since =
                moment(note.since_ms).ok_or_else(|| StoreError::corrupt(NOTE, "its time"))?;
            return Ok(Known::Noted(Generation { id: note.id, since }, note.tick));
        }
        let nothing_to_lose =
            self.instances.ids().await?.is_empty() || self.instances.version().await? > 0;
        Ok(if nothing_to_lose { Known::Fresh } else { Known::Robbed })
    }

    async fn ask(&self, memory: &mut Memory) -> Result<Found, StoreError> {
        let keys = self.redis.keys();
        memory.tried += 1;
        let (id, confirmed) = match &memory.seen {
            Some((generation, mark)) => (generation.id.as_str(), *mark),
            None => ("", 0),
        };
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let mut call = LOOK.key(keys.generation());
        call.key(keys.mark(&self.worker)).arg(id).arg(confirmed).arg(memory.tried);
        call.arg(millis(MARK_TTL)).arg(millis(NOTE_EVERY));
        let (word, id, since, tick, now, restarted, due): Answer = self.redis.invoke(&call).await?;
        let wrong = || StoreError::corrupt(keys.generation(), "it is no generation");
        let number = |text: &str| text.parse::<i64>().map_err(|_| wrong());
        let tick = u64::try_from(number(&tick)?).map_err(|_| wrong())?;
        let (since_ms, now_ms, restarted_ms) =
            (number(&since)?, number(&now)?, number(&restarted)?);
        let ago = |then: i64| {
            let ago = u64::try_from(now_ms.saturating_sub(then)).unwrap_or_default();
            (then > 0).then_some(Duration::from_millis(ago))
        };
        Ok(match word.as_str() {
            "none" => Found::Nothing,
            "older" => Found::Older { id, tick },
            _ => Found::There(Sight {
                generation: Generation { id, since: moment(since_ms).ok_or_else(wrong)? },
                age: ago(since_ms),
                restarted: ago(restarted_ms),
                tick,
                note_due: due == 1,
            }),
        })
    }

    /// False where another one than the bad one stands there.
    async fn begin(
        &self,
        bad: &str,
        id: &str,
        tick: u64,
        after_loss: bool,
    ) -> Result<bool, StoreError> {
        let mut call = BEGIN.key(self.redis.keys().generation());
        call.arg(bad).arg(id).arg(u8::from(after_loss)).arg(tick);
        Ok(self.redis.invoke::<u8>(&call).await? == 1)
    }
}

impl Sight {
    /// Whether this caller is to note it in the vault, now.
    #[must_use]
    pub fn is_note_due(&self) -> bool {
        self.note_due
    }
}

fn moment(ms: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis(ms)
}

pub(crate) fn random_id() -> Result<String, StoreError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|_| StoreError::NoRandomness)?;
    Ok(hex::encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generation(id: &str, since_ms: i64) -> Generation {
        Generation { id: id.to_owned(), since: moment(since_ms).unwrap() }
    }

    fn there(id: &str, since_ms: i64, tick: u64) -> Found {
        let generation = generation(id, since_ms);
        Found::There(Sight { generation, age: None, restarted: None, tick, note_due: false })
    }

    /// `good`, `first`, or the id and tick that a new generation is begun against.
    fn verdict(found: Found, known: &Known) -> String {
        match judge(found, known) {
            Verdict::Good(_) => "good".to_owned(),
            Verdict::First => "first".to_owned(),
            Verdict::Lost { id, tick, .. } => format!("lost {id} {tick}"),
        }
    }

    #[test]
    fn each_finding_is_judged_by_what_is_known() {
        let seen = Known::Seen(generation("a", 1_000));
        let noted = Known::Noted(generation("a", 1_000), 50);
        let older = || Found::Older { id: "a".to_owned(), tick: 7 };
        for (found, known, expected) in [
            (Found::Nothing, &Known::Fresh, "first"),
            (Found::Nothing, &Known::Robbed, "lost  0"),
            (Found::Nothing, &seen, "lost  0"),
            (Found::Nothing, &noted, "lost  50"),
            (older(), &seen, "lost a 7"),
            (there("a", 1_000, 3), &seen, "good"),
            (there("b", 2_000, 3), &seen, "good"),
            (there("b", 1_000, 3), &seen, "lost b 0"),
            (there("b", 500, 3), &seen, "lost b 0"),
            (there("a", 1_000, 51), &noted, "good"),
            (there("a", 1_000, 50), &noted, "lost a 50"),
            (there("b", 2_000, 1), &noted, "good"),
            (there("b", 500, 99), &noted, "lost b 50"),
            (there("a", 0, 1), &Known::Fresh, "good"),
            (there("a", 0, 1), &Known::Robbed, "good"),
        ] {
            assert_eq!(verdict(found.clone(), known), expected, "{found:?} {known:?}");
        }
    }
}
