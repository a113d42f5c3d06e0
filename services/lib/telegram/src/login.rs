//! Connecting an account: by a QR code that is scanned with a phone on which it is logged in, or by its phone number and
//! the code that Telegram sends; and by the account's password where it has one. Or by a login that was made elsewhere:
//! it accepts the QR code's token ([`crate::ForeignSession::accept`]), or is adopted as it is.
//!
//! A machine decides, purely: state and event in, state and one effect out. [`Login`] carries the effects out.

mod driver;
mod machine;
mod progress;
mod srp;

pub use driver::Login;
pub use machine::TRIES_MAX;
pub use progress::{CodeVia, LoginError, LoginProgress, NextWay, WhyAgain};
