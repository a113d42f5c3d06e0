//! TL objects with every optional field absent, to be completed with struct update syntax.
mod full;
mod peers;

pub use full::*;
pub use peers::*;
