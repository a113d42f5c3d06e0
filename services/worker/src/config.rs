//! The worker's settings: its own sections, beside those of the chassis.

use std::time::Duration;

use bus::{AmqpConfig, BusError};
use chassis::Invalid;
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use store::{RedisConfig, StoreError, VaultConfig};
use telegram::TelegramConfig;
use telegram::config::TelegramConfigError;

use crate::lease::Terms;
use crate::limits::LimitsConfig;

/// Longest of the times that are given in whole seconds: a week, as long as the ledger remembers.
const SECONDS_MAX: u64 = 7 * 86_400;

/// Longest that the audit log is kept: a hundred years.
const AUDIT_DAYS_MAX: u32 = 36_500;

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
    /// The audit log.
    #[serde(default)]
    pub audit: AuditConfig,
}

/// `audit`: the log of who did what.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuditConfig {
    /// Days that it is kept.
    pub keep_days: u32,
}

impl Default for AuditConfig {
    fn default() -> Self {
        Self { keep_days: 400 }
    }
}

/// `worker`: how it owns instances and treats commands.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OwnConfig {
    /// Most instances that this worker owns.
    pub capacity: usize,
    /// Longest seconds between two looks for instances that nobody owns.
    pub roster_s: f64,
    /// Seconds that Redis keeps a lease which is not renewed. This, the margin and the grace must be
    /// the same for all workers of a vault: each trusts the others to have let go by then.
    pub lease_ttl_s: f64,
    /// Seconds before its end that a lease counts as lost.
    pub lease_margin_s: f64,
    /// Seconds between two renewals of a lease.
    pub renew_s: f64,
    /// Seconds that a new owner waits before it connects, where the last one did not say goodbye:
    /// two connections on one login destroy it.
    pub takeover_grace_s: f64,
    /// Connections to Telegram that are begun in a second.
    pub connect_per_s: f64,
    /// Share of this worker's instances that move in a minute to workers that joined, in percent.
    pub rebalance_percent_per_min: f64,
    /// Seconds for which nothing may come from an instance's queue before it is looked at.
    pub queue_look_s: f64,
    /// Seconds for which a command may try to reach Telegram before it is answered `unavailable`.
    pub unreachable_max_s: u64,
    /// Seconds before Telegram is looked at a second time for what may have happened: what it shows
    /// can lag behind what it did.
    pub reconcile_pause_s: f64,
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
            roster_s: 1.0,
            lease_ttl_s: 15.0,
            lease_margin_s: 3.0,
            renew_s: 3.0,
            takeover_grace_s: 8.0,
            connect_per_s: 50.0,
            rebalance_percent_per_min: 5.0,
            queue_look_s: 20.0,
            unreachable_max_s: 60,
            reconcile_pause_s: 15.0,
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
        let ranges = [
            ("worker.roster_s", own.roster_s, 0.01, 60.0),
            ("worker.lease_ttl_s", own.lease_ttl_s, 0.1, 300.0),
            ("worker.lease_margin_s", own.lease_margin_s, 0.01, 60.0),
            ("worker.renew_s", own.renew_s, 0.01, 60.0),
            ("worker.takeover_grace_s", own.takeover_grace_s, 0.0, 300.0),
            ("worker.connect_per_s", own.connect_per_s, 0.1, 1_000.0),
            ("worker.rebalance_percent_per_min", own.rebalance_percent_per_min, 0.0, 10_000.0),
            ("worker.queue_look_s", own.queue_look_s, 0.01, 60.0),
        ];
        for (key, value, least, most) in ranges {
            if !(least..=most).contains(&value) {
                return Err(Invalid::new(key, format!("must lie between {least} and {most}")));
            }
        }
        if !(0.0..=300.0).contains(&own.reconcile_pause_s) {
            return Err(Invalid::new("worker.reconcile_pause_s", "must lie between 0 and 300"));
        }
        self.amqp.validate().map_err(|error| match error {
            BusError::Config { field, why } => Invalid::new(format!("amqp.{field}"), why),
            other => Invalid::new("amqp", other.to_string()),
        })?;
        self.redis.validate().and_then(|()| self.vault.validate()).map_err(
            |error| match error {
                StoreError::Config { key, why } => Invalid::new(key, why),
                other => Invalid::new("redis", other.to_string()),
            },
        )?;
        self.validate_lease()?;
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
        if !(1..=AUDIT_DAYS_MAX).contains(&self.audit.keep_days) {
            let problem = format!("must lie between 1 and {AUDIT_DAYS_MAX}");
            return Err(Invalid::new("audit.keep_days", problem));
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

    /// A renewal must be able to fail, by Redis' silence, and its answer still come before the lease
    /// counts as lost: else every hiccup of Redis would close accounts.
    fn validate_lease(&self) -> Result<(), Invalid> {
        let own = &self.worker;
        let used = own.lease_ttl_s - own.lease_margin_s;
        if used <= 0.0 {
            let problem = format!("must be less than worker.lease_ttl_s ({} s)", own.lease_ttl_s);
            return Err(Invalid::new("worker.lease_margin_s", problem));
        }
        let silence = Duration::from_millis(self.redis.timeout_ms).as_secs_f64();
        if own.renew_s + silence > used {
            let problem = format!(
                "and redis.timeout_ms ({silence} s) must together be at most {used:.2} s: \
                 worker.lease_ttl_s less worker.lease_margin_s"
            );
            return Err(Invalid::new("worker.renew_s", problem));
        }
        Ok(())
    }

    /// The times of a lease.
    pub fn terms(&self) -> Terms {
        Terms {
            ttl: Duration::from_secs_f64(self.worker.lease_ttl_s),
            margin: Duration::from_secs_f64(self.worker.lease_margin_s),
            grace: Duration::from_secs_f64(self.worker.takeover_grace_s),
        }
    }

    /// Between two looks for instances that nobody owns. Each is a heartbeat too, which counts for
    /// as long as a lease does.
    pub fn look_pause(&self) -> Duration {
        Duration::from_secs_f64(self.worker.roster_s.min(self.worker.lease_ttl_s / 5.0))
    }

    /// Between two renewals of a lease.
    pub fn renew_pause(&self) -> Duration {
        Duration::from_secs_f64(self.worker.renew_s)
    }

    /// Before an instance's silent queue is looked at.
    pub fn queue_look(&self) -> Duration {
        Duration::from_secs_f64(self.worker.queue_look_s)
    }

    /// Before Telegram is looked at a second time for what may have happened.
    pub fn reconcile_pause(&self) -> Duration {
        Duration::from_secs_f64(self.worker.reconcile_pause_s)
    }

    /// The `telegram` section, with what follows for it from the leases: what the kernel of a frozen
    /// owner still tries to deliver must have ended before the next owner sends. The gate shuts the
    /// margin before the lease runs out, and the next owner waits the grace after it; a tenth of
    /// both together is left for the way through the network.
    pub fn telegram(&self) -> TelegramConfig {
        let terms = self.terms();
        let unacknowledged_max = (terms.margin + terms.grace).mul_f64(0.9);
        TelegramConfig { unacknowledged_max, ..self.telegram.clone() }
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
            audit: AuditConfig::default(),
        };
        config.validate().err().map(|invalid| invalid.to_string())
    }

    #[test]
    fn only_the_application_itself_has_no_default() {
        let config: WorkerConfig = serde_json::from_str("{}").unwrap();
        assert!(config.validate().unwrap_err().to_string().contains("telegram.api_id"));
    }

    #[test]
    fn all_times_can_be_divided_by_ten() {
        let config = WorkerConfig {
            redis: RedisConfig { timeout_ms: 300, ..RedisConfig::default() },
            worker: OwnConfig {
                lease_ttl_s: 1.5,
                lease_margin_s: 0.3,
                renew_s: 0.3,
                takeover_grace_s: 0.8,
                ..OwnConfig::default()
            },
            ..serde_json::from_str("{}").unwrap()
        };
        assert_eq!(config.validate_lease().map_err(|invalid| invalid.to_string()), Ok(()));
        assert_eq!(config.look_pause(), Duration::from_millis(300));
        assert_eq!(config.terms().ttl, Duration::from_millis(1_500));
    }

    #[test]
    fn what_broker_and_stores_could_not_use_is_named_too() {
        let said = |change: fn(&mut WorkerConfig)| {
            let mut config: WorkerConfig = serde_json::from_str("{}").unwrap();
            config.telegram.api_id = 4242;
            config.telegram.api_hash = telegram::secret::ApiHash::new("x");
            change(&mut config);
            config.validate().unwrap_err().to_string()
        };
        type Change = fn(&mut WorkerConfig);
        let changes: [(&str, Change); 6] = [
            ("audit.keep_days", |config| config.audit.keep_days = 0),
            ("amqp.confirm_timeout_s", |config| config.amqp.confirm_timeout_s = f64::NAN),
            ("amqp.channels_per_connection", |config| config.amqp.channels_per_connection = 0),
            ("redis.timeout_ms", |config| config.redis.timeout_ms = 0),
            ("redis.connections", |config| config.redis.connections = 0),
            ("vault.timeout_ms", |config| config.vault.timeout_ms = 0),
        ];
        for (key, change) in changes {
            assert!(said(change).contains(key), "{key}: {}", said(change));
        }
    }

    #[test]
    fn the_defaults_are_good_and_each_wrong_setting_is_named() {
        assert_eq!(wrong(|_| {}), None);
        type Change = fn(&mut OwnConfig);
        let changes: [(&str, Change); 19] = [
            ("worker.reconcile_pause_s", |own| own.reconcile_pause_s = 301.0),
            ("worker.queue_look_s", |own| own.queue_look_s = 0.0),
            ("worker.roster_s", |own| own.roster_s = 0.0),
            ("worker.renew_s", |own| own.renew_s = f64::NAN),
            ("worker.renew_s", |own| own.renew_s = 9.1),
            ("worker.renew_s", |own| own.lease_ttl_s = 8.9),
            ("worker.renew_s", |own| own.lease_margin_s = 9.1),
            ("worker.lease_ttl_s", |own| own.lease_ttl_s = 0.0),
            ("worker.lease_margin_s", |own| own.lease_margin_s = 20.0),
            ("worker.lease_margin_s", |own| own.lease_margin_s = -0.1),
            ("worker.connect_per_s", |own| own.connect_per_s = 0.0),
            ("worker.rebalance_percent_per_min", |own| own.rebalance_percent_per_min = -1.0),
            ("worker.takeover_grace_s", |own| own.takeover_grace_s = f64::INFINITY),
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
