//! Telegram user accounts, as the worker sees them: open an [`Account`] from a stored session, log one in, call
//! Telegram one request at a time, and learn from every failure what it means.
//!
//! This is the only crate that knows grammers. No grammers type stands in a public signature, so the rest of the
//! system is written in the project's own words, and every answer can be kept in the ledger (they are all serde).
//!
//! - [`account`]: open, call, close; reconnects, timeouts, bounds.
//! - [`session`]: what must be stored so that an account stays logged in, and when it changed.
//! - [`login`]: connecting an account by phone code and 2FA password.
//! - [`foreign`]: logins that other programs made.
//! - [`presence`]: how an account shows itself to Telegram; [`proxy`]: by which way it goes there.
//! - [`calls`]: Telegram's requests, one per function.
//! - [`fault`]: what each of Telegram's errors means for the command and for the account.

/// The SOCKS5 library logs the passwords that it reads.
pub const LOG_DIRECTIVE: &str = "fast_socks5=info";

pub mod account;
pub mod calls;
pub mod config;
pub mod error;
pub mod fault;
pub mod foreign;
#[doc(hidden)]
pub mod fuzz;
mod gate;
mod hop;
mod keys;
pub mod limits;
pub mod link;
pub mod login;
pub mod peer;
pub mod peers;
pub mod presence;
pub mod proxy;
pub mod secret;
pub mod session;
pub mod verdict;

pub use account::Account;
pub use account::{CallObserver, OpenError, Telegram};
pub use config::TelegramConfig;
pub use error::{CallError, FloodWait, RpcFault};
pub use foreign::{ForeignError, ForeignSession};
pub use gate::Gate;
pub use login::{Login, LoginError, LoginProgress};
pub use peer::{GroupKind, GroupPeer, UserPeer};
pub use peers::{PeerBook, PeerRecord};
pub use presence::{Application, Presence};
pub use proxy::{Proxy, ProxyError, ProxyTrouble};
pub use secret::{ApiHash, LoginCode, LoginPassword, Phone, ProxyPassword, SessionString};
pub use session::{SessionRecord, SessionSink};
pub use verdict::AccountVerdict;
