//! How many groups each account is in, of how many at most: a hash per instance with `used`, `most`,
//! `at` (when they were counted) and `told` (there while its subscribers know that it is nearly full).
//!
//! It lives in Redis only. Lost, it is counted anew.

use std::collections::HashMap;
use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use deadpool_redis::redis::{Script, ScriptInvocation, cmd};
use proto::InstanceId;
use proto::control::GroupsUsed;

use crate::error::StoreError;
use crate::leases::Lease;
use crate::redis::{Redis, fenced};

/// From so much of the most, in hundredths, an account is nearly full.
const NEAR_PERCENT: u32 = 80;
/// Below so much it can become so once more: a count that goes up and down by one tells nothing new.
const FAR_PERCENT: u32 = 75;

/// `ARGV`: epoch, near, far, what is done, a number, the most, the time. A change by some of what was
/// never counted says nothing, and is dropped.
static CHANGE: LazyLock<Script> = fenced!(
    r"
    local key, what, n = KEYS[2], ARGV[4], tonumber(ARGV[5])
    local known = redis.call('EXISTS', key) == 1
    if what == 'count' or (what == 'full' and not known) then
        redis.call('HSET', key, 'used', n, 'most', ARGV[6], 'at', ARGV[7])
    elseif not known then
        return {'ok', {}}
    end
    local used = tonumber(redis.call('HGET', key, 'used'))
    local most = tonumber(redis.call('HGET', key, 'most'))
    if what == 'add' then used = math.max(used + n, 0) end
    if what == 'full' then used = math.max(used, most) end
    redis.call('HSET', key, 'used', used)
    local passed = 0
    if used * 100 >= most * tonumber(ARGV[2]) then
        passed = redis.call('HSETNX', key, 'told', 1)
    elseif used * 100 < most * tonumber(ARGV[3]) then
        redis.call('HDEL', key, 'told')
    end
    return {'ok', {used, most, passed}}
    "
);

static FORGET: LazyLock<Script> = fenced!(
    r"
    redis.call('DEL', KEYS[2])
    return {'ok', {}}
    "
);

/// What came of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// Groups that the account is in now.
    pub used: u32,
    /// The most that it may be in.
    pub most: u32,
    /// By this change it became nearly full: somebody should be told.
    pub is_news: bool,
}

/// Keeps the counts.
#[derive(Clone)]
pub struct Fullness {
    redis: Redis,
}

impl Fullness {
    /// The counts in this Redis.
    #[must_use]
    pub fn new(redis: &Redis) -> Self {
        Self { redis: redis.clone() }
    }

    /// How many groups the account is in; none where they were never counted.
    ///
    /// # Errors
    /// Redis can't be asked; a record that can't be read.
    pub async fn get(&self, instance: &InstanceId) -> Result<Option<GroupsUsed>, StoreError> {
        let key = self.redis.keys().fullness(instance);
        let fields: HashMap<String, String> = self
            .redis
            .ask(async |mut connection| cmd("HGETALL").arg(&key).query_async(&mut connection).await)
            .await?;
        if fields.is_empty() {
            return Ok(None);
        }
        let number = |name: &str| fields.get(name).and_then(|text| text.parse().ok());
        let at = fields.get("at").and_then(|text| proto::time::parse(text).ok());
        match (number("used"), number("most"), at) {
            (Some(used), Some(most), Some(counted_at)) => {
                Ok(Some(GroupsUsed { used, most, counted_at }))
            }
            _ => Err(StoreError::corrupt(key, "a number or the time is missing")),
        }
    }

    /// The account's groups were counted.
    ///
    /// # Errors
    /// Fenced; Redis can't be asked.
    pub async fn count(&self, lease: &Lease, groups: &GroupsUsed) -> Result<Counted, StoreError> {
        let call = self.change(lease, "count", i64::from(groups.used), groups);
        self.counted(&call, groups).await
    }

    /// The account is in so many more groups, or fewer, than before. Nothing, where they were never
    /// counted.
    ///
    /// # Errors
    /// Fenced; Redis can't be asked.
    pub async fn add(&self, lease: &Lease, more: i64) -> Result<Option<Counted>, StoreError> {
        let unused = GroupsUsed { used: 0, most: 0, counted_at: DateTime::UNIX_EPOCH };
        let counted = self.counted(&self.change(lease, "add", more, &unused), &unused).await?;
        Ok((counted.most > 0).then_some(counted))
    }

    /// Telegram says that the account is in as many groups as it may be, whatever was counted.
    /// `most` is for where nothing was.
    ///
    /// # Errors
    /// Fenced; Redis can't be asked.
    pub async fn fill(
        &self,
        lease: &Lease,
        most: u32,
        now: DateTime<Utc>,
    ) -> Result<Counted, StoreError> {
        let full = GroupsUsed { used: most, most, counted_at: now };
        self.counted(&self.change(lease, "full", i64::from(most), &full), &full).await
    }

    /// Forgets it, when the instance is removed.
    ///
    /// # Errors
    /// Fenced; Redis can't be asked.
    pub async fn forget(&self, lease: &Lease) -> Result<(), StoreError> {
        let keys = self.redis.keys();
        let mut call = FORGET.key(keys.epoch(&lease.instance));
        call.key(keys.fullness(&lease.instance)).arg(lease.epoch);
        self.redis.fenced_write(&call).await
    }

    fn change(
        &self,
        lease: &Lease,
        what: &str,
        number: i64,
        groups: &GroupsUsed,
    ) -> ScriptInvocation<'static> {
        let keys = self.redis.keys();
        let mut call = CHANGE.key(keys.epoch(&lease.instance));
        call.key(keys.fullness(&lease.instance)).arg(lease.epoch);
        call.arg(NEAR_PERCENT).arg(FAR_PERCENT).arg(what).arg(number);
        call.arg(groups.most).arg(proto::time::format(groups.counted_at));
        call
    }

    async fn counted(
        &self,
        call: &ScriptInvocation<'_>,
        groups: &GroupsUsed,
    ) -> Result<Counted, StoreError> {
        let (word, numbers): (String, Vec<u32>) = self.redis.invoke(call).await?;
        match (word.as_str(), numbers.as_slice()) {
            ("ok", [used, most, news]) => {
                Ok(Counted { used: *used, most: *most, is_news: *news == 1 })
            }
            ("ok", _) => Ok(Counted { used: groups.used, most: groups.most, is_news: false }),
            _ => Err(StoreError::Fenced),
        }
    }
}
