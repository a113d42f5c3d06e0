//! What the hop costs, beside the same done by grammers alone and directly: a ping's way there and back, and an idle
//! account's memory and descriptors. `cargo run --release -p queuegram-telegram --example hop_cost [ACCOUNTS]`.
//!
//! All accounts have one auth key, which an account that is not logged in may. The simulator runs in the parent process,
//! each way in a child of its own.

use std::collections::HashMap;
use std::env;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use grammers_client::Client;
use grammers_mtsender::{ConnectionParams, NoRetries, SenderPool};
use grammers_session::SessionData;
use grammers_session::storages::MemorySession;
use grammers_session::types::DcOption;
use grammers_tl_types::functions::Ping;
use queuegram_telegram as telegram;
use telegram::config::ServerConfig;
use telegram::secret::ApiHash;
use telegram::session::MemorySink;
use telegram::{Account, Gate, SessionRecord, Telegram, TelegramConfig};

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

const PINGS: i64 = 5_000;

#[tokio::main]
async fn main() -> Outcome<()> {
    let args: Vec<String> = env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [way, accounts, dc, address, folder] => {
            measure(way, accounts.parse()?, dc.parse()?, address.parse()?, Path::new(folder)).await
        }
        [accounts] => compare(accounts).await,
        _ => compare("1000").await,
    }
}

/// Runs the simulator, makes a key, and has each way measured twice in turn.
async fn compare(accounts: &str) -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let public_key = Some(folder.path().join("public.pem"));
    let sim = tgsim::start(tgsim::Options { public_key, ..Default::default() }).await?;
    let (dc, address) = (sim.dcs[0].id, sim.dcs[0].address);
    let account = telegram(dc, address, folder.path())?.open(
        None,
        Vec::new(),
        Arc::new(MemorySink::default()),
        Gate::always(),
    );
    account.connect().await?;
    std::fs::write(folder.path().join("session"), account.record().to_bytes().as_slice())?;
    account.close().await?;
    for way in ["direct", "hop", "direct", "hop"] {
        let folder = folder.path().to_owned();
        let mut child = Command::new(env::current_exe()?);
        child.args([way, accounts, &dc.to_string(), &address.to_string()]).arg(folder);
        tokio::task::spawn_blocking(move || child.status()).await??;
    }
    sim.shutdown().await;
    Ok(())
}

/// One account, either way.
enum Way {
    Hop(Account),
    Direct(Client),
}

impl Way {
    async fn open(
        way: &str,
        telegram: &Telegram,
        record: &SessionRecord,
        at: (i32, SocketAddr),
    ) -> Outcome<Self> {
        Ok(match way {
            "hop" => Self::Hop(open(telegram, record).await?),
            _ => Self::Direct(direct(record, at.0, at.1).await?),
        })
    }

    async fn ping(&self, dc: i32, ping_id: i64) -> Outcome<()> {
        match self {
            // To prove a connection is a ping and little else.
            Self::Hop(account) => account.connect().await?,
            Self::Direct(client) => {
                client.invoke_in_dc(dc, &Ping { ping_id }).await?;
            }
        }
        Ok(())
    }
}

/// Opens so many accounts, pings with the first, and prints what it cost.
async fn measure(
    way: &str,
    accounts: usize,
    dc: i32,
    address: SocketAddr,
    folder: &Path,
) -> Outcome<()> {
    let record = SessionRecord::from_bytes(&std::fs::read(folder.join("session"))?)?;
    let telegram = telegram(dc, address, folder)?;
    // What all need once comes with the first.
    let mut opened = vec![Way::open(way, &telegram, &record, (dc, address)).await?];
    let before = (resident_kib()?, descriptors()?);
    for _ in 0..accounts {
        opened.push(Way::open(way, &telegram, &record, (dc, address)).await?);
    }
    let after = (resident_kib()?, descriptors()?);

    let mut took = Vec::new();
    for ping_id in 0..PINGS {
        let begun = Instant::now();
        opened[0].ping(dc, ping_id).await?;
        took.push(begun.elapsed());
    }
    took.sort();
    let of = |share: usize| took[took.len() * share / 100].as_micros();
    let each = |before: i64, after: i64| (after - before) as f64 / accounts as f64;
    println!(
        "{way:>6}: ping {} µs (median), {} µs (99 of 100); idle account {:.1} KiB, {:.1} descriptors",
        of(50),
        of(99),
        each(before.0, after.0),
        each(before.1, after.1),
    );
    Ok(())
}

fn telegram(dc: i32, address: SocketAddr, folder: &Path) -> Outcome<Telegram> {
    let public_key = folder.join("public.pem");
    let server = Some(ServerConfig { dc, address, public_key });
    let config = TelegramConfig {
        api_id: 1,
        api_hash: ApiHash::new("x"),
        server,
        ..TelegramConfig::default()
    };
    Ok(Telegram::new(config)?)
}

async fn open(telegram: &Telegram, record: &SessionRecord) -> Outcome<Account> {
    let sink = Arc::new(MemorySink::default());
    let account = telegram.open(Some(record.clone()), Vec::new(), sink, Gate::always());
    account.connect().await?;
    Ok(account)
}

/// grammers as it is.
async fn direct(record: &SessionRecord, dc: i32, address: SocketAddr) -> Outcome<Client> {
    let SocketAddr::V4(ipv4) = address else { return Err("an IPv4 address is needed".into()) };
    let ipv6 = std::net::SocketAddrV6::new(ipv4.ip().to_ipv6_mapped(), ipv4.port(), 0, 0);
    let stored: serde_json::Value = serde_json::to_value(record)?;
    let key = stored["dcs"][0]["auth_key"].as_str().ok_or("no key")?;
    let auth_key: [u8; 256] =
        hex::decode(key)?.try_into().map_err(|_| "a key of another length")?;
    let option = DcOption { id: dc, ipv4, ipv6, auth_key: Some(auth_key) };
    let session = MemorySession::from(SessionData {
        home_dc: dc,
        dc_options: HashMap::from([(dc, option)]),
        ..SessionData::default()
    });
    let params = ConnectionParams {
        device_model: "x".into(),
        system_version: "x".into(),
        app_version: "x".into(),
        system_lang_code: "en".into(),
        lang_code: "en".into(),
        proxy_url: None,
        use_ipv6: false,
        retry_policy: Box::new(NoRetries),
        updates_channel_capacity: NonZeroUsize::MIN,
        __non_exhaustive: (),
    };
    let pool = SenderPool::with_configuration(Arc::new(session), 1, params);
    let client = Client::with_configuration(pool.handle, Default::default());
    tokio::spawn(pool.runner.run());
    tokio::time::timeout(Duration::from_secs(10), client.invoke_in_dc(dc, &Ping { ping_id: 0 }))
        .await??;
    Ok(client)
}

fn resident_kib() -> Outcome<i64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmRSS")).ok_or("no VmRSS")?;
    Ok(line.split_whitespace().nth(1).ok_or("no number")?.parse()?)
}

fn descriptors() -> Outcome<i64> {
    Ok(i64::try_from(std::fs::read_dir("/proc/self/fd")?.count())?)
}
