//! The board of an instance's parked commands: which of them lies in which lane, and which of its
//! copies there counts. The commands themselves wait in the broker's queues; a second copy here lets
//! one be answered in the middle of a lane, at its deadline or when it is cancelled.
//!
//! Order of parking: the lane is noted → its queue is declared → the copy is published with a confirm
//! → the command is noted here → it leaves the queue that it came from. Whatever breaks off in
//! between leaves a copy that is not noted and an original that comes again.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use deadpool_redis::redis::{Script, cmd};
use proto::{CommandId, InstanceId, MethodName};
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::generation::Generation;
use crate::leases::Lease;
use crate::redis::{Redis, fenced};

/// The field that names the generation of Redis' data in which this board was whole.
const WHOLE_IN: &str = "v";
const OPEN: &str = "1";
/// Before a command's id, in the name of its field.
const COMMAND: &str = "c:";
/// Before a lane, in the name of its field.
const QUEUE: &str = "q:";

static NOTE: LazyLock<Script> = fenced!(
    r"
    redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
    return {'ok', {}}
    "
);

static DROP: LazyLock<Script> = fenced!(
    r"
    redis.call('HDEL', KEYS[2], ARGV[2])
    return {'ok', {}}
    "
);

/// The attempt that led here ended in order, so it is not one of those that broke off.
static PARK: LazyLock<Script> = fenced!(
    r"
    redis.call('HSET', KEYS[2], 'c:' .. ARGV[2], ARGV[3])
    if ARGV[4] ~= '' then redis.call('HSET', KEYS[3], ARGV[2], ARGV[4]) end
    local attempts = redis.call('HGET', KEYS[4], 'attempts')
    if attempts and tonumber(attempts) > 0 then redis.call('HINCRBY', KEYS[4], 'attempts', -1) end
    return {'ok', {}}
    "
);

static LEAVE: LazyLock<Script> = fenced!(
    r"
    redis.call('HDEL', KEYS[2], 'c:' .. ARGV[2])
    redis.call('HDEL', KEYS[3], ARGV[2])
    redis.call('SREM', KEYS[4], ARGV[2])
    return {'ok', {}}
    "
);

static FORGET: LazyLock<Script> = fenced!(
    r"
    redis.call('UNLINK', KEYS[2], KEYS[3], KEYS[4])
    return {'ok', {}}
    "
);

/// One parked command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParkedEntry {
    /// What it asks for.
    pub method: MethodName,
    /// Its place among everything parked of its instance.
    pub seq: u64,
    /// The lane that it lies in.
    pub lane: String,
    /// The copy that counts.
    pub copy: String,
    /// What it must keep its order with.
    pub key: Option<String>,
    /// When it is answered in any case.
    #[serde(with = "proto::time::rfc3339_ms")]
    pub deadline: DateTime<Utc>,
    /// Whether it waits for a call of the lane's class itself, and not only for those before it.
    pub calls: bool,
    /// When it may go on; `None` where a person has to say so.
    #[serde(with = "proto::time::optional_rfc3339_ms")]
    pub opens: Option<DateTime<Utc>>,
    /// The limit that it waits for.
    pub code: String,
}

/// Everything that is parked of one instance.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LaneBoard {
    /// The generation of Redis' data in which it was whole; none where it is new, or Redis lost it.
    whole_in: Option<String>,
    /// Lanes whose queues may exist.
    pub lanes: Vec<String>,
    /// The parked commands.
    pub parked: Vec<(CommandId, ParkedEntry)>,
}

impl LaneBoard {
    /// Whether it is whole: a board that was begun in another generation may be older than it was.
    #[must_use]
    pub fn is_whole(&self, generation: &Generation) -> bool {
        self.whole_in.as_deref() == Some(&generation.id)
    }

    /// Whether something of an instance that was made at this time may be missing: not where the
    /// instance is younger than all that was ever lost.
    #[must_use]
    pub fn may_miss(&self, generation: &Generation, created_at: DateTime<Utc>) -> bool {
        !self.is_whole(generation) && created_at <= generation.since
    }
}

/// Keeps the boards.
#[derive(Clone)]
pub struct Lanes {
    redis: Redis,
}

impl Lanes {
    /// The boards in this Redis.
    #[must_use]
    pub fn new(redis: &Redis) -> Self {
        Self { redis: redis.clone() }
    }

    /// An instance's board.
    ///
    /// # Errors
    /// Redis can't be asked; an entry that can't be read.
    pub async fn load(&self, instance: &InstanceId) -> Result<LaneBoard, StoreError> {
        let key = self.redis.keys().lanes(instance);
        let fields: Vec<(String, String)> = self
            .redis
            .ask(async |mut connection| cmd("HGETALL").arg(&key).query_async(&mut connection).await)
            .await?;
        let mut board = LaneBoard::default();
        for (name, text) in fields {
            if let Some(id) = name.strip_prefix(COMMAND) {
                let id = id.parse().map_err(|error| StoreError::corrupt(&key, error))?;
                board.parked.push((id, entry(&key, &text)?));
            } else if let Some(lane) = name.strip_prefix(QUEUE) {
                board.lanes.push(lane.to_owned());
            } else if name == WHOLE_IN {
                board.whole_in = Some(text);
            }
        }
        board.parked.sort_by_key(|(_, entry)| entry.seq);
        Ok(board)
    }

    /// Where one command is parked, if it is.
    ///
    /// # Errors
    /// As for [`Lanes::load`].
    pub async fn find(
        &self,
        instance: &InstanceId,
        id: &CommandId,
    ) -> Result<Option<ParkedEntry>, StoreError> {
        let key = self.redis.keys().lanes(instance);
        let text: Option<String> = self
            .redis
            .ask(async |mut connection| {
                cmd("HGET")
                    .arg(&key)
                    .arg(format!("{COMMAND}{id}"))
                    .query_async(&mut connection)
                    .await
            })
            .await?;
        text.map(|text| entry(&key, &text)).transpose()
    }

    /// Notes that the board, and the limits beside it, are whole in this generation.
    ///
    /// # Errors
    /// Fenced; Redis can't be asked.
    pub async fn whole(&self, lease: &Lease, generation: &Generation) -> Result<(), StoreError> {
        self.note(lease, WHOLE_IN, &generation.id).await
    }

    /// Notes a lane, before its queue is declared.
    ///
    /// # Errors
    /// Fenced; Redis can't be asked.
    pub async fn open(&self, lease: &Lease, lane: &str) -> Result<(), StoreError> {
        self.note(lease, &format!("{QUEUE}{lane}"), OPEN).await
    }

    /// Notes that a lane's queue is gone.
    ///
    /// # Errors
    /// Fenced; Redis can't be asked.
    pub async fn close(&self, lease: &Lease, lane: &str) -> Result<(), StoreError> {
        let mut call = DROP.prepare_invoke();
        self.on_board(&mut call, lease);
        call.arg(format!("{QUEUE}{lane}"));
        self.redis.fenced_write(&call).await
    }

    /// Notes where a command is parked; `body` is the copy that was published, and none where the
    /// command only stays where it is.
    ///
    /// # Errors
    /// Fenced; Redis can't be asked.
    pub async fn park(
        &self,
        lease: &Lease,
        id: &CommandId,
        entry: &ParkedEntry,
        body: Option<&[u8]>,
    ) -> Result<(), StoreError> {
        let text = serde_json::to_string(entry)
            .map_err(|error| StoreError::corrupt("a parked command", error))?;
        let keys = self.redis.keys();
        let mut call = PARK.prepare_invoke();
        self.on_board(&mut call, lease);
        call.key(keys.lane_copies(&lease.instance)).key(keys.command(&lease.instance, id));
        call.arg(id.as_str()).arg(text).arg(body.unwrap_or_default());
        self.redis.fenced_write(&call).await
    }

    /// Notes that a command is parked no more.
    ///
    /// # Errors
    /// Fenced; Redis can't be asked.
    pub async fn leave(&self, lease: &Lease, id: &CommandId) -> Result<(), StoreError> {
        let keys = self.redis.keys();
        let mut call = LEAVE.prepare_invoke();
        self.on_board(&mut call, lease);
        call.key(keys.lane_copies(&lease.instance)).key(keys.lane_cancels(&lease.instance));
        call.arg(id.as_str());
        self.redis.fenced_write(&call).await
    }

    /// A parked command's copy, as it was published.
    ///
    /// # Errors
    /// Redis can't be asked.
    pub async fn copy(
        &self,
        instance: &InstanceId,
        id: &CommandId,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let key = self.redis.keys().lane_copies(instance);
        self.redis
            .ask(async |mut connection| {
                cmd("HGET").arg(&key).arg(id.as_str()).query_async(&mut connection).await
            })
            .await
    }

    /// Parked commands that were cancelled and have not left yet.
    ///
    /// # Errors
    /// Redis can't be asked; an id that can't be read.
    pub async fn cancelled(&self, instance: &InstanceId) -> Result<Vec<CommandId>, StoreError> {
        let key = self.redis.keys().lane_cancels(instance);
        let ids: Vec<String> = self
            .redis
            .ask(async |mut connection| {
                cmd("SMEMBERS").arg(&key).query_async(&mut connection).await
            })
            .await?;
        let read = |id: String| id.parse().map_err(|error| StoreError::corrupt(&key, error));
        ids.into_iter().map(read).collect()
    }

    /// Forgets everything, when the instance is removed.
    ///
    /// # Errors
    /// Fenced; Redis can't be asked.
    pub async fn forget(&self, lease: &Lease) -> Result<(), StoreError> {
        let keys = self.redis.keys();
        let mut call = FORGET.prepare_invoke();
        self.on_board(&mut call, lease);
        call.key(keys.lane_copies(&lease.instance)).key(keys.lane_cancels(&lease.instance));
        self.redis.fenced_write(&call).await
    }

    async fn note(&self, lease: &Lease, field: &str, value: &str) -> Result<(), StoreError> {
        let mut call = NOTE.prepare_invoke();
        self.on_board(&mut call, lease);
        call.arg(field).arg(value);
        self.redis.fenced_write(&call).await
    }

    fn on_board(&self, call: &mut deadpool_redis::redis::ScriptInvocation<'_>, lease: &Lease) {
        let keys = self.redis.keys();
        call.key(keys.epoch(&lease.instance)).key(keys.lanes(&lease.instance)).arg(lease.epoch);
    }
}

fn entry(key: &str, text: &str) -> Result<ParkedEntry, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::corrupt(key, error))
}
