//! `stage`: private servers for tests and for trying things by hand.
//!
//! `stage serve` prints one JSON line with the addresses and lives until its standard input closes.
//! `stage run -- COMMAND…` exports the addresses to a command and ends with it.

use std::io::{Read as _, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};
use queuegram_tests::stage::Servers;
use queuegram_tests::stage::interrupt::Interrupt;

#[derive(Parser)]
#[command(about = "Private RabbitMQ and Redis, gone without a trace when this program ends")]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Print the addresses as one JSON line; stay until standard input closes.
    Serve,
    /// Run a command with the addresses in its environment (`QUEUEGRAM_AMQP__URL`, …).
    Run {
        /// The command and its arguments.
        #[arg(required = true, trailing_var_arg = true)]
        command: Vec<String>,
    },
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let mut interrupt = Interrupt::listen()?;
    // Raced, so that an interrupt during the broker's slow start drops (ends) what is there already.
    let servers = tokio::select! {
        started = Servers::start(|what| eprintln!("stage: {what}")) => started?,
        signal = interrupt.come() => return Ok(signal.exit_code()),
    };
    match arguments.verb {
        Verb::Serve => {
            let mut out = std::io::stdout();
            writeln!(out, "{}", serde_json::to_string(&servers.addresses)?)?;
            out.flush()?;
            tokio::select! {
                () = end_of_input() => Ok(ExitCode::SUCCESS),
                signal = interrupt.come() => Ok(signal.exit_code()),
            }
        }
        Verb::Run { command } => {
            let (program, args) = command.split_first().context("no command")?;
            let mut child = tokio::process::Command::new(program)
                .args(args)
                .envs(servers.addresses.environment())
                .kill_on_drop(true)
                .spawn()
                .with_context(|| format!("starting {program}"))?;
            let status = tokio::select! {
                status = child.wait() => status?,
                signal = interrupt.come() => {
                    signal.pass_on(child.id());
                    let _late = tokio::time::timeout(interrupt.patience(), child.wait()).await;
                    return Ok(signal.exit_code());
                }
            };
            let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
            Ok(ExitCode::from(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)))
        }
    }
}

async fn end_of_input() {
    // A blocking read on a plain thread: tokio's stdin would hold up the runtime's shutdown.
    let (ended, end) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let mut sink = [0; 256];
        while std::io::stdin().read(&mut sink).is_ok_and(|read| read > 0) {}
        let _gone = ended.send(());
    });
    let _ended = end.await;
}
