//! By how much all times are divided: leases, heartbeats, patience and faults alike, so that what takes
//! minutes at the defaults fits into seconds. They are settings of the worker; 1 means its defaults.

use std::time::Duration;

/// The divisor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scale(pub u32);

impl Scale {
    /// A time that is `seconds` at the defaults.
    #[must_use]
    pub fn time(self, seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds / f64::from(self.0.max(1)))
    }

    /// The worker's settings that make its times shorter, as environment; none at the defaults.
    #[must_use]
    pub fn settings(self) -> Vec<(String, String)> {
        if self.0 <= 1 {
            return Vec::new();
        }
        let short = |seconds: f64| format!("{:.3}", self.time(seconds).as_secs_f64());
        // A second is the least that these can be told.
        let whole = |seconds: u32, least: u32| (seconds / self.0).max(least).to_string();
        let millis = |millis: u32| (millis / self.0).to_string();
        [
            ("WORKER__LEASE_TTL_S", short(15.0)),
            ("WORKER__LEASE_MARGIN_S", short(3.0)),
            ("WORKER__RENEW_S", short(3.0)),
            ("WORKER__TAKEOVER_GRACE_S", short(8.0)),
            ("WORKER__ROSTER_S", short(2.0)),
            ("WORKER__QUEUE_LOOK_S", short(20.0)),
            ("WORKER__RECONCILE_PAUSE_S", short(5.0)),
            ("WORKER__UNREACHABLE_MAX_S", whole(60, 1)),
            ("AMQP__HEARTBEAT_S", whole(10, 1)),
            ("AMQP__CONNECT_TIMEOUT_S", whole(10, 2)),
            ("AMQP__OPERATION_TIMEOUT_S", whole(10, 2)),
            ("AMQP__CONFIRM_TIMEOUT_S", whole(10, 2)),
            ("REDIS__TIMEOUT_MS", millis(3_000)),
            ("REDIS__CONNECT_TIMEOUT_MS", millis(2_000)),
            ("TELEGRAM__CALL_TIMEOUT_S", whole(30, 1)),
            ("TELEGRAM__CONNECT_TIMEOUT_S", whole(15, 2)),
            ("TELEGRAM__RECONNECT_PAUSE_MS", millis(1_000)),
        ]
        .into_iter()
        .map(|(key, value)| (format!("QUEUEGRAM_{key}"), value))
        .collect()
    }
}

/// Those of `settings` that the worker knows: it refuses to start with any other. `known` is what its
/// `config print` says.
#[must_use]
pub fn known_ones(settings: Vec<(String, String)>, known: &str) -> Vec<(String, String)> {
    settings
        .into_iter()
        .filter(|(name, _)| {
            let key = name.rsplit("__").next().unwrap_or_default().to_lowercase();
            known.lines().any(|line| line.split(' ').next() == Some(key.as_str()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_of_every_time_and_nothing_to_say_at_the_defaults() {
        assert_eq!(Scale(10).time(40.0), Duration::from_secs(4));
        assert_eq!(Scale(1).settings(), []);
        let settings = Scale(10).settings();
        let lease = ("QUEUEGRAM_WORKER__LEASE_TTL_S".to_owned(), "1.500".to_owned());
        assert!(settings.contains(&lease));
        let known = known_ones(settings, "[worker]\nlease_ttl_s = 15.0 # default\n");
        assert_eq!(known, [lease]);
    }
}
