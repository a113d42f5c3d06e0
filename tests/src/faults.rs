//! The fault matrix: real workers, RabbitMQ, Redis and a simulated Telegram under faults that a seed draws,
//! and the laws that must hold all the same. `docs/faults.md` tells people how it is run and read.
//!
//! A [`lane::Lane`] has a broker of its own and plays one [`seed`] after the other. A seed draws its
//! [`workload`] and its [`schedule`], plays both at once, heals everything, waits until it is quiet, and
//! hands what was left behind, a [`history::History`], to the [`oracle`].

pub mod command;
pub mod dice;
pub mod ears;
pub mod fault;
pub mod fleet;
pub mod history;
pub mod lane;
pub mod links;
pub mod logs;
pub mod mutants;
pub mod oracle;
pub mod play;
pub mod quiet;
pub mod relay;
pub mod report;
pub mod scale;
pub mod schedule;
pub mod seed;
pub mod voice;
pub mod workload;
