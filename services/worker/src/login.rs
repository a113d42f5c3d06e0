//! Logging an instance in, by QR code, by phone number and code, or by a login that is there already,
//! with the 2FA password. The worker that owns the instance does it, since it makes the auth key; what
//! the login waits for is told by events, and given by orders.

mod talk;

use std::sync::Arc;

use chassis::sealed::SealKey;
use proto::control::AccountLoggedIn;
use proto::event::AccountState;
use proto::fault::code;
use proto::{Fault, UserId};
use store::Lease;
use telegram::{
    Account, ForeignSession, Gate, Login, LoginCode, LoginError, LoginPassword, Phone, Presence,
    SessionRecord, SessionSink,
};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use self::talk::Talk;
use crate::keeper::{Keeper, OnceProven};
use crate::tenure::Shared;

/// Answers that may wait for a login: people answer one question at a time.
const ANSWERS_MAX: usize = 4;

/// Begins a login.
#[derive(Debug)]
pub struct Start {
    /// How.
    pub way: Way,
    /// Told when the login has ended.
    pub done: oneshot::Sender<Result<AccountLoggedIn, Fault>>,
}

impl Start {
    /// Answers that a stopped account is not logged in.
    pub fn refuse_stopped(self) {
        let message = "the account is stopped; start it first";
        let _ = self.done.send(Err(Fault::invalid(code::LOGIN_NOT_POSSIBLE, message)));
    }
}

/// The ways to log in.
#[derive(Debug, Clone)]
pub enum Way {
    /// By the account's phone number and the code that Telegram sends.
    Phone(Phone),
    /// By a QR code, whose link is sealed to this key.
    Qr(SealKey),
    /// By a login of another program, which accepts ours.
    Accepted(ForeignSession),
    /// By a login that becomes the instance's own.
    TakenOver {
        /// The login.
        session: Box<SessionRecord>,
        /// It was the instance's own before.
        from_backup: bool,
    },
}

/// What a login waits for.
#[derive(Debug)]
pub struct Answer {
    /// The login that asked.
    pub login_id: String,
    /// The answer itself.
    pub given: Given,
    /// Told when the login has taken it.
    pub done: oneshot::Sender<Result<(), Fault>>,
}

/// An answer to a login's question.
#[derive(Debug)]
pub enum Given {
    /// The code that Telegram sent.
    Code(LoginCode),
    /// The code is to be sent another way.
    Resend,
    /// The account's 2FA password.
    Password(LoginPassword),
    /// The login is given up.
    Cancel,
}

/// Who is logged in.
pub struct LoggedIn {
    /// The account, open.
    pub account: Account,
    /// Its number.
    pub user_id: UserId,
    /// Its username, without `@`.
    pub username: Option<String>,
    /// Its phone number, with `+`.
    pub phone: Option<String>,
}

/// What there is to tell of a login.
pub enum News {
    /// It waits for this.
    Awaits(AccountState),
    /// It has ended.
    Ended(LoginOutcome),
}

/// How a login ended.
pub struct LoginOutcome {
    /// The account, logged in and open; none where it failed.
    pub account: Option<LoggedIn>,
}

/// Where an instance's login, if one is under way, is worked on.
#[derive(Default)]
pub struct Desk {
    running: Option<Running>,
    /// Begins when the one under way has ended.
    next: Option<Start>,
}

struct Running {
    login_id: String,
    answers: mpsc::Sender<Answer>,
    superseded: CancellationToken,
    awaits: watch::Receiver<Option<AccountState>>,
    task: JoinHandle<LoginOutcome>,
}

impl Desk {
    /// Begins a login, unless the account is connected already. One that is under way is given up
    /// for it: whoever began that one may be gone, and nobody else knows its id.
    pub fn begin(
        &mut self,
        shared: &Arc<Shared>,
        lease: &Lease,
        gate: &Gate,
        presence: Presence,
        start: Start,
        online: bool,
    ) {
        if online {
            let fault =
                Fault::invalid(code::LOGIN_NOT_POSSIBLE, "the account is connected already");
            let _ = start.done.send(Err(fault));
            return;
        }
        if let Some(running) = &self.running {
            running.superseded.cancel();
            if let Some(late) = self.next.replace(start) {
                let _ = late.done.send(Err(telegram::fault::of_login(&LoginError::Cancelled)));
            }
            return;
        }
        let login_id = Uuid::new_v4().simple().to_string();
        let (answers, given) = mpsc::channel(ANSWERS_MAX);
        let superseded = CancellationToken::new();
        let (awaiting, awaits) = watch::channel(None);
        let talk = Talk {
            shared: shared.clone(),
            instance: lease.instance.clone(),
            login_id: login_id.clone(),
            given,
            awaiting,
            superseded: superseded.clone(),
            gate: gate.clone(),
        };
        let keeper = Keeper::new(shared.clone(), lease.clone());
        let (session, sink): (_, Arc<dyn SessionSink>) = match &start.way {
            Way::TakenOver { session, .. } => {
                (Some((**session).clone()), Arc::new(OnceProven(keeper)))
            }
            _ => (None, Arc::new(keeper)),
        };
        let account = shared.telegram.open_as(presence, session, Vec::new(), sink, gate.clone());
        let task = tokio::spawn(talk.run(Login::new(account), start));
        self.running = Some(Running { login_id, answers, superseded, awaits, task });
    }

    /// Passes an answer to the login that asked for it.
    pub async fn answer(&self, answer: Answer) {
        match &self.running {
            Some(running) if running.login_id == answer.login_id => {
                // A login that has just ended drops the answer, and with it `done`.
                let _ = running.answers.send(answer).await;
            }
            _ => {
                let message = "params.login_id: no such login is under way";
                let _ = answer.done.send(Err(Fault::invalid(code::LOGIN_NOT_FOUND, message)));
            }
        }
    }

    /// Waits for news of the login under way; for ever, where there is none.
    pub async fn news(&mut self) -> News {
        let Some(running) = &mut self.running else { return std::future::pending().await };
        let ended = loop {
            tokio::select! {
                biased;
                Ok(()) = running.awaits.changed() => {
                    if let Some(state) = *running.awaits.borrow_and_update() {
                        return News::Awaits(state);
                    }
                }
                ended = &mut running.task => break ended,
            }
        };
        self.running = None;
        News::Ended(ended.unwrap_or_else(|error| {
            tracing::error!(%error, "a login broke off");
            LoginOutcome { account: None }
        }))
    }

    /// Gives up the login under way, if there is one: what it would lead to is no longer wanted so.
    pub fn supersede(&self) {
        if let Some(running) = &self.running {
            running.superseded.cancel();
        }
    }

    /// The login that was asked for while another one was under way.
    pub fn waiting(&mut self) -> Option<Start> {
        self.next.take()
    }

    /// Gives up the login under way, because the tenure ends.
    pub async fn give_up(&mut self) {
        self.next = None;
        if let Some(running) = self.running.take() {
            running.task.abort();
            let _ = running.task.await;
        }
    }
}
