//! The data centres, the auth keys made with them, and which account is logged in by which key.
//!
//! Keys belong to one DC; an account has one home DC and is sent there (`USER_MIGRATE_X`) from others.
//! Pure data: connections and sessions are elsewhere.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use crate::auth::Pending;
use crate::wire::envelope::AuthKey;
use crate::world::{AuthKeyId, UserId};

/// More keys than any test makes; the next key exchange is refused with the transport error -429.
pub const KEYS_MAX: usize = 200_000;

/// One data centre.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dc {
    /// Its number.
    pub id: i32,
    /// Where it listens.
    pub address: SocketAddr,
}

/// What the clients of this simulator share, apart from the world's people and groups.
#[derive(Debug)]
pub struct Cluster {
    /// At least one; the first is home to accounts that nobody placed elsewhere.
    pub dcs: Vec<Dc>,
    /// All keys that live, and those whose end must still be told.
    pub keys: HashMap<AuthKeyId, Key>,
    /// Logins that are under way.
    pub pending: Pending,
    /// The pairs of `api_id` and `api_hash` of which clients must give one; none: any.
    pub applications: Vec<(i32, String)>,
    homes: HashMap<UserId, i32>,
}

/// One auth key.
#[derive(Debug, Clone)]
pub struct Key {
    /// The key.
    pub key: Arc<AuthKey>,
    /// The DC it was made with.
    pub dc: i32,
    /// The salt that came out of the key exchange.
    pub first_salt: i64,
    /// Unix seconds of the machine's clock.
    pub made_at: i64,
    /// Set for a temporary key.
    pub temporary: Option<Temporary>,
    /// What `initConnection` said last; `None` before it.
    pub client: Option<Client>,
    /// The layer that `invokeWithLayer` said last.
    pub layer: i32,
    /// Who is logged in.
    pub login: Option<Login>,
    /// Gave the right code, but the password is missing.
    pub awaiting_password: Option<UserId>,
    /// Whether it may be used.
    pub fate: Fate,
    /// Whether the server knows it just now.
    pub known: bool,
}

/// What makes a key temporary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Temporary {
    /// Unix seconds.
    pub expires_at: i64,
    /// The permanent key that it stands for, once bound.
    pub bound_to: Option<AuthKeyId>,
}

/// What a client says about itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Client {
    /// Application.
    pub api_id: i32,
    /// Device.
    pub device_model: String,
    /// Its system.
    pub system_version: String,
    /// Version of the application.
    pub app_version: String,
    /// Language of the system.
    pub system_lang_code: String,
    /// Language of service texts.
    pub lang_code: String,
}

/// One authorization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Login {
    /// Whose.
    pub user: UserId,
    /// The `hash` by which other sessions name it.
    pub hash: i64,
    /// Unix seconds of the world's clock.
    pub since: i32,
    /// Likewise: the last request.
    pub active_at: i32,
    /// Carried here from this key on another DC, and over when that one is.
    pub parent: Option<AuthKeyId>,
}

/// Whether a key may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It may.
    Alive,
    /// Two connections used it at once: every request is answered `AUTH_KEY_DUPLICATED`.
    Duplicated,
    /// Logged out by another session or by the script: `SESSION_REVOKED`, once a new login begins
    /// it is alive again.
    Revoked,
}

impl Default for Cluster {
    fn default() -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        Self::new(vec![Dc { id: 2, address }])
    }
}

impl Cluster {
    /// A cluster of these DCs.
    pub fn new(dcs: Vec<Dc>) -> Self {
        Self {
            dcs,
            keys: HashMap::new(),
            pending: Pending::default(),
            applications: Vec::new(),
            homes: HashMap::new(),
        }
    }

    /// Keeps a new key.
    pub fn add_key(&mut self, key: Key) -> AuthKeyId {
        let id = AuthKeyId(key.key.id());
        self.keys.insert(id, key);
        id
    }

    /// The permanent key that `id` is or stands for; `None` for a temporary key that is not bound.
    pub fn permanent(&self, id: AuthKeyId) -> Option<AuthKeyId> {
        match self.keys.get(&id)?.temporary {
            None => Some(id),
            Some(temporary) => temporary.bound_to,
        }
    }

    /// Who is logged in by this permanent key.
    pub fn user_of(&self, key: AuthKeyId) -> Option<UserId> {
        self.keys.get(&key)?.login.map(|login| login.user)
    }

    /// Logs a user in. An older login of the key is over.
    pub fn log_in(&mut self, id: AuthKeyId, user: UserId, now: i32) {
        if let Some(key) = self.keys.get_mut(&id) {
            let hash = rand::random::<i64>() | 1;
            key.login = Some(Login { user, hash, since: now, active_at: now, parent: None });
            key.awaiting_password = None;
            key.fate = Fate::Alive;
        }
    }

    /// Notes that a login was carried over from another DC.
    pub fn set_parent(&mut self, id: AuthKeyId, parent: AuthKeyId) {
        if let Some(login) = self.keys.get_mut(&id).and_then(|key| key.login.as_mut()) {
            login.parent = Some(parent);
        }
    }

    /// Ends a login because its own client said so; the key may log in again.
    pub fn log_out(&mut self, id: AuthKeyId) {
        self.end_login(id, Fate::Alive);
    }

    /// Takes the login from a key because somebody else said so.
    pub fn revoke(&mut self, id: AuthKeyId) {
        self.end_login(id, Fate::Revoked);
    }

    /// Ends a key for good: it was used twice at once.
    pub fn duplicate(&mut self, id: AuthKeyId) {
        self.end_login(id, Fate::Duplicated);
    }

    fn end_login(&mut self, id: AuthKeyId, fate: Fate) {
        for (other, key) in &mut self.keys {
            if *other == id || key.login.is_some_and(|login| login.parent == Some(id)) {
                key.login = None;
                key.awaiting_password = None;
                key.fate = fate;
            }
        }
    }

    /// The keys by which `user` is logged in, oldest login first.
    pub fn logins_of(&self, user: UserId) -> Vec<(AuthKeyId, Login)> {
        let mut logins: Vec<_> = self
            .keys
            .iter()
            .filter_map(|(id, key)| key.login.filter(|l| l.user == user).map(|login| (*id, login)))
            .collect();
        logins.sort_by_key(|(id, login)| (login.since, *id));
        logins
    }

    /// The DC where this account lives.
    pub fn home_of(&self, user: UserId) -> i32 {
        self.homes.get(&user).copied().unwrap_or_else(|| self.first_dc())
    }

    /// Moves an account; `false` if there is no such DC.
    pub fn set_home(&mut self, user: UserId, dc: i32) -> bool {
        let known = self.dcs.iter().any(|d| d.id == dc);
        if known {
            self.homes.insert(user, dc);
        }
        known
    }

    /// The DC that is home by default.
    pub fn first_dc(&self) -> i32 {
        self.dcs.first().map_or(2, |dc| dc.id)
    }
}
