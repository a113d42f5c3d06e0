//! A private Redis: loopback only, and in memory only unless somebody asks it to save. It starts in some
//! 20 ms, so every scene has its own. Whoever wants to hurt one ends, freezes and starts it again.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use rustix::process::Signal;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::children::{Launch, Running};
use super::ports;

const START_BOUND: Duration = Duration::from_secs(30);

/// A Redis that runs until dropped.
#[derive(Debug)]
pub struct Redis {
    /// `redis://127.0.0.1:port/0`
    pub url: String,
    port: u16,
    home: PathBuf,
    launch: Launch,
    process: Running,
}

impl Redis {
    /// Starts one in a new folder under `folder`.
    ///
    /// # Errors
    /// When it does not come up; the error holds its last words.
    pub async fn start(server: &PathBuf, folder: &Path) -> Result<Self> {
        let mut last = anyhow::anyhow!("never tried");
        for attempt in 0..ports::TRIES {
            match Self::try_start(server, &folder.join(format!("redis-{attempt}"))).await {
                Ok(redis) => return Ok(redis),
                Err(error) => last = error,
            }
        }
        Err(last.context("the private Redis did not start"))
    }

    async fn try_start(server: &PathBuf, home: &Path) -> Result<Self> {
        std::fs::create_dir_all(home)?;
        let [port] = ports::free()?;
        let launch = Launch::new("Redis", server, home.join("output.log"))
            .args(["--port".to_owned(), port.to_string()])
            .args(["--bind", "127.0.0.1", "--daemonize", "no"])
            .args(["--save", "", "--appendonly", "no", "--loglevel", "warning"])
            .args(["--dir".to_owned(), home.display().to_string()])
            .cwd(home);
        let process = launch.start()?;
        let url = format!("redis://127.0.0.1:{port}/0");
        let mut redis = Self { url, port, home: home.to_owned(), launch, process };
        redis.until_it_answers().await?;
        Ok(redis)
    }

    async fn until_it_answers(&mut self) -> Result<()> {
        let deadline = tokio::time::Instant::now() + START_BOUND;
        while !pongs(self.port).await {
            self.process.check_alive()?;
            anyhow::ensure!(tokio::time::Instant::now() < deadline, "no PONG in {START_BOUND:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        // Another process on the same port would have answered as well.
        self.process.check_alive()
    }

    /// The file that it saves its data to, and reads them from when it starts.
    #[must_use]
    pub fn dump(&self) -> PathBuf {
        self.home.join("dump.rdb")
    }

    /// Waits until it has ended by itself.
    ///
    /// # Errors
    /// When it still runs after 30 s.
    pub async fn ended(&mut self) -> Result<()> {
        self.process.ended(START_BOUND).await.map(|_| ())
    }

    /// Starts the one that was ended, on the same port, with what is in its [`Redis::dump`].
    ///
    /// # Errors
    /// When it does not come up.
    pub async fn start_again(&mut self) -> Result<()> {
        self.process = self.launch.start()?;
        self.until_it_answers().await
    }

    /// Puts an empty one in its place, at once and on the same port.
    ///
    /// # Errors
    /// When it does not come up.
    pub async fn replace(&mut self) -> Result<()> {
        self.kill();
        match std::fs::remove_file(self.dump()) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
            _ => self.start_again().await,
        }
    }

    /// Freezes it, or lets it go on.
    ///
    /// # Errors
    /// When it does not run.
    pub fn freeze(&self, frozen: bool) -> Result<()> {
        self.process.signal(if frozen { Signal::STOP } else { Signal::CONT })
    }

    /// Ends it at once, as a crash would.
    pub fn kill(&mut self) {
        self.process.kill();
    }
}

async fn pongs(port: u16) -> bool {
    let ask = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
        stream.write_all(b"PING\r\n").await.ok()?;
        let mut answer = [0; 7];
        stream.read_exact(&mut answer).await.ok()?;
        (&answer == b"+PONG\r\n").then_some(())
    };
    tokio::time::timeout(Duration::from_secs(2), ask).await.ok().flatten().is_some()
}
