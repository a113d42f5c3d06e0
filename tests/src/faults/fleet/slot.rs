//! What stands in a slot: a process, how it ended, when the next one starts, when a frozen one wakes.

use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::time::Duration;

use anyhow::{Context as _, Result};
use rustix::process::{Pid, Signal, kill_process};
use tokio::time::Instant;

use crate::faults::scale::Scale;
use crate::stage::children::Running;
use crate::stage::worker::admin_address;

/// The state of one slot.
#[derive(Debug, Default)]
pub(super) struct State {
    pub process: Option<Running>,
    /// How many processes stood here.
    pub starts: usize,
    /// Whether one is to stand here; one that ends is then started again at this time.
    pub wanted: bool,
    pub start_at: Option<Instant>,
    /// `QUEUEGRAM_FAULTS` of the next process.
    pub orders: Option<String>,
    /// Frozen by us, or seen frozen by itself: when it is to wake.
    pub wake_at: Option<Instant>,
    /// For how long one that freezes itself sleeps.
    pub nap: Duration,
    /// Whether the process was asked to end.
    pub asked: bool,
    /// Processes that ended by themselves.
    pub ended: Vec<String>,
    /// Processes that were asked to end, and did so badly.
    pub badly: Vec<String>,
}

impl State {
    /// Notes the end of the process, and when the next one starts.
    pub fn notice_end(&mut self, number: usize, scale: Scale) {
        let Some(process) = &mut self.process else { return };
        let Ok(Some(status)) = process.status() else { return };
        let well = ended_well(process, status);
        let end = format!("worker-{}-{} ended with {status}", number + 1, self.starts);
        match (self.asked, well) {
            (true, true) => {}
            // A cut point may come before the end that was asked for.
            (true, false) if status.signal() == Some(9) => self.ended.push(end),
            (true, false) => self.badly.push(end),
            (false, _) => self.ended.push(end),
        }
        let pause = if self.asked { Duration::ZERO } else { scale.time(5.0) };
        (self.process, self.wake_at) = (None, None);
        self.start_at = self.wanted.then(|| Instant::now() + pause);
    }

    /// Wakes a process whose time has come; gives one that froze itself a time.
    pub fn wake(&mut self) {
        let Some(process) = &self.process else { return };
        match self.wake_at {
            Some(at) if at <= Instant::now() => {
                let _gone = process.signal(Signal::CONT);
                self.wake_at = None;
            }
            Some(_) => {}
            None if is_stopped(process.pid()) => self.wake_at = Some(Instant::now() + self.nap),
            None => {}
        }
    }
}

/// Wakes a process that is stopped.
///
/// # Errors
/// When it is gone.
pub fn wake(pid: u32) -> Result<()> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).context("not a process id")?;
    Ok(kill_process(pid, Signal::CONT)?)
}

/// Whether the kernel says that the process is stopped.
fn is_stopped(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('T'))
}

/// Whether a process that was asked to end did so in order. One that has not come as far as its admin port
/// has no handler for the signal yet, and nothing to bring to an end.
pub fn ended_well(process: &Running, status: ExitStatus) -> bool {
    let unborn = || admin_address(&process.log_text()).is_none();
    status.success() || (status.signal() == Some(15) && unborn())
}
