//! A worker process of one scene: the one that is released, or its twin that dies and freezes on
//! order (`queuegram-worker-faults`).

use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

use anyhow::{Result, ensure};
use rustix::process::Signal;
use serde_json::Value;

use super::children::{Launch, Running};
use super::{binaries, patience};

/// The program that is released.
pub const PROGRAM: &str = "queuegram-worker";
/// The same, with the fault points and mutations that a release does not have.
pub const FAULTS_PROGRAM: &str = "queuegram-worker-faults";

const START_BOUND: Duration = Duration::from_secs(60);

/// A worker that runs until dropped.
#[derive(Debug)]
pub struct Worker {
    /// `http://127.0.0.1:port` of `/live`, `/ready` and `/metrics`.
    pub admin: String,
    process: Running,
}

impl Worker {
    /// Starts `program` with this environment and waits until it calls itself ready.
    ///
    /// # Errors
    /// When it does not; the error holds its last words.
    pub async fn start(
        program: &str,
        folder: &Path,
        name: &str,
        env: &[(String, String)],
    ) -> Result<Self> {
        let mut worker = Self::up(program, folder, name, env).await?;
        let deadline = tokio::time::Instant::now() + START_BOUND;
        while !is_ready(&worker.admin).await {
            worker.process.check_alive()?;
            if tokio::time::Instant::now() >= deadline {
                let missing = worker.missing().await.unwrap_or_default();
                anyhow::bail!("{name} is not ready: {missing}\n{}", worker.log_text());
            }
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
        Ok(worker)
    }

    /// Starts it and waits no longer than until it tells where it can be asked.
    ///
    /// # Errors
    /// When it does not tell.
    pub async fn up(
        program: &str,
        folder: &Path,
        name: &str,
        env: &[(String, String)],
    ) -> Result<Self> {
        let mut process = Self::launch(program, folder, name, env).await?.start()?;
        let deadline = tokio::time::Instant::now() + START_BOUND;
        loop {
            process.check_alive()?;
            if let Some(admin) = admin_address(&process.log_text()) {
                return Ok(Self { admin, process });
            }
            if tokio::time::Instant::now() >= deadline {
                anyhow::bail!("{name} has not told its admin address\n{}", process.log_text());
            }
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    /// What it misses to be ready, in the words of `/ready`.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn missing(&self) -> Result<String> {
        text_of(&format!("{}/ready", self.admin)).await
    }

    /// How `program` is started with this environment; its log is `<name>.log`.
    ///
    /// # Errors
    /// When it can't be built.
    pub async fn launch(
        program: &str,
        folder: &Path,
        name: &str,
        env: &[(String, String)],
    ) -> Result<Launch> {
        let program = binaries::program(program).await?;
        let log = folder.join(format!("{name}.log"));
        Ok(Launch::new(name, program, log).envs(env.iter().cloned()).cwd(folder))
    }

    /// Everything it has logged so far.
    #[must_use]
    pub fn log_text(&self) -> String {
        self.process.log_text()
    }

    /// Its metrics, as Prometheus reads them.
    ///
    /// # Errors
    /// When its admin port does not answer.
    pub async fn metrics(&self) -> Result<String> {
        text_of(&format!("{}/metrics", self.admin)).await
    }

    /// Ends it as a crash would.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Asks it to stop, as an orchestrator does.
    ///
    /// # Errors
    /// When it has ended already.
    pub fn terminate(&self) -> Result<()> {
        self.process.signal(Signal::TERM)
    }

    /// Freezes it where it is (`SIGSTOP`).
    ///
    /// # Errors
    /// When it has ended already.
    pub fn freeze(&self) -> Result<()> {
        self.process.signal(Signal::STOP)
    }

    /// Lets it go on.
    ///
    /// # Errors
    /// When it has ended already.
    pub fn thaw(&self) -> Result<()> {
        self.process.signal(Signal::CONT)
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// When it does not come in a minute.
    pub async fn ended(&mut self) -> Result<ExitStatus> {
        self.process.ended(Duration::from_secs(60)).await
    }

    /// Waits until a metric's line, found by its beginning, has a value that `wanted` accepts.
    ///
    /// # Errors
    /// When it never has.
    pub async fn metric(&self, line: &str, wanted: impl Fn(f64) -> bool) -> Result<f64> {
        let what = format!("the metric {line}");
        patience::until(&what, Duration::from_secs(30), || async {
            let metrics = self.metrics().await?;
            let value = metrics
                .lines()
                .filter(|text| text.starts_with(line))
                .filter_map(|text| text.rsplit(' ').next()?.parse::<f64>().ok())
                .sum();
            Ok(wanted(value).then_some(value))
        })
        .await
    }
}

/// The address in the log line `admin listening`.
pub(crate) fn admin_address(log: &str) -> Option<String> {
    log.lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find(|line| line["message"] == "admin listening")
        .and_then(|line| Some(format!("http://{}", line["admin.address"].as_str()?)))
}

async fn is_ready(admin: &str) -> bool {
    let get = reqwest::Client::new().get(format!("{admin}/ready"));
    let answer = get.timeout(Duration::from_secs(5)).send().await;
    answer.is_ok_and(|answer| answer.status().is_success())
}

async fn text_of(url: &str) -> Result<String> {
    let get = reqwest::Client::new().get(url).timeout(Duration::from_secs(5));
    let text = get.send().await?.text().await?;
    ensure!(!text.is_empty(), "{url} gives nothing");
    Ok(text)
}
