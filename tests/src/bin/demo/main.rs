//! `make demo`: Queuegram's main job, played through on private servers.
//!
//! Starts RabbitMQ, Redis, a simulated Telegram and a worker; connects an account; sends the eight
//! commands as any AMQP client would; shows each command, its reply and what Telegram's side says
//! happened, and checks both. Ends with 0 only if all is as it should be; everything it started ends
//! with it, also on Ctrl-C.

mod accounts;
mod checks;
mod play;
mod program;
mod terminal;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use queuegram_tests::stage::interrupt::Interrupt;

use crate::terminal::Terminal;

#[derive(Parser)]
#[command(
    about = "A command on RabbitMQ becomes a Telegram group: the eight commands, shown and checked"
)]
struct Arguments {
    /// Stay up afterwards, with addresses and commands to try.
    #[arg(long)]
    keep: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let terminal = Terminal::new();
    let outcome = run(&terminal, arguments.keep);
    match outcome {
        Ok(code) => code,
        Err(error) => {
            terminal.failure(&format!("{error:?}"));
            ExitCode::FAILURE
        }
    }
}

fn run(terminal: &Terminal, keep: bool) -> Result<ExitCode> {
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let mut interrupt = Interrupt::listen()?;
        // Dropping the play half-way drops what it started, so an interrupt leaves nothing behind.
        tokio::select! {
            played = play::play(terminal, keep) => played,
            signal = interrupt.come() => {
                terminal.note("interrupted: stopping everything that was started");
                Ok(signal.exit_code())
            }
        }
    })
}
