//! What a login does next: a pure function from state and event to state and *one* effect. Nothing here waits, sends,
//! or knows a Telegram type, so every cell of it can be tested.

use super::progress::{CodeVia, LoginError, LoginProgress, WhyAgain};
use super::srp::Challenge;
use crate::error::RpcFault;
use crate::secret::{CodeToken, LoginCode, LoginPassword, Phone};
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
    SigningIn(CodeAsked),
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
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    // From the person.
    Phone(Phone),
    Code(LoginCode),
    Password(LoginPassword),
    Cancel,
    // From Telegram.
    CodeSent(SentCode),
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
            State::New | State::Failed | State::AwaitingCode(_) | State::AwaitingPassword { .. },
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
            State::SendingCode { .. } | State::SigningIn(_) | State::CheckingPassword { .. },
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
        (State::New | State::AwaitingPassword { .. } | State::Failed, Event::Cancel) => {
            fail(LoginError::Cancelled)
        }
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
    let progress =
        LoginProgress::CodeNeeded { via: asked.sent.via, length: asked.sent.length, again };
    (State::AwaitingCode(asked), Effect::Tell(progress))
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
