//! Making a login of our own with the help of one that another program has: that one accepts our token, as a phone does
//! that scans a QR code (<https://core.telegram.org/api/qr-login>). Its key stays what it was.

use std::sync::Arc;

use async_trait::async_trait;
use grammers_tl_types as tl;

use super::ForeignSession;
use crate::account::Account;
use crate::error::CallError;
use crate::gate::Gate;
use crate::login::LoginError;
use crate::peers::PeerRecord;
use crate::secret::QrToken;
use crate::session::{Changed, SessionRecord, SessionSink, SinkError};
use crate::verdict::verdict;

/// A foreign session is nobody's to keep.
struct Nowhere;

#[async_trait]
impl SessionSink for Nowhere {
    async fn save_session(&self, _: SessionRecord, _: Changed) -> Result<(), SinkError> {
        Ok(())
    }

    async fn save_peers(&self, _: Vec<PeerRecord>) -> Result<(), SinkError> {
        Ok(())
    }
}

impl ForeignSession {
    /// Accepts the token of a login that is under way on `ours`, over a connection that is there for this alone and
    /// ends without logging out. `Ok` also where nobody knows whether it was accepted, or the token had lapsed:
    /// [`crate::Login::look`] tells.
    ///
    /// # Errors
    /// Telegram does not know the foreign session, or refuses; its data centre is not known.
    pub async fn accept(
        &self,
        ours: &Account,
        token: &QrToken,
        gate: Gate,
    ) -> Result<(), LoginError> {
        // Ours has been told by Telegram which data centres there are.
        let record = self.among(ours.record()).map_err(LoginError::Foreign)?;
        // By our way and as our device; as which application, the session tells where it knows.
        let (as_ours, sink) = (ours.presence().clone(), Arc::new(Nowhere));
        let theirs = ours.telegram().open_as(as_ours, Some(record), Vec::new(), sink, gate);
        let request = tl::functions::auth::AcceptLoginToken { token: token.bytes() };
        let accepted = theirs.invoke(&request).await;
        // There is nothing to save that could fail.
        let _ = theirs.close().await;
        match accepted {
            Ok(_) => Ok(()),
            Err(error) if verdict(&error).ends_session() => Err(LoginError::SessionDead),
            Err(error) if error.is("BOT_METHOD_INVALID") => {
                Err(LoginError::Foreign(super::ForeignError::Bot))
            }
            Err(error) if is_open(&error) => Ok(()),
            Err(CallError::Rpc(fault)) => Err(LoginError::Refused(fault)),
            Err(error) => Err(LoginError::Unreachable(error.to_string())),
        }
    }
}

/// Whether another token may settle it.
fn is_open(error: &CallError) -> bool {
    let lapsed = ["AUTH_TOKEN_EXPIRED", "AUTH_TOKEN_INVALID", "AUTH_TOKEN_ALREADY_ACCEPTED"];
    error.outcome_unknown() || lapsed.iter().any(|name| error.is(name))
}
