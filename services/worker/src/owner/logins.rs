//! Logins of the instance: begun, followed, and what they make of the account.

use telegram::Account;

use super::Owner;
use crate::identity;
use crate::login::{LoggedIn, News, Start};
use crate::standing::Standing;
use crate::stop::Failure;

impl Owner {
    /// Begins a login, once the account may be connected. Where the tenure ends before, whoever
    /// asked finds nobody there.
    pub(super) async fn begin_login(&mut self, start: Start, online: bool) {
        let Some(gate) = self.hold.opened().await else { return };
        let (presence, start) = match self.presence_of_login(start).await {
            Ok(prepared) => prepared,
            Err((start, fault)) => {
                let _ = start.done.send(Err(fault));
                return;
            }
        };
        if !online {
            let now = self.standing.borrow().clone();
            self.before_login.get_or_insert(now);
        }
        self.desk.begin(&self.shared, &self.lease, &gate, presence, start, online);
    }

    /// There is news of a login: where it succeeded, the instance has a new account.
    pub(super) async fn heard(&mut self, news: News) -> Option<Account> {
        let ended = match news {
            News::Awaits(state) => {
                self.stand(Standing::new(state, None, self.shared.clock.now())).await;
                self.remember().await;
                return None;
            }
            News::Ended(ended) => ended,
        };
        let next = self.desk.waiting();
        let Some(logged_in) = ended.account else {
            match (next, self.before_login.take()) {
                (Some(next), before) => {
                    self.before_login = before;
                    self.begin_login(next, false).await;
                }
                (None, Some(before)) => {
                    self.stand(before).await;
                    self.remember().await;
                }
                (None, None) => {}
            }
            return None;
        };
        self.before_login = None;
        if let Some(late) = next {
            self.begin_login(late, true).await;
        }
        if let Err(failure) = self.note_name(&logged_in).await {
            tracing::warn!(?failure, "the account's name was not noted");
        }
        Some(logged_in.account)
    }

    async fn note_name(&self, logged_in: &LoggedIn) -> Result<(), Failure> {
        let now = self.shared.clock.now();
        let configured = self.shared.telegram.presence();
        let logged_in_by = logged_in.account.presence().application.api_id;
        let noted = self.note(|record| {
            identity::fix(record, &configured, logged_in_by, now);
            // Another account in its place is as young as the first one was.
            if record.user_id != Some(logged_in.user_id) {
                record.connected_at = Some(now);
            }
            record.user_id = Some(logged_in.user_id);
            record.username.clone_from(&logged_in.username);
            record.phone.clone_from(&logged_in.phone);
            Ok(())
        });
        noted.await.map(drop)
    }
}
