//! Taking a command back before its first step. The wish is a mark in the command's record, and
//! where the command has not come up yet, the mark is all there is of the record: it waits for it.
//!
//! A parked command's owner is told by a set that it looks at, since the command may lie in its lane
//! for hours.
//!
//! One script decides against the owner's: a mark is made only while no step that changes something
//! was started, and a marked record takes neither such a step nor any other result.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use deadpool_redis::redis::{Script, cmd};
use proto::{CommandId, InstanceId, time};

use super::{Answer, Ledger, RESULT, RESULT_BYTES_MAX, Record, TTL_S, bounded, record};
use crate::error::StoreError;
use crate::leases::Lease;
use crate::redis::fenced;

/// What a wish to cancel came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Cancelled {
    /// The command has not come up yet; it is answered `cancelled` when it does.
    Awaited,
    /// Nothing of it was begun; whoever has it, or takes it next, answers it `cancelled`.
    Marked(Record),
    /// It is too late: a step was started, or it has its result.
    Late(Record),
}

static CANCEL: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local state = redis.call('HGET', KEYS[1], 'state')
        if state and state ~= 'received' then return {'late', redis.call('HGETALL', KEYS[1])} end
        redis.call('HSETNX', KEYS[1], 'cancel', ARGV[1])
        redis.call('EXPIRE', KEYS[1], ARGV[2])
        if redis.call('HEXISTS', KEYS[2], 'c:' .. ARGV[3]) == 1 then
            redis.call('SADD', KEYS[3], ARGV[3])
        end
        if not state then return {'awaited', {}} end
        return {'marked', redis.call('HGETALL', KEYS[1])}
        ",
    )
});

static FINISH_CANCELLED: LazyLock<Script> = fenced!(
    r"
    local state = redis.call('HGET', KEYS[2], 'state')
    if not state then return {'missing', {}} end
    if state ~= 'received' then
        if redis.call('HGET', KEYS[2], 'mark') == ARGV[4] then return {'ok', {}} end
        return {'finished', {}}
    end
    redis.call('HSET', KEYS[2], 'state', 'finished', 'result', ARGV[2], 'mark', ARGV[4], 'v', ARGV[5])
    redis.call('EXPIRE', KEYS[2], ARGV[3])
    return {'ok', {}}
    "
);

impl Ledger {
    /// Marks a command as cancelled, if nothing of it was begun. The first mark stays.
    ///
    /// # Errors
    /// Redis can't be asked; a record that can't be read.
    pub async fn cancel(
        &self,
        instance: &InstanceId,
        id: &CommandId,
        at: DateTime<Utc>,
    ) -> Result<Cancelled, StoreError> {
        let keys = self.redis.keys();
        let mut call = CANCEL.key(keys.command(instance, id));
        call.key(keys.lanes(instance)).key(keys.lane_cancels(instance));
        call.arg(time::format(at)).arg(TTL_S).arg(id.as_str());
        let (word, fields) = self.redis.invoke::<Answer>(&call).await?;
        match word.as_str() {
            "awaited" => Ok(Cancelled::Awaited),
            "marked" => Ok(Cancelled::Marked(self.read(instance, id, fields)?)),
            _ => Ok(Cancelled::Late(self.read(instance, id, fields)?)),
        }
    }

    /// When the command was cancelled, whether or not it has come up.
    ///
    /// # Errors
    /// Redis can't be asked; a mark that can't be read.
    pub async fn cancelled_at(
        &self,
        instance: &InstanceId,
        id: &CommandId,
    ) -> Result<Option<DateTime<Utc>>, StoreError> {
        let key = self.redis.keys().command(instance, id);
        let mark: Option<String> = self
            .redis
            .ask(async |mut connection| {
                cmd("HGET").arg(&key).arg("cancel").query_async(&mut connection).await
            })
            .await?;
        let read = |text: String| time::parse(&text).map_err(|why| StoreError::corrupt(key, why));
        mark.map(read).transpose()
    }

    /// Notes the result `cancelled` of a command of which nothing was begun; otherwise as
    /// [`Ledger::finish`], which takes no result for a marked command.
    ///
    /// # Errors
    /// As for [`Ledger::finish`].
    pub async fn finish_cancelled(
        &self,
        lease: &Lease,
        id: &CommandId,
        result_json: &str,
    ) -> Result<(), StoreError> {
        bounded("a result", result_json.len(), RESULT_BYTES_MAX)?;
        let mut call = FINISH_CANCELLED.prepare_invoke();
        self.on_record(&mut call, lease, id);
        let hidden = self.hide(&lease.instance, id, RESULT, result_json)?;
        call.arg(hidden).arg(TTL_S).arg(self.mark(result_json)?).arg(record::VERSION);
        self.write(&call).await
    }
}
