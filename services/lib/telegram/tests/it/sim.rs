//! A simulator in this process, driven over its admin port like anybody would, and accounts of it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use telegram::config::ServerConfig;
use telegram::secret::ApiHash;
use telegram::session::MemorySink;
use telegram::{Account, Gate, Login, LoginCode, LoginProgress, Phone, Telegram, TelegramConfig};
use tempfile::TempDir;
use tokio::sync::OnceCell;

pub struct Sim {
    running: tgsim::Running,
    folder: TempDir,
    http: reqwest::Client,
}

pub struct Person {
    pub id: i64,
    pub phone: String,
}

/// A logged-in account, with what was saved of it.
pub struct Logged {
    pub account: Account,
    pub sink: Arc<MemorySink>,
}

/// Making an RSA key takes long, and all simulators but one may have the same.
static KEY: OnceCell<String> = OnceCell::const_new();

async fn make_key() -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("private.pem");
    let private_key = Some(file.clone());
    let options = tgsim::Options { private_key, ..tgsim::Options::default() };
    tgsim::start(options).await.unwrap().shutdown().await;
    std::fs::read_to_string(file).unwrap()
}

impl Sim {
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// One whose RSA key no other has.
    pub async fn with_own_key() -> Self {
        Self::with(|options| options.private_key = None).await
    }

    pub async fn with(change: impl FnOnce(&mut tgsim::Options)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let private_key = folder.path().join("private.pem");
        std::fs::write(&private_key, KEY.get_or_init(make_key).await).unwrap();
        let mut options = tgsim::Options {
            public_key: Some(folder.path().join("public.pem")),
            private_key: Some(private_key),
            ..tgsim::Options::default()
        };
        change(&mut options);
        let running = tgsim::start(options).await.unwrap();
        Self { running, folder, http: reqwest::Client::new() }
    }

    pub fn address(&self) -> SocketAddr {
        self.running.dcs[0].address
    }

    /// Settings for this simulator, quick to give up.
    pub fn config(&self) -> TelegramConfig {
        TelegramConfig {
            api_id: 4242,
            api_hash: ApiHash::new("0123456789abcdef0123456789abcdef"),
            server: Some(ServerConfig {
                dc: self.running.dcs[0].id,
                address: self.address(),
                public_key: self.folder.path().join("public.pem"),
            }),
            connect_timeout_s: 5,
            call_timeout_s: 5,
            reconnect_pause_ms: 20,
            save_delay_ms: 10,
            ..TelegramConfig::default()
        }
    }

    pub fn telegram(&self) -> Telegram {
        Telegram::new(self.config()).unwrap()
    }

    /// A person of this phone number; `more` holds any other field of the admin port's `POST /users`.
    pub async fn person(&self, phone: &str, name: &str, more: Value) -> Person {
        let mut body = json!({"phone": phone, "first_name": name});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let answer = self.post("/users", &body).await;
        Person { id: answer["id"].as_i64().unwrap(), phone: phone.to_owned() }
    }

    pub async fn plain(&self, phone: &str, name: &str) -> Person {
        self.person(phone, name, json!({})).await
    }

    /// The code that was just sent.
    pub async fn code(&self, person: &Person) -> LoginCode {
        let answer = self.get(&format!("/users/{}/code", person.id)).await;
        LoginCode::new(answer["code"].as_str().unwrap())
    }

    /// The same for a number that may have no account.
    pub async fn code_of_phone(&self, phone: &str) -> LoginCode {
        let answer = self.get(&format!("/codes/{phone}")).await;
        LoginCode::new(answer["code"].as_str().unwrap())
    }

    /// A fault, as the admin port takes it.
    pub async fn script(&self, rule: Value) {
        self.post("/script", &rule).await;
    }

    pub async fn entries(&self) -> Vec<Value> {
        let (mut all, mut after) = (Vec::new(), 0);
        loop {
            let page = self.get(&format!("/journal?after={after}")).await;
            let page = page["entries"].as_array().unwrap().clone();
            let Some(last) = page.last() else { return all };
            after = last["n"].as_u64().unwrap();
            all.extend(page);
        }
    }

    /// Waits for an entry of this kind behind the first `mark` ones.
    pub async fn entry(&self, mark: usize, kind: &str) -> Value {
        let found = async {
            loop {
                let entries = self.entries().await.split_off(mark);
                if let Some(entry) = entries.iter().find(|entry| entry["kind"] == kind) {
                    return entry.clone();
                }
                let after = mark + entries.len();
                self.get(&format!("/journal?after={after}&wait_ms=1000")).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), found).await.unwrap()
    }

    /// The journal's entries of one request that were executed (without an error).
    pub async fn done(&self, request: &str) -> Vec<Value> {
        let mut entries = self.entries().await;
        entries.retain(|entry| entry["request"] == request && entry["error"].is_null());
        entries
    }

    /// A new person, logged in.
    pub async fn logged_in(&self, phone: &str, name: &str) -> (Person, Logged) {
        let person = self.plain(phone, name).await;
        let logged = self.log_in(&person).await;
        (person, logged)
    }

    pub async fn log_in(&self, person: &Person) -> Logged {
        self.log_in_as(person, &self.telegram()).await
    }

    pub async fn log_in_as(&self, person: &Person, telegram: &Telegram) -> Logged {
        let sink = Arc::new(MemorySink::default());
        let account = telegram.open(None, Vec::new(), sink.clone(), Gate::always());
        let mut login = Login::new(account.clone());
        let progress = login.start(Phone::new(person.phone.as_str())).await.unwrap();
        assert!(matches!(progress, LoginProgress::CodeNeeded { again: None, .. }));
        let done = login.code(self.code(person).await).await.unwrap();
        assert!(matches!(done, LoginProgress::Done(user) if user.id.get() == person.id));
        Logged { account, sink }
    }

    pub async fn stop(self) {
        self.running.shutdown().await;
    }

    async fn get(&self, path: &str) -> Value {
        let url = format!("http://{}{path}", self.running.admin);
        let answer = self.http.get(url).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.text().await.unwrap());
        answer.json().await.unwrap()
    }

    async fn post(&self, path: &str, body: &Value) -> Value {
        let url = format!("http://{}{path}", self.running.admin);
        let answer = self.http.post(url).json(body).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.text().await.unwrap());
        answer.json().await.unwrap()
    }
}
