//! Handlers: one function per request, one file per area. Each file has its rows of the table at the top.
pub mod chat_members;
pub mod chat_settings;
pub mod chats;
pub mod dialogs;
pub mod edit;
mod erase;
pub mod history;
mod inputs;
pub mod marks;
pub mod messages;
pub mod migrate;
mod post;
pub mod updates;
pub mod users;

pub use post::PostOptions;
