//! The three sections of configuration that every service has: `admin`, `telemetry`, `lifecycle`.
//!
//! The chassis takes them out of the tree before the service's own configuration is read, so a service's struct holds
//! only what is its own. Their defaults are in `defaults.toml` beside this crate's manifest; a service's `DEFAULTS`
//! may override them.

use std::{net::SocketAddr, time::Duration};

use serde::{Deserialize, Serialize};

use crate::Invalid;

/// Defaults of the chassis' own sections.
pub(crate) const DEFAULTS: &str = include_str!("../defaults.toml");

/// Names of the sections of [`ChassisConfig`].
pub(crate) const SECTIONS: [&str; 3] = ["admin", "telemetry", "lifecycle"];

/// What the chassis itself can be told.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ChassisConfig {
    /// The admin port.
    pub admin: AdminConfig,
    /// Logs and traces.
    pub telemetry: TelemetryConfig,
    /// The stop.
    pub lifecycle: LifecycleConfig,
}

impl ChassisConfig {
    pub(crate) fn validate(&self) -> Result<(), Invalid> {
        if !(0.0..=1.0).contains(&self.telemetry.sample_ratio) {
            return Err(Invalid::new("telemetry.sample_ratio", "must lie between 0 and 1"));
        }
        Ok(())
    }
}

/// `admin`: where `/live`, `/ready` and `/metrics` are served.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AdminConfig {
    /// Address and port; port 0 takes a free one, which the log line `admin listening` names.
    pub listen: SocketAddr,
}

/// `telemetry`: logs and traces.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TelemetryConfig {
    /// Filter in the syntax of `tracing-subscriber`'s `EnvFilter`, such as `info,queuegram_bus=debug`.
    pub log: String,
    /// How a log line looks.
    pub format: LogFormat,
    /// Base address of an OTLP/HTTP collector, such as `http://collector:4318`; empty: spans are not exported (the
    /// trace of a caller is still continued in replies).
    #[serde(default)]
    pub otlp_endpoint: String,
    /// Share of traces begun here that are recorded, 0 to 1; a caller's own decision is followed.
    pub sample_ratio: f64,
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One JSON object per line, for collectors.
    Json,
    /// One readable line, for people.
    Pretty,
}

/// `lifecycle`: how a service stops.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LifecycleConfig {
    /// Seconds that work in progress has to finish after the first signal, before it is cut off.
    pub drain_s: u64,
}

impl LifecycleConfig {
    /// `drain_s` as a duration.
    #[must_use]
    pub fn drain(&self) -> Duration {
        Duration::from_secs(self.drain_s)
    }
}
