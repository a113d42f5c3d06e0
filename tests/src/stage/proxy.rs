//! A SOCKS5 server as companies and sellers of addresses run them: it can ask for a password, refuse, and die.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use fast_socks5::server::{Socks5ServerProtocol, states};
use fast_socks5::util::target_addr::TargetAddr;
use fast_socks5::{ReplyError, Socks5Command, server::SocksServerError};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// Name and password that it asks for.
type Asks = Option<(String, String)>;
type Asked = (Socks5ServerProtocol<TcpStream, states::CommandRead>, Socks5Command, TargetAddr);

/// A proxy that runs until dropped.
#[derive(Debug)]
pub struct Proxy {
    /// Where it listens; the same after [`Proxy::revive`].
    pub address: SocketAddr,
    asks: Asks,
    seen: Arc<Mutex<Seen>>,
    running: JoinSet<()>,
}

#[derive(Debug, Default)]
struct Seen {
    tunnels: Vec<SocketAddr>,
    refused: usize,
    refuses: bool,
}

impl Proxy {
    /// One that lets everybody through.
    ///
    /// # Errors
    /// There is no port for it.
    pub async fn start() -> Result<Self> {
        Self::asking(None).await
    }

    /// One that asks for this name and password.
    ///
    /// # Errors
    /// There is no port for it.
    pub async fn with_password(name: &str, password: &str) -> Result<Self> {
        Self::asking(Some((name.to_owned(), password.to_owned()))).await
    }

    async fn asking(asks: Asks) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let mut proxy = Self {
            address: listener.local_addr()?,
            asks,
            seen: Arc::default(),
            running: JoinSet::new(),
        };
        proxy.run(listener);
        Ok(proxy)
    }

    fn run(&mut self, listener: TcpListener) {
        let (asks, seen) = (self.asks.clone(), Arc::clone(&self.seen));
        self.running.spawn(async move {
            // They end with this task, and it with the proxy.
            let mut tunnels = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                tunnels.spawn(serve(client, asks.clone(), Arc::clone(&seen)));
            }
        });
    }

    /// It is gone, and every tunnel with it.
    pub async fn die(&mut self) {
        self.running.shutdown().await;
    }

    /// It is there again, at the same address.
    ///
    /// # Errors
    /// Somebody else has taken its port.
    pub async fn revive(&mut self) -> Result<()> {
        let listener = TcpListener::bind(self.address).await?;
        self.run(listener);
        Ok(())
    }

    /// Whether it lets nobody go anywhere from now on.
    pub fn refuse(&self, refuses: bool) {
        seen(&self.seen).refuses = refuses;
    }

    /// How many connections it has made to this address.
    #[must_use]
    pub fn tunnels_to(&self, address: &str) -> usize {
        seen(&self.seen).tunnels.iter().filter(|to| to.to_string() == address).count()
    }

    /// How many connections it has made to anywhere.
    #[must_use]
    pub fn tunnels(&self) -> usize {
        seen(&self.seen).tunnels.len()
    }

    /// How many connections it has refused, for a wrong password or on order.
    #[must_use]
    pub fn refused(&self) -> usize {
        seen(&self.seen).refused
    }
}

fn seen(seen: &Mutex<Seen>) -> std::sync::MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(client: TcpStream, asks: Asks, all: Arc<Mutex<Seen>>) {
    let Ok((answer, command, target)) = ask(client, asks).await else {
        seen(&all).refused += 1;
        return;
    };
    let refuses = seen(&all).refuses;
    let (Socks5Command::TCPConnect, TargetAddr::Ip(target), false) = (command, target, refuses)
    else {
        seen(&all).refused += 1;
        let _told = answer.reply_error(&ReplyError::ConnectionNotAllowed).await;
        return;
    };
    let Ok(mut outer) = TcpStream::connect(target).await else {
        let _told = answer.reply_error(&ReplyError::HostUnreachable).await;
        return;
    };
    seen(&all).tunnels.push(target);
    if let Ok(mut inner) = answer.reply_success(target).await {
        let _ended = tokio::io::copy_bidirectional(&mut inner, &mut outer).await;
    }
}

async fn ask(client: TcpStream, asks: Asks) -> Result<Asked, SocksServerError> {
    let greeted = match asks {
        None => Socks5ServerProtocol::accept_no_auth(client).await?,
        Some(right) => {
            let is_right = |name, password| (name, password) == right;
            Socks5ServerProtocol::accept_password_auth(client, is_right).await?.0
        }
    };
    greeted.read_command().await
}
