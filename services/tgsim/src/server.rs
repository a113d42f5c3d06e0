//! Starting and stopping the simulator: one port per DC, and the admin port.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::cluster::{Cluster, Dc};
use crate::connection;
use crate::handshake::server_key::{ServerKey, ServerKeyError};
use crate::hub::Hub;
use crate::world::{Clock, World};

/// Connections open at once; beyond, new ones are closed.
const CONNECTIONS_MAX: usize = 20_000;
/// How long stopping may take.
const STOP_MAX: Duration = Duration::from_secs(5);
/// Enough for every number that Telegram ever used, and few enough to listen for.
const DCS_MAX: i32 = 16;

/// How the simulator is to run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where the first DC listens; the others on the ports after it, or on free ones if it is 0.
    pub listen: SocketAddr,
    /// Where the admin port listens; 0 for a free one.
    pub admin: SocketAddr,
    /// Where the public key is written.
    pub public_key: Option<PathBuf>,
    /// Where the private key is kept; without, it is made anew at each start.
    pub private_key: Option<PathBuf>,
    /// How many DCs.
    pub dcs: i32,
    /// The number of the first one.
    pub first_dc: i32,
    /// Makes ids, access hashes and links repeatable.
    pub seed: u64,
    /// Only clients of this `api_id` and `api_hash` may log in; without, any.
    pub api: Option<(i32, String)>,
}

impl Default for Options {
    fn default() -> Self {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        Self {
            listen: any,
            admin: any,
            public_key: None,
            private_key: None,
            dcs: 1,
            first_dc: 2,
            seed: 0,
            api: None,
        }
    }
}

/// Why it did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The RSA key.
    #[error(transparent)]
    Key(#[from] ServerKeyError),
    /// An address that can't be listened on.
    #[error("{address}: {source}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// An option that makes no sense.
    #[error("{0}")]
    Option(&'static str),
}

/// A simulator that runs.
#[derive(Debug)]
pub struct Running {
    /// Its DCs and where they listen.
    pub dcs: Vec<Dc>,
    /// Where its admin port listens.
    pub admin: SocketAddr,
    /// Its public key, PKCS#1 PEM.
    pub public_key: String,
    /// Its state, for tests in the same process.
    pub hub: Arc<Hub>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// Starts a simulator; it serves until [`Running::shutdown`].
///
/// # Errors
/// See [`StartError`].
pub async fn start(options: Options) -> Result<Running, StartError> {
    if !(1..=DCS_MAX).contains(&options.dcs) {
        return Err(StartError::Option("dcs: 1 to 16"));
    }
    if !(1..=1000).contains(&options.first_dc) {
        return Err(StartError::Option("first_dc: 1 to 1000"));
    }
    let server_key = match &options.private_key {
        Some(path) => ServerKey::load_or_create(path)?,
        None => ServerKey::generate()?,
    };
    let public_key = server_key.public_pem()?;
    let mut listeners = Vec::new();
    let mut dcs = Vec::new();
    let ports = ports(options.listen, options.admin, options.dcs)?;
    for (n, port) in (0..).zip(ports) {
        let (listener, address) = listen(SocketAddr::new(options.listen.ip(), port)).await?;
        dcs.push(Dc { id: options.first_dc + n, address: reachable(address) });
        listeners.push(listener);
    }
    let (admin_listener, admin) = listen(options.admin).await?;
    let mut world = World::new(options.seed, Clock::system());
    world.cluster = Cluster::new(dcs.clone());
    world.cluster.applications = options.api.into_iter().collect();
    crate::auth::found_service_account(&mut world);
    let hub = Arc::new(Hub::new(world, Arc::new(server_key)));
    let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
    for (listener, dc) in listeners.into_iter().zip(&dcs) {
        tasks.spawn(accept(Arc::clone(&hub), listener, dc.id, stop.clone(), tasks.clone()));
    }
    tasks.spawn(crate::admin::serve(Arc::clone(&hub), admin_listener, stop.clone()));
    // Last: whoever waits for the file may connect at once.
    if let Some(path) = &options.public_key {
        hub.server_key.write_public(path)?;
    }
    Ok(Running { dcs, admin, public_key, hub, stop, tasks })
}

impl Running {
    /// Closes all ports and connections.
    pub async fn shutdown(self) {
        self.stop.cancel();
        self.tasks.close();
        if tokio::time::timeout(STOP_MAX, self.tasks.wait()).await.is_err() {
            tracing::warn!("some connections did not end in time");
        }
    }
}

async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |source| StartError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

/// The DCs' ports: the first one's and those after it, around the admin port's.
fn ports(first: SocketAddr, admin: SocketAddr, dcs: i32) -> Result<Vec<u16>, StartError> {
    let wanted = usize::try_from(dcs).unwrap_or_default();
    if first.port() == 0 {
        return Ok(vec![0; wanted]);
    }
    let ports: Vec<u16> =
        (first.port()..=u16::MAX).filter(|port| *port != admin.port()).take(wanted).collect();
    if ports.len() < wanted {
        return Err(StartError::Option("listen: too few ports after this one"));
    }
    Ok(ports)
}

/// The address that clients are told: one that listens on all interfaces is reached on the loopback.
fn reachable(address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => SocketAddr::from(([127, 0, 0, 1], address.port())),
        _ => address,
    }
}

async fn accept(
    hub: Arc<Hub>,
    listener: TcpListener,
    dc: i32,
    stop: CancellationToken,
    tasks: TaskTracker,
) {
    loop {
        let stream: TcpStream = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
        };
        if tasks.len() < CONNECTIONS_MAX {
            tasks.spawn(connection::serve(Arc::clone(&hub), stream, dc, stop.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dcs_take_the_ports_after_the_first_but_not_the_admin_port() {
        let address = |port| SocketAddr::from(([127, 0, 0, 1], port));
        assert_eq!(ports(address(4430), address(4431), 3).unwrap(), [4430, 4432, 4433]);
        assert_eq!(ports(address(0), address(0), 2).unwrap(), [0, 0]);
        assert!(ports(address(65_535), address(1), 2).is_err());
    }
}
