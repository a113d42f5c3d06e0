//! What Queuegram's tests and demo stand on: the [`stage`], which starts private servers, a
//! simulated Telegram and workers as child processes, and gives each test a corner of its own.
//!
//! Nothing here links a crate of ours. Stories drive the programs over AMQP, HTTP and the command
//! line, as users do, so that a mistake in our own client code cannot hide a mistake in the worker.

pub mod crowd;
pub mod faults;
pub mod stage;
