//! What each of Telegram's errors means for the command that met it ([`of`], [`about_member`], [`already_so`]). One table,
//! [`TABLE`], answers all three; names are matched, not codes, since some errors change their code from layer to layer.
//! What they mean for the account as a whole stands in [`crate::verdict`].

mod table;

use proto::fault::code;
use proto::{Fault, MemberStatus};

pub use self::table::{Meaning, Row, TABLE};
use crate::error::{CallError, FloodScope, FloodWait, RpcFault};
use crate::foreign::ForeignError;
use crate::login::LoginError;

/// What a caller is told. For a request that must not be sent twice ask [`CallError::outcome_unknown`] first: where that
/// is true and nothing settles it, the word is `uncertain`, see [`of_once`].
///
/// Telegram's own names become the `error_code`. Errors that stand in no row: 400 is the caller's (`invalid`), 401
/// `detached`, 403 and 406 `forbidden`, 420 `throttled`, the rest `unavailable`.
pub fn of(error: &CallError) -> Fault {
    match error {
        CallError::Rpc(fault) => of_rpc(fault),
        CallError::NotSent(_) => {
            Fault::unavailable(code::TELEGRAM_UNAVAILABLE, "Telegram could not be reached")
        }
        CallError::Lost(_) | CallError::TimedOut => Fault::unavailable(
            code::TELEGRAM_UNAVAILABLE,
            "Telegram did not answer, or the connection was lost",
        ),
        CallError::Undecodable(_) => {
            Fault::internal("Telegram's answer could not be read by this release")
        }
        CallError::KeyUnknown => {
            Fault::detached(code::LOGGED_OUT, "Telegram does not know this login any more")
        }
        CallError::Closed => {
            Fault::detached(code::NOT_CONNECTED, "the account is not connected here any more")
        }
        CallError::Limit(limit) => Fault::invalid(code::PARAMS_INVALID, limit.to_string()),
        CallError::WrongKind { request } => {
            Fault::internal(format!("{request} was asked of the wrong kind of group"))
        }
    }
}

/// The same for a request that can't be repeated and could not be reconciled either.
pub fn of_once(error: &CallError) -> Fault {
    if error.outcome_unknown() {
        return Fault::uncertain("Telegram may have done it, but there is no answer that says so");
    }
    of(error)
}

/// What a caller is told of a login that ended, or of an answer that was not taken.
pub fn of_login(error: &LoginError) -> Fault {
    let message = error.to_string();
    match error {
        LoginError::PhoneInvalid => Fault::invalid("PHONE_NUMBER_INVALID", message),
        LoginError::NoAccount => Fault::invalid("PHONE_NUMBER_UNOCCUPIED", message),
        LoginError::CodeExpired => Fault::invalid("PHONE_CODE_EXPIRED", message),
        LoginError::TooManyTries => Fault::forbidden("LOGIN_TRIES_TOO_MANY", message),
        LoginError::Unsupported(_) => Fault::forbidden("LOGIN_UNSUPPORTED", message),
        LoginError::Foreign(ForeignError::Bot) => Fault::invalid(code::SESSION_OF_BOT, message),
        LoginError::Foreign(_) => Fault::invalid(code::SESSION_INVALID, message),
        LoginError::SessionDead => Fault::invalid(code::SESSION_DEAD, message),
        LoginError::NotExpected(_) => Fault::invalid("LOGIN_NOT_EXPECTED", message),
        LoginError::Cancelled => Fault::cancelled(message),
        LoginError::Refused(fault) => of_rpc(fault),
        LoginError::Unreachable(_) => Fault::unavailable(code::TELEGRAM_UNAVAILABLE, message),
        LoginError::NotSaved(_) => Fault::unavailable(code::STORE_UNAVAILABLE, message),
    }
}

/// True where the error only says that things are as they should be already: `*_NOT_MODIFIED`,
/// `USER_ALREADY_PARTICIPANT`, `RANDOM_ID_DUPLICATE` and the like. For removing somebody, `USER_NOT_PARTICIPANT` is one
/// too, which the caller must know by itself.
pub fn already_so(error: &CallError) -> bool {
    error.rpc().is_some_and(|fault| {
        fault.name.ends_with("_NOT_MODIFIED")
            || row(fault).is_some_and(|row| row.meaning == Meaning::AlreadySo)
    })
}

/// What becomes of one person whose adding or removing met this error; `None` where the error is about the group or the
/// account, so that it would be the same for anybody else.
pub fn about_member(error: &CallError) -> Option<MemberStatus> {
    error.rpc().and_then(row).and_then(|row| row.member)
}

fn of_rpc(fault: &RpcFault) -> Fault {
    if let Some(flood) = fault.flood_wait() {
        return of_flood(fault, flood);
    }
    let name = fault.name.as_str();
    let Some(row) = row(fault) else { return unlisted(fault) };
    let message = row.says;
    match row.meaning {
        Meaning::Invalid => Fault::invalid(name, message),
        Meaning::Forbidden => Fault::forbidden(name, message),
        Meaning::Detached => Fault::detached(name, message),
        Meaning::Unavailable => Fault::unavailable(name, message),
        Meaning::Internal => Fault::new(proto::ErrorKind::Internal, name, message),
        Meaning::AlreadySo => Fault::invalid(name, message),
        Meaning::Wait(wait_s) => Fault::throttled(name, message, fault.value.unwrap_or(wait_s)),
    }
}

fn of_flood(fault: &RpcFault, flood: FloodWait) -> Fault {
    let message = match flood.scope {
        FloodScope::Method => "Telegram asks this account to wait before it does this again",
        FloodScope::MethodUnlessPremium => {
            "Telegram asks this account, which has no Telegram Premium, to wait"
        }
        FloodScope::Chat => "the group is in slow mode",
    };
    Fault::throttled(fault.name.as_str(), message, flood.wait_s)
}

fn unlisted(fault: &RpcFault) -> Fault {
    let message = if fault.request.is_empty() {
        format!("Telegram answered {} {}", fault.code, fault.name)
    } else {
        format!("Telegram answered {} {} to {}", fault.code, fault.name, fault.request)
    };
    let name = fault.name.as_str();
    match fault.code {
        400 | 404 => Fault::invalid(name, message),
        401 => Fault::detached(name, message),
        403 | 406 => Fault::forbidden(name, message),
        420 => Fault::throttled(name, message, fault.value.unwrap_or(60)),
        _ => Fault::unavailable(name, message),
    }
}

fn row(fault: &RpcFault) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.name == fault.name)
}

#[cfg(test)]
mod tests;
