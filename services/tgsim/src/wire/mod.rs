//! The bytes between a client and the simulated server: TCP framings, encryption, messages.
//!
//! Nothing here knows what a request means. A connection reads as `transport` (frames) over
//! `obfuscation` (an optional cipher), then `plain` or `envelope` (a message without and with an
//! auth key), then `message` (containers, gzip).

pub mod envelope;
pub mod message;
pub mod msg_id;
pub mod obfuscation;
pub mod plain;
pub mod transport;

/// The largest frame that is read or written, in bytes. Telegram refuses larger ones too.
pub const FRAME_MAX_BYTES: usize = 2 * 1024 * 1024;
