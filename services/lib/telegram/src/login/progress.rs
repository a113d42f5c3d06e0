//! What a login tells: what it needs next, and why it ended.

use std::time::Duration;

use thiserror::Error;

use crate::error::RpcFault;
use crate::foreign::ForeignError;
use crate::secret::QrToken;
use crate::session::SelfRecord;

/// What the person, or whoever shows the login, is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoginProgress {
    /// Somebody who is logged in as the account has to scan this, as a QR code.
    ScanNeeded {
        /// What the QR code tells.
        token: QrToken,
        /// How long it can be scanned; a new one must be shown then.
        lives: Duration,
    },
    /// The code that Telegram sent is needed.
    CodeNeeded {
        /// How it was sent.
        via: CodeVia,
        /// How many characters it has, where Telegram tells.
        length: Option<u32>,
        /// How it would be sent if it were asked for once more.
        next: Option<NextWay>,
        /// Why it is asked for another time.
        again: Option<WhyAgain>,
    },
    /// The account's two-step-verification password is needed.
    PasswordNeeded {
        /// The hint that its owner wrote.
        hint: Option<String>,
        /// Why it is asked for another time.
        again: Option<WhyAgain>,
    },
    /// Logged in, and saved.
    Done(SelfRecord),
}

/// How a code was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeVia {
    /// As a message in the person's Telegram apps.
    App,
    /// By SMS, also as a word or phrase.
    Sms,
    /// Spoken in a phone call.
    Call,
    /// As the last digits of the number of a missed call.
    MissedCall,
    /// To the e-mail address of the account.
    Email,
    /// To the owner of an anonymous number, on fragment.com.
    Fragment,
}

/// Another way to send a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NextWay {
    /// Which.
    pub via: CodeVia,
    /// Seconds until it may be asked for.
    pub after_s: u32,
}

/// Why something is asked for another time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhyAgain {
    /// It was wrong.
    Wrong,
    /// The connection broke while it was checked.
    Interrupted,
    /// There is no other way to send it.
    NoOtherWay,
}

/// Why a login ended, or why an answer was not taken.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum LoginError {
    /// That can't be a phone number.
    #[error("this can't be a phone number in international form")]
    PhoneInvalid,
    /// Nobody uses Telegram with this number. Accounts are made in Telegram's own apps, not here.
    #[error("there is no Telegram account of this number; make one in a Telegram app first")]
    NoAccount,
    /// The code is too old; the login must begin anew.
    #[error("the code has expired; begin anew")]
    CodeExpired,
    /// Too many wrong codes or passwords; the login must begin anew.
    #[error("too many wrong tries; begin anew")]
    TooManyTries,
    /// Telegram asks for something that only its own apps can do.
    #[error("Telegram wants {0} first, which its own apps can do")]
    Unsupported(&'static str),
    /// The login that was brought along can't be used.
    #[error(transparent)]
    Foreign(#[from] ForeignError),
    /// Telegram ended the login that was brought along, or never knew it.
    #[error(
        "Telegram does not know this session any more: it was logged out, or ended in a Telegram app"
    )]
    SessionDead,
    /// The login does not wait for this now.
    #[error("the login does not wait for {0} now")]
    NotExpected(&'static str),
    /// Ended on request.
    #[error("the login was cancelled")]
    Cancelled,
    /// Telegram refused.
    #[error("Telegram answered {0}")]
    Refused(RpcFault),
    /// Telegram could not be reached, or did not answer.
    #[error("{0}")]
    Unreachable(String),
    /// Logged in, but the session could not be saved; it will be tried again.
    #[error("logged in, but the session could not be saved: {0}")]
    NotSaved(String),
}
