//! An open account: its session, its peer book, its connection. [`crate::calls`] and [`crate::Login`] work on one.

use std::sync::Arc;
use std::time::Duration;

use grammers_tl_types::{Identifiable, RemoteCall};
use thiserror::Error;
use tokio::sync::{OnceCell, watch};
use tracing::field::Empty;
use tracing::{Instrument, info_span};

use crate::config::{TelegramConfig, TelegramConfigError};
use crate::error::CallError;
use crate::gate::Gate;
use crate::hop::{Hop, Outside};
use crate::keys::{KeyError, ServerKey};
use crate::link::{Connectivity, Link};
use crate::peers::{PeerBook, PeerRecord};
use crate::presence::Presence;
use crate::proxy::ProxyTrouble;
use crate::secret::ApiHash;
use crate::session::{
    LiveSession, RecordError, Saver, SelfRecord, SessionRecord, SessionSink, SinkError,
};

/// What every account of this process shares: the checked configuration and the keys it names. Make one at the start,
/// so that a wrong setting or file is told then.
#[derive(Clone)]
pub struct Telegram(Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) config: TelegramConfig,
    pub(crate) api_hash: ApiHash,
    /// Only for a server other than Telegram's, whose keys grammers knows itself.
    pub(crate) server_key: Option<ServerKey>,
    observer: Box<dyn CallObserver>,
    hop: OnceCell<Hop>,
}

impl Shared {
    /// The way out, which begins to listen with the first connection of all.
    pub(crate) async fn hop(&self) -> Result<&Hop, CallError> {
        let outside = Outside {
            unacknowledged_max: self.config.unacknowledged_max,
            silence_max: self.config.silence_max(),
            proxy_max: self.config.proxy_max(),
        };
        let hop = self.hop.get_or_try_init(|| Hop::start(outside)).await;
        hop.map_err(|error| CallError::NotSent(format!("no loopback port to listen on: {error}")))
    }
}

/// Hears of every request, for metrics.
pub trait CallObserver: Send + Sync + 'static {
    /// A request (`messages.createChat`) has ended: with `none`, with Telegram's name of the error, or without an
    /// answer, see [`CallError::word`].
    fn called(&self, request: &'static str, error: &str);
}

/// Hears nothing.
impl CallObserver for () {
    fn called(&self, _: &'static str, _: &str) {}
}

/// Why an account could not be set up. Nothing of this needs the network.
#[derive(Debug, Error)]
pub enum OpenError {
    /// A wrong setting.
    #[error(transparent)]
    Config(#[from] TelegramConfigError),
    /// The server's public key is none.
    #[error("telegram.server.public_key: {path}: {problem}")]
    PublicKey {
        /// The file.
        path: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The stored session can't be read.
    #[error(transparent)]
    Session(#[from] RecordError),
}

/// One open account. Clones share it; it ends with [`Account::close`], or when the last clone is gone.
#[derive(Clone)]
pub struct Account(Arc<Inner>);

struct Inner {
    telegram: Telegram,
    presence: Presence,
    session: Arc<LiveSession>,
    peers: PeerBook,
    link: Link,
    saver: Saver,
}

impl Telegram {
    /// Checks the configuration and reads the files that it names.
    pub fn new(config: TelegramConfig) -> Result<Self, OpenError> {
        Self::observed(config, ())
    }

    /// The same, with somebody who hears of every request.
    pub fn observed(
        config: TelegramConfig,
        observer: impl CallObserver,
    ) -> Result<Self, OpenError> {
        config.validate()?;
        let api_hash = config.api_hash()?;
        let server_key = match &config.server {
            None => None,
            Some(server) => {
                let read = std::fs::read_to_string(&server.public_key)
                    .map_err(|error| error.to_string())
                    .and_then(|pem| {
                        ServerKey::from_pem(&pem).map_err(|error: KeyError| error.to_string())
                    });
                Some(read.map_err(|problem| OpenError::PublicKey {
                    path: server.public_key.display().to_string(),
                    problem,
                })?)
            }
        };
        let observer = Box::new(observer);
        Ok(Self(Arc::new(Shared { config, api_hash, server_key, observer, hop: OnceCell::new() })))
    }

    /// The same as [`Telegram::open_as`], for an account that has nothing of its own and goes straight to Telegram.
    pub fn open(
        &self,
        session: Option<SessionRecord>,
        peers: Vec<PeerRecord>,
        sink: Arc<dyn SessionSink>,
        gate: Gate,
    ) -> Account {
        self.open_as(self.presence(), session, peers, sink, gate)
    }

    /// Opens an account from what was stored (`None`: a new one, to be logged in). No connection is made until the
    /// first call, and nothing is ever sent while `gate` is shut: calls end as [`CallError::Closed`] then. Must be called
    /// within a tokio runtime.
    ///
    /// Open a session at most once at a time, in one process only: Telegram destroys a login that sends on two
    /// connections.
    pub fn open_as(
        &self,
        presence: Presence,
        session: Option<SessionRecord>,
        peers: Vec<PeerRecord>,
        sink: Arc<dyn SessionSink>,
        gate: Gate,
    ) -> Account {
        let config = &self.0.config;
        let record = session
            .unwrap_or_else(|| SessionRecord::fresh(config.server.as_ref()))
            .at_server(config.server.as_ref());
        let session = Arc::new(LiveSession::new(record));
        let peers = PeerBook::new(config.peers_max, peers);
        let delay = Duration::from_millis(config.save_delay_ms);
        let saver = Saver::start(Arc::clone(&session), peers.clone(), sink, delay);
        let api_id = session.application(presence.application.api_id);
        let presence = presence.logged_in_by(api_id);
        let link = Link::new(Arc::clone(&self.0), Arc::clone(&session), &presence, gate);
        Account(Arc::new(Inner { telegram: self.clone(), presence, session, peers, link, saver }))
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.0
    }
}

impl Account {
    /// Connects now rather than at the first call, so that "unreachable" and "logged out" show early: also the cheapest
    /// proof that the connection is alive.
    pub async fn connect(&self) -> Result<(), CallError> {
        self.0.link.connect().await
    }

    /// Ends every socket of this account and saves what is pending. Calls that are under way end as
    /// [`CallError::Lost`], later ones as [`CallError::Closed`]. When this returns the sockets are gone, so another
    /// process may open the session at once.
    pub async fn close(&self) -> Result<(), SinkError> {
        self.0.link.close().await;
        self.0.saver.close().await
    }

    /// Saves what is pending, now.
    pub async fn save(&self) -> Result<(), SinkError> {
        self.0.saver.flush().await
    }

    /// The session as it is now, to be stored.
    pub fn record(&self) -> SessionRecord {
        self.0.session.record()
    }

    /// Who is logged in; `None` before a login was completed.
    pub fn user(&self) -> Option<SelfRecord> {
        self.0.session.user()
    }

    /// Whom this account has met.
    pub fn peers(&self) -> &PeerBook {
        &self.0.peers
    }

    /// Whether there is a connection that works, as far as is known.
    pub fn connectivity(&self) -> watch::Receiver<Connectivity> {
        self.0.link.connectivity()
    }

    /// How it shows itself to Telegram.
    pub fn presence(&self) -> &Presence {
        &self.0.presence
    }

    /// What was wrong with its proxy when that was tried last, and when that changes.
    pub fn trouble(&self) -> watch::Receiver<Option<ProxyTrouble>> {
        self.0.link.trouble()
    }

    pub(crate) fn session(&self) -> &LiveSession {
        &self.0.session
    }

    pub(crate) fn telegram(&self) -> &Telegram {
        &self.0.telegram
    }

    pub(crate) fn link(&self) -> &Link {
        &self.0.link
    }

    /// Sends one request to the account's data centre and waits for its answer.
    pub(crate) async fn invoke<R: RemoteCall + Identifiable>(
        &self,
        request: &R,
    ) -> Result<R::Return, CallError> {
        let name = grammers_tl_types::name_for_id(R::CONSTRUCTOR_ID);
        let span = info_span!("telegram.call", otel.kind = "client", request = name, error = Empty);
        let answer = self.0.link.invoke(request).instrument(span.clone()).await;
        let error = answer.as_ref().err().map_or("none", CallError::word);
        span.record("error", error);
        self.telegram().shared().observer.called(name, error);
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ServerConfig;

    #[test]
    fn a_missing_key_file_is_named() {
        let config = TelegramConfig {
            api_id: 1,
            api_hash: ApiHash::new("x"),
            server: Some(ServerConfig {
                dc: 1,
                address: "127.0.0.1:1".parse().unwrap(),
                public_key: "/nowhere/key.pem".into(),
            }),
            ..TelegramConfig::default()
        };
        let error = Telegram::new(config).err().unwrap().to_string();
        assert!(error.starts_with("telegram.server.public_key: /nowhere/key.pem"), "{error}");
    }
}
