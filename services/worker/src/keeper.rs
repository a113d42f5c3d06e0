//! Keeps what an open account learns: its session in the vault and, sealed, in Redis; its peers in
//! Redis.

use std::sync::Arc;

use async_trait::async_trait;
use store::{Keep, Lease, StoreError};
use telegram::session::{Changed, RecordError, SinkError};
use telegram::{PeerRecord, SessionRecord, SessionSink};

use crate::tenure::Shared;

/// Writes one instance's session and peers, for as long as the instance is ours.
pub struct Keeper {
    shared: Arc<Shared>,
    lease: Lease,
}

/// What was kept of an account.
pub struct Kept {
    /// The session.
    pub session: SessionRecord,
    /// Whom it has met.
    pub peers: Vec<PeerRecord>,
}

impl Keeper {
    /// Keeps by this lease.
    pub fn new(shared: Arc<Shared>, lease: Lease) -> Self {
        Self { shared, lease }
    }

    /// What was kept; none for an instance that was never logged in.
    ///
    /// # Errors
    /// The store's; a session that this release can't read is not taken for none.
    pub async fn load(shared: &Shared, lease: &Lease) -> Result<Option<Kept>, StoreError> {
        let Some(bytes) = shared.sessions.load(&lease.instance).await? else { return Ok(None) };
        let what = || format!("the session of {}", lease.instance);
        let session = SessionRecord::from_bytes(&bytes).map_err(|error| match error {
            RecordError::Version(found) => StoreError::Version { what: what(), found },
            RecordError::Malformed(why) => StoreError::Corrupt { what: what(), why },
        })?;
        let peers = shared.peers.load(&lease.instance).await?;
        // A peer that can't be read is learnt again.
        let peers = peers.iter().filter_map(|(_, bytes)| serde_json::from_slice(bytes).ok());
        Ok(Some(Kept { session, peers: peers.collect() }))
    }
}

/// Keeps nothing of a session before somebody is logged in by it: one that was made elsewhere is proven first, and what
/// the instance had before stays until then.
pub struct OnceProven(pub Keeper);

#[async_trait]
impl SessionSink for OnceProven {
    async fn save_session(&self, record: SessionRecord, changed: Changed) -> Result<(), SinkError> {
        // The login's end changes the login: all of it is handed over then.
        if record.user.is_none() {
            return Ok(());
        }
        self.0.save_session(record, changed).await
    }

    async fn save_peers(&self, peers: Vec<PeerRecord>) -> Result<(), SinkError> {
        self.0.save_peers(peers).await
    }
}

#[async_trait]
impl SessionSink for Keeper {
    async fn save_session(&self, record: SessionRecord, changed: Changed) -> Result<(), SinkError> {
        let keep = match changed {
            Changed::Login => Keep::InVault,
            Changed::Position => Keep::InCache,
        };
        Ok(self.shared.sessions.save(&self.lease, &record.to_bytes(), keep).await?)
    }

    async fn save_peers(&self, peers: Vec<PeerRecord>) -> Result<(), SinkError> {
        let mut rows = Vec::with_capacity(peers.len());
        for peer in &peers {
            rows.push((peer.key().get(), serde_json::to_vec(peer)?));
        }
        Ok(self.shared.peers.save(&self.lease, &rows).await?)
    }
}
