//! What is said of each person.

use MemberStatus as S;
use proto::{ErrorKind, MemberInput};
use serde_json::json;

use super::*;
use crate::members::distinct;
use crate::members::tests::{id, user};
use crate::people::NotFound;
use crate::stop::Refusal;

fn person(number: i64) -> Person {
    Person { input: MemberInput::parse(json!(number)).unwrap(), found: Ok(user(number)) }
}

fn stranger() -> Person {
    let found = Err(NotFound { code: "USERNAME_NOT_OCCUPIED".to_owned(), help: "nobody".into() });
    Person { input: MemberInput::parse(json!("@nobody")).unwrap(), found }
}

fn refusal(name: &str, repeated: bool) -> Refusal {
    Refusal { name: name.to_owned(), code: 400, repeated }
}

#[test]
fn outcomes_come_in_the_order_given_and_once_for_each_mention() {
    let mut roll = Roll::default();
    roll.set(id(9), Fate::of(S::AlreadyMember));
    roll.set(id(7), Fate::of(S::Added));
    let people = [person(9), stranger(), person(7), person(9)];
    let statuses: Vec<_> = roll.outcomes(&people).into_iter().map(|one| one.status).collect();
    assert_eq!(statuses, [S::AlreadyMember, S::NotFound, S::Added, S::AlreadyMember]);
    assert_eq!(distinct(&people).iter().map(|user| user.id).collect::<Vec<_>>(), [id(9), id(7)]);
}

#[test]
fn nothing_known_of_somebody_is_no_success() {
    let outcome = &Roll::default().outcomes(&[person(7)])[0];
    assert_eq!(outcome.status, S::Failed);
}

#[test]
fn what_is_lacking_is_the_first_person_who_is_not_where_they_should_be() {
    let mut roll = Roll::default();
    roll.set(id(7), Fate::of(S::Added));
    assert_eq!(roll.lacking(&[person(7)], "members"), None);

    roll.set(id(8), Fate::because(S::PrivacyBlocked, "USER_PRIVACY_RESTRICTED"));
    roll.set(id(9), Fate::because(S::TooManyGroups, "USER_CHANNELS_TOO_MUCH"));
    let lacking = roll.lacking(&[person(7), person(9), person(8)], "members").unwrap();
    assert_eq!(lacking.code, "USER_CHANNELS_TOO_MUCH");

    let lacking = roll.lacking(&[person(7), stranger(), person(8)], "members").unwrap();
    assert_eq!(
        (lacking.kind, lacking.code.as_str()),
        (ErrorKind::Invalid, "USERNAME_NOT_OCCUPIED")
    );
}

#[test]
fn a_wait_is_lacking_with_its_length() {
    let mut roll = Roll::default();
    let late = Failure::Throttled { retry_after_s: 30, code: "FLOOD_WAIT".to_owned() };
    roll.set(id(7), Fate::of(S::Added));
    throttled_or_stop(late, &[user(7), user(8)], &mut roll).unwrap();
    // Who was added before stays added.
    assert_eq!(roll.get(id(7)).unwrap().status, Some(S::Added));
    let fault = roll.lacking(&[person(7), person(8)], "members").unwrap();
    assert_eq!((fault.kind, fault.retry_after_s), (ErrorKind::Throttled, Some(30)));
    assert_eq!(roll.outcomes(&[person(8)])[0].retry_after_s, Some(30));
}

#[test]
fn what_is_no_wait_stops_the_command() {
    let mut roll = Roll::default();
    let refused = Failure::Refused(refusal("CHAT_ADMIN_REQUIRED", false));
    assert!(throttled_or_stop(refused, &[user(7)], &mut roll).is_err());
    assert!(roll.get(id(7)).is_none());
}

#[test]
fn a_remark_leaves_the_status_and_is_lacking() {
    let mut roll = Roll::default();
    roll.set(id(7), Fate::of(S::Added));
    roll.remark(id(7), "ADMINS_TOO_MUCH", None);
    assert_eq!(roll.outcomes(&[person(7)])[0].status, S::Added);
    assert_eq!(roll.lacking(&[person(7)], "admins").unwrap().code, "ADMINS_TOO_MUCH");
}

#[test]
fn those_not_reached_are_told_why_and_the_others_keep_their_fate() {
    let mut roll = Roll::default();
    roll.set(id(7), Fate::of(S::Added));
    roll.set_unreached(&[user(7), user(8)], &Fault::forbidden("USERS_TOO_MUCH", "full"));
    let outcomes = roll.outcomes(&[person(7), person(8)]);
    assert_eq!((outcomes[0].status, outcomes[1].status), (S::Added, S::Failed));
    assert_eq!(outcomes[1].error_code.as_deref(), Some("USERS_TOO_MUCH"));
}

#[test]
fn a_missing_invitee_is_no_success() {
    let fate = |user: &UserPeer, premium_would_allow, premium_required_for_pm| {
        let missing = Missing { user_id: user.id, premium_would_allow, premium_required_for_pm };
        Fate::missing(user, &missing).status
    };
    assert_eq!(fate(&user(7), false, false), Some(S::PrivacyBlocked));
    assert_eq!(fate(&user(7), true, false), Some(S::NeedsPremium));
    assert_eq!(fate(&user(7), false, true), Some(S::NeedsPremium));
    let bot = UserPeer { bot: true, ..user(7) };
    assert_eq!(fate(&bot, false, false), Some(S::BotBlocked));
}

#[test]
fn each_refusal_about_a_person_has_its_status() {
    for (name, repeated, status) in [
        ("USER_PRIVACY_RESTRICTED", false, Some(S::PrivacyBlocked)),
        ("USER_NOT_MUTUAL_CONTACT", false, Some(S::PrivacyBlocked)),
        ("USER_CHANNELS_TOO_MUCH", false, Some(S::TooManyGroups)),
        ("USER_BOT", false, Some(S::BotBlocked)),
        ("USER_KICKED", false, Some(S::Failed)),
        ("USER_ALREADY_PARTICIPANT", false, Some(S::AlreadyMember)),
        ("USER_NOT_PARTICIPANT", false, Some(S::NotMember)),
        // The first time's answer was lost: it had worked.
        ("USER_ALREADY_PARTICIPANT", true, Some(S::Added)),
        ("USER_NOT_PARTICIPANT", true, Some(S::Removed)),
        ("USER_PRIVACY_RESTRICTED", true, Some(S::PrivacyBlocked)),
        ("CHAT_ADMIN_REQUIRED", false, None),
        ("USERS_TOO_MUCH", false, None),
        ("NEVER_HEARD_OF", false, None),
    ] {
        let fate = Fate::refused(&refusal(name, repeated));
        assert_eq!(fate.as_ref().and_then(|fate| fate.status), status, "{name} {repeated}");
        // A success needs no reason, everything else has Telegram's own.
        let reason = fate.and_then(|fate| fate.error_code);
        let wanted = status.filter(|status| !status.succeeded()).map(|_| name);
        assert_eq!(reason.as_deref(), wanted, "{name} {repeated}");
    }
}
