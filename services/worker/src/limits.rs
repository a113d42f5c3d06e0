//! How often an account may call Telegram: budgets that are ours, and gates that Telegram shuts.

mod class;
mod config;
mod lane;
mod limiter;

pub use class::Class;
pub use config::{Budget, LimitsConfig, Profile};
pub use lane::Lane;
pub use limiter::{Ask, Hit, Limiter, NotYet};
