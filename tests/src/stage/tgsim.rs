//! A simulated Telegram of one scene: the process, its admin port, and its journal of effects.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};

use super::children::{Launch, Running};
use super::{binaries, patience};

const START_BOUND: Duration = Duration::from_secs(60);
const ADMIN_BOUND: Duration = Duration::from_secs(20);

/// The application that clients must name.
pub const API_ID: i32 = 4242;
/// Its secret.
pub const API_HASH: &str = "0123456789abcdef0123456789abcdef";

/// A tgsim that runs until dropped.
#[derive(Debug)]
pub struct Tgsim {
    /// `127.0.0.1:port` of its first data centre.
    pub address: String,
    /// That data centre's number.
    pub dc: i32,
    /// `http://127.0.0.1:port`
    pub admin: String,
    /// Its public key, a PEM file.
    pub public_key: PathBuf,
    process: Running,
    codes_told: Mutex<Vec<String>>,
}

impl Tgsim {
    /// Starts one whose files are in a new folder under `folder`, with a key of its own and two data
    /// centres, the first of which has the number `dc`.
    ///
    /// # Errors
    /// When it does not come up; the error holds its last words.
    pub async fn start(folder: &Path, dc: i32) -> Result<Self> {
        let home = folder.join(format!("tgsim-{dc}"));
        std::fs::create_dir_all(&home)?;
        let public_key = home.join("public-key.pem");
        let mut process =
            Launch::new("tgsim", binaries::program("tgsim").await?, home.join("output.log"))
                .args(["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--dcs", "2"])
                .args(["--first-dc".to_owned(), dc.to_string()])
                .args(["--public-key".to_owned(), public_key.display().to_string()])
                .cwd(&home)
                .start()?;
        let deadline = tokio::time::Instant::now() + START_BOUND;
        let ready = loop {
            if let Some(ready) = ready_line(&process.log_text()) {
                break ready;
            }
            process.check_alive()?;
            ensure!(
                tokio::time::Instant::now() < deadline,
                "tgsim is not ready in {START_BOUND:?}"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        Ok(Self {
            address: field(&ready, "telegram")?,
            dc,
            admin: format!("http://{}", field(&ready, "admin")?),
            public_key,
            process,
            codes_told: Mutex::default(),
        })
    }

    /// Everything it has logged so far.
    #[must_use]
    pub fn log_text(&self) -> String {
        self.process.log_text()
    }

    /// Makes an account of the simulated world, e.g. `{"phone":"+7900…","first_name":"Ann"}`; its id.
    ///
    /// # Errors
    /// When the admin port refuses it.
    pub async fn user(&self, user: &Value) -> Result<i64> {
        let made = self.post("/users", user).await?;
        made["id"].as_i64().with_context(|| format!("no id in {made}"))
    }

    /// Has the person's phone scan a login's QR code.
    ///
    /// # Errors
    /// When the code is none, or can't be scanned any more.
    pub async fn scan(&self, user: i64, url: String) -> Result<()> {
        self.post(&format!("/users/{user}/scan"), &json!({ "token": url })).await.map(drop)
    }

    /// The login code that was just sent to `user`, waiting until one was.
    ///
    /// # Errors
    /// When none is sent in time.
    pub async fn code(&self, user: i64) -> Result<String> {
        let path = format!("/users/{user}/code");
        let path = path.as_str();
        let code =
            patience::until("a login code was sent", Duration::from_secs(60), || async move {
                let Ok(answer) = self.get(path).await else { return Ok(None) };
                Ok(match &answer["code"] {
                    Value::String(code) => Some(code.clone()),
                    Value::Number(code) => Some(code.to_string()),
                    _ => None,
                })
            })
            .await?;
        self.codes_told.lock().unwrap_or_else(PoisonError::into_inner).push(code.clone());
        Ok(code)
    }

    /// Every code that [`Tgsim::code`] gave.
    #[must_use]
    pub fn codes_told(&self) -> Vec<String> {
        self.codes_told.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Forgets every fault of the script that no request has met.
    ///
    /// # Errors
    /// When the admin port does not answer.
    pub async fn forget_script(&self) -> Result<()> {
        let url = format!("{}/script", self.admin);
        let answer = reqwest::Client::new().delete(url).timeout(ADMIN_BOUND).send().await?;
        read("/script", answer).await.map(|_| ())
    }

    /// Adds a fault to the script, e.g. `{"match":{"request":"messages.createChat"},"times":1,"then":{"flood":30}}`.
    ///
    /// # Errors
    /// When the admin port refuses it.
    pub async fn script(&self, fault: &Value) -> Result<()> {
        self.post("/script", fault).await.map(|_| ())
    }

    /// The number of the journal's newest entry: what a test remembers before it acts.
    ///
    /// # Errors
    /// When the admin port does not answer.
    pub async fn mark(&self) -> Result<u64> {
        let entries = self.journal_after(0).await?;
        Ok(entries.last().and_then(|entry| entry["n"].as_u64()).unwrap_or(0))
    }

    /// Every entry after number `mark`, as the admin port gives them.
    ///
    /// # Errors
    /// When the admin port does not answer.
    pub async fn journal_after(&self, mark: u64) -> Result<Vec<Value>> {
        let mut entries = Vec::new();
        let mut after = mark;
        // The admin port may give a long journal in pages.
        loop {
            let page = self.get(&format!("/journal?after={after}")).await?;
            let page = page["entries"].as_array().context("no entries")?.clone();
            let Some(newest) = page.last().and_then(|entry| entry["n"].as_u64()) else { break };
            entries.extend(page);
            after = newest;
        }
        Ok(entries)
    }

    /// What changed in the world after `mark`, in order; each with the `request` that did it.
    ///
    /// # Errors
    /// When the admin port does not answer.
    pub async fn effects_after(&self, mark: u64) -> Result<Vec<Value>> {
        let mut effects = Vec::new();
        for entry in self.journal_after(mark).await? {
            let list = match &entry["effect"] {
                Value::Null => continue,
                Value::Array(list) => list.clone(),
                one => vec![one.clone()],
            };
            for mut effect in list {
                effect["request"] = entry["request"].clone();
                effects.push(effect);
            }
        }
        Ok(effects)
    }

    /// The requests after `mark`, in order, whoever asked.
    ///
    /// # Errors
    /// When the admin port does not answer.
    pub async fn requests_after(&self, mark: u64) -> Result<Vec<String>> {
        let entries = self.journal_after(mark).await?;
        Ok(entries.iter().filter_map(|e| e["request"].as_str().map(str::to_owned)).collect())
    }

    /// What a witness needs to find it.
    #[must_use]
    pub fn witness_environment(&self) -> Vec<(String, String)> {
        vec![
            ("TGSIM_ADDRESS".to_owned(), self.address.clone()),
            ("TGSIM_DC".to_owned(), self.dc.to_string()),
            ("TGSIM_ADMIN".to_owned(), self.admin.clone()),
            ("TGSIM_PUBLIC_KEY".to_owned(), self.public_key.display().to_string()),
        ]
    }

    /// `GET` on the admin port.
    ///
    /// # Errors
    /// When it does not answer or refuses.
    pub async fn get(&self, path: &str) -> Result<Value> {
        let url = format!("{}{path}", self.admin);
        let answer = reqwest::Client::new().get(url).timeout(ADMIN_BOUND).send().await?;
        read(path, answer).await
    }

    /// `POST` on the admin port.
    ///
    /// # Errors
    /// When it does not answer or refuses.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let url = format!("{}{path}", self.admin);
        let request = reqwest::Client::new().post(url).json(body).timeout(ADMIN_BOUND);
        read(path, request.send().await?).await
    }
}

/// The line that tells where it listens, once whole.
fn ready_line(log: &str) -> Option<String> {
    let at = log.find("tgsim ready ")?;
    let (line, _) = log[at..].split_once('\n')?;
    Some(line.to_owned())
}

fn field(line: &str, name: &str) -> Result<String> {
    let value = line.split(' ').find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
    Ok(value.with_context(|| format!("no {name} in: {line}"))?.to_owned())
}

async fn read(path: &str, answer: reqwest::Response) -> Result<Value> {
    let status = answer.status();
    let text = answer.text().await?;
    if !status.is_success() {
        bail!("tgsim's admin port: {path}: {status}: {text}");
    }
    Ok(if text.is_empty() { json!(null) } else { serde_json::from_str(&text)? })
}
