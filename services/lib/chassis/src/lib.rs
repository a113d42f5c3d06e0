//! What every process of Queuegram hangs in: one generic `main`, layered configuration, logs and traces, the admin
//! port, readiness, the orderly stop, the clock, and the sealed box in which secrets cross a queue.
//!
//! The chassis knows nothing of RabbitMQ, Redis or Telegram. A service gives a name, default settings and one async
//! function ([`Service`]); everything else about being a process is here, once.

mod admin;
mod boot;
mod cli;
mod clock;
mod config_error;
mod environment;
pub mod faults;
mod lifecycle;
mod loader;
mod logline;
mod readiness;
pub mod sealed;
mod secret;
mod sections;
mod service;
mod telemetry;
pub mod trace;

pub use boot::BootInstant;
pub use cli::NoCommand;
pub use clock::{Clock, HandClock};
pub use config_error::{ConfigError, Invalid, Origin};
pub use environment::{PREFIX, variable_name};
pub use lifecycle::{Crash, Lifecycle};
pub use loader::{Loader, load};
pub use readiness::{Latch, Missing, Readiness};
pub use secret::Secret;
pub use sections::{AdminConfig, ChassisConfig, LifecycleConfig, LogFormat, TelemetryConfig};
pub use service::{Context, EXIT_BAD_CONFIG, EXIT_CRASHED, Service, main};
pub use telemetry::{Telemetry, TelemetryError};
