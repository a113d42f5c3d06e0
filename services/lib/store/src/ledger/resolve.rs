//! A person's decision about a command whose effect nobody could establish. Where the command has
//! no result and no living owner, the decision becomes its result. A result that it has is final:
//! the decision is kept beside it.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use deadpool_redis::redis::Script;
use proto::{ChatId, CommandId, InstanceId};
use serde::{Deserialize, Serialize};

use super::{Answer, Ledger, RESULT, RESULT_BYTES_MAX, Record, TTL_S, bounded, record};
use crate::error::StoreError;

/// What a person decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Whether it was done; false where nothing of it was.
    pub done: bool,
    /// The group that it made or was about.
    pub chat_id: Option<ChatId>,
    /// The person's own words.
    pub note: Option<String>,
    /// Who.
    pub by: Option<String>,
    /// When.
    #[serde(with = "proto::time::rfc3339_ms")]
    pub at: DateTime<Utc>,
}

/// What a decision came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Resolved {
    /// The given result is now the command's.
    Recorded,
    /// The command has its result, which stays; the decision stands beside it.
    Beside(Record),
    /// Its owner is at it.
    InHand,
    /// Nothing of it was begun.
    NotBegun,
    /// It got its result since it was looked at.
    Changed,
    /// There is no such command.
    Missing,
}

static RESOLVE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local state = redis.call('HGET', KEYS[2], 'state')
        if not state then return {'missing', {}} end
        if state == 'received' then return {'not_begun', {}} end
        if state ~= 'started' then
            if ARGV[4] ~= 'beside' then return {'changed', {}} end
            redis.call('HSET', KEYS[2], 'decision', ARGV[1], 'v', ARGV[5])
            return {'beside', redis.call('HGETALL', KEYS[2])}
        end
        local lease = redis.call('GET', KEYS[1])
        local epoch = lease and string.match(lease, '|(%d+)$')
        if ARGV[4] == 'beside' then return {'changed', {}} end
        if epoch and epoch == redis.call('HGET', KEYS[2], 'epoch') then return {'in_hand', {}} end
        redis.call('HSET', KEYS[2], 'state', 'finished', 'result', ARGV[2], 'decision', ARGV[1],
            'v', ARGV[5])
        redis.call('EXPIRE', KEYS[2], ARGV[3])
        return {'recorded', {}}
        ",
    )
});

impl Ledger {
    /// Keeps a decision. `result_json` becomes the result of a command that was begun, has none,
    /// and is in nobody's hand. Where the asker saw a result that leaves something to decide, it
    /// gives none.
    ///
    /// # Errors
    /// Redis can't be asked; a result that is too large; a record that can't be read.
    pub async fn resolve(
        &self,
        instance: &InstanceId,
        id: &CommandId,
        decision: &Decision,
        result_json: Option<&str>,
    ) -> Result<Resolved, StoreError> {
        let (result, beside) = (result_json.unwrap_or_default(), result_json.is_none());
        bounded("a result", result.len(), RESULT_BYTES_MAX)?;
        let decision = serde_json::to_string(decision)
            .map_err(|error| StoreError::corrupt("a decision", error))?;
        let decision = self.hide(instance, id, "decision", &decision)?;
        let result = self.hide(instance, id, RESULT, result)?;
        let keys = self.redis.keys();
        let mut call = RESOLVE.key(keys.lease(instance));
        call.key(keys.command(instance, id)).arg(decision).arg(result).arg(TTL_S);
        call.arg(if beside { "beside" } else { "" }).arg(record::VERSION);
        let (word, fields) = self.redis.invoke::<Answer>(&call).await?;
        Ok(match word.as_str() {
            "recorded" => Resolved::Recorded,
            "beside" => Resolved::Beside(self.read(instance, id, fields)?),
            "in_hand" => Resolved::InHand,
            "not_begun" => Resolved::NotBegun,
            "changed" => Resolved::Changed,
            _ => Resolved::Missing,
        })
    }
}
