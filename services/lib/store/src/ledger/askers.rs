//! Who else asked for a command while it was parked: each is told the result too, with what it wants
//! echoed.

use std::sync::LazyLock;

use deadpool_redis::redis::{Script, cmd};
use proto::{CommandId, Correlation, InstanceId, ReplyTo};
use serde::{Deserialize, Serialize};

use super::{Answer, Ledger, refusal};
use crate::error::StoreError;
use crate::leases::Lease;
use crate::redis::fenced;

/// The most askers of one command, beside the first.
const ASKERS_MAX: usize = 100;
/// Before an asker, in the name of its field.
const FIELD: &str = "a:";

/// One more who asked for a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asker {
    /// What to echo.
    pub correlation: Correlation,
    /// Where the result goes, beside the exchange of results.
    pub reply_to: Option<ReplyTo>,
}

static ASK: LazyLock<Script> = fenced!(
    r"
    local state = redis.call('HGET', KEYS[2], 'state')
    if not state then return {'missing', {}} end
    if state ~= 'received' and state ~= 'started' then return {'finished', {}} end
    if redis.call('HEXISTS', KEYS[2], ARGV[2]) == 1 then return {'ok', {}} end
    local n = tonumber(redis.call('HGET', KEYS[2], 'askers') or 0)
    if n >= tonumber(ARGV[4]) then return {'many', {}} end
    redis.call('HSET', KEYS[2], ARGV[2], ARGV[3], 'askers', n + 1)
    return {'ok', {}}
    "
);

impl Ledger {
    /// Notes one more asker of a command that is under way; the same one again changes nothing.
    /// False where there are too many.
    ///
    /// # Errors
    /// Fenced; Redis can't be asked; the record is gone, or has its result.
    pub async fn ask(
        &self,
        lease: &Lease,
        id: &CommandId,
        asker: &Asker,
    ) -> Result<bool, StoreError> {
        let text =
            serde_json::to_string(asker).map_err(|error| StoreError::corrupt("an asker", error))?;
        let mut call = ASK.prepare_invoke();
        self.on_record(&mut call, lease, id);
        let field = format!("{FIELD}{}", proto::canonical::sha256_hex(text.as_bytes()));
        call.arg(field).arg(text).arg(ASKERS_MAX);
        match self.redis.invoke::<Answer>(&call).await?.0.as_str() {
            "ok" => Ok(true),
            "many" => Ok(false),
            other => Err(refusal(other)),
        }
    }

    /// Everybody who asked for a command after the first.
    ///
    /// # Errors
    /// Redis can't be asked; an asker that can't be read.
    pub async fn askers(
        &self,
        instance: &InstanceId,
        id: &CommandId,
    ) -> Result<Vec<Asker>, StoreError> {
        let key = self.redis.keys().command(instance, id);
        let fields: Vec<(String, String)> = self
            .redis
            .ask(async |mut connection| cmd("HGETALL").arg(&key).query_async(&mut connection).await)
            .await?;
        let read = |text: String| {
            serde_json::from_str(&text).map_err(|error| StoreError::corrupt(&key, error))
        };
        let askers = fields.into_iter().filter(|(name, _)| name.starts_with(FIELD));
        askers.map(|(_, text)| read(text)).collect()
    }
}
