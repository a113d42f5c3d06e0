//! The worker: owns instances, reads their commands from RabbitMQ, carries them out at Telegram,
//! and answers.
//!
//! The way of one command is [`pipeline::take`]. What a command can ask for is in [`methods`], one
//! file each; [`cx::Cx::step`] is the only way from there to Telegram. [`owner`] is one instance's
//! life, [`roster`] the list of those that this worker owns, [`control`] the orders about accounts,
//! [`undertaker`] the answers to what no owner will ever see.

mod admins;
mod answers;
mod audit;
mod config;
mod contract;
mod control;
mod cx;
mod fullness;
#[doc(hidden)]
pub mod fuzz;
mod groups;
mod identity;
mod keeper;
mod lanes;
mod lease;
mod limits;
mod links;
mod login;
mod members;
mod method;
mod methods;
mod metrics;
mod notices;
mod outcome;
mod owner;
mod pace;
mod params;
mod patience;
mod pauses;
mod people;
mod peril;
mod persist;
mod pipeline;
mod reconcile;
mod redact;
mod request;
mod roster;
mod service;
mod settings;
mod standing;
mod step;
mod stop;
mod suspect;
mod tenure;
mod undertaker;

pub use service::Worker;
