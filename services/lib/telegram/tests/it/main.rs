//! Accounts against a simulated Telegram: every call with its effect in the journal, logins, and connections that break.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails like the test itself")]

// The name by which the workspace's other crates call it.
extern crate queuegram_telegram as telegram;

mod gate;
mod groups;
mod links;
mod lists;
mod login;
mod loss;
mod members;
mod people;
mod sim;
