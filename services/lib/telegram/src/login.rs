//! Connecting an account: phone number, the code that Telegram sends, and the account's password where it has one.
//!
//! A machine decides, purely: state and event in, state and one effect out. [`Login`] carries the effects out. A
//! third way in (QR) needs another first event and another waiting state, nothing else.

mod driver;
mod machine;
mod progress;
mod srp;

pub use driver::Login;
pub use machine::TRIES_MAX;
pub use progress::{CodeVia, LoginError, LoginProgress, WhyAgain};
