//! What one story plays on: its own vhost, Redis, simulated Telegram, vault and workers.

use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::collector::Collector;
use super::corner::RedisCorner;
use super::ctl::Ctl;
use super::folder::Folder;
use super::servers::Addresses;
use super::tgsim::{API_HASH, API_ID, Tgsim};
use super::vhost::Vhost;
use super::worker::{FAULTS_PROGRAM, PROGRAM, Worker};
use super::{Caller, Listener, patience, shared, sweep};

/// The file in a scene's folder that holds by how many seconds its time is moved on.
const CLOCK: &str = "clock";

/// How a scene is set.
#[derive(Debug, Clone)]
pub struct SceneOptions {
    /// A word for names of folders and vhosts.
    pub label: String,
    /// The number of tgsim's first data centre.
    pub dc: i32,
    /// Settings of the workers beyond the usual, by their environment variables.
    pub settings: Vec<(String, String)>,
    /// Whether the workers are those that die and freeze on order.
    pub faults: bool,
}

impl SceneOptions {
    /// The usual scene.
    #[must_use]
    pub fn new(label: &str) -> Self {
        Self { label: label.to_owned(), dc: 2, settings: Vec::new(), faults: false }
    }

    /// One more setting of the workers, e.g. `QUEUEGRAM_LIMITS__PROFILE`.
    #[must_use]
    pub fn setting(mut self, key: &str, value: &str) -> Self {
        self.settings.push((key.to_owned(), value.to_owned()));
        self
    }

    /// More settings of the workers.
    #[must_use]
    pub fn settings(self, settings: &[(&str, String)]) -> Self {
        settings.iter().fold(self, |options, (key, value)| options.setting(key, value))
    }

    /// Workers that die and freeze on order: see [`Scene::add_worker_with`].
    #[must_use]
    pub fn faults(mut self, faults: bool) -> Self {
        self.faults = faults;
        self
    }

    /// Another number for tgsim's first data centre.
    #[must_use]
    pub fn dc(mut self, dc: i32) -> Self {
        self.dc = dc;
        self
    }
}

/// A person of the simulated world.
#[derive(Debug, Clone)]
pub struct Person {
    /// Telegram's id.
    pub id: i64,
    /// `+…`; empty for a bot.
    pub phone: String,
    /// Without the `@`.
    pub username: Option<String>,
}

/// A scene, until dropped. By then no secret of it may stand anywhere: see [`sweep`].
#[derive(Debug)]
pub struct Scene {
    // In the order in which they must end: who uses a thing before the thing.
    /// The workers, in the order of their start.
    pub workers: Vec<Worker>,
    /// An ordinary AMQP client.
    pub caller: Caller,
    /// Everything that was published on `tg.events` and `tg.results`.
    pub heard: Listener,
    /// The workers' spans.
    pub traces: Collector,
    /// The simulated Telegram.
    pub tgsim: Tgsim,
    /// Its Redis.
    pub redis: RedisCorner,
    /// The broker's corner.
    pub vhost: Vhost,
    /// Where vault, keys and logs lie.
    pub folder: Folder,
    settings: Vec<(String, String)>,
    program: &'static str,
    passwords: Mutex<Vec<String>>,
}

impl Scene {
    /// The usual scene on the shared servers, with one worker that is ready.
    ///
    /// # Errors
    /// When a part does not start.
    pub async fn open(label: &str) -> Result<Self> {
        Self::with(SceneOptions::new(label)).await
    }

    /// A scene on the shared servers, with one worker that is ready.
    ///
    /// # Errors
    /// When a part does not start.
    pub async fn with(options: SceneOptions) -> Result<Self> {
        let mut scene = Self::without_worker(shared::servers().await?, options).await?;
        scene.add_worker().await?;
        Ok(scene)
    }

    /// A scene on these servers: topology applied, no worker yet.
    ///
    /// # Errors
    /// When a part does not start.
    pub async fn without_worker(addresses: &Addresses, options: SceneOptions) -> Result<Self> {
        let folder = Folder::new("scene")?;
        let (vhost, redis, tgsim) = tokio::try_join!(
            Vhost::new(addresses, &options.label),
            RedisCorner::new(addresses, folder.path()),
            Tgsim::start(folder.path(), options.dc),
        )?;
        Ctl::new(&broker_addresses(&vhost)).await?.ok(&["topology", "apply"]).await?;
        let published = [("tg.events", "#"), ("tg.results", "#")];
        let (caller, heard, traces) = tokio::try_join!(
            Caller::connect(&vhost.amqp_url),
            Listener::on_all(&vhost.amqp_url, &published),
            Collector::start(),
        )?;
        Ok(Self {
            workers: Vec::new(),
            caller,
            heard,
            traces,
            tgsim,
            redis,
            vhost,
            folder,
            settings: options.settings,
            program: if options.faults { FAULTS_PROGRAM } else { PROGRAM },
            passwords: Mutex::default(),
        })
    }

    /// Starts one more worker, on the same stores, and waits until it is ready.
    ///
    /// # Errors
    /// When it does not become ready.
    pub async fn add_worker(&mut self) -> Result<usize> {
        self.add_worker_with(&[]).await
    }

    /// The same, with more environment, e.g. `QUEUEGRAM_FAULTS` where the scene is one of faults.
    ///
    /// # Errors
    /// When it does not become ready.
    pub async fn add_worker_with(&mut self, more: &[(&str, &str)]) -> Result<usize> {
        let name = format!("worker-{}", self.workers.len() + 1);
        let mut env = self.worker_environment();
        env.extend(more.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
        let worker = Worker::start(self.program, self.folder.path(), &name, &env).await?;
        self.workers.push(worker);
        Ok(self.workers.len() - 1)
    }

    /// Starts one more worker with more environment, and does not wait until it is ready.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn add_worker_unready(&mut self, more: &[(&str, &str)]) -> Result<usize> {
        let name = format!("worker-{}", self.workers.len() + 1);
        let mut env = self.worker_environment();
        env.extend(more.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
        self.workers.push(Worker::up(self.program, self.folder.path(), &name, &env).await?);
        Ok(self.workers.len() - 1)
    }

    /// The environment of a worker of this scene.
    #[must_use]
    pub fn worker_environment(&self) -> Vec<(String, String)> {
        let file = |name: &str| self.folder.join(name).display().to_string();
        let mut env = self.ctl_environment();
        let own = [
            ("QUEUEGRAM_REDIS__URL", self.redis.url.clone()),
            ("QUEUEGRAM_TELEGRAM__API_ID", API_ID.to_string()),
            ("QUEUEGRAM_TELEGRAM__API_HASH", API_HASH.to_owned()),
            ("QUEUEGRAM_TELEGRAM__SERVER__DC", self.tgsim.dc.to_string()),
            ("QUEUEGRAM_TELEGRAM__SERVER__ADDRESS", self.tgsim.address.clone()),
            ("QUEUEGRAM_TELEGRAM__SERVER__PUBLIC_KEY", self.tgsim.public_key.display().to_string()),
            ("QUEUEGRAM_VAULT__URL", format!("file://{}", file("vault"))),
            ("QUEUEGRAM_VAULT__KEY_FILE", file("vault.key")),
            ("QUEUEGRAM_VAULT__CREATE_KEY", "true".to_owned()),
            ("QUEUEGRAM_ADMIN__LISTEN", "127.0.0.1:0".to_owned()),
            ("QUEUEGRAM_LIMITS__PROFILE", "sandbox".to_owned()),
            ("QUEUEGRAM_TELEMETRY__OTLP_ENDPOINT", self.traces.endpoint.clone()),
            ("QUEUEGRAM_TEST_CLOCK", file(CLOCK)),
        ];
        env.extend(own.into_iter().map(|(key, value)| (key.to_owned(), value)));
        env.extend(self.settings.iter().cloned());
        env
    }

    /// The environment of the command line: the broker's addresses, nothing else.
    #[must_use]
    pub fn ctl_environment(&self) -> Vec<(String, String)> {
        broker_addresses(&self.vhost)
    }

    /// The command line.
    ///
    /// # Errors
    /// When it can't be built.
    pub async fn ctl(&self) -> Result<Ctl> {
        Ctl::new(&self.ctl_environment()).await
    }

    /// The address of the scene's Redis.
    #[must_use]
    pub fn redis_url(&self) -> &str {
        &self.redis.url
    }

    /// A person with these details beside a phone number and a first name, which are made up.
    ///
    /// # Errors
    /// When tgsim refuses the details.
    pub async fn person(&self, details: Value) -> Result<Person> {
        // A range that no country uses; its number is as random as the rest of the scene.
        let random = uuid::Uuid::new_v4().as_u128() % 10_000_000_000;
        let phone = match details["bot"] == true {
            true => String::new(),
            false => format!("+99{random:010}"),
        };
        let mut user = json!({ "phone": phone, "first_name": "Somebody" });
        let details = details.as_object().context("details are an object")?.clone();
        let object = user.as_object_mut().context("an object")?;
        object.extend(details);
        let phone = object["phone"].as_str().context("a phone is a string")?.to_owned();
        if let Some(password) = object.get("password").and_then(Value::as_str) {
            self.passwords.lock().unwrap_or_else(PoisonError::into_inner).push(password.to_owned());
        }
        let username = object.get("username").and_then(Value::as_str).map(str::to_owned);
        Ok(Person { id: self.tgsim.user(&user).await?, phone, username })
    }

    /// Connects a new person's account as `instance`, as an admin does: `instance add`, `login`.
    ///
    /// # Errors
    /// When a command fails or the account does not get online.
    pub async fn connect(&self, instance: &str) -> Result<Person> {
        self.connect_as(instance, json!({ "first_name": "Manager" }), None).await
    }

    /// The same, with the person's details and the account's two-step password.
    ///
    /// # Errors
    /// As [`Scene::connect`].
    pub async fn connect_as(
        &self,
        instance: &str,
        details: Value,
        password: Option<&str>,
    ) -> Result<Person> {
        let person = self.person(details).await?;
        let ctl = self.ctl().await?;
        ctl.ok(&["instance", "add", instance]).await?;
        ctl.login(instance, &person.phone, password, &self.tgsim, person.id).await?;
        // The login's end and the state that everybody is shown are two writes.
        let what = format!("{instance} is online");
        patience::until(&what, patience::USUAL, || async {
            let shown = ctl.json(&["instance", "show", instance]).await?;
            Ok((shown["state"] == "online").then_some(()))
        })
        .await?;
        Ok(person)
    }

    /// Moves the time of tgsim and of the workers on, where these live at a time that a test tells
    /// ([`SceneOptions::faults`]).
    ///
    /// # Errors
    /// When the time can't be told.
    pub async fn advance(&self, seconds: u32) -> Result<()> {
        self.tgsim.post("/clock", &json!({ "advance_s": seconds })).await?;
        let (file, draft) = (self.folder.join(CLOCK), self.folder.join("clock.new"));
        let before = std::fs::read_to_string(&file).unwrap_or_default();
        let before: u64 = before.trim().parse().unwrap_or(0);
        // Renamed, so that nobody reads half of it.
        std::fs::write(&draft, (before + u64::from(seconds)).to_string())?;
        Ok(std::fs::rename(draft, file)?)
    }

    /// Listens to everything on `tg.results`.
    ///
    /// # Errors
    /// When the exchange is missing.
    pub async fn results(&self) -> Result<Listener> {
        Listener::on(&self.vhost.amqp_url, "tg.results", "#").await
    }

    /// Listens to everything on `tg.events`.
    ///
    /// # Errors
    /// When the exchange is missing.
    pub async fn events(&self) -> Result<Listener> {
        Listener::on(&self.vhost.amqp_url, "tg.events", "#").await
    }

    /// The two-step passwords of the scene's people.
    #[must_use]
    pub fn passwords(&self) -> Vec<String> {
        self.passwords.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Everything that this scene's processes logged, for errors and for looking for secrets.
    #[must_use]
    pub fn logs(&self) -> String {
        self.workers.iter().map(Worker::log_text).collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        // What failed already needs no second reason.
        if std::thread::panicking() {
            return;
        }
        let leaks = sweep::leaks(self);
        assert!(leaks.is_empty(), "secrets were let out:\n{}", leaks.join("\n"));
    }
}

fn broker_addresses(vhost: &Vhost) -> Vec<(String, String)> {
    vec![
        ("QUEUEGRAM_AMQP__URL".to_owned(), vhost.amqp_url.clone()),
        ("QUEUEGRAM_AMQP__MANAGEMENT_URL".to_owned(), vhost.management_url.clone()),
    ]
}
