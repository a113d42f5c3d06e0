//! The questions and answers of one login.

use std::sync::Arc;
use std::time::Duration;

use proto::control::AccountLoggedIn;
use proto::event::{
    AccountState, AskedAgain, EventData, LoginCodeNeeded, LoginFailed, LoginPasswordNeeded,
};
use proto::{Fault, InstanceId};
use telegram::fault::of_login;
use telegram::login::{CodeVia, WhyAgain};
use telegram::session::SelfRecord;
use telegram::{Account, Login, LoginError, LoginProgress, Phone, calls};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{Answer, Given, LoggedIn, LoginOutcome, Start};
use crate::answers::Answers;
use crate::tenure::Shared;

/// A login under way, and what it is told.
pub(super) struct Talk {
    pub(super) shared: Arc<Shared>,
    pub(super) instance: InstanceId,
    pub(super) login_id: String,
    pub(super) given: mpsc::Receiver<Answer>,
    pub(super) superseded: CancellationToken,
}

impl Talk {
    pub(super) async fn run(mut self, mut login: Login, start: Start) -> LoginOutcome {
        match self.log_in(&mut login, start.phone.clone()).await {
            Ok(user) => {
                let account = login.account().clone();
                let username = username(&account).await;
                let phone = start.phone.digits().map(|digits| format!("+{digits}"));
                let _ = start.done.send(Ok(AccountLoggedIn {
                    instance: self.instance.clone(),
                    user_id: user.id,
                    username: username.clone(),
                    state: AccountState::Online,
                }));
                LoginOutcome {
                    account: Some(LoggedIn { account, user_id: user.id, username, phone }),
                }
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
        let mut progress = login.start(phone).await.map_err(|error| of_login(&error))?;
        loop {
            match &progress {
                LoginProgress::Done(user) => return Ok(*user),
                LoginProgress::CodeNeeded { via, again, .. } => {
                    let (login_id, hint) = (self.login_id.clone(), Some(via_word(*via).to_owned()));
                    let seal_key = self.shared.service_key.public().to_string();
                    self.tell(&LoginCodeNeeded {
                        login_id,
                        seal_key,
                        hint,
                        again: again.map(asked_again),
                    })
                    .await;
                }
                LoginProgress::PasswordNeeded { hint, again } => {
                    let (login_id, hint) = (self.login_id.clone(), hint.clone());
                    let seal_key = self.shared.service_key.public().to_string();
                    self.tell(&LoginPasswordNeeded {
                        login_id,
                        seal_key,
                        hint,
                        again: again.map(asked_again),
                    })
                    .await;
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
            let answer = tokio::select! {
                answer = tokio::time::timeout(wait, self.given.recv()) => answer,
                () = self.superseded.cancelled() => {
                    login.cancel().await;
                    return Err(Fault::cancelled("a newer login of this instance took its place"));
                }
            };
            let Ok(Some(answer)) = answer else {
                login.cancel().await;
                return Err(Fault::expired("nobody answered the login in time"));
            };
            let progress = match answer.given {
                Given::Code(code) => login.code(code).await,
                Given::Password(password) => login.password(password).await,
                Given::Cancel => {
                    login.cancel().await;
                    let _ = answer.done.send(Ok(()));
                    return Err(of_login(&LoginError::Cancelled));
                }
            };
            match progress {
                Err(error @ LoginError::NotExpected(_)) => {
                    let _ = answer.done.send(Err(of_login(&error)));
                }
                progress => {
                    let _ = answer.done.send(Ok(()));
                    return progress.map_err(|error| of_login(&error));
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

fn asked_again(why: WhyAgain) -> AskedAgain {
    match why {
        WhyAgain::Wrong => AskedAgain::Wrong,
        WhyAgain::Interrupted => AskedAgain::Interrupted,
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
