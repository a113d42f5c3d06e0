//! `doctor`: looks at broker, topology and workers from a caller's place, and says what to do about each thing that is
//! not as it should be. Each check needs the ones before it; what can't be checked is said to be skipped.

mod checks;
mod lanes;
mod report;

use std::time::Duration;

use clap::Args;

use crate::{
    exit::{Done, Failure},
    order::span,
    screen::Screen,
    settings::Settings,
};

/// Arguments of `doctor`.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes: 0 all is well (warnings included), 3 something doesn't work.

Example:
  queuegram doctor --json | jq '.checks[] | select(.state != \"ok\")'")]
pub struct DoctorArgs {
    /// Time that a worker has for each answer.
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = span)]
    pub timeout: Duration,
}

/// Examines everything.
pub async fn run(args: DoctorArgs, settings: &Settings, screen: Screen) -> Result<Done, Failure> {
    let report = checks::examine(settings, args.timeout).await;
    screen.put(&report, || report.words());
    Ok(if report.is_well() { Done::Success } else { Done::Unwell })
}
