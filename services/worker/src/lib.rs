//! The worker: owns instances, reads their commands from RabbitMQ, carries them out at Telegram,
//! and answers.
//!
//! The way of one command is [`pipeline::take`]. What a command can ask for is in [`methods`], one
//! file each; [`cx::Cx::step`] is the only way from there to Telegram. [`owner`] is one instance's
//! life, [`roster`] the list of those that this worker owns, [`control`] the orders about accounts,
//! [`undertaker`] the answers to what no owner will ever see.

pub mod admins;
pub mod answers;
pub mod config;
pub mod contract;
pub mod control;
pub mod cx;
pub mod groups;
pub mod keeper;
pub mod limiter;
pub mod links;
pub mod login;
pub mod members;
pub mod method;
pub mod methods;
pub mod metrics;
pub mod outcome;
pub mod owner;
pub mod params;
pub mod people;
pub mod persist;
pub mod pipeline;
pub mod redact;
pub mod request;
pub mod roster;
mod service;
pub mod standing;
pub mod step;
pub mod stop;
pub mod tenure;
pub mod undertaker;

pub use service::Worker;
