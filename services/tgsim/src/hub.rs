//! Everything that changes, under one lock: the world, the sessions, the connections, script and
//! journal. One request is executed at a time, as one transaction of the world.
//!
//! Encryption and sockets are outside of the lock: connections hand in opened envelopes and get
//! messages to seal.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::auth::found_service_account;
use crate::cluster::Cluster;
use crate::flood::Flood;
use crate::handshake::server_key::ServerKey;
use crate::journal::{Journal, Kind, Line};
use crate::rpc::{Call, Later};
use crate::script::Script;
use crate::session::{ConnectionId, Exclusive, Salts, Sent, Session, SessionId};
use crate::wire::envelope::AuthKey;
use crate::world::{AuthKeyId, UserId, World};

/// Sessions of one key that are remembered; beyond, the oldest is forgotten.
const SESSIONS_MAX: usize = 64;
/// Messages that wait for a slow connection; beyond, it is cut.
const OUTGOING_MAX: usize = 4096;

/// The shared server.
#[derive(Debug)]
pub struct Hub {
    /// The key that clients encrypt with before they have one of their own.
    pub server_key: Arc<ServerKey>,
    sim: Mutex<Sim>,
    journal_grew: watch::Sender<u64>,
}

/// What is under the lock.
#[derive(Debug)]
pub struct Sim {
    /// People, groups, keys, logins.
    pub world: World,
    /// What happened.
    pub journal: Journal,
    /// What is to go wrong.
    pub script: Script,
    /// How often accounts may ask for the same.
    pub flood: Flood,
    pub(crate) sessions: HashMap<SessionId, Session>,
    pub(crate) connections: BTreeMap<ConnectionId, Connection>,
    pub(crate) exclusive: Exclusive,
    pub(crate) salts: Salts,
    pub(crate) later: Vec<Later>,
    pub(crate) waiting: Vec<Call>,
    listeners: HashMap<UserId, BTreeSet<SessionId>>,
    by_key: HashMap<AuthKeyId, VecDeque<SessionId>>,
    last_connection: u64,
}

/// A live connection, as the hub sees it.
#[derive(Debug)]
pub(crate) struct Connection {
    pub dc: i32,
    pub keys: BTreeSet<AuthKeyId>,
    outgoing: mpsc::Sender<Outgoing>,
    state: watch::Sender<ConnectionState>,
    closed: CancellationToken,
}

/// What the hub tells a connection apart from messages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ConnectionState {
    /// When it is closed unless the client says otherwise (`ping_delay_disconnect`).
    pub close_at: Option<Instant>,
    /// Nothing is read nor written any more, but the socket stays open.
    pub frozen: bool,
}

/// What goes out on a connection.
#[derive(Debug)]
pub enum Outgoing {
    /// To be sealed.
    Message {
        /// With this key.
        key: Arc<AuthKey>,
        /// In this session.
        session_id: i64,
        /// Under this salt.
        salt: i64,
        /// This.
        sent: Arc<Sent>,
    },
    /// A payload as it is.
    Payload(Vec<u8>),
    /// A transport error, after which the connection ends.
    Error(i32),
    /// A quick acknowledgement.
    QuickAck(u32),
}

/// A connection's ends of the channels.
#[derive(Debug)]
pub struct Attached {
    /// Its number.
    pub id: ConnectionId,
    /// What is to be sent.
    pub outgoing: mpsc::Receiver<Outgoing>,
    /// How it is to behave.
    pub state: watch::Receiver<ConnectionState>,
    /// Cancelled when the hub wants it closed.
    pub closed: CancellationToken,
}

impl Hub {
    /// A server whose world is given.
    pub fn new(world: World, server_key: Arc<ServerKey>) -> Self {
        Self {
            server_key,
            sim: Mutex::new(Sim {
                world,
                journal: Journal::default(),
                script: Script::default(),
                flood: Flood::default(),
                sessions: HashMap::new(),
                connections: BTreeMap::new(),
                exclusive: Exclusive::default(),
                salts: Salts::random(),
                later: Vec::new(),
                waiting: Vec::new(),
                listeners: HashMap::new(),
                by_key: HashMap::new(),
                last_connection: 0,
            }),
            journal_grew: watch::Sender::new(0),
        }
    }

    /// Does something with the whole state, starts what it wants done later, tells journal readers.
    pub fn with<T>(self: &Arc<Self>, work: impl FnOnce(&mut Sim) -> T) -> T {
        let (result, later, entries) = {
            let mut sim = self.lock();
            let result = work(&mut sim);
            (result, std::mem::take(&mut sim.later), sim.journal.last())
        };
        for later in later {
            self.run_later(later);
        }
        self.journal_grew.send_if_modified(|last| {
            let grew = *last < entries;
            *last = (*last).max(entries);
            grew
        });
        result
    }

    fn run_later(self: &Arc<Self>, later: Later) {
        let hub = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep(later.delay).await;
            hub.with(|sim| sim.resume(later));
        });
    }

    /// Changes when the journal grows.
    pub fn journal_watch(&self) -> watch::Receiver<u64> {
        self.journal_grew.subscribe()
    }

    /// A handler that panicked has left the world as it was then; the rest goes on.
    fn lock(&self) -> MutexGuard<'_, Sim> {
        self.sim.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sim {
    /// A new connection to a DC.
    pub fn attach(&mut self, dc: i32) -> Attached {
        self.last_connection += 1;
        let id = ConnectionId(self.last_connection);
        let (sender, outgoing) = mpsc::channel(OUTGOING_MAX);
        let (state_sender, state) = watch::channel(ConnectionState::default());
        let closed = CancellationToken::new();
        let connection = Connection {
            dc,
            keys: BTreeSet::new(),
            outgoing: sender,
            state: state_sender,
            closed: closed.clone(),
        };
        self.connections.insert(id, connection);
        self.enter(Kind::ConnectionOpened, Line { connection: Some(id.0), ..Line::default() });
        Attached { id, outgoing, state, closed }
    }

    /// A connection ended.
    pub fn detach(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.remove(&id) else { return };
        for key in connection.keys {
            self.exclusive.closed(key, id);
            if let Some(permanent) = self.world.cluster.permanent(key) {
                self.exclusive.closed(permanent, id);
            }
            for session in self.by_key.get(&key).into_iter().flatten() {
                if let Some(session) = self.sessions.get_mut(session)
                    && session.connection == Some(id)
                {
                    session.connection = None;
                }
            }
        }
        self.enter(Kind::ConnectionClosed, Line { connection: Some(id.0), ..Line::default() });
    }

    /// An empty world of the same seed and DCs; nobody is connected.
    pub fn reset(&mut self) {
        let connections: Vec<_> = self.connections.keys().copied().collect();
        for connection in connections {
            self.cut(connection);
        }
        let (cluster, clock) = (&self.world.cluster, self.world.clock.clone());
        let (dcs, applications) = (cluster.dcs.clone(), cluster.applications.clone());
        self.world = World::new(self.world.seed, clock);
        self.world.cluster = Cluster::new(dcs);
        self.world.cluster.applications = applications;
        found_service_account(&mut self.world);
        self.script.clear();
        self.flood = Flood::default();
        self.sessions.clear();
        self.listeners.clear();
        self.by_key.clear();
        self.waiting.clear();
        self.exclusive = Exclusive::default();
    }

    /// The live connections: number, DC, and the keys that were used on each.
    pub fn connections(&self) -> Vec<Value> {
        let keys = |c: &Connection| c.keys.iter().map(|key| key.0.to_string()).collect::<Vec<_>>();
        let live = self.connections.iter();
        live.map(|(id, c)| json!({ "connection": id.0, "dc": c.dc, "auth_keys": keys(c) }))
            .collect()
    }

    /// Writes into the journal.
    pub fn enter(&mut self, kind: Kind, line: Line) -> u64 {
        self.journal.enter(kind, line)
    }

    /// Cuts a connection: nothing more is sent on it.
    pub fn cut(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connections.get(&id) {
            connection.closed.cancel();
        }
        self.detach(id);
    }

    /// Sets what [`ConnectionState`] says.
    pub(crate) fn change_state(
        &mut self,
        id: ConnectionId,
        change: impl FnOnce(&mut ConnectionState),
    ) {
        if let Some(connection) = self.connections.get(&id) {
            connection.state.send_modify(change);
        }
    }

    /// Sends something; a connection that does not keep up is cut.
    pub(crate) fn send(&mut self, id: ConnectionId, outgoing: Outgoing) {
        let Some(connection) = self.connections.get(&id) else { return };
        if connection.outgoing.try_send(outgoing).is_err() {
            self.cut(id);
        }
    }

    /// The session of this name, made if it is new.
    pub(crate) fn session(&mut self, id: SessionId) -> &mut Session {
        let sessions = self.by_key.entry(id.key).or_default();
        if !self.sessions.contains_key(&id) {
            sessions.push_back(id);
            if sessions.len() > SESSIONS_MAX
                && let Some(oldest) = sessions.pop_front()
            {
                self.sessions.remove(&oldest);
            }
        }
        self.sessions.entry(id).or_default()
    }

    /// Forgets a session; `false` if there was none.
    pub(crate) fn forget_session(&mut self, id: SessionId) -> bool {
        if let Some(sessions) = self.by_key.get_mut(&id.key) {
            sessions.retain(|other| *other != id);
        }
        self.sessions.remove(&id).is_some()
    }

    /// Forgets a key with all its sessions.
    pub(crate) fn forget_key(&mut self, key: AuthKeyId) {
        self.world.cluster.keys.remove(&key);
        self.exclusive.forget(key);
        for session in self.by_key.remove(&key).unwrap_or_default() {
            self.sessions.remove(&session);
        }
    }

    /// Sends what a session has ready, if it has a connection; what must arrive is kept otherwise.
    pub(crate) fn flush(&mut self, id: SessionId, now_ns: i64) {
        let Some(key) = self.world.cluster.keys.get(&id.key).map(|key| Arc::clone(&key.key)) else {
            return;
        };
        let salt = self.salts.current(id.key, now_ns / 1_000_000_000);
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let ready = session.take_ready(now_ns);
        let Some(connection) = session.connection else { return };
        for sent in ready {
            let key = Arc::clone(&key);
            self.send(connection, Outgoing::Message { key, session_id: id.id, salt, sent });
        }
    }

    /// Updates of this user go to this session from now on.
    pub(crate) fn listen(&mut self, user: UserId, id: SessionId) {
        self.listeners.entry(user).or_default().insert(id);
    }

    /// The sessions to which updates of a user go: logged in as them, at home, connected.
    pub(crate) fn listeners_of(&mut self, user: UserId) -> Vec<SessionId> {
        let home = self.world.cluster.home_of(user);
        let (sessions, cluster) = (&self.sessions, &self.world.cluster);
        let Some(listeners) = self.listeners.get_mut(&user) else { return Vec::new() };
        listeners.retain(|id| {
            sessions.contains_key(id)
                && cluster.permanent(id.key).and_then(|key| cluster.user_of(key)) == Some(user)
        });
        let at_home = |id: &SessionId| cluster.keys.get(&id.key).is_some_and(|k| k.dc == home);
        let connected = |id: &SessionId| sessions.get(id).is_some_and(|s| s.connection.is_some());
        listeners.iter().copied().filter(|id| at_home(id) && connected(id)).collect()
    }
}
