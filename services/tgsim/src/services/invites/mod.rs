//! Invite links and join requests, the same for basic groups and supergroups.
//!
//! Source: <https://core.telegram.org/api/invites>.
mod access;
pub mod edit;
pub mod export;
pub mod importers;
pub mod join;
pub mod lists;
pub mod requests;
