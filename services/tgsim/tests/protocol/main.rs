//! tgsim on a socket, met by a small MTProto client that can also misbehave.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "everything here is a test or serves one: a panic is how it fails"
)]

mod admin;
mod client;
mod faults;
mod keys;
mod messages;
mod requests;
