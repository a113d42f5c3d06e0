//! What became of each command: one record per instance and command id, kept for 7 days. It makes
//! a command's effects happen once and its result be the same for everyone who asks.
//!
//! Order of writing: *started* → the call → *executed* → … → *finished* with the result → *replied*.
//! So a crash at any point leaves a record that says how far it got. Each write is one script in
//! Redis and shows the epoch of the writer's lease.
//!
//! A record is a hash: `v`, `hash`, `method`, `state`, `attempts`, `epoch`, `received`, `suspect`,
//! `result` and its `mark`, `askers` and `a:<hash>` for each of them, `cancel` (when it was cancelled), `decision` (what a person found out), and `s:<name>`
//! for each step: `<n>|<state>|<effect>|<epoch>|<attempt>|<json>`, where the JSON is the note of a
//! started step and the answer of an executed one. The scripts move text about and never parse JSON,
//! since Lua's numbers would lose digits of 64-bit values. What it says of people is [sealed](hidden).
//!
//! A *suspect* is a record that was made although the command may have been worked on before: the
//! ledger that would tell was lost. It counts as begun from the start.

mod askers;
mod cancel;
mod hidden;
mod list;
mod record;
mod resolve;
mod scripts;
mod settle;

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use deadpool_redis::redis::cmd;
use proto::{CommandId, InstanceId, MethodName, time};
use serde_json::Value;

use crate::error::StoreError;
use crate::leases::Lease;
use crate::redis::Redis;
use crate::vault::Vault;

use self::scripts::{CLAIM, FINISH, REPLIED, STEP, WITHDRAW};
pub use askers::Asker;
pub use cancel::Cancelled;
pub use list::Page;
pub use record::{Effect, Record, RecordState, Start, StepRecord, StepState};
pub use resolve::{Decision, Resolved};
pub use settle::Settled;

/// The field of the result.
const RESULT: &str = "result";
/// How long a record is kept after it was last claimed or finished: 7 days.
const TTL_S: u64 = 7 * 24 * 60 * 60;
/// Keys that Redis looks at in one go while an instance's records are looked for.
const SCAN_COUNT: usize = 500;
/// The most bytes of one step's answer, as JSON.
pub const ANSWER_BYTES_MAX: usize = 256 * 1024;
/// The most bytes of a result, as JSON.
pub const RESULT_BYTES_MAX: usize = 1024 * 1024;
/// The most steps of one command.
pub const STEPS_MAX: usize = 1_000;

/// What a command's record says when it is about to be worked on.
#[derive(Debug, Clone, PartialEq)]
pub enum Claim {
    /// It was never seen before.
    Fresh(Record),
    /// Work on it was begun and not brought to its end: by a process that is gone, or before a
    /// delivery came back. Go on at the first step that is not executed.
    Resumed(Record),
    /// It has its result, which is to be told again.
    Done(Record),
    /// The id stands for another request.
    Conflict,
}

/// Every script's answer: one word, and the record where it is asked for.
type Answer = (String, HashMap<String, String>);

/// Keeps the records.
#[derive(Clone)]
pub struct Ledger {
    vault: Vault,
    redis: Redis,
}

impl Ledger {
    /// The ledger in this Redis, sealed with this vault's key.
    #[must_use]
    pub fn new(vault: &Vault, redis: &Redis) -> Self {
        Self { vault: vault.clone(), redis: redis.clone() }
    }

    /// Takes a command to work on it. `hash` stands for all that makes a request the same request
    /// ([`proto::canonical::request_hash`]). `suspect` says that it may have been worked on before
    /// this ledger began: where there is no record, the one that is made says so too.
    ///
    /// # Errors
    /// Fenced; Redis can't be asked; a record that this release can't read.
    pub async fn claim(
        &self,
        lease: &Lease,
        id: &CommandId,
        method: &MethodName,
        hash: &str,
        received_at: DateTime<Utc>,
        suspect: bool,
    ) -> Result<Claim, StoreError> {
        if chassis::faults::mutant("ledger_forgets") {
            let key = self.redis.keys().command(&lease.instance, id);
            self.redis
                .ask(async |mut connection| cmd("DEL").arg(&key).exec_async(&mut connection).await)
                .await?;
        }
        let mut call = CLAIM.prepare_invoke();
        self.on_record(&mut call, lease, id);
        call.arg(hash).arg(method.as_str()).arg(time::format(received_at));
        call.arg(TTL_S).arg(record::VERSION).arg(u8::from(suspect));
        let (word, fields) = self.redis.invoke::<Answer>(&call).await?;
        let record = || self.read(&lease.instance, id, fields);
        match word.as_str() {
            "fresh" => Ok(Claim::Fresh(record()?)),
            "resumed" => Ok(Claim::Resumed(record()?)),
            "done" => Ok(Claim::Done(record()?)),
            "conflict" => Ok(Claim::Conflict),
            other => Err(refusal(other)),
        }
    }

    /// Notes that a step is about to be made. A step started before and not executed may be
    /// started again.
    ///
    /// # Errors
    /// Fenced; Redis can't be asked; the record is gone; a note that is too large; the step was
    /// executed, or the command has its result.
    pub async fn step_started(
        &self,
        lease: &Lease,
        id: &CommandId,
        name: &str,
        start: &Start,
    ) -> Result<(), StoreError> {
        let note = if start.note.is_null() { String::new() } else { start.note.to_string() };
        bounded("a step's note", note.len(), ANSWER_BYTES_MAX)?;
        let attempt = start.attempt.to_string();
        self.step(lease, id, name, StepState::Started, start.effect, &note, &attempt).await
    }

    /// Notes that a step which was started was surely not made: Telegram refused it for a while.
    ///
    /// # Errors
    /// Fenced; Redis can't be asked; the record is gone; the command has its result.
    pub async fn step_withdrawn(
        &self,
        lease: &Lease,
        id: &CommandId,
        name: &str,
    ) -> Result<(), StoreError> {
        let mut call = WITHDRAW.prepare_invoke();
        self.on_record(&mut call, lease, id);
        call.arg(name);
        self.write(&call).await
    }

    /// Notes a step's answer, and so that it need not be made again.
    ///
    /// # Errors
    /// Fenced; Redis can't be asked; an answer that is too large; the command has its result.
    pub async fn step_executed(
        &self,
        lease: &Lease,
        id: &CommandId,
        name: &str,
        effect: Effect,
        answer: &Value,
    ) -> Result<(), StoreError> {
        let answer = answer.to_string();
        bounded("a step's answer", answer.len(), ANSWER_BYTES_MAX)?;
        self.step(lease, id, name, StepState::Executed, effect, &answer, "").await
    }

    #[expect(clippy::too_many_arguments, reason = "one for each part of a step's line")]
    async fn step(
        &self,
        lease: &Lease,
        id: &CommandId,
        name: &str,
        state: StepState,
        effect: Effect,
        json: &str,
        attempt: &str,
    ) -> Result<(), StoreError> {
        let json = match json {
            "" => String::new(),
            json => self.hide(&lease.instance, id, &format!("s:{name}"), json)?,
        };
        let mut call = STEP.prepare_invoke();
        self.on_record(&mut call, lease, id);
        call.arg(name).arg(state.as_str()).arg(effect.as_str()).arg(json).arg(STEPS_MAX);
        call.arg(record::VERSION).arg(attempt);
        self.write(&call).await
    }

    /// Notes the result: final from here on, byte for byte. Noting the same one again is no error.
    ///
    /// # Errors
    /// Fenced; Redis can't be asked; a result that is too large; another result stands there.
    pub async fn finish(
        &self,
        lease: &Lease,
        id: &CommandId,
        result_json: &str,
    ) -> Result<(), StoreError> {
        bounded("a result", result_json.len(), RESULT_BYTES_MAX)?;
        let mut call = FINISH.prepare_invoke();
        self.on_record(&mut call, lease, id);
        let hidden = self.hide(&lease.instance, id, RESULT, result_json)?;
        call.arg(hidden).arg(TTL_S).arg(self.mark(result_json)?).arg(record::VERSION);
        self.write(&call).await
    }

    /// Notes that the result was told. The steps are forgotten.
    ///
    /// # Errors
    /// Fenced; Redis can't be asked; there is no result yet.
    pub async fn replied(&self, lease: &Lease, id: &CommandId) -> Result<(), StoreError> {
        let mut call = REPLIED.prepare_invoke();
        self.on_record(&mut call, lease, id);
        self.write(&call).await
    }

    /// What is known of a command.
    ///
    /// # Errors
    /// Redis can't be asked; a record that can't be read.
    pub async fn get(
        &self,
        instance: &InstanceId,
        id: &CommandId,
    ) -> Result<Option<Record>, StoreError> {
        let key = self.redis.keys().command(instance, id);
        let fields: HashMap<String, String> = self
            .redis
            .ask(async |mut connection| cmd("HGETALL").arg(&key).query_async(&mut connection).await)
            .await?;
        // A mark that waits for its command is no record yet.
        if !fields.contains_key("hash") {
            Ok(None)
        } else {
            self.read(instance, id, fields).map(Some)
        }
    }

    /// Forgets every command of an instance: it is being removed, and one that is added later
    /// under the same name must not answer for it.
    ///
    /// # Errors
    /// Redis can't be asked.
    pub async fn forget(&self, lease: &Lease) -> Result<(), StoreError> {
        let pattern = self.redis.keys().commands(&lease.instance);
        let mut cursor = 0_u64;
        loop {
            let (next, found): (u64, Vec<String>) = self
                .redis
                .ask(async |mut connection| {
                    let mut scan = cmd("SCAN");
                    scan.arg(cursor).arg("MATCH").arg(&pattern).arg("COUNT").arg(SCAN_COUNT);
                    scan.query_async(&mut connection).await
                })
                .await?;
            if !found.is_empty() {
                self.redis
                    .ask(async |mut connection| {
                        cmd("UNLINK").arg(&found).exec_async(&mut connection).await
                    })
                    .await?;
            }
            cursor = next;
            if cursor == 0 {
                return Ok(());
            }
        }
    }

    fn on_record(
        &self,
        call: &mut deadpool_redis::redis::ScriptInvocation<'_>,
        lease: &Lease,
        id: &CommandId,
    ) {
        let keys = self.redis.keys();
        call.key(keys.epoch(&lease.instance)).key(keys.command(&lease.instance, id));
        call.arg(lease.epoch);
    }

    async fn write(
        &self,
        call: &deadpool_redis::redis::ScriptInvocation<'_>,
    ) -> Result<(), StoreError> {
        match self.redis.invoke::<Answer>(call).await?.0.as_str() {
            "ok" => Ok(()),
            other => Err(refusal(other)),
        }
    }
}

fn bounded(what: &'static str, size: usize, size_max: usize) -> Result<(), StoreError> {
    if size > size_max {
        return Err(StoreError::TooLarge { what, size, size_max });
    }
    Ok(())
}

fn refusal(word: &str) -> StoreError {
    match word {
        "fenced" => StoreError::Fenced,
        "missing" => StoreError::Vanished,
        "cancelled" => StoreError::Cancelled,
        "finished" => StoreError::OutOfOrder("it has its result"),
        "unfinished" => StoreError::OutOfOrder("it has no result yet"),
        "executed" => StoreError::OutOfOrder("the step was executed"),
        "full" => {
            StoreError::TooLarge { what: "a command", size: STEPS_MAX + 1, size_max: STEPS_MAX }
        }
        _ => StoreError::OutOfOrder("a script gave an answer that is unknown"),
    }
}
