//! How one account sees the world: TL objects with that account's access hashes, names and rights.
mod cast;
mod chat;
mod invite;
mod message;
mod participant;
mod user;

pub use cast::Cast;
pub use chat::chat_participant;
pub use participant::banned_participant;
