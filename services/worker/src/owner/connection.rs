//! Opening the account as it was stored, and connecting it until it works.

use std::sync::Arc;
use std::time::Duration;

use bus::Backoff;
use chassis::faults;
use proto::event::AccountState;
use proto::{Fault, InstanceId};
use store::{Lease, StoreError};
use telegram::{Account, AccountVerdict, calls};

use super::{Goods, Order, Owner, Turn, queue};
use crate::keeper::{Keeper, Kept};
use crate::lanes;
use crate::pace::Pace;
use crate::persist;
use crate::standing::Standing;
use crate::stop::Failure;
use crate::tenure::{Shared, Tenure};

/// The pauses before an account is connected again.
const RECONNECT: Backoff = Backoff::new(Duration::from_millis(250), Duration::from_secs(15));

/// Longer than connecting takes where nothing is wrong.
const CONNECTS_WITHIN: Duration = Duration::from_secs(5);

impl Owner {
    /// The account as it was stored; none where there is no login, or the tenure ends before it may
    /// be connected.
    pub(super) async fn open(&mut self) -> Result<Option<Account>, Failure> {
        let (shared, lease) = (&self.shared, &self.lease);
        let kept = persist::retry(&self.stop, || load(shared, lease)).await?;
        let kept = match kept {
            Ok(kept) => kept,
            Err(reason) => {
                self.fail(reason).await;
                return Ok(None);
            }
        };
        let kept = kept.filter(|kept| kept.session.is_logged_in());
        let Some(kept) = kept else {
            let now = self.shared.clock.now();
            self.stand(Standing::new(AccountState::New, None, now)).await;
            return Ok(None);
        };
        let logged_in_by = self.fix_identity(kept.session.api_id).await?;
        let status = persist::retry(&self.stop, || shared.statuses.get(&lease.instance)).await?;
        if let Some(ended) = status.map(Standing::left).filter(Standing::is_final) {
            self.stand(ended).await;
            return Ok(None);
        }
        let Some(presence) = self.presence().await? else { return Ok(None) };
        let presence = presence.logged_in_by(logged_in_by);
        let (shared, lease) = (&self.shared, &self.lease);
        let Some(gate) = self.hold.opened().await else { return Ok(None) };
        let keeper = Arc::new(Keeper::new(shared.clone(), lease.clone()));
        Ok(Some(shared.telegram.open_as(presence, Some(kept.session), kept.peers, keeper, gate)))
    }

    /// Connects until it works; commands wait meanwhile, each up to its deadline; orders don't.
    pub(super) async fn connect(&mut self, account: &Account, goods: &Goods) -> Connected {
        self.stand_connecting(account).await;
        let waiting = self.tenure(Err(self.standing.borrow().fault()), true, goods);
        let keeping = tokio::spawn(keep_deadlines(waiting.clone()));
        let connected = self.until_connected(account, goods).await;
        waiting.stopping.cancel();
        if let Err(error) = keeping.await {
            tracing::error!(%error, "keeping deadlines panicked");
        }
        connected
    }

    /// It is being connected; where its proxy is known to let nothing through, that is the reason.
    pub(super) async fn stand_connecting(&self, account: &Account) {
        let reason = account.trouble().borrow().map(|trouble| trouble.code().to_owned());
        let is_told = reason.is_some();
        let now = self.shared.clock.now();
        self.stand(Standing::new(AccountState::Connecting, reason, now)).await;
        // A moment of connecting is not worth a write; what a person has to mend is.
        if is_told {
            self.remember().await;
        }
    }

    async fn until_connected(&mut self, account: &Account, goods: &Goods) -> Connected {
        let (account, instance) = (account.clone(), self.lease.instance.clone());
        let proving = prove(&account, &instance, &self.shared.connecting);
        tokio::pin!(proving);
        let mut trouble = account.trouble();
        let proven = loop {
            let order = tokio::select! {
                proven = &mut proving => break proven,
                Ok(()) = trouble.changed() => {
                    self.stand_connecting(&account).await;
                    continue;
                }
                () = self.stop.cancelled() => return Connected::Turn(Turn::Stop),
                order = self.orders.recv() => order,
            };
            match order {
                None => return Connected::Turn(Turn::Stop),
                Some(Order::Set(wish, done)) => match self.set(&wish).await {
                    Ok(true) => return Connected::Turn(Turn::OtherWay(done)),
                    set => {
                        let _ = done.send(set.map(drop));
                    }
                },
                Some(Order::SetKey(wish, done)) => {
                    let _ = done.send(self.set_key(&wish).await);
                }
                Some(Order::Stop(done)) => return Connected::Turn(Turn::Stopped(done)),
                Some(Order::Start(done)) => {
                    let _ = done.send(Ok(()));
                }
                Some(Order::Remove(done)) => return Connected::Turn(Turn::Remove(done)),
                Some(Order::Login(start)) => {
                    let message = "the account is being connected with the login that it has";
                    let _ = start.done.send(Err(Fault::unavailable("ACCOUNT_CONNECTING", message)));
                }
                Some(Order::LoginAnswer(answer)) => self.desk.answer(answer).await,
                Some(Order::SetLimits(wish, done)) => {
                    let _ = done.send(self.set_limits(goods, &wish).await);
                }
            }
        };
        if let Err(verdict) = proven {
            self.condemn(verdict).await;
            return Connected::Never;
        }
        self.stand_by_limits(goods).await;
        faults::cut("connected");
        Connected::Online
    }
}

/// What was kept of the account, or why it can't be read: asking again would not change that, and it
/// is not taken for none.
async fn load(
    shared: &Shared,
    lease: &Lease,
) -> Result<Result<Option<Kept>, &'static str>, StoreError> {
    let reason = match Keeper::load(shared, lease).await {
        Ok(kept) => return Ok(Ok(kept)),
        Err(StoreError::Version { .. }) => "SESSION_OF_LATER_RELEASE",
        Err(StoreError::Corrupt { .. }) => "SESSION_UNREADABLE",
        Err(StoreError::WrongKey { .. }) => "SESSION_KEY_MISSING",
        Err(other) => return Err(other),
    };
    tracing::error!(reason, instance.id = %lease.instance, "the account's session can't be read");
    Ok(Err(reason))
}

/// Answers commands at their deadlines where connecting takes long. Most often it does not, and their
/// queue is not begun to be read twice.
async fn keep_deadlines(tenure: Arc<Tenure>) {
    tokio::select! {
        () = tokio::time::sleep(CONNECTS_WITHIN) => {}
        () = tenure.stopping.cancelled() => return,
    }
    tokio::join!(queue::consume(tenure.clone()), lanes::tend(tenure));
}

/// How connecting ended.
pub(super) enum Connected {
    /// The account works.
    Online,
    /// Telegram ended its login.
    Never,
    /// Something else came first.
    Turn(Turn),
}

/// Connects, and shows that the login is alive; tries again until Telegram says that it is not.
async fn prove(
    account: &Account,
    instance: &InstanceId,
    pace: &Pace,
) -> Result<(), AccountVerdict> {
    let mut backoff = RECONNECT;
    loop {
        pace.wait().await;
        let proven = match account.connect().await {
            Ok(()) => calls::myself::update_mark(account).await.map(drop),
            Err(error) => Err(error),
        };
        let Err(error) = proven else { return Ok(()) };
        let verdict = telegram::verdict::verdict(&error);
        if verdict.ends_session() {
            return Err(verdict);
        }
        tracing::warn!(%error, instance.id = %instance, "can't connect; trying again");
        tokio::time::sleep(backoff.pause()).await;
    }
}
