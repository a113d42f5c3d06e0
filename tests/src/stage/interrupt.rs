//! Ctrl-C, SIGTERM and SIGHUP as one event, so that a program can end in order, and say by its exit
//! code what ended it (128 + signal, as shells do).

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use rustix::process::{Pid, Signal as ToChild, kill_process};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that end a program.
#[derive(Debug)]
pub struct Interrupt {
    int: Signal,
    term: Signal,
    hup: Signal,
}

/// The one that came.
#[derive(Debug, Clone, Copy)]
pub struct Came(u8);

impl Came {
    /// 128 + its number.
    #[must_use]
    pub fn exit_code(self) -> ExitCode {
        ExitCode::from(128 + self.0)
    }

    /// Passes it on to a process in our own group, unless the terminal has sent it there already.
    pub fn pass_on(self, pid: Option<u32>) {
        let signal = match self.0 {
            15 => ToChild::TERM,
            1 => ToChild::HUP,
            _ => return,
        };
        if let Some(pid) = pid.and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw) {
            let _gone = kill_process(pid, signal);
        }
    }
}

impl Interrupt {
    /// Takes the signals over from now on.
    ///
    /// # Errors
    /// When the handlers can't be set.
    pub fn listen() -> Result<Self> {
        Ok(Self {
            int: signal(SignalKind::interrupt())?,
            term: signal(SignalKind::terminate())?,
            hup: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for one.
    pub async fn come(&mut self) -> Came {
        tokio::select! {
            _ = self.int.recv() => Came(2),
            _ = self.term.recv() => Came(15),
            _ = self.hup.recv() => Came(1),
        }
    }

    /// How long a child that got the same signal may take to end by itself.
    #[must_use]
    pub fn patience(&self) -> Duration {
        Duration::from_secs(10)
    }
}
