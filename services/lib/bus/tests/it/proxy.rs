//! A TCP proxy before the broker that can fall silent, cut what runs through it, and refuse.

use std::net::Ipv4Addr;
use std::sync::Arc;

use anyhow::Result;
use queuegram_bus::AmqpConfig;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use url::Url;

/// What the proxy does at the moment.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// Passes everything on.
    Open,
    /// Keeps connections, passes on what the client sends, and holds back what the broker says.
    Silent,
    /// Cuts connections, and every new one at once.
    Cut,
}

pub struct Proxy {
    mood: Arc<watch::Sender<Mood>>,
    port: u16,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// A proxy before the broker of these settings, and the settings that lead through it.
    pub async fn before(config: &AmqpConfig, url: &str) -> Result<(Self, AmqpConfig)> {
        let mut url = Url::parse(url)?;
        let broker = (url.host_str().unwrap().to_owned(), url.port().unwrap());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let mood = Arc::new(watch::Sender::new(Mood::Open));
        let accepting = tokio::spawn(accept(listener, broker, mood.clone()));
        url.set_host(Some("127.0.0.1"))?;
        url.set_port(Some(port)).unwrap();
        let through =
            AmqpConfig { url: url.as_str().parse().map_err(anyhow::Error::msg)?, ..config.clone() };
        Ok((Self { mood, port, accepting }, through))
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn turn(&self, mood: Mood) {
        self.mood.send_replace(mood);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, broker: (String, u16), mood: Arc<watch::Sender<Mood>>) {
    while let Ok((client, _)) = listener.accept().await {
        let mut mood = mood.subscribe();
        if *mood.borrow() == Mood::Cut {
            continue;
        }
        let Ok(server) = TcpStream::connect((broker.0.as_str(), broker.1)).await else { continue };
        tokio::spawn(async move {
            let (mut from_client, mut to_client) = client.into_split();
            let (mut from_server, mut to_server) = server.into_split();
            let mut listening = mood.clone();
            tokio::select! {
                _ = tokio::io::copy(&mut from_client, &mut to_server) => {}
                _ = async {
                    let mut buffer = vec![0; 16 * 1024];
                    while let Ok(read @ 1..) = from_server.read(&mut buffer).await {
                        let _ = listening.wait_for(|mood| *mood != Mood::Silent).await;
                        if to_client.write_all(&buffer[..read]).await.is_err() {
                            break;
                        }
                    }
                } => {}
                _ = mood.wait_for(|mood| *mood == Mood::Cut) => {}
            }
        });
    }
}
