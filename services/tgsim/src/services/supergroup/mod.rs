//! Supergroups and broadcast channels: `channels.*`, one file per concern.
//!
//! What Telegram calls a *channel* is both; `broadcast` tells them apart.
//! Source: <https://core.telegram.org/api/channel>.
pub mod admins;
pub mod bans;
pub mod edit;
pub mod enter;
pub mod full;
pub mod history;
pub mod leave;
pub mod lifecycle;
mod membership;
pub mod participants;
mod permission;
pub mod toggles;
pub mod username;

pub(in crate::services) use membership::Obstacle;
pub(in crate::services) use permission::Right;
