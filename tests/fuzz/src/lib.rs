//! What comes from outside, read in every way that a mutated input can be wrong: one target for each
//! decoder. A target is a function over bytes that panics where a promise is broken.
//!
//! `make test` replays the checked-in inputs (`corpus/`) and some hundred mutations of each, the same
//! ones each time. `make fuzz` looks for new ones, led by coverage: `docs/fuzzing.md`.

pub mod input;
pub mod mutate;
pub mod targets;

pub use targets::{TARGETS, Target};
