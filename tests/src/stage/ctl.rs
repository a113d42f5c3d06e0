//! The `queuegram` command line, run as a person or a script runs it.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::Command;

use super::binaries;
use super::tgsim::Tgsim;

/// No command of ours may take longer.
const BOUND: Duration = Duration::from_secs(90);

/// The program with the addresses of one scene.
#[derive(Debug, Clone)]
pub struct Ctl {
    program: PathBuf,
    env: Vec<(String, String)>,
}

impl Ctl {
    /// Finds the program.
    ///
    /// # Errors
    /// When it can't be built.
    pub async fn new(env: &[(String, String)]) -> Result<Self> {
        Ok(Self { program: binaries::program("queuegram").await?, env: env.to_vec() })
    }

    /// Where it is.
    #[must_use]
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Runs it and gives whatever comes out.
    ///
    /// # Errors
    /// When it can't be started or does not end.
    pub async fn run(&self, args: &[&str]) -> Result<Output> {
        let child = self.command(args).stdin(Stdio::null()).spawn().context("queuegram")?;
        let output = tokio::time::timeout(BOUND, child.wait_with_output()).await;
        Ok(output.with_context(|| format!("queuegram {} hangs", args.join(" ")))??)
    }

    /// Runs it with these lines as its standard input, and gives whatever comes out.
    ///
    /// # Errors
    /// When it can't be started or does not end.
    pub async fn run_typing(&self, args: &[&str], lines: &[&str]) -> Result<Output> {
        let mut child = self.command(args).stdin(Stdio::piped()).spawn().context("queuegram")?;
        let mut stdin = child.stdin.take().context("no pipe")?;
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        // It may end without having read them: its own words tell why.
        let _closed = stdin.write_all(text.as_bytes()).await;
        drop(stdin);
        let output = tokio::time::timeout(BOUND, child.wait_with_output()).await;
        Ok(output.with_context(|| format!("queuegram {} hangs", args.join(" ")))??)
    }

    /// Runs it; it must succeed. Its standard output.
    ///
    /// # Errors
    /// When it fails; the error holds what it said.
    pub async fn ok(&self, args: &[&str]) -> Result<String> {
        let output = self.run(args).await?;
        ensure!(
            output.status.success(),
            "queuegram {}: {}\n{}{}",
            args.join(" "),
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Runs it with `--json`; it must succeed.
    ///
    /// # Errors
    /// When it fails or prints no JSON.
    pub async fn json(&self, args: &[&str]) -> Result<Value> {
        let args: Vec<&str> = args.iter().copied().chain(["--json"]).collect();
        let text = self.ok(&args).await?;
        serde_json::from_str(&text).with_context(|| format!("queuegram {}: {text}", args.join(" ")))
    }

    /// `queuegram login`: answers its prompts with the code that tgsim's person just got and, where
    /// the account has one, the password.
    ///
    /// # Errors
    /// When the login fails; the error holds what the program said.
    pub async fn login(
        &self,
        instance: &str,
        phone: &str,
        password: Option<&str>,
        tgsim: &Tgsim,
        user: i64,
    ) -> Result<String> {
        let args = ["login", instance, "--phone", phone];
        let mut child = self.command(&args).stdin(Stdio::piped()).spawn().context("queuegram")?;
        let mut stdin = child.stdin.take().context("no pipe")?;
        let prompts = async {
            let code = tgsim.code(user).await?;
            let password = password.map(|password| format!("{password}\n")).unwrap_or_default();
            // A failed login closes the pipe early; its own words are then the better error.
            let _closed = stdin.write_all(format!("{code}\n{password}").as_bytes()).await;
            drop(stdin);
            anyhow::Ok(())
        };
        let both = async {
            let (asked, output) = tokio::join!(prompts, child.wait_with_output());
            anyhow::Ok((asked, output?))
        };
        let (asked, output) =
            tokio::time::timeout(BOUND, both).await.context("queuegram login hangs")??;
        ensure!(
            output.status.success(),
            "queuegram login: {}\n{}{}\n{}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
            asked.err().map(|error| error.to_string()).unwrap_or_default()
        );
        Ok(String::from_utf8(output.stdout)?)
    }

    /// `queuegram login` by QR code: `scan` gets the link of each code that is shown, and scans it or
    /// not; the program's lines, one for each thing that happened, in the end.
    ///
    /// # Errors
    /// When it does not end well; the error holds what it said.
    pub async fn login_by_qr<Fut: Future<Output = Result<()>>>(
        &self,
        instance: &str,
        passwords: &[&str],
        mut scan: impl FnMut(String) -> Fut,
    ) -> Result<Vec<Value>> {
        let args = ["login", instance, "--json"];
        let mut child = self.command(&args).stdin(Stdio::piped()).spawn().context("queuegram")?;
        let mut stdin = child.stdin.take().context("no pipe")?;
        let stdout = child.stdout.take().context("no pipe")?;
        let mut passwords = passwords.iter();
        let following = async {
            let (mut lines, mut told) = (BufReader::new(stdout).lines(), Vec::new());
            while let Some(line) = lines.next_line().await? {
                let line: Value = serde_json::from_str(&line).with_context(|| line.clone())?;
                match line["event"].as_str() {
                    Some("account.login.qr") => {
                        scan(line["url"].as_str().unwrap_or_default().to_owned()).await?;
                    }
                    Some("account.login.password_needed") => {
                        let password = passwords.next().context("no password is left")?;
                        stdin.write_all(format!("{password}\n").as_bytes()).await?;
                    }
                    _ => {}
                }
                told.push(line);
            }
            anyhow::Ok(told)
        };
        let told = tokio::time::timeout(BOUND, following).await.context("queuegram login hangs")?;
        let output = child.wait_with_output().await?;
        ensure!(
            output.status.success(),
            "queuegram login: {}\n{told:?}\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr),
        );
        told
    }

    /// `queuegram login` by QR code as a person sees it: `line` gets each line as it is shown. What was
    /// printed at the end.
    ///
    /// # Errors
    /// When it does not end well; the error holds what it said.
    pub async fn login_drawn<Fut: Future<Output = Result<()>>>(
        &self,
        instance: &str,
        more: &[&str],
        mut line: impl FnMut(String) -> Fut,
    ) -> Result<String> {
        let args = [&["login", instance], more].concat();
        let mut child = self.command(&args).stdin(Stdio::null()).spawn().context("queuegram")?;
        let mut lines = BufReader::new(child.stderr.take().context("no pipe")?).lines();
        let mut shown = Vec::new();
        let following = async {
            while let Some(text) = lines.next_line().await? {
                shown.push(text.clone());
                line(text).await?;
            }
            anyhow::Ok(())
        };
        tokio::time::timeout(BOUND, following).await.context("queuegram login hangs")??;
        let output = child.wait_with_output().await?;
        let status = output.status;
        ensure!(status.success(), "queuegram login: {status}\n{}", shown.join("\n"));
        Ok(String::from_utf8(output.stdout)?)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(args)
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .envs(self.env.iter().map(|(key, value)| (key, value)))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }
}

/// The link of a login's QR code in a line that was shown.
#[must_use]
pub fn link_in(line: &str) -> Option<&str> {
    line.split_whitespace().find(|word| word.starts_with("tg://login?token="))
}
