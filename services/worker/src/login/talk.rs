//! The questions and answers of one login.

use std::sync::Arc;
use std::time::Duration;

use chassis::Secret;
use chassis::sealed::Place;
use proto::control::AccountLoggedIn;
use proto::event::{
    AccountState, AskedAgain, EventData, LoginCodeNeeded, LoginFailed, LoginPasswordNeeded, LoginQr,
};
use proto::fault::code;
use proto::{Fault, InstanceId};
use telegram::fault::of_login;
use telegram::login::{CodeVia, WhyAgain};
use telegram::secret::QrToken;
use telegram::session::SelfRecord;
use telegram::{Account, ForeignSession, Gate, Login, LoginError, LoginProgress, Phone, calls};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Answer, Given, LoggedIn, LoginOutcome, Start, Way};
use crate::answers::Answers;
use crate::tenure::Shared;

/// Tokens that another program's login is given to accept: one may lapse, or its answer be lost.
const TOKENS_MAX: u8 = 3;

/// A login under way, and what it is told.
pub(super) struct Talk {
    pub(super) shared: Arc<Shared>,
    pub(super) instance: InstanceId,
    pub(super) login_id: String,
    pub(super) given: mpsc::Receiver<Answer>,
    /// Told what the login waits for.
    pub(super) awaiting: watch::Sender<Option<AccountState>>,
    pub(super) superseded: CancellationToken,
    pub(super) gate: Gate,
}

impl Talk {
    pub(super) async fn run(mut self, mut login: Login, start: Start) -> LoginOutcome {
        match self.log_in(&mut login, &start.way).await {
            Ok(user) => {
                let account = login.account().clone();
                let (username, phone) = names(&account).await;
                let phone = phone.or(match &start.way {
                    Way::Phone(phone) => number(phone),
                    _ => None,
                });
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
                let fault = by_proxy(login.account(), fault);
                let reason = fault.code.clone();
                self.tell(&LoginFailed { login_id: self.login_id.clone(), reason }).await;
                let _ = login.account().close().await;
                let _ = start.done.send(Err(fault));
                LoginOutcome { account: None }
            }
        }
    }

    async fn log_in(&mut self, login: &mut Login, way: &Way) -> Result<SelfRecord, Fault> {
        let begun = match way {
            Way::Phone(phone) => login.start(phone.clone()).await,
            Way::Qr(_) | Way::Accepted(_) => login.start_qr().await,
            Way::TakenOver { .. } => login.adopt().await,
        };
        let mut progress = begun.map_err(|error| of_login(&error))?;
        // Each answer shows that there is somebody; a QR code that lapses does not.
        let mut until = self.patience();
        let mut shown = 0;
        loop {
            match (&progress, way) {
                (LoginProgress::Done(user), _) => return Ok(*user),
                (LoginProgress::ScanNeeded { token, .. }, Way::Accepted(foreign)) => {
                    shown += 1;
                    progress = self.have_accepted(login, foreign, token, shown).await?;
                    continue;
                }
                (asks, _) => self.ask(asks, way).await?,
            }
            progress = loop {
                tokio::select! {
                    () = login.token_over() => {
                        break login.look().await.map_err(|error| of_login(&error))?;
                    }
                    answer = tokio::time::timeout_at(until, self.given.recv()) => {
                        if let Some(progress) = take(login, answer.ok().flatten()).await? {
                            until = self.patience();
                            break progress;
                        }
                    }
                    () = self.superseded.cancelled() => {
                        login.cancel().await;
                        return Err(Fault::cancelled(
                            "a newer login of this instance took its place, or its settings changed",
                        ));
                    }
                }
            };
        }
    }

    /// Has the login of the other program accept the token that a phone would scan.
    async fn have_accepted(
        &self,
        login: &mut Login,
        foreign: &ForeignSession,
        token: &QrToken,
        shown: u8,
    ) -> Result<LoginProgress, Fault> {
        if shown > TOKENS_MAX {
            let message = "Telegram does not say that the session has accepted the login";
            return Err(Fault::unavailable(code::TELEGRAM_UNAVAILABLE, message));
        }
        let accepted = foreign.accept(login.account(), token, self.gate.clone()).await;
        accepted.map_err(|error| of_login(&error))?;
        login.look().await.map_err(|error| of_login(&error))
    }

    fn patience(&self) -> Instant {
        Instant::now() + Duration::from_secs(self.shared.config.worker.login_wait_s)
    }

    /// Tells what the login waits for.
    async fn ask(&self, progress: &LoginProgress, way: &Way) -> Result<(), Fault> {
        let login_id = self.login_id.clone();
        let seal_key = self.shared.service_key.public().to_string();
        match progress {
            LoginProgress::ScanNeeded { token, lives } => {
                let Way::Qr(key) = way else { return Ok(()) };
                let (place, url) = (Place::qr(self.instance.as_str()), Secret::new(token.url()));
                let sealed_url = key.seal(&place, &url).map_err(|error| {
                    Fault::invalid(code::PARAMS_INVALID, format!("params.qr_key: {error}"))
                })?;
                self.awaiting.send_replace(Some(AccountState::AwaitingScan));
                let expires_at = self.shared.clock.now() + *lives;
                self.tell(&LoginQr { login_id, sealed_url, expires_at }).await;
            }
            LoginProgress::CodeNeeded { via, next, again, .. } => {
                self.awaiting.send_replace(Some(AccountState::AwaitingCode));
                self.tell(&LoginCodeNeeded {
                    login_id,
                    seal_key,
                    hint: Some(via_word(*via).to_owned()),
                    next: next.map(|next| via_word(next.via).to_owned()),
                    next_after_s: next.map(|next| next.after_s),
                    again: again.map(asked_again),
                })
                .await;
            }
            LoginProgress::PasswordNeeded { hint, again } => {
                self.awaiting.send_replace(Some(AccountState::AwaitingPassword));
                let (hint, again) = (hint.clone(), again.map(asked_again));
                self.tell(&LoginPasswordNeeded { login_id, seal_key, hint, again }).await;
            }
            LoginProgress::Done(_) => {}
        }
        Ok(())
    }

    async fn tell<D: EventData>(&self, data: &D) {
        let event_id = Answers::event_id();
        self.shared.answers.tell(event_id, &self.instance, data, |event| event).await;
    }
}

/// Hands an answer to the login. None where the login does not wait for such a one: it is refused, and
/// the login goes on waiting.
async fn take(login: &mut Login, answer: Option<Answer>) -> Result<Option<LoginProgress>, Fault> {
    let Some(answer) = answer else {
        login.cancel().await;
        return Err(Fault::expired("nobody answered the login in time"));
    };
    let progress = match answer.given {
        Given::Code(code) => login.code(code).await,
        Given::Resend => login.resend().await,
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
            Ok(None)
        }
        progress => {
            let _ = answer.done.send(Ok(()));
            progress.map(Some).map_err(|error| of_login(&error))
        }
    }
}

/// Where Telegram was not reached because of the account's proxy, that is what is told.
fn by_proxy(account: &Account, fault: Fault) -> Fault {
    match *account.trouble().borrow() {
        Some(trouble) if fault.code == code::TELEGRAM_UNAVAILABLE => {
            Fault::unavailable(trouble.code(), trouble.to_string())
        }
        _ => fault,
    }
}

/// The account's username and phone number, where Telegram tells them just now.
async fn names(account: &Account) -> (Option<String>, Option<String>) {
    match calls::myself::me(account).await {
        Ok(me) => (me.user.username, me.phone.and_then(|phone| number(&phone))),
        Err(error) => {
            tracing::warn!(%error, "the account's username is not known");
            (None, None)
        }
    }
}

fn number(phone: &Phone) -> Option<String> {
    phone.digits().map(|digits| format!("+{digits}"))
}

fn asked_again(why: WhyAgain) -> AskedAgain {
    match why {
        WhyAgain::Wrong => AskedAgain::Wrong,
        WhyAgain::Interrupted => AskedAgain::Interrupted,
        WhyAgain::NoOtherWay => AskedAgain::NoOtherWay,
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
