//! What keeps an account logged in: its auth keys and where it is in the stream of updates.
//!
//! [`SessionRecord`] is the stored form, which the worker seals and keeps. While the account is open the live session
//! in memory is the truth, and a [`SessionSink`] is handed every change. grammers asks the live session on every
//! request, so nothing here waits for a store.

mod live;
mod record;
mod saver;

pub(crate) use live::{LiveSession, SessionError};
pub use record::{AuthKey, DcRecord, RecordError, SelfRecord, SessionRecord, UpdateMark};
pub(crate) use saver::Saver;
pub use saver::{Changed, MemorySink, SessionSink, SinkError};
