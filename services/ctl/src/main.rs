//! `queuegram`, the command line: connects accounts, sends commands, listens, sets up the broker and says what is wrong.
//!
//! It is a caller like any other: everything it does goes over RabbitMQ. It never opens Telegram, Redis or the vault.

mod answer;
mod api_key;
mod args;
mod audit;
mod broker;
mod call;
mod dead;
mod doctor;
mod exit;
mod instance;
mod limits;
mod listen;
mod login;
mod methods;
mod order;
mod params;
mod pause;
mod prompt;
mod queue;
mod record;
mod schema;
mod screen;
mod settings;
mod table;
mod topology;
mod vault;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use args::{Cli, Command};
use exit::{Done, Failure};
use instance::InstanceAction;
use screen::Screen;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let screen = Screen::new(cli.json);
    if cli.verbose {
        tell_all();
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return screen.failure(&Failure::Unexpected(error.into())),
    };
    // Whoever stops a login tells the worker so, hence it hears of Ctrl-C itself.
    let minds_itself = matches!(
        cli.command,
        Command::Login(_) | Command::Instance { action: InstanceAction::Import(_) }
    );
    let ended = runtime.block_on(async {
        tokio::select! {
            ended = run(cli, screen) => ended,
            _ = tokio::signal::ctrl_c(), if !minds_itself => Err(Failure::Interrupted),
        }
    });
    // A prompt that still waits for a line must not hold up the end.
    runtime.shutdown_background();
    match ended {
        Ok(done) => done.into(),
        Err(failure) => screen.failure(&failure),
    }
}

async fn run(cli: Cli, screen: Screen) -> Result<Done, Failure> {
    let file = cli.config.as_deref();
    match cli.command {
        Command::Completions { shell } => {
            let mut command = Cli::command();
            clap_complete::generate(shell, &mut command, "queuegram", &mut std::io::stdout());
            Ok(Done::Success)
        }
        Command::Methods(args) => methods::run(&args, screen),
        Command::Call(args) if args.help => call::help(&args, screen),
        Command::Call(args) => call::run(args, &settings::read(file)?, screen).await,
        Command::Instance { action } => instance::run(action, &settings::read(file)?, screen).await,
        Command::Login(args) => login::run(args, &settings::read(file)?, screen).await,
        Command::Listen(args) => listen::run(args, &settings::read(file)?, screen).await,
        Command::Record { action } => record::run(action, &settings::read(file)?, screen).await,
        Command::Pause(args) => pause::pause(args, &settings::read(file)?, screen).await,
        Command::Resume(args) => pause::resume(args, &settings::read(file)?, screen).await,
        Command::Audit(args) => audit::run(args, &settings::read(file)?, screen).await,
        Command::Dead { action } => dead::run(action, &settings::read(file)?, screen).await,
        Command::Vault { action } => vault::run(action, &settings::read(file)?, screen).await,
        Command::Topology(args) => topology::run(args, &settings::read(file)?, screen).await,
        Command::Queue { action } => queue::run(action, &settings::read(file)?, screen).await,
        Command::Doctor(args) => doctor::run(args, &settings::read(file)?, screen).await,
    }
}

/// What the bus does, on standard error; never bodies of messages.
fn tell_all() {
    let filter = format!("warn,queuegram_bus=debug,{}", bus::LOG_DIRECTIVE);
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}
