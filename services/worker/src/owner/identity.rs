//! What the account shows of itself: noted in the instance's record before it is shown, and kept.

use proto::Fault;
use proto::fault::code;
use telegram::{Account, Presence};

use super::{Owner, close};
use crate::identity;
use crate::login::{Start, Way};
use crate::stop::Failure;

/// The reason of a record that can't have been written by a release of ours.
const RECORD_UNREADABLE: &str = "INSTANCE_RECORD_UNREADABLE";

impl Owner {
    /// How the account of this instance shows itself. None where its record makes no sense: the account is not connected
    /// another way than it says, and the state tells.
    pub(super) async fn presence(&self) -> Result<Option<Presence>, Failure> {
        let record = self.record().await?;
        match identity::presence(&record, &self.shared.telegram.presence()) {
            Ok(presence) => Ok(Some(presence)),
            Err(error) => {
                tracing::error!(%error, instance.id = %self.lease.instance, "the record's proxy");
                self.fail(RECORD_UNREADABLE).await;
                Ok(None)
            }
        }
    }

    /// Fixes what the account presents, where a release that did not note it logged it in, or a worker died before it
    /// could. The application by which it is logged in: what the session says, else what was noted before.
    pub(super) async fn fix_identity(&self, session_says: Option<i32>) -> Result<i32, Failure> {
        let configured = self.shared.telegram.presence();
        let before = self.record().await?;
        let application = before.identity.application.as_ref().map(|own| own.api_id);
        let now_by = application.unwrap_or(configured.application.api_id);
        let logged_in_by = session_says.or(before.identity.logged_in_by).unwrap_or(now_by);
        let mut after = before.clone();
        identity::fix(&mut after, &configured, logged_in_by, self.shared.clock.now());
        if after == before {
            return Ok(logged_in_by);
        }
        let noted = self.note(|record| {
            record.identity = after.identity;
            Ok(())
        });
        noted.await.map(|_| logged_in_by)
    }

    /// How a login of this instance shows itself.
    ///
    /// # Errors
    /// With the login that can't be begun.
    pub(super) async fn presence_of_login(
        &self,
        mut start: Start,
    ) -> Result<(Presence, Start), (Start, Fault)> {
        let configured = self.shared.telegram.presence();
        let noted = self.change_record(|record| {
            identity::begin(record, &configured);
            Ok(())
        });
        let record = match noted.await {
            Ok(record) => record,
            Err(fault) => return Err((start, fault)),
        };
        // What was asked for comes before what the other program's session says of its application.
        if let Way::TakenOver { session, from_backup: false } = &mut start.way
            && record.identity.application.is_some()
        {
            session.api_id = None;
        }
        match identity::presence(&record, &configured) {
            Ok(presence) => Ok((presence, start)),
            Err(error) => {
                let message = format!("params.proxy.{error}");
                Err((start, Fault::invalid(code::PARAMS_INVALID, message)))
            }
        }
    }

    /// The account, by the way that it is to go now: its proxy may have been changed since it was opened.
    pub(super) async fn by_its_way(
        &mut self,
        account: Account,
    ) -> Result<Option<Account>, Failure> {
        let wanted = self.presence().await?;
        if wanted.is_some_and(|wanted| wanted.proxy == account.presence().proxy) {
            return Ok(Some(account));
        }
        close(Some(account)).await;
        self.open().await
    }
}
