//! Telegram's error answers: a code and a name, as in `rpc_error`.
//!
//! The names a request may answer with stand in its row of the table (`requests.rs`); here is only the form.
//! Source: <https://core.telegram.org/api/errors>.
use std::fmt;

/// What a handler gives back.
pub type Reply<T> = Result<T, RpcError>;

/// An `rpc_error`: HTTP-like code and the name with its number, e.g. `FLOOD_WAIT_30`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct RpcError {
    /// 303, 400, 401, 403, 404, 406, 420 or 500.
    pub code: i32,
    /// Upper-case name, with a trailing number where Telegram has one.
    pub name: String,
}

impl fmt::Display for RpcError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.name)
    }
}

impl RpcError {
    /// An error with any code.
    pub fn new(code: i32, name: impl Into<String>) -> Self {
        Self { code, name: name.into() }
    }

    /// Whether the documented name `pattern` stands for this one; `%d` stands for a number, as on Telegram's pages.
    pub fn has_name(&self, pattern: &str) -> bool {
        match pattern.split_once("%d") {
            None => self.name == pattern,
            Some((before, after)) => self
                .name
                .strip_prefix(before)
                .and_then(|rest| rest.strip_suffix(after))
                .is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit())),
        }
    }
}

/// The code of `not_simulated`: none of Telegram's.
pub const NOT_SIMULATED: i32 = 501;

/// The request is known, this option of it is not: said aloud rather than ignored.
pub fn not_simulated(option: &str) -> RpcError {
    RpcError::new(NOT_SIMULATED, format!("NOT_SIMULATED_{}", option.to_uppercase()))
}

/// 400, the common case: the request can't be right.
pub fn bad(name: impl Into<String>) -> RpcError {
    RpcError::new(400, name)
}

/// 403: the caller may not.
pub fn forbidden(name: impl Into<String>) -> RpcError {
    RpcError::new(403, name)
}

/// 406: like 400/403, but official clients show their own text.
pub fn not_acceptable(name: impl Into<String>) -> RpcError {
    RpcError::new(406, name)
}

/// 420: wait. Telegram appends the seconds.
pub fn flood_wait(seconds: i32) -> RpcError {
    RpcError::new(420, format!("FLOOD_WAIT_{seconds}"))
}
