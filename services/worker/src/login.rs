//! Logging an instance in by phone code and 2FA password. The worker that owns the instance does
//! it, since it makes the auth key; what the login waits for is told by events, and given by
//! orders.

use std::sync::Arc;
use std::time::Duration;

use proto::control::AccountLoggedIn;
use proto::event::{AccountState, EventData, LoginCodeNeeded, LoginFailed, LoginPasswordNeeded};
use proto::fault::code;
use proto::{Fault, InstanceId, UserId};
use store::Lease;
use telegram::login::CodeVia;
use telegram::session::SelfRecord;
use telegram::{
    Account, CallError, Login, LoginCode, LoginError, LoginPassword, LoginProgress, Phone, calls,
};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::answers::Answers;
use crate::keeper::Keeper;
use crate::tenure::Shared;

/// Answers that may wait for a login: people answer one question at a time.
const ANSWERS_MAX: usize = 4;

/// Begins a login.
#[derive(Debug)]
pub struct Start {
    /// Whose account.
    pub phone: Phone,
    /// Told when the login has ended.
    pub done: oneshot::Sender<Result<AccountLoggedIn, Fault>>,
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
}

/// How a login ended.
pub struct LoginOutcome {
    /// The account, logged in and open; none where it failed.
    pub account: Option<LoggedIn>,
}

/// Where an instance's login, if one is under way, is worked on.
#[derive(Default)]
pub struct Desk(Option<Running>);

struct Running {
    login_id: String,
    answers: mpsc::Sender<Answer>,
    task: JoinHandle<LoginOutcome>,
}

impl Desk {
    /// Begins a login, unless one is under way or the account is connected already.
    pub fn begin(&mut self, shared: &Arc<Shared>, lease: &Lease, start: Start, online: bool) {
        let refusal = match (&self.0, online) {
            (_, true) => "the account is connected already",
            (Some(_), _) => "another login of this instance is under way",
            (None, false) => {
                let login_id = Uuid::new_v4().simple().to_string();
                let (answers, given) = mpsc::channel(ANSWERS_MAX);
                let talk = Talk {
                    shared: shared.clone(),
                    instance: lease.instance.clone(),
                    login_id: login_id.clone(),
                    given,
                };
                let keeper = Arc::new(Keeper::new(shared.clone(), lease.clone()));
                let account = shared.telegram.open(None, Vec::new(), keeper);
                let task = tokio::spawn(talk.run(Login::new(account), start));
                self.0 = Some(Running { login_id, answers, task });
                return;
            }
        };
        let _ = start.done.send(Err(Fault::invalid("LOGIN_NOT_POSSIBLE", refusal)));
    }

    /// Passes an answer to the login that asked for it.
    pub async fn answer(&self, answer: Answer) {
        match &self.0 {
            Some(running) if running.login_id == answer.login_id => {
                // A login that has just ended drops the answer, and with it `done`.
                let _ = running.answers.send(answer).await;
            }
            _ => {
                let message = "params.login_id: no such login is under way";
                let _ = answer.done.send(Err(Fault::invalid("LOGIN_NOT_FOUND", message)));
            }
        }
    }

    /// Waits for the login under way to end; for ever, where there is none.
    pub async fn ended(&mut self) -> LoginOutcome {
        let Some(running) = &mut self.0 else { return std::future::pending().await };
        let ended = (&mut running.task).await;
        self.0 = None;
        ended.unwrap_or_else(|error| {
            tracing::error!(%error, "a login broke off");
            LoginOutcome { account: None }
        })
    }

    /// Gives up the login under way, because the tenure ends.
    pub async fn give_up(&mut self) {
        if let Some(running) = self.0.take() {
            running.task.abort();
            let _ = running.task.await;
        }
    }
}

/// The questions and answers of one login.
struct Talk {
    shared: Arc<Shared>,
    instance: InstanceId,
    login_id: String,
    given: mpsc::Receiver<Answer>,
}

impl Talk {
    async fn run(mut self, mut login: Login, start: Start) -> LoginOutcome {
        match self.log_in(&mut login, start.phone.clone()).await {
            Ok(user) => {
                let account = login.account().clone();
                let username = username(&account).await;
                let _ = start.done.send(Ok(AccountLoggedIn {
                    instance: self.instance.clone(),
                    user_id: user.id,
                    username: username.clone(),
                    state: AccountState::Online,
                }));
                LoginOutcome { account: Some(LoggedIn { account, user_id: user.id, username }) }
            }
            Err(fault) => {
                let reason = fault.code.clone();
                self.tell(&LoginFailed { login_id: self.login_id.clone(), reason }).await;
                let _ = login.account().close().await;
                let _ = start.done.send(Err(fault));
                LoginOutcome { account: None }
            }
        }
    }

    async fn log_in(&mut self, login: &mut Login, phone: Phone) -> Result<SelfRecord, Fault> {
        let mut progress = login.start(phone).await.map_err(fault_of)?;
        loop {
            match &progress {
                LoginProgress::Done(user) => return Ok(*user),
                LoginProgress::CodeNeeded { via, .. } => {
                    let (login_id, hint) = (self.login_id.clone(), Some(via_word(*via).to_owned()));
                    let seal_key = self.shared.service_key.public().to_string();
                    self.tell(&LoginCodeNeeded { login_id, seal_key, hint }).await;
                }
                LoginProgress::PasswordNeeded { hint, .. } => {
                    let (login_id, hint) = (self.login_id.clone(), hint.clone());
                    let seal_key = self.shared.service_key.public().to_string();
                    self.tell(&LoginPasswordNeeded { login_id, seal_key, hint }).await;
                }
            }
            progress = self.next(login).await?;
        }
    }

    /// Waits for an answer and hands it to the login. An answer that the login does not wait for
    /// is refused, and the login goes on waiting.
    async fn next(&mut self, login: &mut Login) -> Result<LoginProgress, Fault> {
        let wait = Duration::from_secs(self.shared.config.worker.login_wait_s);
        loop {
            let Ok(Some(answer)) = tokio::time::timeout(wait, self.given.recv()).await else {
                login.cancel().await;
                return Err(Fault::expired("nobody answered the login in time"));
            };
            let progress = match answer.given {
                Given::Code(code) => login.code(code).await,
                Given::Password(password) => login.password(password).await,
                Given::Cancel => {
                    login.cancel().await;
                    let _ = answer.done.send(Ok(()));
                    return Err(fault_of(LoginError::Cancelled));
                }
            };
            match progress {
                Err(error @ LoginError::NotExpected(_)) => {
                    let _ = answer.done.send(Err(fault_of(error)));
                }
                progress => {
                    let _ = answer.done.send(Ok(()));
                    return progress.map_err(fault_of);
                }
            }
        }
    }

    async fn tell<D: EventData>(&self, data: &D) {
        let event_id = Answers::event_id();
        self.shared.answers.tell(event_id, &self.instance, data, |event| event).await;
    }
}

/// The account's name. Where Telegram does not tell it just now, its number is enough.
async fn username(account: &Account) -> Option<String> {
    match calls::myself::me(account).await {
        Ok(me) => me.user.username,
        Err(error) => {
            tracing::warn!(%error, "the account's username is not known");
            None
        }
    }
}

fn via_word(via: CodeVia) -> &'static str {
    match via {
        CodeVia::App => "app",
        CodeVia::Sms => "sms",
        CodeVia::Call => "call",
        CodeVia::MissedCall => "missed_call",
        CodeVia::Email => "email",
        CodeVia::Fragment => "fragment",
    }
}

fn fault_of(error: LoginError) -> Fault {
    let message = error.to_string();
    match error {
        LoginError::PhoneInvalid => Fault::invalid("PHONE_NUMBER_INVALID", message),
        LoginError::NoAccount => Fault::invalid("PHONE_NUMBER_UNOCCUPIED", message),
        LoginError::CodeExpired => Fault::invalid("PHONE_CODE_EXPIRED", message),
        LoginError::TooManyTries => Fault::forbidden("LOGIN_TRIES_TOO_MANY", message),
        LoginError::Unsupported(_) => Fault::forbidden("LOGIN_UNSUPPORTED", message),
        LoginError::NotExpected(_) => Fault::invalid("LOGIN_NOT_EXPECTED", message),
        LoginError::Cancelled => Fault::cancelled(message),
        LoginError::Refused(refused) => telegram::fault::of(&CallError::Rpc(refused)),
        LoginError::Unreachable(_) => Fault::unavailable(code::TELEGRAM_UNAVAILABLE, message),
        LoginError::NotSaved(_) => Fault::unavailable(code::STORE_UNAVAILABLE, message),
    }
}
