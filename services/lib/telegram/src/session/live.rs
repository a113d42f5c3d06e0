//! The session while the account is open: in memory, for grammers to read and write.
//!
//! Two things grammers' own storages do not do: a *replaced* auth key is refused (grammers makes a new key silently
//! when the server does not know the old one, which would overwrite a login that may be saved yet), and unchanged data
//! centres count as no change (every reconnect sets them all again).

use std::sync::{Mutex, MutexGuard, PoisonError};

use grammers_session::types::{DcOption, PeerAuth, PeerId, PeerInfo, UpdateState, UpdatesState};
use grammers_session::{BoxFuture, Session};
use thiserror::Error;
use tokio::sync::watch;

use super::record::{DcRecord, SelfRecord, SessionRecord, UpdateMark};

/// Why the session refused what grammers wanted to write.
#[derive(Debug, Error)]
pub(crate) enum SessionError {
    /// The server did not know our auth key and grammers made another one.
    #[error("the auth key of data centre {0} was replaced")]
    KeyReplaced(i32),
}

/// How often each part changed since the account was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Revision {
    /// Keys, home data centre, who is logged in.
    pub login: u64,
    /// Addresses and the place in the stream of updates.
    pub rest: u64,
}

/// The live session.
pub(crate) struct LiveSession {
    record: Mutex<SessionRecord>,
    revision: watch::Sender<Revision>,
}

impl LiveSession {
    pub(crate) fn new(record: SessionRecord) -> Self {
        Self { record: Mutex::new(record), revision: watch::Sender::default() }
    }

    pub(crate) fn record(&self) -> SessionRecord {
        self.lock().clone()
    }

    pub(crate) fn changes(&self) -> watch::Receiver<Revision> {
        self.revision.subscribe()
    }

    pub(crate) fn revision(&self) -> Revision {
        *self.revision.borrow()
    }

    pub(crate) fn user(&self) -> Option<SelfRecord> {
        self.lock().user
    }

    pub(crate) fn home_dc(&self) -> i32 {
        self.lock().home_dc
    }

    pub(crate) fn dc(&self, id: i32) -> Option<DcRecord> {
        self.lock().dcs.iter().find(|dc| dc.id == id).cloned()
    }

    pub(crate) fn set_home_dc(&self, id: i32) {
        let changed = std::mem::replace(&mut self.lock().home_dc, id) != id;
        if changed {
            self.revision.send_modify(|revision| revision.login += 1);
        }
    }

    /// The application by which the session is used: the one that is noted, else this one from now on.
    pub(crate) fn application(&self, api_id: i32) -> i32 {
        let mut record = self.lock();
        if let Some(noted) = record.api_id {
            return noted;
        }
        record.api_id = Some(api_id);
        let is_login = record.user.is_some();
        drop(record);
        // A session without a login is saved when it has one.
        if is_login {
            self.revision.send_modify(|revision| revision.login += 1);
        }
        api_id
    }

    /// Completes a login.
    pub(crate) fn set_user(&self, user: SelfRecord) {
        let changed = self.lock().user.replace(user) != Some(user);
        if changed {
            self.revision.send_modify(|revision| revision.login += 1);
        }
    }

    pub(crate) fn set_mark(&self, mark: UpdateMark) {
        self.edit_rest(|record| record.mark = mark);
    }

    /// Enters a data centre; a key that is there can't be replaced by another.
    pub(crate) fn set_dc(&self, new: DcRecord) -> Result<(), SessionError> {
        let mut record = self.lock();
        let Some(known) = record.dcs.iter_mut().find(|dc| dc.id == new.id) else {
            let has_key = new.auth_key.is_some();
            record.dcs.push(new);
            drop(record);
            self.count_dc_change(has_key);
            return Ok(());
        };
        let new_key = new.auth_key.is_some() && new.auth_key != known.auth_key;
        if new_key && known.auth_key.is_some() {
            return Err(SessionError::KeyReplaced(new.id));
        }
        let moved = (known.ipv4, known.ipv6) != (new.ipv4, new.ipv6);
        (known.ipv4, known.ipv6) = (new.ipv4, new.ipv6);
        if new_key {
            known.auth_key = new.auth_key.clone();
        }
        drop(record);
        if new_key || moved {
            self.count_dc_change(new_key);
        }
        Ok(())
    }

    fn count_dc_change(&self, key: bool) {
        self.revision.send_modify(|revision| {
            if key {
                revision.login += 1;
            } else {
                revision.rest += 1;
            }
        });
    }

    fn edit_rest(&self, edit: impl FnOnce(&mut SessionRecord)) {
        let mut record = self.lock();
        let before = (record.mark, record.channel_pts.clone());
        edit(&mut record);
        let changed = before != (record.mark, record.channel_pts.clone());
        drop(record);
        if changed {
            self.revision.send_modify(|revision| revision.rest += 1);
        }
    }

    fn lock(&self) -> MutexGuard<'_, SessionRecord> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session for LiveSession {
    type Error = SessionError;

    fn home_dc_id(&self) -> Result<i32, SessionError> {
        Ok(self.home_dc())
    }

    fn set_home_dc_id(&self, dc_id: i32) -> BoxFuture<'_, Result<(), SessionError>> {
        self.set_home_dc(dc_id);
        Box::pin(std::future::ready(Ok(())))
    }

    fn dc_option(&self, dc_id: i32) -> Result<Option<DcOption>, SessionError> {
        Ok(self.dc(dc_id).map(|dc| dc.to_option()))
    }

    fn set_dc_option(&self, dc_option: &DcOption) -> BoxFuture<'_, Result<(), SessionError>> {
        Box::pin(std::future::ready(self.set_dc(DcRecord::from(dc_option))))
    }

    /// Only the account itself is kept here; everybody else is in the peer book. grammers looks itself up under a
    /// sentinel id, which must lead to the account's own entry, or its update stream never starts.
    fn peer(&self, peer: PeerId) -> BoxFuture<'_, Result<Option<PeerInfo>, SessionError>> {
        let info = self.user().and_then(|user| {
            let own_id = PeerId::user(user.id.get())?;
            (peer == PeerId::self_user() || peer == own_id).then(|| PeerInfo::User {
                id: user.id.get(),
                auth: Some(PeerAuth::from_hash(user.access_hash)),
                bot: Some(user.bot),
                is_self: Some(true),
            })
        });
        Box::pin(std::future::ready(Ok(info)))
    }

    fn cache_peer(&self, _: PeerInfo) -> BoxFuture<'_, Result<(), SessionError>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn updates_state(&self) -> BoxFuture<'_, Result<UpdatesState, SessionError>> {
        let state = self.lock().updates_state();
        Box::pin(std::future::ready(Ok(state)))
    }

    fn set_update_state(&self, update: UpdateState) -> BoxFuture<'_, Result<(), SessionError>> {
        self.edit_rest(|record| match update {
            UpdateState::All(all) => {
                record.mark =
                    UpdateMark { pts: all.pts, qts: all.qts, date: all.date, seq: all.seq };
                record.channel_pts = all.channels.iter().map(|c| (c.id, c.pts)).collect();
            }
            UpdateState::Primary { pts, date, seq } => {
                record.mark = UpdateMark { pts, date, seq, ..record.mark };
            }
            UpdateState::Secondary { qts } => record.mark.qts = qts,
            UpdateState::Channel { id, pts } => {
                record.channel_pts.retain(|(known, _)| *known != id);
                record.channel_pts.push((id, pts));
            }
        });
        Box::pin(std::future::ready(Ok(())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::AuthKey;

    fn live() -> LiveSession {
        LiveSession::new(SessionRecord::fresh(None))
    }

    fn dc(key: Option<u8>) -> DcRecord {
        let known = live().dc(2).unwrap();
        DcRecord { auth_key: key.map(|byte| AuthKey::new([byte; 256])), ..known }
    }

    #[test]
    fn a_key_is_entered_once_and_never_replaced() {
        let session = live();
        session.set_dc(dc(Some(1))).unwrap();
        session.set_dc(dc(Some(1))).unwrap();
        session.set_dc(dc(None)).unwrap();
        let error = session.set_dc(dc(Some(2))).unwrap_err();
        assert!(matches!(error, SessionError::KeyReplaced(2)));
        assert_eq!(session.dc(2).unwrap().auth_key, dc(Some(1)).auth_key);
    }

    #[test]
    fn only_changes_count_and_the_login_counts_apart() {
        let session = live();
        let changes = session.changes();
        let revision = || *changes.borrow();
        session.set_dc(dc(None)).unwrap();
        session.set_home_dc(2);
        assert_eq!(revision(), Revision::default());
        session.set_dc(dc(Some(1))).unwrap();
        session.set_home_dc(4);
        assert_eq!(revision(), Revision { login: 2, rest: 0 });
        session.set_mark(UpdateMark { pts: 3, ..UpdateMark::default() });
        session.set_mark(UpdateMark { pts: 3, ..UpdateMark::default() });
        assert_eq!(revision(), Revision { login: 2, rest: 1 });
    }

    #[test]
    fn the_application_of_a_login_is_noted_once() {
        let fresh = live();
        assert_eq!((fresh.application(7), fresh.application(8)), (7, 7));
        assert_eq!(fresh.revision(), Revision::default(), "there is no login to save yet");
        let of_older_release = live();
        let id = 777_001.try_into().unwrap();
        of_older_release.set_user(SelfRecord { id, access_hash: 5, bot: false });
        assert_eq!((of_older_release.application(7), of_older_release.application(8)), (7, 7));
        assert_eq!(of_older_release.revision(), Revision { login: 2, rest: 0 });
        assert_eq!(of_older_release.record().api_id, Some(7));
    }

    #[tokio::test]
    async fn the_account_is_found_under_the_sentinel_id() {
        let session = live();
        assert!(session.peer(PeerId::self_user()).await.unwrap().is_none());
        let id = 777_001.try_into().unwrap();
        session.set_user(SelfRecord { id, access_hash: 5, bot: false });
        let info = session.peer(PeerId::self_user()).await.unwrap().unwrap();
        assert!(matches!(info, PeerInfo::User { id: 777_001, is_self: Some(true), .. }));
    }
}
