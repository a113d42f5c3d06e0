//! Handlers: one function per request, one file per area. Each file has its rows of the table at the top.
pub mod blocklist;
pub mod channel_history;
pub mod chat_full;
pub mod chat_members;
pub mod chat_settings;
pub mod chats;
pub mod common;
pub mod contacts;
pub mod deletion;
pub mod dialogs;
pub mod edit;
mod erase;
pub mod history;
mod inputs;
pub mod invites;
pub mod marks;
pub mod messages;
pub mod migrate;
mod named;
mod post;
pub mod privacy;
pub mod profile;
#[cfg(test)]
mod reach;
pub mod resolve;
pub mod signals;
pub mod supergroup;
#[cfg(test)]
pub(crate) mod tests;
pub mod updates;
pub mod users;

pub use post::PostOptions;
