//! Child processes that cannot outlive their owner.
//!
//! Each child runs under `setpriv --pdeathsig KILL`, so the kernel ends it when its owner dies in
//! whatever way. That signal is tied to the *thread* that forked, hence one thread, which lives as
//! long as the process, forks them all. Each child leads a process group of its own: a Ctrl-C in the
//! terminal reaches only the owner, which then stops its children in order.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{LazyLock, mpsc};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use super::patience;

/// Environment that children keep; everything else they get is listed at their start, so that a
/// developer's own QUEUEGRAM_ or RABBITMQ_ settings can't change a test.
const KEPT_ENV: &[&str] =
    &["PATH", "LANG", "TZ", "RUST_BACKTRACE", "RUST_LOG", "LLVM_PROFILE_FILE"];

/// What to start.
#[derive(Debug, Clone)]
pub struct Launch {
    name: String,
    program: PathBuf,
    args: Vec<String>,
    env: Vec<(String, String)>,
    cwd: Option<PathBuf>,
    log: PathBuf,
}

impl Launch {
    /// `program`, called `name` in errors; its output is appended to the file `log`.
    pub fn new(name: &str, program: impl Into<PathBuf>, log: impl Into<PathBuf>) -> Self {
        Self {
            name: name.to_owned(),
            program: program.into(),
            args: Vec::new(),
            env: Vec::new(),
            cwd: None,
            log: log.into(),
        }
    }

    /// One more argument.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// More arguments.
    #[must_use]
    pub fn args<S: Into<String>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// One environment variable.
    #[must_use]
    pub fn env(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.push((key.into(), value.into()));
        self
    }

    /// More environment variables.
    #[must_use]
    pub fn envs(mut self, pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        self.env.extend(pairs);
        self
    }

    /// The folder it starts in.
    #[must_use]
    pub fn cwd(mut self, folder: impl Into<PathBuf>) -> Self {
        self.cwd = Some(folder.into());
        self
    }

    /// Starts it.
    ///
    /// # Errors
    /// When the program or its log file can't be opened.
    pub fn start(&self) -> Result<Running> {
        let mut log = File::options().create(true).append(true).open(&self.log)?;
        writeln!(log, "--- {} {}", self.program.display(), self.args.join(" "))?;
        let mut command = tied_command(&self.program);
        command
            .args(&self.args)
            .env_clear()
            .envs(KEPT_ENV.iter().filter_map(|key| Some((*key, std::env::var_os(key)?))))
            .envs(self.env.iter().map(|(key, value)| (key, value)))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        if let Some(folder) = &self.cwd {
            command.current_dir(folder);
        }
        let child = spawn(command).with_context(|| format!("starting {}", self.name))?;
        Ok(Running { name: self.name.clone(), child, log: self.log.clone() })
    }
}

/// `program` so that it dies with the process that [`spawn`]s it, in a process group of its own.
#[must_use]
pub fn tied_command(program: &Path) -> Command {
    static SETPRIV: LazyLock<bool> = LazyLock::new(|| {
        Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "--", "true"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    });
    let mut command = if *SETPRIV {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(program);
        command
    } else {
        // Only where util-linux is absent (not Linux): there a SIGKILLed owner leaves its children.
        Command::new(program)
    };
    command.process_group(0);
    command
}

/// Forks on the one thread whose end would end the children (see the module's words).
///
/// # Errors
/// Those of [`Command::spawn`].
pub fn spawn(command: Command) -> Result<Child> {
    type Job = (Command, mpsc::Sender<std::io::Result<Child>>);
    static FORKER: LazyLock<mpsc::Sender<Job>> = LazyLock::new(|| {
        let (jobs, inbox) = mpsc::channel::<Job>();
        std::thread::spawn(move || {
            for (mut command, answer) in inbox {
                let _asker_left = answer.send(command.spawn());
            }
        });
        jobs
    });
    let (answer, outcome) = mpsc::channel();
    FORKER.send((command, answer)).map_err(|_| anyhow!("the forking thread is gone"))?;
    Ok(outcome.recv()??)
}

/// A child that runs, and is killed with its process group when dropped.
#[derive(Debug)]
pub struct Running {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Running {
    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Where its output goes.
    #[must_use]
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Everything it has said so far.
    #[must_use]
    pub fn log_text(&self) -> String {
        std::fs::read(&self.log)
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }

    /// How it has ended, if it has.
    ///
    /// # Errors
    /// When the system can't tell.
    pub fn status(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// An error with the end of its output, if it has ended by itself.
    ///
    /// # Errors
    /// When it no longer runs.
    pub fn check_alive(&mut self) -> Result<()> {
        match self.status()? {
            None => Ok(()),
            Some(status) => {
                let text = self.log_text();
                let tail: Vec<&str> = text.lines().rev().take(25).collect();
                let tail: Vec<&str> = tail.into_iter().rev().collect();
                bail!("{} ended with {status}; its last words:\n{}", self.name, tail.join("\n"))
            }
        }
    }

    /// Sends a signal to it (not to its group).
    ///
    /// # Errors
    /// When it has ended already.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        Ok(kill_process(self.group()?, signal)?)
    }

    /// Waits for its own end.
    ///
    /// # Errors
    /// When it still runs after `bound`.
    pub async fn ended(&mut self, bound: Duration) -> Result<ExitStatus> {
        let what = format!("the end of {}", self.name);
        let child = &mut self.child;
        patience::until(&what, bound, || {
            let looked = child.try_wait();
            async move { Ok(looked?) }
        })
        .await
    }

    /// Ends it and its group at once.
    pub fn kill(&mut self) {
        if let Ok(group) = self.group() {
            // An error means that all of them have ended already.
            let _gone = kill_process_group(group, Signal::KILL);
        }
        let _reaped = self.child.wait();
    }

    fn group(&self) -> Result<Pid> {
        i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).context("not a process id")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}
