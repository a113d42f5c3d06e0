//! What Queuegram keeps, and where: the only crate that knows Redis and object storage.
//!
//! The [`Vault`] is the durable home of what can't be made again: auth keys, instance records, the
//! binding of groups to their callers' keys. It is sealed, written first, and wins. [`Redis`] holds
//! the working state: who owns what ([`Leases`]), what became of each command ([`Ledger`]), the
//! newest session and the peers ([`Sessions`]).
//!
//! Every write shows the [`Lease`] that it is made under. A process that lost its lease without
//! noticing is told [`StoreError::Fenced`] and must stop touching the instance.

mod config;
mod error;
#[doc(hidden)]
pub mod fuzz;
mod generation;
mod groups;
mod instances;
mod keyring;
mod keys;
mod lanes;
mod leases;
mod ledger;
mod limits;
mod pauses;
mod peers;
mod perils;
mod redis;
mod seal;
mod sessions;
mod site;
mod status;
mod vault;
mod workers;

pub use config::{RedisConfig, RedisUrl, S3Config, VaultConfig};
pub use error::StoreError;
pub use generation::{Generation, Generations, Sight};
pub use groups::{GroupRecord, Groups, Origin};
pub use instances::{
    Device, Hidden, Identity, InstanceLimits, InstanceRecord, Instances, LiveKey, OwnApplication,
    OwnBudget, ProxyCredentials, ProxyRecord, Stopped,
};
pub use lanes::{LaneBoard, Lanes, ParkedEntry};
pub use leases::{Holder, LEASE_BATCH_MAX, Lease, Leases};
pub use ledger::{
    ANSWER_BYTES_MAX, Asker, Cancelled, Claim, Decision, Effect, Ledger, Page, RESULT_BYTES_MAX,
    Record, RecordState, Resolved, STEPS_MAX, Settled, Start, StepRecord, StepState,
};
pub use limits::Limits;
pub use pauses::{Pause, PauseBook, PauseScope, Pauses};
pub use peers::{PEERS_MAX, Peers};
pub use perils::Perils;
pub use redis::Redis;
pub use sessions::{Keep, Sessions};
pub use site::{Claimed, Place, SiteRecord, Sites};
pub use status::{InstanceStatus, Statuses};
pub use vault::{AuditPlace, Found, Kind, Opened, Resealed, ResealedLog, SealedRecord, Vault};
pub use workers::{Presence, Workers};
