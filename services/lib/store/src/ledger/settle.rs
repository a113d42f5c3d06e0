//! Giving a command its result where no owner will: it expired in its queue, or the broker gave it up.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use deadpool_redis::redis::Script;
use proto::{CommandId, InstanceId, MethodName, time};

use super::{Answer, Ledger, RESULT, RESULT_BYTES_MAX, Record, TTL_S, bounded, record};
use crate::error::StoreError;

/// What became of a command that was settled without an owner.
#[derive(Debug, Clone, PartialEq)]
pub enum Settled {
    /// The given result is now the command's.
    Recorded,
    /// It has a result already, or work on it was begun (then it has none yet: see
    /// [`Ledger::settle_abandoned`]).
    Known(Record),
    /// The id stands for another request.
    Conflict,
}

static SETTLE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local hash = redis.call('HGET', KEYS[1], 'hash')
        if not hash then
            redis.call('HSET', KEYS[1], 'v', ARGV[6], 'hash', ARGV[1], 'method', ARGV[2],
                'state', 'finished', 'attempts', 0, 'received', ARGV[3], 'epoch', 0,
                'result', ARGV[4])
        elseif hash ~= ARGV[1] then
            return {'conflict', {}}
        elseif redis.call('HGET', KEYS[1], 'state') == 'received' then
            redis.call('HSET', KEYS[1], 'state', 'finished', 'result', ARGV[4], 'v', ARGV[6])
        else
            return {'known', redis.call('HGETALL', KEYS[1])}
        end
        redis.call('EXPIRE', KEYS[1], ARGV[5])
        return {'recorded', {}}
        ",
    )
});

static SETTLE_ABANDONED: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        if redis.call('HGET', KEYS[2], 'state') ~= 'started' then return 0 end
        local lease = redis.call('GET', KEYS[1])
        local epoch = lease and string.match(lease, '|(%d+)$')
        if epoch and epoch == redis.call('HGET', KEYS[2], 'epoch') then return 0 end
        redis.call('HSET', KEYS[2], 'state', 'finished', 'result', ARGV[1], 'v', ARGV[3])
        redis.call('EXPIRE', KEYS[2], ARGV[2])
        return 1
        ",
    )
});

impl Ledger {
    /// Gives a command that no owner will see its result: one that expired in its queue. Where it
    /// has one, or work on it was begun, the record is given instead and stays as it is.
    ///
    /// # Errors
    /// Redis can't be asked; a result that is too large; a record that can't be read.
    pub async fn settle_unowned(
        &self,
        instance: &InstanceId,
        id: &CommandId,
        method: &MethodName,
        hash: &str,
        received_at: DateTime<Utc>,
        result_json: &str,
    ) -> Result<Settled, StoreError> {
        bounded("a result", result_json.len(), RESULT_BYTES_MAX)?;
        let mut call = SETTLE.key(self.redis.keys().command(instance, id));
        call.arg(hash).arg(method.as_str()).arg(time::format(received_at));
        let hidden = self.hide(instance, id, RESULT, result_json)?;
        call.arg(hidden).arg(TTL_S).arg(record::VERSION);
        let (word, fields) = self.redis.invoke::<Answer>(&call).await?;
        match word.as_str() {
            "recorded" => Ok(Settled::Recorded),
            "conflict" => Ok(Settled::Conflict),
            _ => Ok(Settled::Known(self.read(instance, id, fields)?)),
        }
    }

    /// Gives a command its result (`unknown`) that was begun by an owner that is gone, where no
    /// delivery of it is left. False where its owner lives and so will answer it, or it has a
    /// result already.
    ///
    /// # Errors
    /// Redis can't be asked; a result that is too large.
    pub async fn settle_abandoned(
        &self,
        instance: &InstanceId,
        id: &CommandId,
        result_json: &str,
    ) -> Result<bool, StoreError> {
        bounded("a result", result_json.len(), RESULT_BYTES_MAX)?;
        let keys = self.redis.keys();
        let mut call = SETTLE_ABANDONED.key(keys.lease(instance));
        let hidden = self.hide(instance, id, RESULT, result_json)?;
        call.key(keys.command(instance, id)).arg(hidden).arg(TTL_S).arg(record::VERSION);
        Ok(self.redis.invoke::<u8>(&call).await? == 1)
    }
}
