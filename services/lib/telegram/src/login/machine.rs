//! What a login does next: a pure function from state and event to state and *one* effect. Nothing here waits, sends,
//! or knows a Telegram type, so every cell of it can be tested.

use std::time::Duration;

use super::progress::{CodeVia, LoginError, LoginProgress, NextWay, WhyAgain};
use super::srp::Challenge;
use crate::error::RpcFault;
use crate::foreign::ForeignError;
use crate::secret::{CodeToken, LoginCode, LoginPassword, Phone, QrToken};
use crate::session::SelfRecord;

/// Wrong codes, and wrong passwords, after which the login ends.
pub const TRIES_MAX: u8 = 5;
/// Data centres that one login may be sent to, or times it may be begun anew, before it counts as going in circles.
const MOVES_MAX: u8 = 3;

/// Where a login stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum State {
    #[default]
    New,
    SendingCode {
        phone: Phone,
        moves: u8,
    },
    AwaitingCode(CodeAsked),
    /// Another way is asked for to send the code.
    Resending(CodeAsked),
    SigningIn(CodeAsked),
    /// A token to be shown as a QR code is fetched; or, where the last one was scanned, the login.
    ExportingToken {
        moves: u8,
    },
    /// The account that scanned the token lives in the data centre that we went to.
    ImportingToken {
        token: QrToken,
        moves: u8,
    },
    AwaitingScan,
    /// A login that was made elsewhere has to show that it lives.
    Adopting,
    AskingPassword {
        tries: u8,
        again: Option<WhyAgain>,
        /// A password that is to be checked against the new challenge, since the old one had lapsed.
        retry: Option<LoginPassword>,
    },
    AwaitingPassword {
        challenge: Challenge,
        tries: u8,
    },
    CheckingPassword {
        password: LoginPassword,
        tries: u8,
        retried: bool,
    },
    /// The connection broke while something was checked: is the account logged in or not?
    Wondering(Unsure),
    Completing(SelfRecord),
    Cancelling,
    Done(SelfRecord),
    Failed,
}

/// What was being checked when the connection broke.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unsure {
    Code(CodeAsked),
    Password { tries: u8 },
    Scan { moves: u8 },
}

/// A code that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CodeAsked {
    pub(crate) phone: Phone,
    pub(crate) sent: SentCode,
    pub(crate) tries: u8,
}

/// What Telegram says about a code that it sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SentCode {
    pub(crate) token: CodeToken,
    pub(crate) via: CodeVia,
    pub(crate) length: Option<u32>,
    pub(crate) next: Option<NextWay>,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    // From the person.
    Phone(Phone),
    Qr,
    /// The session was brought along.
    Adopt,
    Code(LoginCode),
    Resend,
    Password(LoginPassword),
    Cancel,
    // From Telegram.
    CodeSent(SentCode),
    Token {
        token: QrToken,
        lives: Duration,
    },
    TokenElsewhere {
        token: QrToken,
        dc: i32,
    },
    /// The token was scanned, or has lapsed: whoever asks for another one learns which.
    TokenOver,
    Moved,
    Accepted(SelfRecord),
    SignUpRequired,
    Unsupported(&'static str),
    Challenged(Challenge),
    NotLoggedIn,
    CodeCancelled,
    Refused(RpcFault),
    /// No answer: whether the request was executed is not known.
    Broken(String),
    // From the store.
    Saved,
    NotSaved(String),
}

/// What is to be done: exactly one thing, whose outcome is the next event; or, for the last two, told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    SendCode(Phone),
    ResendCode { phone: Phone, token: CodeToken },
    ExportToken,
    ImportToken(QrToken),
    Move { dc: i32 },
    SignIn { phone: Phone, sent: SentCode, code: LoginCode },
    GetChallenge,
    CheckPassword { challenge: Challenge, password: LoginPassword },
    WhoAmI,
    Complete(SelfRecord),
    CancelCode { phone: Phone, token: CodeToken },
    Tell(LoginProgress),
    Fail(LoginError),
}

/// The whole of it.
pub(crate) fn step(state: State, event: Event) -> (State, Effect) {
    match (state, event) {
        (
            State::New
            | State::Failed
            | State::AwaitingScan
            | State::AwaitingCode(_)
            | State::AwaitingPassword { .. },
            Event::Phone(phone),
        ) => match phone.digits() {
            Some(_) => send_code(phone, 0),
            None => fail(LoginError::PhoneInvalid),
        },
        (State::SendingCode { phone, .. }, Event::CodeSent(sent)) => {
            ask_code(CodeAsked { phone, sent, tries: 0 }, None)
        }
        (State::SendingCode { phone, moves }, Event::Refused(fault)) => {
            code_refused(phone, moves, fault)
        }
        (State::SendingCode { phone, moves }, Event::Moved) => send_code(phone, moves),
        (State::AwaitingCode(asked), Event::Code(code)) => {
            let (phone, sent) = (asked.phone.clone(), asked.sent.clone());
            (State::SigningIn(asked), Effect::SignIn { phone, sent, code })
        }
        (State::AwaitingCode(asked), Event::Cancel) => {
            (State::Cancelling, Effect::CancelCode { phone: asked.phone, token: asked.sent.token })
        }
        (State::AwaitingCode(asked), Event::Resend) => {
            let (phone, token) = (asked.phone.clone(), asked.sent.token.clone());
            (State::Resending(asked), Effect::ResendCode { phone, token })
        }
        (State::Resending(asked), Event::CodeSent(sent)) => {
            ask_code(CodeAsked { sent, ..asked }, None)
        }
        (State::Resending(asked), Event::Refused(fault)) => resend_refused(asked, fault),
        (State::Resending(asked), Event::Broken(_)) => ask_code(asked, Some(WhyAgain::Interrupted)),
        (State::New | State::Failed | State::AwaitingScan, Event::Qr) => export_token(0),
        (
            State::ExportingToken { .. } | State::ImportingToken { .. },
            Event::Token { token, lives },
        ) => (State::AwaitingScan, Effect::Tell(LoginProgress::ScanNeeded { token, lives })),
        (State::AwaitingScan, Event::TokenOver) => export_token(0),
        (State::ExportingToken { moves }, Event::TokenElsewhere { token, dc })
            if moves < MOVES_MAX =>
        {
            (State::ImportingToken { token, moves: moves + 1 }, Effect::Move { dc })
        }
        (
            State::ExportingToken { .. } | State::ImportingToken { .. },
            Event::TokenElsewhere { .. },
        ) => fail(LoginError::Unreachable("Telegram sends the login in circles".to_owned())),
        (State::ImportingToken { token, moves }, Event::Moved) => {
            (State::ImportingToken { token: token.clone(), moves }, Effect::ImportToken(token))
        }
        (
            State::ExportingToken { moves } | State::ImportingToken { moves, .. },
            Event::Refused(fault),
        ) => token_refused(moves, fault),
        (
            State::ExportingToken { moves } | State::ImportingToken { moves, .. },
            Event::Broken(_),
        ) => (State::Wondering(Unsure::Scan { moves }), Effect::WhoAmI),
        (State::New, Event::Adopt) => (State::Adopting, Effect::WhoAmI),
        (State::Adopting, Event::Accepted(user)) if user.bot => {
            fail(LoginError::Foreign(ForeignError::Bot))
        }
        (State::Adopting, Event::Accepted(user)) => complete(user),
        (State::Adopting, Event::NotLoggedIn) => fail(LoginError::SessionDead),
        (State::SigningIn(asked), Event::Refused(fault)) => sign_in_refused(asked, fault),
        (State::SigningIn(asked), Event::Broken(_)) => {
            (State::Wondering(Unsure::Code(asked)), Effect::WhoAmI)
        }
        (
            State::AskingPassword { tries, retry: Some(password), .. },
            Event::Challenged(challenge),
        ) => (
            State::CheckingPassword { password: password.clone(), tries, retried: true },
            Effect::CheckPassword { challenge, password },
        ),
        (State::AskingPassword { tries, again, retry: None }, Event::Challenged(challenge)) => {
            let hint = challenge.hint.clone();
            (
                State::AwaitingPassword { challenge, tries },
                Effect::Tell(LoginProgress::PasswordNeeded { hint, again }),
            )
        }
        (State::AwaitingPassword { challenge, tries }, Event::Password(password)) => (
            State::CheckingPassword { password: password.clone(), tries, retried: false },
            Effect::CheckPassword { challenge, password },
        ),
        (State::CheckingPassword { password, tries, retried }, Event::Refused(fault)) => {
            password_refused(password, tries, retried, fault)
        }
        (State::CheckingPassword { tries, .. }, Event::Broken(_)) => {
            (State::Wondering(Unsure::Password { tries }), Effect::WhoAmI)
        }
        (State::Wondering(unsure), event) => wonder(unsure, event),
        (
            State::SendingCode { .. }
            | State::Resending(_)
            | State::SigningIn(_)
            | State::ExportingToken { .. }
            | State::ImportingToken { .. }
            | State::CheckingPassword { .. },
            Event::Accepted(user),
        ) => complete(user),
        (State::Completing(user), Event::Saved) => {
            (State::Done(user), Effect::Tell(LoginProgress::Done(user)))
        }
        (State::Completing(user), Event::NotSaved(why)) => {
            (State::Done(user), Effect::Fail(LoginError::NotSaved(why)))
        }
        // A code that can't be cancelled at Telegram lapses by itself.
        (State::Cancelling, _) => fail(LoginError::Cancelled),
        (
            State::New | State::AwaitingScan | State::AwaitingPassword { .. } | State::Failed,
            Event::Cancel,
        ) => fail(LoginError::Cancelled),
        (_, Event::SignUpRequired) => fail(LoginError::NoAccount),
        (_, Event::Unsupported(what)) => fail(LoginError::Unsupported(what)),
        (_, Event::Refused(fault)) => fail(LoginError::Refused(fault)),
        (_, Event::Broken(why)) => fail(LoginError::Unreachable(why)),
        (state, event) => {
            let what = event.name();
            (state, Effect::Fail(LoginError::NotExpected(what)))
        }
    }
}

fn fail(error: LoginError) -> (State, Effect) {
    (State::Failed, Effect::Fail(error))
}

fn complete(user: SelfRecord) -> (State, Effect) {
    (State::Completing(user), Effect::Complete(user))
}

fn send_code(phone: Phone, moves: u8) -> (State, Effect) {
    (State::SendingCode { phone: phone.clone(), moves }, Effect::SendCode(phone))
}

fn ask_code(asked: CodeAsked, again: Option<WhyAgain>) -> (State, Effect) {
    let SentCode { via, length, next, .. } = asked.sent;
    let progress = LoginProgress::CodeNeeded { via, length, next, again };
    (State::AwaitingCode(asked), Effect::Tell(progress))
}

fn export_token(moves: u8) -> (State, Effect) {
    (State::ExportingToken { moves }, Effect::ExportToken)
}

fn token_refused(moves: u8, fault: RpcFault) -> (State, Effect) {
    match fault.name.as_str() {
        "SESSION_PASSWORD_NEEDED" => ask_password(0, None),
        // It lapsed on the way to the other data centre, or Telegram wants to begin anew.
        "AUTH_TOKEN_EXPIRED" | "AUTH_TOKEN_INVALID" | "AUTH_RESTART" if moves < MOVES_MAX => {
            export_token(moves + 1)
        }
        _ => fail(LoginError::Refused(fault)),
    }
}

/// The code that was sent before stays good where there is no other way to send one.
fn resend_refused(asked: CodeAsked, fault: RpcFault) -> (State, Effect) {
    match fault.name.as_str() {
        "SEND_CODE_UNAVAILABLE" => {
            let sent = SentCode { next: None, ..asked.sent };
            ask_code(CodeAsked { sent, ..asked }, Some(WhyAgain::NoOtherWay))
        }
        "PHONE_CODE_EXPIRED" => fail(LoginError::CodeExpired),
        _ => fail(LoginError::Refused(fault)),
    }
}

fn ask_password(tries: u8, again: Option<WhyAgain>) -> (State, Effect) {
    (State::AskingPassword { tries, again, retry: None }, Effect::GetChallenge)
}

fn code_refused(phone: Phone, moves: u8, fault: RpcFault) -> (State, Effect) {
    let dc = fault.value.and_then(|dc| i32::try_from(dc).ok());
    match (fault.code, fault.name.as_str(), dc) {
        (303, _, Some(dc)) if moves < MOVES_MAX => {
            (State::SendingCode { phone, moves: moves + 1 }, Effect::Move { dc })
        }
        (_, "AUTH_RESTART", _) if moves < MOVES_MAX => send_code(phone, moves + 1),
        (_, "PHONE_NUMBER_INVALID", _) => fail(LoginError::PhoneInvalid),
        (_, "PHONE_NUMBER_UNOCCUPIED" | "PHONE_NUMBER_APP_SIGNUP_FORBIDDEN", _) => {
            fail(LoginError::NoAccount)
        }
        _ => fail(LoginError::Refused(fault)),
    }
}

fn sign_in_refused(mut asked: CodeAsked, fault: RpcFault) -> (State, Effect) {
    match fault.name.as_str() {
        "SESSION_PASSWORD_NEEDED" => ask_password(0, None),
        "PHONE_CODE_INVALID" | "PHONE_CODE_EMPTY" => {
            asked.tries += 1;
            if asked.tries >= TRIES_MAX {
                return fail(LoginError::TooManyTries);
            }
            ask_code(asked, Some(WhyAgain::Wrong))
        }
        "PHONE_CODE_EXPIRED" => fail(LoginError::CodeExpired),
        "PHONE_NUMBER_UNOCCUPIED" => fail(LoginError::NoAccount),
        _ => fail(LoginError::Refused(fault)),
    }
}

fn password_refused(
    password: LoginPassword,
    tries: u8,
    retried: bool,
    fault: RpcFault,
) -> (State, Effect) {
    match fault.name.as_str() {
        "PASSWORD_HASH_INVALID" if tries + 1 >= TRIES_MAX => fail(LoginError::TooManyTries),
        "PASSWORD_HASH_INVALID" => ask_password(tries + 1, Some(WhyAgain::Wrong)),
        // Challenges lapse: the same password deserves another one, once.
        "SRP_ID_INVALID" | "SRP_PASSWORD_CHANGED" if !retried => (
            State::AskingPassword { tries, again: None, retry: Some(password) },
            Effect::GetChallenge,
        ),
        _ => fail(LoginError::Refused(fault)),
    }
}

/// The connection broke while a code or a password was checked, and Telegram was asked who we are.
fn wonder(unsure: Unsure, event: Event) -> (State, Effect) {
    match (unsure, event) {
        (_, Event::Accepted(user)) => complete(user),
        (Unsure::Code(_), Event::Refused(fault)) if fault.name == "SESSION_PASSWORD_NEEDED" => {
            ask_password(0, None)
        }
        (Unsure::Password { tries }, Event::Refused(fault))
            if fault.name == "SESSION_PASSWORD_NEEDED" =>
        {
            ask_password(tries, Some(WhyAgain::Interrupted))
        }
        (Unsure::Scan { .. }, Event::Refused(fault)) if fault.name == "SESSION_PASSWORD_NEEDED" => {
            ask_password(0, None)
        }
        (Unsure::Scan { .. }, Event::Broken(why)) => fail(LoginError::Unreachable(why)),
        (Unsure::Scan { moves }, _) if moves < MOVES_MAX => export_token(moves + 1),
        (Unsure::Scan { .. }, _) => {
            fail(LoginError::Unreachable("Telegram does not say whether it was scanned".to_owned()))
        }
        (Unsure::Code(asked), _) => ask_code(asked, Some(WhyAgain::Interrupted)),
        // Not even waiting for the password any more: the code was accepted too long ago.
        (Unsure::Password { .. }, Event::NotLoggedIn) => fail(LoginError::CodeExpired),
        (Unsure::Password { .. }, Event::Refused(fault)) => fail(LoginError::Refused(fault)),
        (Unsure::Password { .. }, Event::Broken(why)) => fail(LoginError::Unreachable(why)),
        (Unsure::Password { tries }, event) => (
            State::Wondering(Unsure::Password { tries }),
            Effect::Fail(LoginError::NotExpected(event.name())),
        ),
    }
}

impl Event {
    /// For the sentence "the login does not wait for … now".
    fn name(&self) -> &'static str {
        match self {
            Self::Phone(_) => "a phone number",
            Self::Qr => "a QR code",
            Self::Adopt => "a session",
            Self::Resend => "another way to send the code",
            Self::Code(_) => "a code",
            Self::Password(_) => "a password",
            Self::Cancel => "its cancelling",
            _ => "such an answer",
        }
    }
}

#[cfg(test)]
#[path = "machine_tests.rs"]
mod tests;
