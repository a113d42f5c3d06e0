//! Many accounts on one scene: connecting them as quickly as the programs allow, and asking all of them
//! at once. For the benches, and for stories of what happens to a crowd.

pub mod desk;
pub mod provision;
mod seal;

pub use desk::Desk;
pub use provision::{Crowd, instance, provision};
