//! Handlers: one function per request, one file per area. Each file has its rows of the table at the top.
pub mod chats;
mod inputs;
mod post;

pub use post::PostOptions;
