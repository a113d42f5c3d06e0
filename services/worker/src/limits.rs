//! How often an account may call Telegram: budgets that are ours, and gates that Telegram shuts.
//!
//! A call asks the [`Limiter`]. It takes from the budget of the call's [`Class`], a governor limiter
//! with a burst and a daily cap, unless a gate is shut; a flood wait shuts its class's gate and slows
//! the class down for a day. Commands that have to wait for long lie in a [`Lane`].

mod ask;
mod circuit;
mod class;
mod config;
mod daily;
pub mod fullness;
mod gates;
mod keeping;
mod lane;
mod learnt;
mod limiter;
mod meter;
pub mod own;
mod settings;
mod state;
mod view;
mod warm_up;

pub use ask::{Ask, Hit, NotYet};
pub use circuit::Trip;
pub use class::Class;
pub use config::{Budget, LimitsConfig, Profile};
pub use fullness::Fullness;
pub use gates::{PEER_FLOOD, USER_RESTRICTED, is_frozen, is_restriction};
pub use keeping::{ByLease, Nowhere, Remembered};
pub use lane::Lane;
pub use learnt::Learnt;
pub use limiter::Limiter;
pub use settings::Settings;
pub use state::Kept;
pub use view::Waiting;
