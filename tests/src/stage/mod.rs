//! The stage: RabbitMQ, Redis, tgsim and workers, started as children in a private folder on free
//! loopback ports, and gone without a trace when their owner ends, even by SIGKILL.
//!
//! [`Servers`] is one broker and one Redis; tests share it through [`shared::servers`]. A [`Scene`]
//! is what one test gets: its own vhost, Redis, simulated Telegram and workers.

pub mod binaries;
pub mod caller;
pub mod children;
pub mod collector;
pub mod compose;
pub mod corner;
pub mod ctl;
pub mod folder;
pub mod interrupt;
pub mod listener;
pub mod patience;
pub mod ports;
pub mod proxy;
pub mod rabbit;
pub mod redis;
pub mod s3;
pub mod scene;
pub mod scripts;
pub mod secrets;
pub mod servers;
pub mod shared;
pub mod sweep;
pub mod tgsim;
pub mod vhost;
pub mod witness;
pub mod worker;

pub use caller::{Caller, Message};
pub use listener::Listener;
pub use scene::{Person, Scene, SceneOptions};
pub use servers::{Addresses, Servers};
