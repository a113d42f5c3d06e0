//! A small town to try requests in: alice, bob, carol, and whoever moves in. Requests go through the real table, as
//! bytes, so that an error which no row documents shows.
mod channel_history;
mod chats;
mod fixture;
mod groups;
mod history;
mod inputs;
mod people;
mod privacy;
mod replica;
mod signals;
mod speaking;
mod table;
mod updates;

pub(crate) use fixture::{Town, names};
