//! tgsim: a simulated Telegram. A real MTProto server with a world behind it, a script of faults, a journal of effects.
pub mod admin;
pub mod auth;
pub mod blank;
pub mod cluster;
mod coerce;
mod connection;
pub mod cx;
pub mod effect;
mod flood;
pub mod handshake;
pub mod hub;
pub mod journal;
pub mod limits;
pub mod requests;
mod rpc;
pub mod rpc_error;
pub mod script;
pub mod server;
mod service;
pub mod services;
pub mod session;
pub mod wire;
pub mod world;
mod wrappers;

pub use server::{Options, Running, StartError, start};
