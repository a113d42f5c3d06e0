//! The `tgsim` program: a simulated Telegram on this machine.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// A simulated Telegram: a real MTProto server that any client library can connect to.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Where the first DC listens; port 0 for free ports, else the other DCs take the ports after it.
    #[arg(long, default_value = "127.0.0.1:4430")]
    listen: SocketAddr,
    /// Where the admin port (HTTP, JSON) listens.
    #[arg(long, default_value = "127.0.0.1:4431")]
    admin: SocketAddr,
    /// Where the public RSA key is written, for clients (PKCS#1 PEM).
    #[arg(long, value_name = "FILE")]
    public_key: Option<PathBuf>,
    /// Where the private RSA key is kept; made there if it is missing. Without: a new key each time.
    #[arg(long, value_name = "FILE")]
    private_key: Option<PathBuf>,
    /// How many DCs.
    #[arg(long, default_value_t = 1)]
    dcs: i32,
    /// The number of the first DC.
    #[arg(long, default_value_t = 2)]
    first_dc: i32,
    /// Makes ids, access hashes and links repeatable.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// The only api_id and api_hash that may log in, as ID:HASH; any by default.
    #[arg(long, value_name = "ID:HASH", value_parser = api)]
    api: Option<(i32, String)>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Lists every request that is answered, its errors, and the page where each is documented.
    Requests,
}

fn api(text: &str) -> Result<(i32, String), String> {
    let (id, hash) = text.split_once(':').ok_or("ID:HASH is needed")?;
    Ok((id.parse().map_err(|_| "the id is a number")?, hash.to_owned()))
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let filter = EnvFilter::try_from_env("TGSIM_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    if let Some(Command::Requests) = arguments.command {
        return print_requests();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(arguments))
}

async fn serve(arguments: Arguments) -> anyhow::Result<()> {
    // Before the ready line: whoever reads it may send the signal at once.
    let mut terminate = signal(SignalKind::terminate()).context("no SIGTERM handler")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("no SIGINT handler")?;
    let public_key = arguments.public_key.clone();
    let running = tgsim::start(tgsim::Options {
        listen: arguments.listen,
        admin: arguments.admin,
        public_key: arguments.public_key,
        private_key: arguments.private_key,
        dcs: arguments.dcs,
        first_dc: arguments.first_dc,
        seed: arguments.seed,
        api: arguments.api,
    })
    .await?;
    let dcs: Vec<String> =
        running.dcs.iter().map(|dc| format!("{}={}", dc.id, dc.address)).collect();
    let first = running.dcs.first().context("no DC")?;
    let mut out = std::io::stdout();
    writeln!(
        out,
        "tgsim ready telegram={} dc={} admin={} public_key={} dcs={}",
        first.address,
        first.id,
        running.admin,
        public_key.as_deref().map_or("-".into(), std::path::Path::to_string_lossy),
        dcs.join(","),
    )?;
    out.flush()?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    running.shutdown().await;
    Ok(())
}

fn print_requests() -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    let mut rows: Vec<_> = tgsim::requests::all().collect();
    rows.sort_by_key(|row| row.name());
    for row in rows {
        let login = if row.needs_user { "" } else { "  (without login)" };
        writeln!(out, "{}{login}\n    {}", row.name(), row.page())?;
        for error in row.errors {
            let how = if error.scripted { "  (by script only)" } else { "" };
            let page = error.page.map(|page| format!("  {page}")).unwrap_or_default();
            writeln!(out, "    {} {}{how}{page}", error.code, error.name)?;
        }
    }
    Ok(())
}
