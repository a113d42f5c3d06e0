//! `queuegram-worker`: owns Telegram sessions and executes commands.

use std::process::ExitCode;

fn main() -> ExitCode {
    chassis::main::<queuegram_worker::Worker>()
}
