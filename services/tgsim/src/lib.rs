//! tgsim: a simulated Telegram. A real MTProto server with a world behind it, a script of faults, a journal of effects.
pub mod blank;
pub mod cx;
pub mod effect;
pub mod handshake;
pub mod limits;
pub mod requests;
pub mod rpc_error;
pub mod services;
pub mod wire;
pub mod world;
