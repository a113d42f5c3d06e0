//! What operators paused: an instance or all of them, whole or only some methods. It lies in one
//! hash in Redis, a field for each pause, so that every worker sees all of it with one look.
//!
//! The field `v` changes with every change. Nobody removes it: where it is missing, nothing was ever
//! paused, or Redis lost its data. Whoever remembers pauses then notes them again
//! ([`Pauses::restore`]): what was paused by a person is not set going by a loss.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use deadpool_redis::redis::{Script, ScriptInvocation, cmd};
use proto::{InstanceId, MethodName};
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::redis::Redis;

/// Stands for all instances, or all methods, in a field's name.
const ALL: &str = "*";
/// The field that changes with every change.
const VERSION: &str = "v";

/// What a pause holds for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PauseScope {
    /// All instances, also those that are made later.
    All,
    /// One instance.
    Instance(InstanceId),
}

impl fmt::Display for PauseScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str(ALL),
            Self::Instance(instance) => f.write_str(instance.as_str()),
        }
    }
}

/// One pause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Since when.
    #[serde(with = "proto::time::rfc3339_ms")]
    pub since: DateTime<Utc>,
    /// By whom.
    pub by: Option<String>,
    /// Why.
    pub reason: Option<String>,
}

/// All pauses, as they stood at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PauseBook {
    version: Option<String>,
    pauses: BTreeMap<PauseScope, BTreeMap<Option<MethodName>, Pause>>,
}

impl PauseBook {
    /// Changes with every change; none where nothing is known of any.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// Whether nothing is paused.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pauses.is_empty()
    }

    /// The pauses of exactly this scope, by method; that of all methods has none and comes first.
    pub fn of(&self, scope: &PauseScope) -> impl Iterator<Item = (Option<&MethodName>, &Pause)> {
        let found = self.pauses.get(scope).into_iter().flatten();
        found.map(|(method, pause)| (method.as_ref(), pause))
    }

    /// The pauses that an instance is under: its own, then those of all instances.
    pub fn over(
        &self,
        instance: &InstanceId,
    ) -> impl Iterator<Item = (PauseScope, Option<&MethodName>, &Pause)> {
        [PauseScope::Instance(instance.clone()), PauseScope::All].into_iter().flat_map(|scope| {
            self.of(&scope)
                .map(|(method, pause)| (scope.clone(), method, pause))
                .collect::<Vec<_>>()
        })
    }

    /// Whether an instance takes no commands at all.
    #[must_use]
    pub fn stops(&self, instance: &InstanceId) -> bool {
        self.over(instance).any(|(_, method, _)| method.is_none())
    }

    /// Whether an instance takes no commands of a method.
    #[must_use]
    pub fn holds(&self, instance: &InstanceId, method: &MethodName) -> bool {
        self.over(instance).any(|(_, paused, _)| paused.is_none_or(|paused| paused == method))
    }

    fn read(fields: HashMap<String, String>) -> Result<Self, StoreError> {
        let mut book = Self::default();
        for (field, value) in fields {
            if field == VERSION {
                book.version = Some(value);
                continue;
            }
            let what = || format!("the pause {field}");
            let bad = || StoreError::corrupt(what(), "its name makes no sense");
            let (scope, method) = field.split_once('|').ok_or_else(bad)?;
            let scope = match scope {
                ALL => PauseScope::All,
                id => PauseScope::Instance(id.parse().map_err(|_| bad())?),
            };
            let method = match method {
                ALL => None,
                name => Some(name.parse().map_err(|_| bad())?),
            };
            let pause =
                serde_json::from_str(&value).map_err(|why| StoreError::corrupt(what(), why))?;
            book.pauses.entry(scope).or_default().insert(method, pause);
        }
        Ok(book)
    }

    fn fields(&self) -> impl Iterator<Item = (String, &Pause)> {
        self.pauses.iter().flat_map(|(scope, pauses)| {
            pauses.iter().map(move |(method, pause)| (field(scope, method.as_ref()), pause))
        })
    }
}

fn field(scope: &PauseScope, method: Option<&MethodName>) -> String {
    format!("{scope}|{}", method.map_or(ALL, MethodName::as_str))
}

/// Sets the fields given by pairs of arguments, and a new `v`.
static PAUSE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        for i = 1, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
        local time = redis.call('TIME')
        redis.call('HSET', KEYS[1], 'v', time[1] .. '.' .. time[2])
        return redis.call('HGETALL', KEYS[1])
        ",
    )
});

/// Removes the field that is given, and with `…|*` every field of that scope.
static RESUME: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        for _, field in ipairs(ARGV) do
            redis.call('HDEL', KEYS[1], field)
            local scope = string.match(field, '^(.+|)%*$')
            for _, other in ipairs(scope and redis.call('HKEYS', KEYS[1]) or {}) do
                if string.sub(other, 1, #scope) == scope then
                    redis.call('HDEL', KEYS[1], other)
                end
            end
        end
        local time = redis.call('TIME')
        redis.call('HSET', KEYS[1], 'v', time[1] .. '.' .. time[2])
        return redis.call('HGETALL', KEYS[1])
        ",
    )
});

static RESTORE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
        for i = 1, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
        return 1
        ",
    )
});

/// Keeps the pauses.
#[derive(Clone)]
pub struct Pauses {
    redis: Redis,
}

impl Pauses {
    /// The pauses in this Redis.
    #[must_use]
    pub fn new(redis: &Redis) -> Self {
        Self { redis: redis.clone() }
    }

    /// Whether anything changed since: the version as it stands.
    ///
    /// # Errors
    /// Redis can't be asked.
    pub async fn version(&self) -> Result<Option<String>, StoreError> {
        let key = self.redis.keys().pauses();
        self.redis
            .ask(async |mut connection| {
                cmd("HGET").arg(&key).arg(VERSION).query_async(&mut connection).await
            })
            .await
    }

    /// All pauses.
    ///
    /// # Errors
    /// Redis can't be asked; a pause that can't be read.
    pub async fn load(&self) -> Result<PauseBook, StoreError> {
        let key = self.redis.keys().pauses();
        let fields = self
            .redis
            .ask(async |mut connection| cmd("HGETALL").arg(&key).query_async(&mut connection).await)
            .await?;
        PauseBook::read(fields)
    }

    /// Pauses these methods of a scope, or all of them where none is given, beside what is paused
    /// already.
    ///
    /// # Errors
    /// Redis can't be asked; a pause that can't be read.
    pub async fn pause(
        &self,
        scope: &PauseScope,
        methods: &[MethodName],
        pause: &Pause,
    ) -> Result<PauseBook, StoreError> {
        let mut call = PAUSE.key(self.redis.keys().pauses());
        for field in fields_of(scope, methods) {
            with_pause(&mut call, &field, pause)?;
        }
        PauseBook::read(self.redis.invoke(&call).await?)
    }

    /// Ends the pauses of these methods of a scope, or all of the scope's where none is given. What
    /// is not paused is no error.
    ///
    /// # Errors
    /// As for [`Pauses::pause`].
    pub async fn resume(
        &self,
        scope: &PauseScope,
        methods: &[MethodName],
    ) -> Result<PauseBook, StoreError> {
        let mut call = RESUME.key(self.redis.keys().pauses());
        for field in fields_of(scope, methods) {
            call.arg(field);
        }
        PauseBook::read(self.redis.invoke(&call).await?)
    }

    /// Notes again what was known before Redis lost its data. False where it knows of pauses, or
    /// there was nothing to note.
    ///
    /// # Errors
    /// Redis can't be asked.
    pub async fn restore(&self, book: &PauseBook) -> Result<bool, StoreError> {
        let Some(version) = book.version() else { return Ok(false) };
        let mut call = RESTORE.key(self.redis.keys().pauses());
        call.arg(VERSION).arg(version);
        for (field, pause) in book.fields() {
            with_pause(&mut call, &field, pause)?;
        }
        Ok(self.redis.invoke::<u8>(&call).await? == 1)
    }
}

fn fields_of(scope: &PauseScope, methods: &[MethodName]) -> Vec<String> {
    match methods {
        [] => vec![field(scope, None)],
        some => some.iter().map(|method| field(scope, Some(method))).collect(),
    }
}

fn with_pause(
    call: &mut ScriptInvocation<'_>,
    field: &str,
    pause: &Pause,
) -> Result<(), StoreError> {
    let text = serde_json::to_string(pause).map_err(|why| StoreError::corrupt("a pause", why))?;
    call.arg(field).arg(text);
    Ok(())
}
