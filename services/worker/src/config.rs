//! The worker's settings: its own sections, beside those of the chassis.

use std::time::Duration;

use bus::AmqpConfig;
use chassis::Invalid;
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use store::{RedisConfig, VaultConfig};
use telegram::TelegramConfig;
use telegram::config::TelegramConfigError;

use crate::limiter::LimitsConfig;

/// Longest time between two renewals: of a lease that lasts 15 s, 12 are used, and one renewal may
/// fail.
const RENEW_S_MAX: f64 = 5.0;
/// Longest of the times that are given in whole seconds: a week, as long as the ledger remembers.
const SECONDS_MAX: u64 = 7 * 86_400;

/// What the worker can be told.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkerConfig {
    /// RabbitMQ.
    #[serde(default)]
    pub amqp: AmqpConfig,
    /// Redis.
    #[serde(default)]
    pub redis: RedisConfig,
    /// The vault.
    #[serde(default)]
    pub vault: VaultConfig,
    /// Telegram.
    #[serde(default)]
    pub telegram: TelegramConfig,
    /// Budgets.
    #[serde(default)]
    pub limits: LimitsConfig,
    /// The worker itself.
    #[serde(default)]
    pub worker: OwnConfig,
}

/// `worker`: how it owns instances and treats commands.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OwnConfig {
    /// Most instances that this worker owns.
    pub capacity: usize,
    /// Seconds between two looks for instances that nobody owns.
    pub roster_s: f64,
    /// Seconds that a new owner waits before it connects, where the last one did not say goodbye:
    /// two connections on one login destroy it.
    pub takeover_grace_s: f64,
    /// Seconds between two renewals of a lease.
    pub renew_s: f64,
    /// Seconds for which nothing may come from an instance's queue before it is looked at.
    pub queue_look_s: f64,
    /// Seconds for which a command may try to reach Telegram before it is answered `unavailable`.
    pub unreachable_max_s: u64,
    /// Seconds that a command lives where it names no deadline.
    pub default_deadline_s: u64,
    /// Seconds that a login waits for its next answer.
    pub login_wait_s: u64,
    /// The queues that callers may name in `reply_to`, with `*` at the end for a prefix; empty: any
    /// that is not Queuegram's own.
    pub reply_queues: Vec<String>,
}

impl Default for OwnConfig {
    fn default() -> Self {
        Self {
            capacity: 5_000,
            roster_s: 2.0,
            takeover_grace_s: 8.0,
            renew_s: 3.0,
            queue_look_s: 20.0,
            unreachable_max_s: 60,
            default_deadline_s: 86_400,
            login_wait_s: 300,
            reply_queues: Vec::new(),
        }
    }
}

impl WorkerConfig {
    /// How long a command may try to reach Telegram.
    pub fn unreachable_max(&self) -> TimeDelta {
        TimeDelta::seconds(i64::try_from(self.worker.unreachable_max_s).unwrap_or(i64::MAX / 1000))
    }

    /// Names the first setting that makes no sense.
    ///
    /// # Errors
    /// The setting's key and what is wrong with it.
    pub fn validate(&self) -> Result<(), Invalid> {
        let own = &self.worker;
        let positive = [
            ("worker.roster_s", own.roster_s),
            ("worker.renew_s", own.renew_s),
            ("worker.queue_look_s", own.queue_look_s),
        ];
        for (key, seconds) in positive {
            if !(0.01..=60.0).contains(&seconds) {
                return Err(Invalid::new(key, "must lie between 0.01 and 60"));
            }
        }
        if !(0.0..=300.0).contains(&own.takeover_grace_s) {
            return Err(Invalid::new("worker.takeover_grace_s", "must lie between 0 and 300"));
        }
        if own.renew_s > RENEW_S_MAX {
            let problem = format!("must be at most {RENEW_S_MAX}: a lease lasts 15 s");
            return Err(Invalid::new("worker.renew_s", problem));
        }
        let whole = [
            ("worker.unreachable_max_s", own.unreachable_max_s),
            ("worker.default_deadline_s", own.default_deadline_s),
            ("worker.login_wait_s", own.login_wait_s),
        ];
        for (key, seconds) in whole {
            if !(1..=SECONDS_MAX).contains(&seconds) {
                return Err(Invalid::new(key, format!("must lie between 1 and {SECONDS_MAX}")));
            }
        }
        if own.capacity == 0 {
            return Err(Invalid::new("worker.capacity", "must be at least 1"));
        }
        self.telegram.validate().map_err(|error| {
            let (key, reason) = match error {
                TelegramConfigError::Wrong { key, problem } => (key, problem),
                TelegramConfigError::File { key, path, problem } => {
                    (key, format!("{}: {problem}", path.display()))
                }
            };
            Invalid::new(format!("telegram.{key}"), reason)
        })?;
        self.limits.validate()
    }

    /// Between two looks for instances that nobody owns.
    pub fn roster_pause(&self) -> Duration {
        Duration::from_secs_f64(self.worker.roster_s)
    }

    /// Between two renewals of a lease.
    pub fn renew_pause(&self) -> Duration {
        Duration::from_secs_f64(self.worker.renew_s)
    }

    /// Before an instance's silent queue is looked at.
    pub fn queue_look(&self) -> Duration {
        Duration::from_secs_f64(self.worker.queue_look_s)
    }

    /// Before a connection where the last owner ended uncleanly.
    pub fn takeover_grace(&self) -> Duration {
        Duration::from_secs_f64(self.worker.takeover_grace_s)
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    fn wrong(change: impl FnOnce(&mut OwnConfig)) -> Option<String> {
        let mut worker = OwnConfig::default();
        change(&mut worker);
        let config = WorkerConfig {
            amqp: AmqpConfig::default(),
            redis: RedisConfig::default(),
            vault: VaultConfig::default(),
            telegram: TelegramConfig {
                api_id: 4242,
                api_hash: telegram::secret::ApiHash::new("0123456789abcdef0123456789abcdef"),
                ..TelegramConfig::default()
            },
            limits: LimitsConfig::default(),
            worker,
        };
        config.validate().err().map(|invalid| invalid.to_string())
    }

    #[test]
    fn only_the_application_itself_has_no_default() {
        let config: WorkerConfig = serde_json::from_str("{}").unwrap();
        assert!(config.validate().unwrap_err().to_string().contains("telegram.api_id"));
    }

    #[test]
    fn the_defaults_are_good_and_each_wrong_setting_is_named() {
        assert_eq!(wrong(|_| {}), None);
        type Change = fn(&mut OwnConfig);
        let changes: [(&str, Change); 10] = [
            ("worker.queue_look_s", |own| own.queue_look_s = 0.0),
            ("worker.roster_s", |own| own.roster_s = 0.0),
            ("worker.renew_s", |own| own.renew_s = f64::NAN),
            ("worker.renew_s", |own| own.renew_s = 14.0),
            ("worker.takeover_grace_s", |own| own.takeover_grace_s = -1.0),
            ("worker.capacity", |own| own.capacity = 0),
            ("worker.unreachable_max_s", |own| own.unreachable_max_s = u64::MAX),
            ("worker.default_deadline_s", |own| own.default_deadline_s = 0),
            ("worker.default_deadline_s", |own| own.default_deadline_s = u64::MAX),
            ("worker.login_wait_s", |own| own.login_wait_s = 0),
        ];
        for (key, change) in changes {
            let said = wrong(change).unwrap_or_default();
            assert!(said.contains(key), "{key}: {said}");
        }
    }
}
