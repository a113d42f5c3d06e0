//! A private RabbitMQ: its own node name, cookie, home, data, ports and epmd, all on loopback.
//!
//! Everything that the start script would look for in the system's folders is named in its
//! environment, so that neither a system-wide configuration nor another broker plays a part. It is
//! ended by SIGKILL: its data are thrown away, and a graceful stop would only take time. Whoever wants
//! to hurt one kills, stops, freezes and starts its node again: the data stay until it is dropped.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use lapin::{Connection, ConnectionProperties};
use rustix::process::Signal;

use super::children::{Launch, Running};
use super::{patience, ports};

/// A cold broker needs about 6 s alone on two cores; builds beside it make that longer.
const START_BOUND: Duration = Duration::from_secs(180);

/// The programs, as `scripts/servers` found them.
#[derive(Debug, Clone)]
pub struct RabbitPrograms {
    /// The start script that runs as any user.
    pub server: PathBuf,
    /// Erlang's port mapper.
    pub epmd: PathBuf,
}

/// A broker that runs until dropped.
#[derive(Debug)]
pub struct Rabbit {
    /// `amqp://user:password@127.0.0.1:port/%2f`
    pub amqp_url: String,
    /// `http://user:password@127.0.0.1:port`
    pub management_url: String,
    // Dropped in this order: the node first, then the port mapper it is registered with.
    node: Running,
    _epmd: Running,
    launch: Launch,
    ctl: Launch,
}

impl Rabbit {
    /// Starts one whose files are under `folder`, and waits until it takes connections.
    ///
    /// # Errors
    /// When it does not come up; the error holds its last words.
    pub async fn start(programs: &RabbitPrograms, folder: &Path) -> Result<Self> {
        let mut last = anyhow::anyhow!("never tried");
        for attempt in 0..ports::TRIES {
            let home = folder.join(format!("rabbitmq-{attempt}"));
            match Self::try_start(programs, &home).await {
                Ok(rabbit) => return Ok(rabbit),
                Err(error) => last = error,
            }
        }
        Err(last.context("the private RabbitMQ did not start"))
    }

    async fn try_start(programs: &RabbitPrograms, home: &Path) -> Result<Self> {
        std::fs::create_dir_all(home)?;
        let [amqp, management, distribution, epmd_port] = ports::free()?;
        let password = uuid::Uuid::new_v4().simple().to_string();
        write_configuration(home, amqp, management, &password)?;

        let epmd = Launch::new("epmd", &programs.epmd, home.join("epmd.log"))
            .args(["-port".to_owned(), epmd_port.to_string()])
            .args(["-address", "127.0.0.1"])
            .start()?;
        let environment = environment(home, distribution, epmd_port);
        let launch = Launch::new("RabbitMQ", &programs.server, home.join("output.log"))
            .envs(environment.clone())
            .cwd(home);
        let ctl = programs.server.with_file_name("rabbitmqctl");
        let ctl = Launch::new("rabbitmqctl", ctl, home.join("ctl.log")).envs(environment).cwd(home);
        let node = launch.start()?;

        let amqp_url = format!("amqp://queuegram:{password}@127.0.0.1:{amqp}/%2f");
        let management_url = format!("http://queuegram:{password}@127.0.0.1:{management}");
        let mut rabbit = Self { amqp_url, management_url, node, _epmd: epmd, launch, ctl };
        rabbit.until_it_answers().await?;
        Ok(rabbit)
    }

    async fn until_it_answers(&mut self) -> Result<()> {
        let deadline = tokio::time::Instant::now() + START_BOUND;
        while !answers(&self.amqp_url, &self.management_url).await {
            self.node.check_alive()?;
            ensure!(tokio::time::Instant::now() < deadline, "no answer in {START_BOUND:?}");
            tokio::time::sleep(Duration::from_millis(60)).await;
        }
        Ok(())
    }

    /// Ends the node at once, as a crash would; [`Rabbit::start_again`] brings it back with its data.
    pub fn kill(&mut self) {
        self.node.kill();
    }

    /// Stops the node in order, as an orchestrator does.
    ///
    /// # Errors
    /// When it does not end in a minute.
    pub async fn stop(&mut self) -> Result<()> {
        self.node.signal(Signal::TERM)?;
        self.node.ended(Duration::from_secs(60)).await.map(|_| ())
    }

    /// Starts the node that was ended, with its data and addresses, and waits until it answers.
    ///
    /// # Errors
    /// When it does not come up.
    pub async fn start_again(&mut self) -> Result<()> {
        self.node = self.launch.start()?;
        self.until_it_answers().await
    }

    /// Freezes the node, or lets it go on.
    ///
    /// # Errors
    /// When it does not run.
    pub fn freeze(&self, frozen: bool) -> Result<()> {
        self.node.signal(if frozen { Signal::STOP } else { Signal::CONT })
    }

    /// Has the node block whoever publishes (a memory alarm), or ends that.
    ///
    /// # Errors
    /// When `rabbitmqctl` fails.
    pub async fn block(&self, blocked: bool) -> Result<()> {
        let watermark = if blocked { "0.00001" } else { "0.4" };
        let mut ctl = self.ctl.clone().args(["set_vm_memory_high_watermark", watermark]).start()?;
        let status = ctl.ended(Duration::from_secs(60)).await?;
        ensure!(status.success(), "rabbitmqctl ended with {status}: {}", ctl.log_text());
        Ok(())
    }
}

/// Whether both faces of the broker at these addresses answer, with these credentials.
pub async fn answers(amqp_url: &str, management_url: &str) -> bool {
    let overview = format!("{}/api/overview", management_url.trim_end_matches('/'));
    let get = reqwest::Client::new().get(overview).timeout(Duration::from_secs(5)).send();
    if !get.await.is_ok_and(|answer| answer.status().is_success()) {
        return false;
    }
    let connect = Connection::connect(amqp_url, ConnectionProperties::default());
    let Ok(Ok(connection)) = tokio::time::timeout(Duration::from_secs(5), connect).await else {
        return false;
    };
    let _closed = connection.close(200, "looked".into()).await;
    true
}

/// Waits until a broker that somebody else starts answers.
///
/// # Errors
/// When it does not in three minutes.
pub async fn wait_for(amqp_url: &str, management_url: &str) -> Result<()> {
    patience::until("RabbitMQ answers", START_BOUND, || async {
        Ok(answers(amqp_url, management_url).await.then_some(()))
    })
    .await
}

fn write_configuration(home: &Path, amqp: u16, management: u16, password: &str) -> Result<()> {
    let configuration = format!(
        "listeners.tcp.1 = 127.0.0.1:{amqp}\n\
         management.tcp.ip = 127.0.0.1\n\
         management.tcp.port = {management}\n\
         default_user = queuegram\n\
         default_pass = {password}\n\
         disk_free_limit.absolute = 50MB\n\
         log.file.level = warning\n"
    );
    std::fs::write(home.join("rabbitmq.conf"), configuration).context("rabbitmq.conf")?;
    std::fs::write(home.join("enabled_plugins"), "[rabbitmq_management].\n")?;
    // Empty, but there: a missing one would make the script look in /etc/rabbitmq.
    std::fs::write(home.join("env.conf"), "")?;
    Ok(())
}

fn environment(home: &Path, distribution: u16, epmd: u16) -> Vec<(String, String)> {
    let file = |name: &str| home.join(name).display().to_string();
    // A node's name must be new on its host for as long as the other nodes' epmd know it.
    let node = format!("queuegram-{}@localhost", &uuid::Uuid::new_v4().simple().to_string()[..12]);
    [
        ("HOME", file("")),
        ("ERL_EPMD_PORT", epmd.to_string()),
        ("ERL_EPMD_ADDRESS", "127.0.0.1".to_owned()),
        ("RABBITMQ_NODENAME", node),
        ("RABBITMQ_DIST_PORT", distribution.to_string()),
        ("RABBITMQ_CONFIG_FILE", file("rabbitmq.conf")),
        ("RABBITMQ_ADVANCED_CONFIG_FILE", file("advanced.config")),
        ("RABBITMQ_CONF_ENV_FILE", file("env.conf")),
        ("RABBITMQ_ENABLED_PLUGINS_FILE", file("enabled_plugins")),
        ("RABBITMQ_MNESIA_BASE", file("data")),
        ("RABBITMQ_LOG_BASE", file("log")),
        ("RABBITMQ_PID_FILE", file("pid")),
        ("RABBITMQ_GENERATED_CONFIG_DIR", file("generated")),
        // Makes the script become the node rather than wait beside it, so that the signal that ends
        // our child ends the node.
        ("RUNNING_UNDER_SYSTEMD", "true".to_owned()),
        (
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
            "-kernel inet_dist_use_interface {127,0,0,1}".to_owned(),
        ),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value))
    .collect()
}
