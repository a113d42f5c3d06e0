//! The worker under another name, for the fault matrix: built with the feature `faults`, it dies and freezes on order.

use std::process::ExitCode;

fn main() -> ExitCode {
    chassis::main::<queuegram_worker::Worker>()
}
