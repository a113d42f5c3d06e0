//! Benches on private servers and a simulated Telegram: how long a takeover takes, what an idle
//! instance costs, and thousands of parked commands. They print tables; nothing in them is asserted, and everything they started ends
//! with them.

mod figures;
mod idle;
mod parked;
mod takeover;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::{Args, Parser, Subcommand, ValueEnum};
use queuegram_tests::crowd::{Desk, provision};
use queuegram_tests::stage::interrupt::Interrupt;
use queuegram_tests::stage::{Scene, SceneOptions, Servers};

use crate::figures::Limits;

#[derive(Parser)]
#[command(about = "Measures Queuegram on private servers and a simulated Telegram")]
struct Arguments {
    #[command(subcommand)]
    bench: Bench,
}

#[derive(Subcommand)]
enum Bench {
    /// A worker goes, by SIGKILL and by SIGTERM, and another one takes its instances.
    Takeover(Setting),
    /// Many connected accounts that have nothing to do.
    Idle(Setting),
    /// Thousands of parked commands of one account.
    Parked {
        /// How many.
        #[arg(long, default_value_t = 10_000)]
        commands: usize,
        /// Kind of the queues.
        #[arg(long, value_enum, default_value_t = QueueKind::Quorum)]
        queue_kind: QueueKind,
    },
}

/// What a bench is played with.
#[derive(Args, Clone, Copy)]
struct Setting {
    /// How many instances. Default: 200 for takeover, 5000 for idle.
    #[arg(long)]
    instances: Option<usize>,
    /// Accounts that are logged in at once.
    #[arg(long, default_value_t = 32)]
    logins: usize,
    /// Kind of the instances' queues. A quorum queue takes four times as long to declare.
    #[arg(long, value_enum, default_value_t = QueueKind::Quorum)]
    queue_kind: QueueKind,
}

#[derive(Clone, Copy, ValueEnum)]
enum QueueKind {
    Quorum,
    Classic,
}

impl QueueKind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Quorum => "quorum",
            Self::Classic => "classic",
        }
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments.bench) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("bench: {error:?}");
            ExitCode::FAILURE
        }
    }
}

fn run(bench: &Bench) -> Result<ExitCode> {
    tokio::runtime::Runtime::new()?.block_on(async {
        let mut interrupt = Interrupt::listen()?;
        let measuring = async {
            match bench {
                Bench::Takeover(setting) => takeover::run(*setting).await,
                Bench::Idle(setting) => idle::run(*setting).await,
                Bench::Parked { commands, queue_kind } => parked::run(*commands, *queue_kind).await,
            }
        };
        // Dropping the bench half-way drops what it started.
        tokio::select! {
            measured = measuring => measured.map(|()| ExitCode::SUCCESS),
            signal = interrupt.come() => Ok(signal.exit_code()),
        }
    })
}

/// Private servers and a scene on them without a worker.
async fn stage(label: &str, instances: usize, setting: Setting) -> Result<(Servers, Scene)> {
    stage_with(label, instances, setting.queue_kind, |options| options).await
}

/// The same, with more settled.
async fn stage_with(
    label: &str,
    instances: usize,
    queue_kind: QueueKind,
    more: impl FnOnce(SceneOptions) -> SceneOptions,
) -> Result<(Servers, Scene)> {
    let since = Instant::now();
    let servers = Servers::start(progress).await?;
    let options = SceneOptions::new(label)
        .setting("QUEUEGRAM_WORKER__CAPACITY", &(instances + 100).to_string())
        .setting("QUEUEGRAM_AMQP__QUEUE_KIND", queue_kind.as_str())
        .setting("QUEUEGRAM_TELEMETRY__LOG", "warn,queuegram_chassis=info");
    let scene = Scene::without_worker(&servers.addresses, more(options)).await?;
    progress(&format!("servers are up after {:.1} s", since.elapsed().as_secs_f64()));
    println!(
        "{instances} instances, {} queues, {} build, {}",
        queue_kind.as_str(),
        if cfg!(debug_assertions) { "debug" } else { "release" },
        Limits::read(),
    );
    Ok((servers, scene))
}

/// Connects the accounts; how long that took.
async fn connect(scene: &Scene, desk: &Desk, count: usize, at_once: usize) -> Result<Duration> {
    let crowd = provision(scene, desk, count, at_once, progress).await?;
    if crowd.repeated > 0 {
        println!("attempts at a login that had to be repeated: {}", crowd.repeated);
    }
    Ok(crowd.took)
}

/// What is going on, beside the figures.
fn progress(what: &str) {
    eprintln!("… {what}");
}
