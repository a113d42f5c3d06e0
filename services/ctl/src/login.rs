//! `login`: connects an account by a QR code, or by phone number and code, with the 2FA password where it has one; and,
//! for `instance import`, by a login that is there already.
//!
//! The worker logs in; this program only shows the QR code or asks the person, and passes the answers on, each sealed to
//! the service's key, so that no broker, queue or log sees them. The key comes with the answer to `account.get` on our
//! own queue; a different one in an event is not trusted. The QR code's link comes sealed to a key of this login.

mod instance;
mod scan;
mod way;

use std::{path::PathBuf, time::Duration};

use bus::{Bus, Consumption};
use chassis::{
    Secret,
    sealed::{Place, SealKey},
};
use clap::Args;
use proto::{
    CommandResult, Event, EventKind, InstanceId, Status,
    control::{AccountInfo, AccountLoggedIn, LoginAnswer, LoginCancel, method},
    event::{AskedAgain, EventData, LoginCodeNeeded, LoginPasswordNeeded, LoginQr},
};
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout_at};

use self::scan::Scan;
pub use self::way::Way;
use crate::{
    broker::connect,
    exit::{Done, Failure},
    order::{ORDER_TIMEOUT, Orders, read_done, span},
    prompt,
    screen::{GOOD, Screen, paint, plain},
    settings::Settings,
};

/// Typed instead of a code: it is to be sent another way.
const RESEND: &str = "resend";

/// Arguments of `login`.
#[derive(Debug, Args)]
#[command(after_help = "\
A QR code is drawn; scan it in Telegram on a phone that is logged in as the account: Settings > Devices > Link
Desktop Device. It is drawn anew every 30 seconds. With --phone, Telegram sends a code instead.

An instance that does not exist yet is made, and its API key shown at the end, once.

Without a terminal, the phone number (if not given), the code and the password are read as lines from
standard input, each when it is asked for; with --json every step is announced by a line before:
{\"event\":\"account.login.qr\",…,\"url\":\"tg://login?token=…\"}, {\"event\":\"account.login.code_needed\",…} or
{\"event\":\"account.login.password_needed\",…}. The answer \"resend\" to the question for the code has it sent another way.

Examples:
  queuegram login acme-sales
  queuegram login acme-sales --phone +4930123456 --password-file 2fa.txt
  echo 12345 | queuegram login acme-sales --phone +4930123456 --json")]
pub struct LoginArgs {
    /// The instance.
    pub instance: InstanceId,
    /// By a code that Telegram sends to this phone number (with +; asked for if not given), rather than by QR code.
    #[arg(long, value_name = "PHONE", num_args = 0..=1)]
    pub phone: Option<Option<String>>,
    /// File with the account's 2FA password; asked for when needed if not given.
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// Time for the whole login.
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = span)]
    pub timeout: Duration,
}

/// What holds for a login, whichever way it goes.
#[derive(Debug)]
pub struct Terms {
    /// The instance.
    pub instance: InstanceId,
    /// File with the account's 2FA password.
    pub password_file: Option<PathBuf>,
    /// Time for the whole login.
    pub timeout: Duration,
}

/// Connects the account.
pub async fn run(args: LoginArgs, settings: &Settings, screen: Screen) -> Result<Done, Failure> {
    let LoginArgs { instance, phone, password_file, timeout } = args;
    let way = phone.map_or(Way::Qr, Way::Phone);
    connect_by(way, Terms { instance, password_file, timeout }, settings, screen).await
}

/// Connects the account in one of the ways; makes the instance where there is none.
pub async fn connect_by(
    way: Way,
    terms: Terms,
    settings: &Settings,
    screen: Screen,
) -> Result<Done, Failure> {
    let bus = connect(settings).await?;
    let mut orders = Orders::open(bus.clone()).await?;
    let found = instance::find_or_make(&mut orders, &terms.instance, screen).await?;
    let (account, made) = match found {
        Ok(found) => found,
        Err(done) => return Ok(done),
    };
    // A login that is brought along may be another account's: that it is not taken has to be said by the worker.
    if account.state.is_connected() && !way.is_import() {
        screen.put(&account, || format!("{} is connected already", account.instance));
        return Ok(Done::Success);
    }
    let ended = connect_account(way, terms, &account, bus, orders, screen).await;
    // Also after a login that failed: the instance is there, and the key is shown never again.
    if let Some(made) = made {
        made.show(screen);
    }
    ended
}

async fn connect_account(
    way: Way,
    terms: Terms,
    account: &AccountInfo,
    bus: Bus,
    orders: Orders,
    screen: Screen,
) -> Result<Done, Failure> {
    let Some(seal_key) = account.seal_key.as_deref().and_then(|key| key.parse().ok()) else {
        return Err(Failure::Unexpected(anyhow::anyhow!(
            "the worker gave no key to seal answers to"
        )));
    };
    let events = follow(&bus, &terms.instance).await?;
    let scan = Scan::new(screen)?;
    let note = way.note();
    let params = way.params(&terms.instance, &seal_key, &scan).await?;
    let id = orders.send(&terms.instance, method::ACCOUNT_LOGIN, &params, terms.timeout).await?;
    screen.note(note);
    let timeout = terms.timeout;
    let until = Instant::now() + timeout;
    let mut login = Login {
        terms,
        orders,
        answers: Orders::open(bus).await?,
        events,
        seal_key,
        scan,
        screen,
        id,
        login_id: None,
    };
    let ended = tokio::select! {
        ended = timeout_at(until, login.follow()) => ended.unwrap_or_else(|_| Err(login_timed_out(timeout))),
        _ = tokio::signal::ctrl_c() => Err(Failure::Interrupted),
    };
    match ended {
        Ok(result) => finished(&result, screen),
        Err(failure) => {
            login.give_up().await;
            Err(failure)
        }
    }
}

fn login_timed_out(timeout: Duration) -> Failure {
    Failure::NoAnswer {
        what: String::from("the login"),
        waited: humantime::format_duration(timeout).to_string(),
        hint: String::from("try again; --timeout allows for more time"),
    }
}

fn finished(result: &CommandResult, screen: Screen) -> Result<Done, Failure> {
    let account: AccountLoggedIn = match read_done(result, screen)? {
        Ok(account) => account,
        Err(done) => return Ok(done),
    };
    screen.put(result, || {
        let name = account.username.map(|name| plain(&format!(" @{name}"))).unwrap_or_default();
        let online = paint(GOOD, account.state.as_str());
        format!("{} is {online} as user {}{name}", account.instance, account.user_id)
    });
    Ok(Done::Answered(result.status))
}

/// One login under way.
struct Login {
    terms: Terms,
    /// Waits for the login's own result.
    orders: Orders,
    /// Waits for the answers to our answers.
    answers: Orders,
    events: Consumption,
    seal_key: SealKey,
    scan: Scan,
    screen: Screen,
    id: String,
    login_id: Option<String>,
}

impl Login {
    /// Answers what is asked until the login has its result.
    async fn follow(&mut self) -> Result<CommandResult, Failure> {
        loop {
            // Either may come first; dropping the other loses nothing.
            let event = tokio::select! {
                biased;
                result = self.orders.answer(&self.id, self.terms.timeout) => match result? {
                    Some(result) => return Ok(result),
                    None => continue,
                },
                delivery = self.events.next() => {
                    let delivery =
                        delivery.map_err(|lost| bus::BusError::Lost { why: lost.to_string() })?;
                    serde_json::from_slice::<Event>(&delivery.body).ok()
                }
            };
            let Some(event) = event.filter(|event| self.is_ours(event)) else { continue };
            if event.event == EventKind::LoginQr {
                let shown: LoginQr = data(&event)?;
                self.login_id = Some(shown.login_id.clone());
                self.scan.show(&self.terms.instance, &shown)?;
                continue;
            }
            if self.screen.is_json() {
                self.screen.json_line(&event);
            }
            self.scan.clear();
            match event.event {
                EventKind::LoginCodeNeeded => self.give_code(&event).await?,
                EventKind::LoginPasswordNeeded => self.give_password(&event).await?,
                _ => {}
            }
        }
    }

    /// Somebody else may log another instance in, or have given up on an earlier login of this one.
    fn is_ours(&self, event: &Event) -> bool {
        event.instance == self.terms.instance
            && event.command_id.as_ref().is_none_or(|id| id.as_str() == self.id)
    }

    async fn give_code(&mut self, event: &Event) -> Result<(), Failure> {
        let asked: LoginCodeNeeded = data(event)?;
        self.check_key(&asked.seal_key)?;
        self.login_id = Some(asked.login_id.clone());
        let by = asked.hint.map(|hint| format!(" (sent by {})", plain(&hint))).unwrap_or_default();
        self.note_again(asked.again, "that was not the code");
        if let Some(next) = &asked.next {
            let after = asked.next_after_s.filter(|seconds| *seconds > 0);
            let after = after.map(|seconds| format!(", after {seconds} s")).unwrap_or_default();
            self.screen.note(&format!("type {RESEND} to have it sent by {}{after}", plain(next)));
        }
        let typed = prompt::secret(&format!("Code from Telegram{by}: ")).await?;
        if typed.expose().trim() == RESEND {
            let login_id = asked.login_id;
            let again = LoginAnswer { login_id, code: None, password: None, resend: true };
            if !self.answer(&again).await? {
                return Box::pin(self.give_code(event)).await;
            }
            return Ok(());
        }
        // Telegram shows codes as "12-345" in some places.
        let digits: String = typed.expose().chars().filter(char::is_ascii_digit).collect();
        let code = if digits.is_empty() { typed } else { Secret::new(digits) };
        let place = Place::code(self.terms.instance.as_str());
        let code = Some(seal(&self.seal_key, &place, &code)?);
        let answer = LoginAnswer { login_id: asked.login_id, code, password: None, resend: false };
        self.answer(&answer).await.map(drop)
    }

    async fn give_password(&mut self, event: &Event) -> Result<(), Failure> {
        let asked: LoginPasswordNeeded = data(event)?;
        self.check_key(&asked.seal_key)?;
        self.login_id = Some(asked.login_id.clone());
        let hint = asked.hint.filter(|hint| !hint.is_empty());
        let hint = hint.map(|hint| format!(" (hint: {})", plain(&hint))).unwrap_or_default();
        self.note_again(asked.again, "that was not the password");
        let typed = match &self.terms.password_file {
            Some(_) if asked.again == Some(AskedAgain::Wrong) => {
                return Err(Failure::Usage(String::from(
                    "the password in --password-file is wrong",
                )));
            }
            Some(path) => password_from(path)?,
            None => prompt::secret(&format!("2FA password{hint}: ")).await?,
        };
        let place = Place::password(self.terms.instance.as_str());
        let password = Some(seal(&self.seal_key, &place, &typed)?);
        let answer = LoginAnswer { login_id: asked.login_id, code: None, password, resend: false };
        self.answer(&answer).await.map(drop)
    }

    /// The worker asks again after a wrong answer, as often as Telegram lets it.
    fn note_again(&self, again: Option<AskedAgain>, wrong: &str) {
        match again {
            Some(AskedAgain::Wrong) => self.screen.note(wrong),
            Some(AskedAgain::Interrupted) => {
                self.screen.note("the connection to Telegram broke; once more, please");
            }
            Some(AskedAgain::NoOtherWay) => {
                self.screen.note(
                    "Telegram has no other way to send it; the code that was sent still counts",
                );
            }
            None => {}
        }
    }

    /// Sends an answer; false where it was not taken. What came of it is told by the next question or by the login's
    /// result.
    async fn answer(&mut self, answer: &LoginAnswer) -> Result<bool, Failure> {
        let order = method::ACCOUNT_LOGIN_ANSWER;
        let told = self.answers.ask(&self.terms.instance, order, answer, ORDER_TIMEOUT).await?;
        if told.status != Status::Done {
            let message = told.error_message.as_deref().unwrap_or_default();
            self.screen.note(&plain(message));
        }
        Ok(told.status == Status::Done)
    }

    fn check_key(&self, told: &str) -> Result<(), Failure> {
        if told.parse() == Ok(self.seal_key) {
            return Ok(());
        }
        Err(Failure::Unexpected(anyhow::anyhow!(
            "the key to seal answers to changed during the login; nothing was sent"
        )))
    }

    /// Tells the worker that nobody will answer any more. Best effort: the login ends by itself too.
    async fn give_up(&mut self) {
        let Some(login_id) = self.login_id.clone() else { return };
        let params = LoginCancel { login_id };
        let _ = self
            .answers
            .send(&self.terms.instance, method::ACCOUNT_LOGIN_CANCEL, &params, ORDER_TIMEOUT)
            .await;
    }
}

/// Listens to the instance's account events; before the login is begun, so that none is missed.
async fn follow(bus: &Bus, instance: &InstanceId) -> Result<Consumption, Failure> {
    let key = format!("{instance}.account.#");
    Ok(bus.listen(&[(bus.names().events(), key)]).await?)
}

fn seal(key: &SealKey, place: &Place, text: &Secret) -> Result<String, Failure> {
    Ok(key.seal(place, text).map_err(anyhow::Error::from)?)
}

fn data<D: EventData + DeserializeOwned>(event: &Event) -> Result<D, Failure> {
    Ok(serde_json::from_value(event.data.clone())?)
}

fn password_from(path: &std::path::Path) -> Result<Secret, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::Usage(format!("--password-file: {}: {error}", path.display())))?;
    Ok(Secret::new(text.trim_end_matches(['\r', '\n']).to_owned()))
}
