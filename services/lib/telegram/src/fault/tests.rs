//! The table, error by error: what a reader of a result gets to see is spelt out here, not computed.

use std::collections::HashSet;

use proto::ErrorKind;

use super::*;

fn rpc(code: i32, message: &str) -> CallError {
    CallError::Rpc(RpcFault::new(code, message, "messages.addChatUser"))
}

#[test]
fn each_error_has_one_row() {
    let mut seen = HashSet::new();
    for row in TABLE {
        assert!(seen.insert(row.name), "{} twice", row.name);
        assert!(!row.says.is_empty());
    }
}

/// Telegram's code and message, then what a caller sees: kind, code, seconds to wait, and whether a repeat can help.
#[test]
fn callers_are_told_the_kind_by_which_they_can_act() {
    let expected: &[(i32, &str, ErrorKind, &str, Option<u64>)] = &[
        (420, "FLOOD_WAIT_30", ErrorKind::Throttled, "FLOOD_WAIT", Some(30)),
        (420, "FLOOD_PREMIUM_WAIT_7", ErrorKind::Throttled, "FLOOD_PREMIUM_WAIT", Some(7)),
        (420, "SLOWMODE_WAIT_5", ErrorKind::Throttled, "SLOWMODE_WAIT", Some(5)),
        (420, "2FA_CONFIRM_WAIT_604800", ErrorKind::Throttled, "2FA_CONFIRM_WAIT", Some(604_800)),
        (420, "TAKEOUT_INIT_DELAY_60", ErrorKind::Throttled, "TAKEOUT_INIT_DELAY", Some(60)),
        (
            406,
            "FRESH_CHANGE_ADMINS_FORBIDDEN",
            ErrorKind::Throttled,
            "FRESH_CHANGE_ADMINS_FORBIDDEN",
            Some(86_400),
        ),
        (400, "PEER_FLOOD", ErrorKind::Forbidden, "PEER_FLOOD", None),
        (420, "FROZEN_METHOD_INVALID", ErrorKind::Forbidden, "FROZEN_METHOD_INVALID", None),
        (406, "USER_RESTRICTED", ErrorKind::Forbidden, "USER_RESTRICTED", None),
        (403, "USER_RESTRICTED", ErrorKind::Forbidden, "USER_RESTRICTED", None),
        (403, "USER_PRIVACY_RESTRICTED", ErrorKind::Forbidden, "USER_PRIVACY_RESTRICTED", None),
        (400, "USER_NOT_MUTUAL_CONTACT", ErrorKind::Forbidden, "USER_NOT_MUTUAL_CONTACT", None),
        (400, "CHANNELS_TOO_MUCH", ErrorKind::Forbidden, "CHANNELS_TOO_MUCH", None),
        (400, "CHAT_ADMIN_REQUIRED", ErrorKind::Forbidden, "CHAT_ADMIN_REQUIRED", None),
        (400, "CHANNEL_PRIVATE", ErrorKind::Forbidden, "CHANNEL_PRIVATE", None),
        (400, "USERS_TOO_FEW", ErrorKind::Invalid, "USERS_TOO_FEW", None),
        (400, "CHAT_ID_INVALID", ErrorKind::Invalid, "CHAT_ID_INVALID", None),
        (400, "USER_ID_INVALID", ErrorKind::Invalid, "USER_ID_INVALID", None),
        (400, "INVITE_HASH_EXPIRED", ErrorKind::Invalid, "INVITE_HASH_EXPIRED", None),
        (401, "AUTH_KEY_UNREGISTERED", ErrorKind::Detached, "AUTH_KEY_UNREGISTERED", None),
        (406, "AUTH_KEY_DUPLICATED", ErrorKind::Detached, "AUTH_KEY_DUPLICATED", None),
        (401, "USER_DEACTIVATED_BAN", ErrorKind::Detached, "USER_DEACTIVATED_BAN", None),
        (303, "USER_MIGRATE_4", ErrorKind::Unavailable, "USER_MIGRATE", None),
        (500, "HISTORY_GET_FAILED", ErrorKind::Unavailable, "HISTORY_GET_FAILED", None),
        (-503, "Timeout", ErrorKind::Unavailable, "Timeout", None),
        // In no row:
        (400, "SOMETHING_NEW", ErrorKind::Invalid, "SOMETHING_NEW", None),
        (401, "SOMETHING_NEW", ErrorKind::Detached, "SOMETHING_NEW", None),
        (403, "SOMETHING_NEW", ErrorKind::Forbidden, "SOMETHING_NEW", None),
        (406, "SOMETHING_NEW", ErrorKind::Forbidden, "SOMETHING_NEW", None),
        (420, "SOMETHING_NEW_9", ErrorKind::Throttled, "SOMETHING_NEW", Some(9)),
        (500, "SOMETHING_NEW", ErrorKind::Unavailable, "SOMETHING_NEW", None),
    ];
    for (code, message, kind, name, retry_after_s) in expected {
        let fault = of(&rpc(*code, message));
        let got = (fault.kind, fault.code.as_str(), fault.retry_after_s);
        assert_eq!(got, (*kind, *name, *retry_after_s), "{message}");
    }
}

#[test]
fn a_member_gets_a_truthful_status() {
    let expected: &[(i32, &str, Option<MemberStatus>)] = &[
        (403, "USER_PRIVACY_RESTRICTED", Some(MemberStatus::PrivacyBlocked)),
        (403, "USER_NOT_MUTUAL_CONTACT", Some(MemberStatus::PrivacyBlocked)),
        (400, "USER_CHANNELS_TOO_MUCH", Some(MemberStatus::TooManyGroups)),
        (400, "BOT_GROUPS_BLOCKED", Some(MemberStatus::BotBlocked)),
        (400, "USER_BOT", Some(MemberStatus::BotBlocked)),
        (400, "USER_ALREADY_PARTICIPANT", Some(MemberStatus::AlreadyMember)),
        (400, "USER_NOT_PARTICIPANT", Some(MemberStatus::NotMember)),
        (400, "INPUT_USER_DEACTIVATED", Some(MemberStatus::NotFound)),
        (400, "USER_ID_INVALID", Some(MemberStatus::NotFound)),
        (403, "PRIVACY_PREMIUM_REQUIRED", Some(MemberStatus::NeedsPremium)),
        (400, "USER_KICKED", Some(MemberStatus::Failed)),
        (400, "USER_ADMIN_INVALID", Some(MemberStatus::Failed)),
        // About the account or the group, not about this one person:
        (420, "FLOOD_WAIT_30", None),
        (400, "PEER_FLOOD", None),
        (400, "CHAT_ADMIN_REQUIRED", None),
        (400, "SOMETHING_NEW", None),
    ];
    for (code, message, expected) in expected {
        assert_eq!(about_member(&rpc(*code, message)), *expected, "{message}");
    }
    assert_eq!(about_member(&CallError::TimedOut), None);
}

#[test]
fn what_is_so_already_is_no_failure() {
    for message in [
        "CHAT_NOT_MODIFIED",
        "CHAT_ABOUT_NOT_MODIFIED",
        "SOMETHING_NOT_MODIFIED",
        "USER_ALREADY_PARTICIPANT",
        "RANDOM_ID_DUPLICATE",
    ] {
        assert!(already_so(&rpc(400, message)), "{message}");
    }
    for message in ["USER_NOT_PARTICIPANT", "CHAT_ADMIN_REQUIRED"] {
        assert!(!already_so(&rpc(400, message)), "{message}");
    }
}

#[test]
fn an_unknown_outcome_of_what_must_not_be_repeated_is_uncertain() {
    let kind = |error: &CallError| (of(error).kind, of_once(error).kind);
    let unknown = (ErrorKind::Unavailable, ErrorKind::Uncertain);
    assert_eq!(kind(&CallError::TimedOut), unknown);
    assert_eq!(kind(&CallError::Lost(String::new())), unknown);
    assert_eq!(kind(&rpc(500, "RPC_CALL_FAIL")), unknown);
    let not_sent = (ErrorKind::Unavailable, ErrorKind::Unavailable);
    assert_eq!(kind(&CallError::NotSent(String::new())), not_sent);
    assert_eq!(kind(&CallError::Closed), (ErrorKind::Detached, ErrorKind::Detached));
    assert_eq!(kind(&CallError::KeyUnknown), (ErrorKind::Detached, ErrorKind::Detached));
}

#[test]
fn only_what_may_succeed_later_is_retryable() {
    assert!(of(&rpc(420, "FLOOD_WAIT_3")).retryable());
    assert!(of(&CallError::NotSent(String::new())).retryable());
    assert!(!of(&rpc(400, "PEER_FLOOD")).retryable());
    assert!(!of(&rpc(400, "USER_ID_INVALID")).retryable());
}
