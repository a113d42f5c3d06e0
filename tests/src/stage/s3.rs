//! An S3 server of one's own, with one bucket: for vaults that lie there. Foreign software in memory,
//! which checks signatures and creates only where nothing is.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use rustix::process::Signal;
use serde::Deserialize;
use tokio::net::TcpStream;

use super::children::{Launch, Running};
use super::folder::Folder;
use super::scripts::repository;
use super::witness::{Language, interpreter};
use super::{patience, ports};

const START_BOUND: Duration = Duration::from_secs(60);
const BUCKET: &str = "vaults";

/// A server that runs until dropped.
#[derive(Debug)]
pub struct S3 {
    /// Whose requests it accepts.
    pub access: Access,
    port: u16,
    process: Running,
    _folder: Folder,
}

/// A key that the server knows.
#[derive(Debug, Clone, Deserialize)]
pub struct Access {
    /// The key's id.
    pub id: String,
    /// The secret that belongs to it.
    pub secret: String,
}

impl S3 {
    /// Starts one with an empty bucket.
    ///
    /// # Errors
    /// When it does not come up; the error holds its last words.
    pub async fn start() -> Result<Self> {
        let mut last = anyhow::anyhow!("never tried");
        for _ in 0..ports::TRIES {
            match Self::try_start().await {
                Ok(server) => return Ok(server),
                Err(error) => last = error,
            }
        }
        Err(last.context("the S3 server did not start"))
    }

    async fn try_start() -> Result<Self> {
        let (folder, [port]) = (Folder::new("s3")?, ports::free()?);
        let python = interpreter(Language::Python).await?;
        let script = repository().join("tests/witnesses/python/s3_server.py");
        let mut process = Launch::new("the S3 server", python, folder.join("output.log"))
            .arg(script.display().to_string())
            .args([port.to_string(), BUCKET.to_owned()])
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("HOME", folder.path().display().to_string())
            .cwd(folder.path())
            .start()?;
        let deadline = tokio::time::Instant::now() + START_BOUND;
        let access = loop {
            if let Some(access) = ready_line(&process.log_text()) {
                break serde_json::from_str(&access)?;
            }
            process.check_alive()?;
            ensure!(tokio::time::Instant::now() < deadline, "not ready in {START_BOUND:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        Ok(Self { access, port, process, _folder: folder })
    }

    /// The settings of workers whose vault is this part of the bucket.
    #[must_use]
    pub fn settings(&self, prefix: &str) -> Vec<(&'static str, String)> {
        vec![
            ("QUEUEGRAM_VAULT__URL", format!("s3://{BUCKET}/{prefix}")),
            ("QUEUEGRAM_VAULT__S3__ENDPOINT", format!("http://127.0.0.1:{}", self.port)),
            ("QUEUEGRAM_VAULT__S3__ALLOW_HTTP", "true".to_owned()),
            ("QUEUEGRAM_VAULT__S3__ACCESS_KEY_ID", self.access.id.clone()),
            ("QUEUEGRAM_VAULT__S3__SECRET_ACCESS_KEY", self.access.secret.clone()),
        ]
    }

    /// Has it refuse every connection.
    ///
    /// # Errors
    /// When it does not run, or still answers.
    pub async fn go_away(&self) -> Result<()> {
        self.process.signal(Signal::USR1)?;
        self.until(false).await
    }

    /// Has it take connections again, with all that it held.
    ///
    /// # Errors
    /// When it does not run, or does not answer.
    pub async fn come_back(&self) -> Result<()> {
        self.process.signal(Signal::USR2)?;
        self.until(true).await
    }

    /// Freezes it, or lets it go on: who asks gets no answer.
    ///
    /// # Errors
    /// When it does not run.
    pub fn freeze(&self, frozen: bool) -> Result<()> {
        self.process.signal(if frozen { Signal::STOP } else { Signal::CONT })
    }

    async fn until(&self, there: bool) -> Result<()> {
        patience::until("the S3 server has come or gone", patience::USUAL, || async {
            let connected = TcpStream::connect(("127.0.0.1", self.port)).await;
            Ok((connected.is_ok() == there).then_some(()))
        })
        .await
        .context("the S3 server")
    }
}

/// What it says once it can be used.
fn ready_line(log: &str) -> Option<String> {
    let (_, rest) = log.split_once("s3 ready ")?;
    Some(rest.split_once('\n')?.0.to_owned())
}
