//! `instance`: the connected accounts, as orders to whichever worker has or takes them.

mod add;
mod change;
mod export;
mod identity;
mod import;
mod words;

use std::path::PathBuf;

use clap::Subcommand;
use proto::{
    InstanceId, MethodName,
    control::{
        AccountInfo, AccountLimits, AccountList, AccountRemove, AccountRemoved, NoParams, method,
    },
    time,
};
use serde_json::json;

use self::add::{AddArgs, add};
use self::change::{SetArgs, new_key, set};
use self::export::export;
use self::import::{ImportArgs, import};
pub use self::words::state_word;
use self::words::words_of;
use crate::{
    broker::connect,
    exit::{Done, Failure},
    limits::{self, LimitsArgs},
    order::{ORDER_TIMEOUT, Orders, read_done},
    pause, prompt,
    screen::{Screen, plain},
    settings::Settings,
    table::table,
};

/// What can be done with instances.
#[derive(Debug, Subcommand)]
pub enum InstanceAction {
    /// Make a new instance; prints its id and its API key, once.
    #[command(after_help = "\
The API key is made here and only its SHA-256 is sent: nobody can show it to you again.

How the account presents itself to Telegram, and by which application, is fixed at its first login. An api_hash and
a proxy's password are read from the terminal without echo, or as lines of standard input (api_hash first); never from
the arguments. They go to the worker sealed.

Examples:
  queuegram instance add acme-sales --label 'Acme sales' --require-api-key --notify https://ops.example.org/telegram
  queuegram instance add acme-sales --device-model 'Acme CRM' --lang de --proxy socks5://acme@proxy.example:1080")]
    Add(AddArgs),
    /// List all instances and how they stand.
    List,
    /// Show one instance.
    Show {
        /// Its id.
        instance: InstanceId,
    },
    /// Change an instance's settings, its proxy, and, before its first login, how it presents itself.
    #[command(after_help = "\
What is not named stays; an empty text takes a label, the tags or notes away.

With another proxy the account is connected anew at once; where the proxy lets nothing through it stays `connecting`,
and never goes past it. Device, language and application can be changed only before the first login. An api_hash and a
proxy's password are read from the terminal without echo, or as lines of standard input (api_hash first).

Examples:
  queuegram instance set acme-sales --label 'Acme sales' --tag north --tag key-account --require-api-key on
  queuegram instance set acme-sales --proxy socks5://acme@proxy.example:1080 < password.txt
  queuegram instance set acme-sales --proxy none")]
    Set(SetArgs),
    /// Make a new API key for an instance; prints it, once.
    #[command(after_help = "\
Without --keep-old every other key ends at once. With it the last one stays good beside the new one, so that
callers can change over; two are live at most.

Example:
  queuegram instance key acme-sales --keep-old --methods group.create,group.rename")]
    Key {
        /// Its id.
        instance: InstanceId,
        /// Keep the last key beside the new one.
        #[arg(long)]
        keep_old: bool,
        /// The methods that it is good for; all, if not given.
        #[arg(long, value_delimiter = ',', value_name = "METHOD")]
        methods: Vec<MethodName>,
    },
    /// Disconnect an instance until it is started again; its login and settings stay, its commands wait.
    Stop {
        /// Its id.
        instance: InstanceId,
    },
    /// Connect a stopped instance again.
    Start {
        /// Its id.
        instance: InstanceId,
    },
    /// Tell when a command of a method could be carried out.
    #[command(after_help = "\
Example:
  queuegram instance forecast acme-sales group.create")]
    Forecast {
        /// The instance.
        instance: InstanceId,
        /// The method, such as group.create.
        method: String,
    },
    /// Show or change how often an instance may call Telegram.
    #[command(after_help = "\
Without a change it shows each class's budget, what of it is used, and what is shut. A change holds at
once and stays over restarts.

Examples:
  queuegram instance limits acme-sales
  queuegram instance limits acme-sales --set create=20m,burst=1,per-day=10
  queuegram instance limits acme-sales --reset create --warm-up off")]
    Limits(LimitsArgs),
    /// Connect an account with the login that another program has of it, or with a backup.
    #[command(after_help = "\
A session string of Telethon or Pyrogram is read from the terminal without echo, or as a line of standard input;
never from the arguments. It goes to the worker sealed.

Without --take-over the session accepts a new login, as a phone does that scans a QR code, and stays what it was.
Stop the program that uses it until that is done (a few seconds): Telegram ends a login that two programs use at once.

With --take-over the session itself becomes the instance's, and the other program must never use it again. --backup
does the same with a file of `instance export`, for the instance of the same id, with the same vault's key; whatever
runs on that login must be stopped. Both ask first, or need --yes.

An instance that does not exist yet is made, and its API key shown at the end, once.

Examples:
  queuegram instance import acme-sales < session.txt
  queuegram instance import acme-sales --take-over --yes < session.txt
  queuegram instance import acme-sales --backup acme-sales.login")]
    Import(ImportArgs),
    /// Write a backup of an instance's login into a file.
    #[command(after_help = "\
The file is sealed with the vault's key: without that key it is useless, with it whoever has the file is the account.
It is good until Telegram ends the login. `instance import --backup` puts it back, into an instance of the same id.

Example:
  queuegram instance export acme-sales --out acme-sales.login")]
    Export {
        /// Its id.
        instance: InstanceId,
        /// The file to write; it must not exist.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Log an instance out at Telegram and forget everything about it.
    Remove {
        /// Its id.
        instance: InstanceId,
        /// Don't ask.
        #[arg(long, short)]
        yes: bool,
    },
}

/// Does it.
pub async fn run(
    action: InstanceAction,
    settings: &Settings,
    screen: Screen,
) -> Result<Done, Failure> {
    match action {
        InstanceAction::Add(args) => add(&args, settings, screen).await,
        InstanceAction::List => list(settings, screen).await,
        InstanceAction::Show { instance } => show(&instance, settings, screen).await,
        InstanceAction::Set(args) => set(&args, settings, screen).await,
        InstanceAction::Key { instance, keep_old, methods } => {
            new_key(&instance, keep_old, methods, settings, screen).await
        }
        InstanceAction::Stop { instance } => {
            switch(&instance, method::ACCOUNT_STOP, settings, screen).await
        }
        InstanceAction::Start { instance } => {
            switch(&instance, method::ACCOUNT_START, settings, screen).await
        }
        InstanceAction::Forecast { instance, method } => {
            limits::forecast(&instance, &method, settings, screen).await
        }
        InstanceAction::Limits(args) => limits::run(args, settings, screen).await,
        InstanceAction::Import(args) => import(args, settings, screen).await,
        InstanceAction::Export { instance, out } => export(&instance, &out, settings, screen).await,
        InstanceAction::Remove { instance, yes } => {
            if !yes {
                confirm(&instance).await?;
            }
            remove(&instance, settings, screen).await
        }
    }
}

async fn list(settings: &Settings, screen: Screen) -> Result<Done, Failure> {
    let mut orders = Orders::open(connect(settings).await?).await?;
    let every = InstanceId::every();
    let answer = orders.ask(&every, method::ACCOUNT_LIST, &NoParams {}, ORDER_TIMEOUT).await?;
    let list: AccountList = match read_done(&answer, screen)? {
        Ok(list) => list,
        Err(done) => return Ok(done),
    };
    screen.put(&list.accounts, || {
        if list.accounts.is_empty() {
            return String::from("no instance yet: queuegram instance add ID");
        }
        let rows = list.accounts.iter().map(|account| {
            vec![
                account.instance.to_string(),
                state_word(account.state),
                pause::in_short(&account.pauses),
                account
                    .username
                    .as_ref()
                    .map_or_else(String::new, |name| plain(&format!("@{name}"))),
                account.user_id.map_or_else(String::new, |id| id.to_string()),
                account.label.as_deref().map(plain).unwrap_or_default(),
                account.since.map(time::format).unwrap_or_default(),
                account.reason.as_deref().map(plain).unwrap_or_default(),
            ]
        });
        table(
            &["INSTANCE", "STATE", "PAUSED", "USERNAME", "USER ID", "LABEL", "SINCE", "REASON"],
            rows,
        )
    });
    Ok(Done::Success)
}

async fn show(instance: &InstanceId, settings: &Settings, screen: Screen) -> Result<Done, Failure> {
    let mut orders = Orders::open(connect(settings).await?).await?;
    let answer = orders.ask(instance, method::ACCOUNT_GET, &NoParams {}, ORDER_TIMEOUT).await?;
    let account: AccountInfo = match read_done(&answer, screen)? {
        Ok(account) => account,
        Err(done) => return Ok(done),
    };
    let answer = orders.ask(instance, method::ACCOUNT_LIMITS, &NoParams {}, ORDER_TIMEOUT).await?;
    // A worker of an older release does not know the order: the rest is worth showing all the same.
    let limits: Option<AccountLimits> = serde_json::from_value(answer.result).ok();
    let mut shown = json!(account);
    shown["limits"] = json!(limits);
    screen.put(&shown, || match &limits {
        Some(limits) => format!("{}\n\n{}", words_of(&account), limits::words_of(limits)),
        None => words_of(&account),
    });
    if limits.is_none() {
        screen.note("its limits can't be told: are worker and command line of the same version?");
    }
    Ok(Done::Success)
}

async fn remove(
    instance: &InstanceId,
    settings: &Settings,
    screen: Screen,
) -> Result<Done, Failure> {
    let mut orders = Orders::open(connect(settings).await?).await?;
    let params = AccountRemove { confirm: instance.clone() };
    let answer = orders.ask(instance, method::ACCOUNT_REMOVE, &params, ORDER_TIMEOUT).await?;
    let removed: AccountRemoved = match read_done(&answer, screen)? {
        Ok(removed) => removed,
        Err(done) => return Ok(done),
    };
    screen.put(&removed, || {
        let logout =
            if removed.logged_out { "logged out at Telegram" } else { "was not logged in" };
        format!("{} removed ({logout})", removed.instance)
    });
    Ok(Done::Success)
}

async fn switch(
    instance: &InstanceId,
    order: &str,
    settings: &Settings,
    screen: Screen,
) -> Result<Done, Failure> {
    let mut orders = Orders::open(connect(settings).await?).await?;
    let answer = orders.ask(instance, order, &NoParams {}, ORDER_TIMEOUT).await?;
    let account: AccountInfo = match read_done(&answer, screen)? {
        Ok(account) => account,
        Err(done) => return Ok(done),
    };
    screen.put(&account, || format!("{} is {}", account.instance, state_word(account.state)));
    Ok(Done::Success)
}

async fn confirm(instance: &InstanceId) -> Result<(), Failure> {
    let question = format!(
        "This logs {instance} out and forgets its groups' references. Type its id to go on: "
    );
    let typed = prompt::line(&question, "--yes").await?;
    if typed.trim() == instance.as_str() {
        return Ok(());
    }
    Err(Failure::Usage(String::from("not removed: the id that was typed is another one")))
}
