//! Everything between Queuegram and RabbitMQ; the only crate that knows lapin.
//!
//! [`Bus`] holds one connection that publishes, one for control, and as many as are needed that
//! consume instances' queues, so that a broker which blocks publishers still hears our
//! acknowledgements. They are made again by themselves; what was open on them is not: consumptions end with [`Lost`], deliveries can't be settled, and
//! a publish without its confirm is [`BusError::Unknown`]. The caller decides what follows.
//!
//! [`Topology`] is one description of all that must exist on the broker, with what applies it,
//! prints it and checks it.

mod backoff;
mod browse;
mod bus;
mod caller;
mod config;
mod connection;
mod consumer;
mod control;
mod counters;
mod death;
mod declare;
mod delivery;
mod error;
mod fleet;
#[doc(hidden)]
pub mod fuzz;
mod lanes;
mod management;
mod operations;
mod probe;
mod properties;
mod publisher;
mod topology;
mod transport;

pub use backoff::Backoff;
pub use browse::{BROWSED_MAX, Glance};
pub use bus::Bus;
pub use caller::{CallQueue, ReplyQueue};
pub use config::{AmqpConfig, BrokerUrl, QueueKind};
pub use consumer::{Consumption, Lost, LostReason, Subscription};
pub use control::{ControlBinder, ControlQueue};
pub use counters::BusCounts;
pub use death::{Death, DeathReason, FirstDeath};
pub use declare::{Declared, QueueDepth};
pub use delivery::Delivery;
pub use error::BusError;
pub use lanes::LaneQueue;
pub use management::{BrokerVersion, Management};
pub use probe::{PROBE_TYPE, Probe, is_probe};
pub use publisher::{OutMessage, Published, Publisher};
pub use topology::{
    ApplyTo, Binding, Change, Covers, Exchange, Finding, Policy, Queue, Role, Severity, Topology,
};

/// A `tracing` directive that every program with a bus should add to its log filter: lapin logs
/// the whole body of a message that comes back unroutable, and those are callers' texts.
pub const LOG_DIRECTIVE: &str = "lapin::returned_messages=off";
/// The same, against a line of error each time that a queue which may be missing is looked for: what
/// matters of a channel's end is told by whoever used it.
pub const CHANNELS_LOG_DIRECTIVE: &str = "lapin::channel=off";
