//! Carries the login machine's effects out: one Telegram request each.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use grammers_tl_types as tl;
use tokio::time::{Instant, timeout_at};

use super::machine::{Effect, Event, SentCode, State, step};
use super::progress::{CodeVia, LoginError, LoginProgress, NextWay};
use super::srp::{Challenge, ChallengeError};
use crate::account::Account;
use crate::calls::myself;
use crate::error::CallError;
use crate::peers::user_peer;
use crate::presence::Application;
use crate::secret::{CodeToken, LoginCode, LoginPassword, Phone, QrToken};
use crate::session::SelfRecord;
use crate::verdict::verdict;

/// A token that lives shorter would be shown for nobody.
const TOKEN_LIFE_MIN: Duration = Duration::from_secs(5);
/// Telegram has a new token shown every thirty seconds: <https://core.telegram.org/api/qr-login>.
const TOKEN_LIFE_MAX: Duration = Duration::from_secs(30);

/// A login under way. It belongs to one open [`Account`], which is logged in when it says [`LoginProgress::Done`].
///
/// Dropping it forgets the login; Telegram's code then lapses by itself. Only one login of an account at a time.
pub struct Login {
    account: Account,
    state: State,
    /// When the token that is shown can't be scanned any more.
    lapses_at: Instant,
}

impl Login {
    /// Nothing is sent yet.
    pub fn new(account: Account) -> Self {
        Self { account, state: State::New, lapses_at: Instant::now() }
    }

    /// The account that is being logged in.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// Asks Telegram to send a code. May be called again for another code, or another number, while one is awaited.
    pub async fn start(&mut self, phone: Phone) -> Result<LoginProgress, LoginError> {
        self.run(Event::Phone(phone)).await
    }

    /// Asks Telegram for a token that the person scans as a QR code. When that has happened, or the token can't be
    /// scanned any more ([`Login::token_over`]), [`Login::look`] tells what comes next.
    pub async fn start_qr(&mut self) -> Result<LoginProgress, LoginError> {
        self.run(Event::Qr).await
    }

    /// Waits until the QR code was scanned, or has lapsed; for ever, where none is shown.
    pub async fn token_over(&self) {
        if !matches!(self.state, State::AwaitingScan) {
            return std::future::pending().await;
        }
        let scanned = self.account.link().scanned();
        // Telegram says so at once; where that is lost with a connection, the next token tells.
        let _ = timeout_at(self.lapses_at, scanned.notified()).await;
    }

    /// What comes after a QR code: a new one, the password, or that all is done.
    pub async fn look(&mut self) -> Result<LoginProgress, LoginError> {
        self.run(Event::TokenOver).await
    }

    /// Goes on with the session that the account was opened with: one that was made elsewhere. It is proven first, and
    /// nobody is logged in before.
    pub async fn adopt(&mut self) -> Result<LoginProgress, LoginError> {
        self.run(Event::Adopt).await
    }

    /// Has the code sent in another way, where there is one.
    pub async fn resend(&mut self) -> Result<LoginProgress, LoginError> {
        self.run(Event::Resend).await
    }

    /// The code that the person received. After a wrong one it may be called again, see [`LoginProgress::CodeNeeded`].
    pub async fn code(&mut self, code: LoginCode) -> Result<LoginProgress, LoginError> {
        self.run(Event::Code(code)).await
    }

    /// The account's password. After a wrong one it may be called again, see [`LoginProgress::PasswordNeeded`].
    pub async fn password(&mut self, password: LoginPassword) -> Result<LoginProgress, LoginError> {
        self.run(Event::Password(password)).await
    }

    /// Ends the login: the code that was sent is worth nothing afterwards.
    pub async fn cancel(&mut self) {
        // Its only outcome is "cancelled".
        let _ = self.run(Event::Cancel).await;
    }

    /// True after which only [`Login::start`] makes sense, or nothing.
    pub fn is_over(&self) -> bool {
        matches!(self.state, State::Done(_) | State::Failed)
    }

    async fn run(&mut self, event: Event) -> Result<LoginProgress, LoginError> {
        let mut event = event;
        loop {
            let (state, effect) = step(std::mem::take(&mut self.state), event);
            self.state = state;
            event = match effect {
                Effect::Tell(progress) => {
                    if let LoginProgress::ScanNeeded { lives, .. } = &progress {
                        self.lapses_at = Instant::now() + *lives;
                    }
                    return Ok(progress);
                }
                Effect::Fail(error) => return Err(error),
                work => self.perform(work).await,
            };
        }
    }

    async fn perform(&self, effect: Effect) -> Event {
        match effect {
            Effect::SendCode(phone) => self.send_code(&phone).await,
            Effect::ResendCode { phone, token } => self.resend_code(&phone, &token).await,
            Effect::ExportToken => self.export_token().await,
            Effect::ImportToken(token) => {
                let request = tl::functions::auth::ImportLoginToken { token: token.bytes() };
                login_token(self.account.invoke(&request).await)
            }
            Effect::Move { dc } => {
                self.account.link().migrate(dc).await;
                Event::Moved
            }
            Effect::SignIn { phone, sent, code } => {
                authorized(self.account.invoke(&sign_in(&phone, &sent, &code)).await)
            }
            Effect::GetChallenge => self.get_challenge().await,
            Effect::CheckPassword { challenge, password } => {
                self.check_password(challenge, password).await
            }
            Effect::WhoAmI => self.who_am_i().await,
            Effect::Complete(user) => self.complete(user).await,
            Effect::CancelCode { phone, token } => {
                let request = tl::functions::auth::CancelCode {
                    phone_number: phone.digits().unwrap_or_default(),
                    phone_code_hash: token.expose().to_owned(),
                };
                match self.account.invoke(&request).await {
                    Ok(_) => Event::CodeCancelled,
                    Err(error) => failed(error),
                }
            }
            // The two that `run` hands out itself.
            Effect::Tell(_) | Effect::Fail(_) => Event::Cancel,
        }
    }

    async fn send_code(&self, phone: &Phone) -> Event {
        let application = &self.account.presence().application;
        let request = tl::functions::auth::SendCode {
            phone_number: phone.digits().unwrap_or_default(),
            api_id: application.api_id,
            api_hash: application_secret(application),
            settings: tl::types::CodeSettings {
                allow_flashcall: false,
                current_number: false,
                allow_app_hash: false,
                allow_missed_call: false,
                allow_firebase: false,
                unknown_number: false,
                logout_tokens: None,
                token: None,
                app_sandbox: None,
            }
            .into(),
        };
        code_answer(self.account.invoke(&request).await)
    }

    async fn resend_code(&self, phone: &Phone, token: &CodeToken) -> Event {
        let request = tl::functions::auth::ResendCode {
            phone_number: phone.digits().unwrap_or_default(),
            phone_code_hash: token.expose().to_owned(),
            reason: None,
        };
        code_answer(self.account.invoke(&request).await)
    }

    async fn export_token(&self) -> Event {
        let application = &self.account.presence().application;
        let request = tl::functions::auth::ExportLoginToken {
            api_id: application.api_id,
            api_hash: application_secret(application),
            except_ids: Vec::new(),
        };
        login_token(self.account.invoke(&request).await)
    }

    async fn get_challenge(&self) -> Event {
        match self.account.invoke(&tl::functions::account::GetPassword {}).await {
            Ok(password) => match Challenge::read(password) {
                Ok(challenge) => Event::Challenged(challenge),
                // Taken away meanwhile: then the code suffices.
                Err(ChallengeError::NoPassword) => self.who_am_i().await,
                Err(ChallengeError::Unusable) => Event::Unsupported("another kind of password"),
            },
            Err(error) => failed(error),
        }
    }

    async fn check_password(&self, challenge: Challenge, password: LoginPassword) -> Event {
        let mut secret = [0; 256];
        if getrandom::fill(&mut secret).is_err() {
            return Event::Broken("no randomness".to_owned());
        }
        let proof = tokio::task::spawn_blocking(move || challenge.prove(&password, secret)).await;
        let Ok(password) = proof else {
            return Event::Unsupported("another kind of password");
        };
        authorized(self.account.invoke(&tl::functions::auth::CheckPassword { password }).await)
    }

    async fn who_am_i(&self) -> Event {
        match myself::me(&self.account).await {
            Ok(me) => Event::Accepted(SelfRecord {
                id: me.user.id,
                access_hash: me.user.access_hash,
                bot: me.user.bot,
            }),
            Err(error) if is_nobody(&error) => Event::NotLoggedIn,
            Err(error) => failed(error),
        }
    }

    /// Enters who is logged in and where they are in the stream of updates, and has both saved: a login that is not
    /// saved is lost with the process.
    async fn complete(&self, user: SelfRecord) -> Event {
        // Without the mark the stream begins at "now" when it is first read.
        if let Ok(mark) = myself::update_mark(&self.account).await {
            self.account.session().set_mark(mark);
        }
        self.account.session().set_user(user);
        match self.account.save().await {
            Ok(()) => Event::Saved,
            Err(error) => Event::NotSaved(error.to_string()),
        }
    }
}

/// Empty where it is not known: Telegram refuses that then.
fn application_secret(application: &Application) -> String {
    application.api_hash.as_ref().map(|hash| hash.expose().to_owned()).unwrap_or_default()
}

/// Whether Telegram says that nobody is logged in with this key. That a password is wanted yet is another thing.
fn is_nobody(error: &CallError) -> bool {
    verdict(error).ends_session() && !error.is("SESSION_PASSWORD_NEEDED")
}

/// A code that came by e-mail is given in another field than any other.
fn sign_in(phone: &Phone, sent: &SentCode, code: &LoginCode) -> tl::functions::auth::SignIn {
    let code = code.expose().trim().to_owned();
    let (phone_code, email_verification) = match sent.via {
        CodeVia::Email => (None, Some(tl::types::EmailVerificationCode { code }.into())),
        _ => (Some(code), None),
    };
    tl::functions::auth::SignIn {
        phone_number: phone.digits().unwrap_or_default(),
        phone_code_hash: sent.token.expose().to_owned(),
        phone_code,
        email_verification,
    }
}

fn authorized(answer: Result<tl::enums::auth::Authorization, CallError>) -> Event {
    match answer {
        Ok(tl::enums::auth::Authorization::Authorization(authorization)) => {
            match user_peer(&authorization.user) {
                Some(user) => Event::Accepted(SelfRecord {
                    id: user.id,
                    access_hash: user.access_hash,
                    bot: user.bot,
                }),
                None => Event::Broken("Telegram did not say who is logged in".to_owned()),
            }
        }
        Ok(tl::enums::auth::Authorization::SignUpRequired(_)) => Event::SignUpRequired,
        Err(error) => failed(error),
    }
}

fn code_answer(answer: Result<tl::enums::auth::SentCode, CallError>) -> Event {
    match answer {
        Ok(tl::enums::auth::SentCode::Code(sent)) => sent_code(sent),
        Ok(tl::enums::auth::SentCode::Success(success)) => authorized(Ok(success.authorization)),
        Ok(tl::enums::auth::SentCode::PaymentRequired(_)) => Event::Unsupported("a payment"),
        Err(error) => failed(error),
    }
}

fn login_token(answer: Result<tl::enums::auth::LoginToken, CallError>) -> Event {
    use tl::enums::auth::LoginToken as Answer;
    match answer {
        Ok(Answer::Token(shown)) => {
            Event::Token { token: QrToken::from_bytes(&shown.token), lives: life(shown.expires) }
        }
        Ok(Answer::MigrateTo(there)) => {
            Event::TokenElsewhere { token: QrToken::from_bytes(&there.token), dc: there.dc_id }
        }
        Ok(Answer::Success(success)) => authorized(Ok(success.authorization)),
        Err(error) => failed(error),
    }
}

/// How long a token can be scanned, by a clock that may differ from Telegram's by some seconds.
fn life(expires: i32) -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let left = u64::try_from(expires).unwrap_or_default().saturating_sub(now.as_secs());
    Duration::from_secs(left).clamp(TOKEN_LIFE_MIN, TOKEN_LIFE_MAX)
}

fn failed(error: CallError) -> Event {
    match error {
        CallError::Rpc(fault) => Event::Refused(fault),
        other => Event::Broken(other.to_string()),
    }
}

fn sent_code(sent: tl::types::auth::SentCode) -> Event {
    use tl::enums::auth::SentCodeType as Type;
    let (via, length) = match sent.r#type {
        Type::App(sent) => (CodeVia::App, Some(sent.length)),
        Type::Sms(sent) => (CodeVia::Sms, Some(sent.length)),
        Type::SmsWord(_) | Type::SmsPhrase(_) => (CodeVia::Sms, None),
        Type::FirebaseSms(sent) => (CodeVia::Sms, Some(sent.length)),
        Type::Call(sent) => (CodeVia::Call, Some(sent.length)),
        Type::FlashCall(_) => (CodeVia::MissedCall, None),
        Type::MissedCall(sent) => (CodeVia::MissedCall, Some(sent.length)),
        Type::EmailCode(sent) => (CodeVia::Email, Some(sent.length)),
        Type::FragmentSms(sent) => (CodeVia::Fragment, Some(sent.length)),
        Type::SetUpEmailRequired(_) => return Event::Unsupported("an e-mail address"),
    };
    Event::CodeSent(SentCode {
        token: CodeToken::new(sent.phone_code_hash),
        via,
        length: length.and_then(|length| u32::try_from(length).ok()),
        next: sent.next_type.map(|next| next_way(&next, sent.timeout)),
    })
}

fn next_way(next: &tl::enums::auth::CodeType, timeout: Option<i32>) -> NextWay {
    use tl::enums::auth::CodeType as Type;
    let via = match next {
        Type::Sms => CodeVia::Sms,
        Type::Call => CodeVia::Call,
        Type::FlashCall | Type::MissedCall => CodeVia::MissedCall,
        Type::FragmentSms => CodeVia::Fragment,
    };
    let after_s = timeout.and_then(|timeout| u32::try_from(timeout).ok()).unwrap_or(0);
    NextWay { via, after_s }
}
