//! The table, error by error: what is told of an account is spelt out here, not computed.

use std::collections::HashSet;

use proto::ErrorKind;

use super::*;
use crate::fault;

fn rpc(code: i32, message: &str) -> CallError {
    CallError::Rpc(RpcFault::new(code, message, "messages.addChatUser"))
}

/// Telegram's code and message; the state, the reason, what mends it, and whether no call succeeds any more.
type Row = (i32, &'static str, AccountState, &'static str, Mends, bool);

const EXPECTED: &[Row] = &[
    (401, "AUTH_KEY_UNREGISTERED", S::LoggedOut, "AUTH_KEY_UNREGISTERED", M::Login, true),
    (401, "AUTH_KEY_INVALID", S::LoggedOut, "AUTH_KEY_INVALID", M::Login, true),
    (401, "AUTH_KEY_PERM_EMPTY", S::LoggedOut, "AUTH_KEY_PERM_EMPTY", M::Login, true),
    (406, "AUTH_KEY_DUPLICATED", S::LoggedOut, "AUTH_KEY_DUPLICATED", M::Login, true),
    (401, "SESSION_REVOKED", S::LoggedOut, "SESSION_REVOKED", M::Login, true),
    (401, "SESSION_EXPIRED", S::LoggedOut, "SESSION_EXPIRED", M::Login, true),
    (401, "SESSION_PASSWORD_NEEDED", S::LoggedOut, "SESSION_PASSWORD_NEEDED", M::Login, true),
    (401, "ACTIVE_USER_REQUIRED", S::LoggedOut, "ACTIVE_USER_REQUIRED", M::Login, true),
    (401, "USER_DEACTIVATED", S::Banned, "USER_DEACTIVATED", M::Owner, true),
    (401, "USER_DEACTIVATED_BAN", S::Banned, "USER_DEACTIVATED_BAN", M::Owner, true),
    (400, "PHONE_NUMBER_BANNED", S::Banned, "PHONE_NUMBER_BANNED", M::Owner, true),
    (420, "FLOOD_WAIT_300", S::Cooling, "FLOOD_WAIT", M::Time, false),
    (420, "FLOOD_PREMIUM_WAIT_300", S::Cooling, "FLOOD_PREMIUM_WAIT", M::Time, false),
    (400, "PEER_FLOOD", S::Cooling, "PEER_FLOOD", M::Time, false),
    (403, "USER_RESTRICTED", S::Restricted, "USER_RESTRICTED", M::Owner, false),
    (420, "FROZEN_METHOD_INVALID", S::Restricted, "FROZEN_METHOD_INVALID", M::Owner, false),
    (
        400,
        "FROZEN_PARTICIPANT_MISSING",
        S::Restricted,
        "FROZEN_PARTICIPANT_MISSING",
        M::Owner,
        false,
    ),
    (400, "API_ID_INVALID", S::Failed, "API_ID_INVALID", M::Operator, true),
    (400, "CONNECTION_API_ID_INVALID", S::Failed, "CONNECTION_API_ID_INVALID", M::Operator, true),
    (400, "API_ID_PUBLISHED_FLOOD", S::Failed, "API_ID_PUBLISHED_FLOOD", M::Operator, true),
    (400, "CONNECTION_LAYER_INVALID", S::Failed, "CONNECTION_LAYER_INVALID", M::Operator, true),
    // In no row: a login that is not accepted, for a reason that is not known here.
    (401, "SOMETHING_NEW", S::LoggedOut, "LOGGED_OUT", M::Login, true),
];

#[test]
fn accounts_are_judged_error_by_error() {
    for (code, message, state, reason, mends, ends) in EXPECTED {
        let said = verdict(&rpc(*code, message));
        let expected = AccountVerdict { state: Some(*state), reason, mends: *mends };
        assert_eq!(said, expected, "{message}");
        assert_eq!(said.ends_session(), *ends, "{message}");
    }
    let key = verdict(&CallError::KeyUnknown);
    let expected = (Some(S::LoggedOut), "AUTH_KEY_NOT_FOUND", M::Login);
    assert_eq!((key.state, key.reason, key.mends), expected);
}

#[test]
fn the_test_leaves_no_row_out_and_no_row_stands_twice() {
    let tested: HashSet<_> = EXPECTED.iter().map(|(.., reason, _, _)| *reason).collect();
    let mut seen = HashSet::new();
    for row in TABLE {
        assert!(tested.contains(row.reason), "{} is not tested", row.reason);
        assert!(seen.insert(row.reason), "{} twice", row.reason);
    }
}

/// What is about somebody else, one chat, one call, one connection, or a login under way.
#[test]
fn most_errors_say_nothing_about_the_account() {
    for (code, message) in [
        (400, "INPUT_USER_DEACTIVATED"),
        (420, "SLOWMODE_WAIT_600"),
        (420, "2FA_CONFIRM_WAIT_604800"),
        (400, "CHANNELS_TOO_MUCH"),
        (400, "USER_BANNED_IN_CHANNEL"),
        (403, "USER_PRIVACY_RESTRICTED"),
        (406, "UPDATE_APP_TO_LOGIN"),
        (400, "CONNECTION_NOT_INITED"),
        (500, "AUTH_KEY_UNSYNCHRONIZED"),
        (303, "USER_MIGRATE_4"),
        (500, "SOMETHING_NEW"),
    ] {
        assert_eq!(verdict(&rpc(code, message)), AccountVerdict::FINE, "{message}");
    }
    assert_eq!(verdict(&CallError::TimedOut), AccountVerdict::FINE);
    assert_eq!(verdict(&CallError::NotSent(String::new())), AccountVerdict::FINE);
}

/// A command is told `detached` exactly where the account can't be used any more.
#[test]
fn commands_are_told_what_fits_the_state() {
    for (code, message, .., ends) in EXPECTED {
        let kind = fault::of(&rpc(*code, message)).kind;
        assert_eq!(kind == ErrorKind::Detached, *ends, "{message}: {kind:?}");
    }
}
