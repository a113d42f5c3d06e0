//! The login machine, cell by cell.

use grammers_tl_types as tl;

use super::*;

fn phone() -> Phone {
    Phone::new("+99966 2 1111")
}

fn sent(via: CodeVia) -> SentCode {
    SentCode { token: CodeToken::new("canary-token"), via, length: Some(5), next: None }
}

fn asked(tries: u8) -> CodeAsked {
    CodeAsked { phone: phone(), sent: sent(CodeVia::App), tries }
}

fn user() -> SelfRecord {
    SelfRecord { id: 42.try_into().unwrap(), access_hash: 1, bot: false }
}

fn refused(code: i32, message: &str) -> Event {
    Event::Refused(RpcFault::new(code, message, "auth.signIn"))
}

fn challenge() -> Challenge {
    let prime = crate::keys::known_prime();
    let algorithm = tl::types::PasswordKdfAlgoSha256Sha256Pbkdf2Hmacsha512iter100000Sha256ModPow {
        salt1: vec![1; 8],
        salt2: vec![2; 8],
        g: 3,
        p: prime,
    };
    let password = tl::types::account::Password {
        has_recovery: false,
        has_secure_values: false,
        has_password: true,
        current_algo: Some(algorithm.into()),
        srp_b: Some(vec![9; 256]),
        srp_id: Some(7),
        hint: Some("pet".to_owned()),
        email_unconfirmed_pattern: None,
        new_algo: tl::enums::PasswordKdfAlgo::Unknown,
        new_secure_algo: tl::enums::SecurePasswordKdfAlgo::Unknown,
        secure_random: vec![],
        pending_reset_date: None,
        login_email_pattern: None,
    };
    Challenge::read(password.into()).unwrap()
}

fn code_needed(again: Option<WhyAgain>) -> Effect {
    Effect::Tell(LoginProgress::CodeNeeded {
        via: CodeVia::App,
        length: Some(5),
        next: None,
        again,
    })
}

fn password_needed(again: Option<WhyAgain>) -> Effect {
    Effect::Tell(LoginProgress::PasswordNeeded { hint: Some("pet".to_owned()), again })
}

fn sending(moves: u8) -> State {
    State::SendingCode { phone: phone(), moves }
}

#[test]
fn by_code_alone() {
    let (state, effect) = step(State::New, Event::Phone(phone()));
    assert_eq!((&state, effect), (&sending(0), Effect::SendCode(phone())));
    let (state, effect) = step(state, Event::CodeSent(sent(CodeVia::App)));
    assert_eq!((&state, effect), (&State::AwaitingCode(asked(0)), code_needed(None)));
    let (state, effect) = step(state, Event::Code("12345".into()));
    let sign_in = Effect::SignIn { phone: phone(), sent: sent(CodeVia::App), code: "12345".into() };
    assert_eq!((&state, effect), (&State::SigningIn(asked(0)), sign_in));
    let (state, effect) = step(state, Event::Accepted(user()));
    assert_eq!((&state, effect), (&State::Completing(user()), Effect::Complete(user())));
    let (state, effect) = step(state, Event::Saved);
    assert_eq!((state, effect), (State::Done(user()), Effect::Tell(LoginProgress::Done(user()))));
}

#[test]
fn with_a_password_that_is_wrong_once() {
    let (state, effect) = step(State::SigningIn(asked(0)), refused(401, "SESSION_PASSWORD_NEEDED"));
    assert_eq!(effect, Effect::GetChallenge);
    let (state, effect) = step(state, Event::Challenged(challenge()));
    assert_eq!(effect, password_needed(None));
    let (state, effect) = step(state, Event::Password("wrong".into()));
    let check = Effect::CheckPassword { challenge: challenge(), password: "wrong".into() };
    assert_eq!(effect, check);
    let (state, effect) = step(state, refused(400, "PASSWORD_HASH_INVALID"));
    assert_eq!(effect, Effect::GetChallenge, "a challenge serves once");
    let (state, effect) = step(state, Event::Challenged(challenge()));
    assert_eq!(effect, password_needed(Some(WhyAgain::Wrong)));
    let (state, _) = step(state, Event::Password("right".into()));
    let (_, effect) = step(state, Event::Accepted(user()));
    assert_eq!(effect, Effect::Complete(user()));
}

#[test]
fn a_lapsed_challenge_is_fetched_anew_once() {
    let checking = |retried| State::CheckingPassword { password: "p".into(), tries: 0, retried };
    let (state, effect) = step(checking(false), refused(400, "SRP_ID_INVALID"));
    assert_eq!(effect, Effect::GetChallenge);
    let (state, effect) = step(state, Event::Challenged(challenge()));
    assert_eq!(state, checking(true));
    assert_eq!(effect, Effect::CheckPassword { challenge: challenge(), password: "p".into() });
    let (state, effect) = step(state, refused(400, "SRP_ID_INVALID"));
    assert_eq!(state, State::Failed);
    assert!(matches!(effect, Effect::Fail(LoginError::Refused(_))));
}

#[test]
fn the_number_may_live_in_another_data_centre() {
    let (state, effect) = step(sending(0), refused(303, "PHONE_MIGRATE_4"));
    assert_eq!((&state, effect), (&sending(1), Effect::Move { dc: 4 }));
    assert_eq!(step(state, Event::Moved), (sending(1), Effect::SendCode(phone())));
    let (state, _) = step(sending(3), refused(303, "PHONE_MIGRATE_4"));
    assert_eq!(state, State::Failed, "not in circles");
    let (state, effect) = step(sending(0), refused(500, "AUTH_RESTART"));
    assert_eq!((state, effect), (sending(1), Effect::SendCode(phone())));
}

#[test]
fn wrong_codes_may_be_corrected_but_not_for_ever() {
    let wrong = |tries| step(State::SigningIn(asked(tries)), refused(400, "PHONE_CODE_INVALID"));
    assert_eq!(wrong(0), (State::AwaitingCode(asked(1)), code_needed(Some(WhyAgain::Wrong))));
    assert_eq!(wrong(4), (State::Failed, Effect::Fail(LoginError::TooManyTries)));
    let password = |tries| State::CheckingPassword { password: "p".into(), tries, retried: false };
    let (state, effect) = step(password(4), refused(400, "PASSWORD_HASH_INVALID"));
    assert_eq!((state, effect), (State::Failed, Effect::Fail(LoginError::TooManyTries)));
}

#[test]
fn every_refusal_has_its_word() {
    let cells: &[(State, Event, LoginError)] = &[
        (State::New, Event::Phone("abc".into()), LoginError::PhoneInvalid),
        (sending(0), refused(400, "PHONE_NUMBER_INVALID"), LoginError::PhoneInvalid),
        (sending(0), refused(400, "PHONE_NUMBER_UNOCCUPIED"), LoginError::NoAccount),
        (State::SigningIn(asked(0)), refused(400, "PHONE_CODE_EXPIRED"), LoginError::CodeExpired),
        (
            State::SigningIn(asked(0)),
            refused(400, "PHONE_NUMBER_UNOCCUPIED"),
            LoginError::NoAccount,
        ),
        (State::SigningIn(asked(0)), Event::SignUpRequired, LoginError::NoAccount),
        (sending(0), Event::Unsupported("a payment"), LoginError::Unsupported("a payment")),
        (sending(0), Event::Broken("down".into()), LoginError::Unreachable("down".into())),
        (State::Cancelling, Event::CodeCancelled, LoginError::Cancelled),
        (State::Cancelling, Event::Broken("down".into()), LoginError::Cancelled),
        (State::New, Event::Cancel, LoginError::Cancelled),
    ];
    for (state, event, error) in cells {
        let got = step(state.clone(), event.clone());
        assert_eq!(got, (State::Failed, Effect::Fail(error.clone())), "{state:?} {event:?}");
    }
    let flood = RpcFault::new(420, "FLOOD_WAIT_99", "auth.sendCode");
    let (_, effect) = step(sending(0), Event::Refused(flood.clone()));
    assert_eq!(effect, Effect::Fail(LoginError::Refused(flood)));
}

#[test]
fn an_answer_that_nobody_asked_for_changes_nothing() {
    let awaiting_password = State::AwaitingPassword { challenge: challenge(), tries: 0 };
    let cells = [
        (State::New, Event::Code("1".into()), "a code"),
        (State::New, Event::Password("1".into()), "a password"),
        (State::AwaitingCode(asked(1)), Event::Password("1".into()), "a password"),
        (awaiting_password, Event::Code("1".into()), "a code"),
        (sending(0), Event::Phone(phone()), "a phone number"),
        (State::Done(user()), Event::Phone(phone()), "a phone number"),
        (State::Done(user()), Event::Cancel, "its cancelling"),
    ];
    for (state, event, what) in cells {
        let expected = (state.clone(), Effect::Fail(LoginError::NotExpected(what)));
        assert_eq!(step(state, event), expected);
    }
}

#[test]
fn a_connection_that_breaks_in_mid_check_leads_to_the_truth() {
    let (wondering, effect) = step(State::SigningIn(asked(1)), Event::Broken("cut".into()));
    assert_eq!(effect, Effect::WhoAmI);
    let (_, effect) = step(wondering.clone(), Event::Accepted(user()));
    assert_eq!(effect, Effect::Complete(user()));
    let (state, effect) = step(wondering.clone(), Event::NotLoggedIn);
    let again = code_needed(Some(WhyAgain::Interrupted));
    assert_eq!((state, effect), (State::AwaitingCode(asked(1)), again));
    let (_, effect) = step(wondering, refused(401, "SESSION_PASSWORD_NEEDED"));
    assert_eq!(effect, Effect::GetChallenge);

    let checking = State::CheckingPassword { password: "p".into(), tries: 2, retried: false };
    let (wondering, effect) = step(checking, Event::Broken("cut".into()));
    assert_eq!(effect, Effect::WhoAmI);
    let (state, _) = step(wondering, refused(401, "SESSION_PASSWORD_NEEDED"));
    let (_, effect) = step(state, Event::Challenged(challenge()));
    assert_eq!(effect, password_needed(Some(WhyAgain::Interrupted)));
}

#[test]
fn a_login_that_was_not_saved_says_so() {
    let (state, effect) = step(State::Completing(user()), Event::NotSaved("full".into()));
    let error = Effect::Fail(LoginError::NotSaved("full".into()));
    assert_eq!((state, effect), (State::Done(user()), error));
}

#[test]
fn another_code_may_be_asked_for() {
    let (state, effect) = step(State::AwaitingCode(asked(2)), Event::Phone(phone()));
    assert_eq!((state, effect), (sending(0), Effect::SendCode(phone())));
    let (state, effect) = step(State::AwaitingCode(asked(0)), Event::Cancel);
    assert_eq!(state, State::Cancelling);
    assert!(matches!(effect, Effect::CancelCode { .. }));
}

fn token() -> QrToken {
    QrToken::from_bytes(b"canary")
}

const LIVES: Duration = Duration::from_secs(30);

fn shown() -> Event {
    Event::Token { token: token(), lives: LIVES }
}

fn scan_needed() -> Effect {
    Effect::Tell(LoginProgress::ScanNeeded { token: token(), lives: LIVES })
}

const EXPORTING: State = State::ExportingToken { moves: 0 };

#[test]
fn by_a_qr_code_that_is_shown_anew_until_it_is_scanned() {
    let (state, effect) = step(State::New, Event::Qr);
    assert_eq!((&state, effect), (&EXPORTING, Effect::ExportToken));
    let (state, effect) = step(state, shown());
    assert_eq!((&state, effect), (&State::AwaitingScan, scan_needed()));
    // Lapsed or scanned: the same question tells which.
    let (state, effect) = step(state, Event::TokenOver);
    assert_eq!((&state, effect), (&EXPORTING, Effect::ExportToken));
    let (state, effect) = step(state, shown());
    assert_eq!((&state, effect), (&State::AwaitingScan, scan_needed()));
    let (state, _) = step(state, Event::TokenOver);
    assert_eq!(step(state, Event::Accepted(user())), complete(user()));
}

#[test]
fn by_a_qr_code_that_an_account_of_another_data_centre_scanned() {
    let elsewhere = || Event::TokenElsewhere { token: token(), dc: 4 };
    let (state, effect) = step(EXPORTING, elsewhere());
    let importing = State::ImportingToken { token: token(), moves: 1 };
    assert_eq!((&state, effect), (&importing, Effect::Move { dc: 4 }));
    let (state, effect) = step(state, Event::Moved);
    assert_eq!((&state, effect), (&importing, Effect::ImportToken(token())));
    assert_eq!(step(state, Event::Accepted(user())), complete(user()));
    let lapsed = step(importing.clone(), refused(400, "AUTH_TOKEN_EXPIRED"));
    assert_eq!(lapsed, (State::ExportingToken { moves: 2 }, Effect::ExportToken));
    let (state, _) = step(State::ExportingToken { moves: 3 }, elsewhere());
    assert_eq!(state, State::Failed, "not in circles");
    let (state, _) = step(
        State::ImportingToken { token: token(), moves: 3 },
        refused(400, "AUTH_TOKEN_EXPIRED"),
    );
    assert_eq!(state, State::Failed);
}

#[test]
fn a_scanned_account_may_have_a_password() {
    for state in [
        EXPORTING,
        State::ImportingToken { token: token(), moves: 1 },
        State::Wondering(Unsure::Scan { moves: 0 }),
    ] {
        let (state, effect) = step(state, refused(401, "SESSION_PASSWORD_NEEDED"));
        assert_eq!(effect, Effect::GetChallenge);
        let (state, effect) = step(state, Event::Challenged(challenge()));
        assert_eq!(effect, password_needed(None));
        let (state, _) = step(state, Event::Password("right".into()));
        assert_eq!(step(state, Event::Accepted(user())), complete(user()));
    }
}

#[test]
fn a_connection_that_breaks_while_a_token_is_asked_for_ends_nothing() {
    let (wondering, effect) = step(EXPORTING, Event::Broken("cut".into()));
    assert_eq!(
        (&wondering, effect),
        (&State::Wondering(Unsure::Scan { moves: 0 }), Effect::WhoAmI)
    );
    assert_eq!(step(wondering.clone(), Event::Accepted(user())), complete(user()));
    let again = (State::ExportingToken { moves: 1 }, Effect::ExportToken);
    assert_eq!(step(wondering.clone(), Event::NotLoggedIn), again);
    let (state, _) = step(wondering, Event::Broken("down".into()));
    assert_eq!(state, State::Failed);
    let (state, _) = step(State::Wondering(Unsure::Scan { moves: 3 }), Event::NotLoggedIn);
    assert_eq!(state, State::Failed, "not in circles");
}

#[test]
fn a_shown_code_may_be_left_for_a_phone_number_or_given_up() {
    let (state, _) = step(State::AwaitingScan, Event::Phone(phone()));
    assert_eq!(state, sending(0));
    let cancelled = (State::Failed, Effect::Fail(LoginError::Cancelled));
    assert_eq!(step(State::AwaitingScan, Event::Cancel), cancelled);
    let (state, effect) = step(State::AwaitingScan, Event::Code("1".into()));
    let unasked = Effect::Fail(LoginError::NotExpected("a code"));
    assert_eq!((state, effect), (State::AwaitingScan, unasked));
}

#[test]
fn the_code_may_be_sent_another_way() {
    let (state, effect) = step(State::AwaitingCode(asked(2)), Event::Resend);
    let resend = Effect::ResendCode { phone: phone(), token: sent(CodeVia::App).token };
    assert_eq!((&state, effect), (&State::Resending(asked(2)), resend));
    let (by_call, effect) = step(state.clone(), Event::CodeSent(sent(CodeVia::Call)));
    let needed =
        LoginProgress::CodeNeeded { via: CodeVia::Call, length: Some(5), next: None, again: None };
    assert_eq!(effect, Effect::Tell(needed));
    assert_eq!(by_call, State::AwaitingCode(CodeAsked { sent: sent(CodeVia::Call), ..asked(2) }));
    let (there, effect) = step(state.clone(), refused(406, "SEND_CODE_UNAVAILABLE"));
    assert_eq!(
        (there, effect),
        (State::AwaitingCode(asked(2)), code_needed(Some(WhyAgain::NoOtherWay)))
    );
    let (_, effect) = step(state.clone(), Event::Broken("cut".into()));
    assert_eq!(effect, code_needed(Some(WhyAgain::Interrupted)));
    let expired = (State::Failed, Effect::Fail(LoginError::CodeExpired));
    assert_eq!(step(state.clone(), refused(400, "PHONE_CODE_EXPIRED")), expired);
    assert_eq!(step(state, Event::Accepted(user())), complete(user()));
}

#[test]
fn no_state_or_effect_shows_a_secret() {
    let (state, effect) = step(State::AwaitingCode(asked(0)), Event::Code("31337".into()));
    let (scanned, shows) = step(EXPORTING, shown());
    let told = format!("{state:?} {effect:?} {scanned:?} {shows:?}");
    for secret in ["31337", "canary-token", "1111", token().expose()] {
        assert!(!told.contains(secret), "{told}");
    }
}

#[test]
fn a_session_that_is_brought_along_is_proven_and_then_saved() {
    let (state, effect) = step(State::New, Event::Adopt);
    assert_eq!((&state, effect), (&State::Adopting, Effect::WhoAmI));
    let (_, effect) = step(state.clone(), Event::Accepted(user()));
    assert_eq!(effect, Effect::Complete(user()));
    let bot = SelfRecord { bot: true, ..user() };
    for (event, error) in [
        (Event::Accepted(bot), LoginError::Foreign(ForeignError::Bot)),
        (Event::NotLoggedIn, LoginError::SessionDead),
        (Event::Broken("cut".to_owned()), LoginError::Unreachable("cut".to_owned())),
    ] {
        assert_eq!(step(state.clone(), event), (State::Failed, Effect::Fail(error)));
    }
    // It is for the beginning of a login only.
    let (_, effect) = step(State::AwaitingScan, Event::Adopt);
    assert_eq!(effect, Effect::Fail(LoginError::NotExpected("a session")));
}
