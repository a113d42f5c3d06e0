//! The contract between Queuegram and the programs that drive it: what a command, a result and
//! an event look like on the broker, and what every queue, exchange and error is called.
//!
//! Nothing here does I/O. A process that speaks this contract reads a delivery with
//! [`envelope::decode`], answers with a [`outcome::CommandResult`] and tells with an
//! [`event::Event`]; the names on the broker come from [`names::Names`] and stand nowhere else.

pub mod canonical;
pub mod command;
pub mod control;
pub mod envelope;
pub mod event;
pub mod fault;
mod hint;
pub mod ids;
pub mod lane;
pub mod loose;
pub mod member;
pub mod names;
pub mod outcome;
mod peer;
pub mod reply_to;
pub mod time;

pub use command::{ApiKey, Command, CommandBody, Correlation, OnFlood};
pub use envelope::{Incoming, Properties, Rejected, Rules, decode};
pub use event::{Event, EventKind};
pub use fault::{ErrorKind, Fault};
pub use ids::{ChatId, ChatKind, CommandId, ExternalRef, InstanceId, MethodName, UserId};
pub use member::{MemberInput, MemberOutcome, MemberStatus, MemberTarget};
pub use names::Names;
pub use outcome::{CommandResult, Outcome, Status};
pub use reply_to::ReplyTo;

/// The version of every body that Queuegram writes; a changed or removed field is a new one.
pub const WIRE_VERSION: u32 = 1;
