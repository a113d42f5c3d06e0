//! A test's own corner: a prefix in the shared Redis and a folder for a vault.

use std::io::Read;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use deadpool_redis::redis::aio::MultiplexedConnection;
use deadpool_redis::redis::{Client, Cmd, FromRedisValue, cmd};
use proto::InstanceId;
use queuegram_store::{Lease, Leases, Redis, RedisConfig, RedisUrl, Vault, VaultConfig};
use tempfile::TempDir;

pub struct Corner {
    pub redis: Redis,
    pub config: RedisConfig,
    pub leases: Leases,
    folder: TempDir,
}

impl Corner {
    pub async fn new() -> Self {
        Self::at(server()).await
    }

    pub async fn at(url: &str) -> Self {
        let config = RedisConfig {
            url: RedisUrl::try_from(url.to_owned()).unwrap(),
            prefix: format!("test-{}", uuid::Uuid::new_v4()),
            timeout_ms: 5_000,
            ..RedisConfig::default()
        };
        let redis = Redis::connect(&config).await.unwrap();
        let leases = Leases::new(&redis);
        Self { redis, config, leases, folder: TempDir::new().unwrap() }
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn vault_config(&self) -> VaultConfig {
        VaultConfig {
            url: url::Url::from_directory_path(self.folder().join("vault")).unwrap(),
            key_file: self.folder().join("vault.key"),
            create_key: true,
            ..VaultConfig::default()
        }
    }

    pub async fn vault(&self) -> Vault {
        Vault::open(&self.vault_config()).await.unwrap()
    }

    /// Takes the lease of the instance that most tests work with.
    pub async fn lease(&self) -> Lease {
        self.leases.try_acquire(&acme(), "w-1").await.unwrap().unwrap()
    }

    /// Another owner takes the instance from one that doesn't know it.
    pub async fn usurp(&self, lease: &Lease) -> Lease {
        let key = format!("{}:{{{}}}:lease", self.config.prefix, lease.instance);
        self.query::<u8>(cmd("DEL").arg(key)).await;
        self.leases.try_acquire(&lease.instance, "w-2").await.unwrap().unwrap()
    }

    /// A request past the store, to see or break what it wrote.
    pub async fn query<T: FromRedisValue>(&self, request: &Cmd) -> T {
        request.query_async(&mut raw(server()).await).await.unwrap()
    }

    /// The same, at a server of the test's own.
    pub async fn query_at(url: &str, request: &Cmd) {
        request.exec_async(&mut raw(url).await).await.unwrap();
    }

    pub fn key(&self, name: &str) -> String {
        format!("{}:{{acme}}:{name}", self.config.prefix)
    }
}

async fn raw(url: &str) -> MultiplexedConnection {
    Client::open(url).unwrap().get_multiplexed_async_connection().await.unwrap()
}

pub fn acme() -> InstanceId {
    "acme".parse().unwrap()
}

/// A Redis that ends when the process does that started it: a shell waits for the end of its input
/// and then ends the server, however the tests ended.
pub struct Server {
    pub url: String,
    shell: Child,
    folder: TempDir,
}

impl Server {
    pub fn start() -> Self {
        Self::start_at(free_port())
    }

    pub fn start_at(port: u16) -> Self {
        Self::start_in(port, TempDir::new().unwrap())
    }

    /// Where it writes and reads its snapshots, as `dump.rdb`.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Ends it and starts it again at the same place with these data.
    pub fn restart_with(&mut self, snapshot: &[u8]) {
        let port = url::Url::parse(&self.url).unwrap().port().unwrap();
        self.end();
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("dump.rdb"), snapshot).unwrap();
        *self = Self::start_in(port, folder);
    }

    fn end(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }

    fn start_in(port: u16, folder: TempDir) -> Self {
        let mut shell = Command::new("sh")
            .arg("-c")
            .arg(
                r#"redis-server --port "$0" --bind 127.0.0.1 --dir "$1" --save "" --enable-debug-command local --daemonize no >/dev/null &
                server=$!
                until redis-cli -p "$0" ping 2>/dev/null | grep -q PONG; do
                    kill -0 $server 2>/dev/null || exit 1
                    sleep 0.02
                done
                echo ready
                exec >&-
                read -r _
                kill -9 $server
                wait $server 2>/dev/null
                rm -rf -- "$1""#,
            )
            .arg(port.to_string())
            .arg(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut ready = String::new();
        shell.stdout.take().unwrap().read_to_string(&mut ready).unwrap();
        assert!(ready.contains("ready"), "redis-server can't be started");
        Self { url: format!("redis://127.0.0.1:{port}"), shell, folder }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

const URL: &str = "QUEUEGRAM_REDIS__URL";

fn server() -> &'static str {
    static SERVER: OnceLock<Result<String, Server>> = OnceLock::new();
    match SERVER.get_or_init(|| std::env::var(URL).map_err(|_| Server::start())) {
        Ok(url) => url,
        Err(server) => &server.url,
    }
}

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Asks until the answer is yes; a test that waits for ever is a test that fails.
pub async fn until(what: &str, mut asked: impl AsyncFnMut() -> bool) {
    let asking = async {
        while !asked().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), asking)
        .await
        .unwrap_or_else(|_| panic!("never: {what}"));
}
