//! One instance while this worker owns it: connect the account, work its queue, follow its orders,
//! and end everything in order.
//!
//! The queue is worked in every state: where the account can't be used, each command is told so at
//! once, since only the account's admin can change that. While it is connecting, stopped, or can't be
//! used through a fault of this installation, commands wait.

mod connection;
mod identity;
mod limits;
mod logins;
mod queue;
mod record;
mod removal;
mod rest;
mod serve;
mod state;

use std::sync::Arc;
use std::time::Duration;

use bus::{Backoff, BusError, ControlBinder};
use chrono::{DateTime, Utc};
use proto::Fault;
use proto::control::{AccountSet, AccountSetKey, AccountSetLimits};
use store::{Groups, Lease};
use telegram::{Account, AccountVerdict};
use tokio::sync::{Mutex, Notify, mpsc, oneshot, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use self::connection::Connected;
use crate::lanes::Lanes;
use crate::limits::{ByLease, Limiter};
use crate::login::{self, Desk};
use crate::persist;
use crate::roster::Hold;
use crate::standing::Standing;
use crate::stop::Failure;
use crate::tenure::{Shared, Tenure};

/// How long a lease is kept for the broker to answer at a tenure's end.
const UNBIND_MAX: Duration = Duration::from_secs(1);

/// What an owner can be told to do.
#[derive(Debug)]
pub enum Order {
    /// Log the account in; answered when the login has ended.
    Login(login::Start),
    /// What a login waits for.
    LoginAnswer(login::Answer),
    /// Give the instance limits of its own.
    SetLimits(AccountSetLimits, oneshot::Sender<Result<(), Fault>>),
    /// Change the instance's settings.
    Set(Box<AccountSet>, oneshot::Sender<Result<(), Fault>>),
    /// Give it a new API key.
    SetKey(AccountSetKey, oneshot::Sender<Result<(), Fault>>),
    /// Disconnect the account until it is started again.
    Stop(oneshot::Sender<Result<(), Fault>>),
    /// Connect it again.
    Start(oneshot::Sender<Result<(), Fault>>),
    /// Log the account out and forget everything about the instance.
    Remove(oneshot::Sender<Result<bool, Fault>>),
}

/// The owner of one instance.
pub struct Owner {
    shared: Arc<Shared>,
    lease: Lease,
    standing: watch::Sender<Standing>,
    orders: mpsc::Receiver<Order>,
    binder: watch::Receiver<Option<ControlBinder>>,
    stop: CancellationToken,
    lost: CancellationToken,
    hold: Arc<Hold>,
    turn: Arc<Mutex<()>>,
    desk: Desk,
    /// When a stopped account has to show Telegram that it lives.
    rouse_at: Option<DateTime<Utc>>,
    /// How the account stood before a login was begun.
    before_login: Option<Standing>,
    /// Whoever asked for the instance's removal, and what came of it: told when the lease is free,
    /// so that the same id can be used again at once.
    removed: Option<(oneshot::Sender<Result<bool, Fault>>, bool)>,
}

/// What an owner has of its instance beside the account.
struct Goods {
    lanes: Arc<Lanes>,
    limiter: Arc<Limiter<ByLease>>,
    groups: Groups,
}

/// Why an account's phase ended.
enum Turn {
    /// The worker is going down, or the lease is lost.
    Stop,
    /// Telegram ended the account's login.
    Verdict(AccountVerdict),
    /// A login succeeded: this is the account from now on.
    LoggedIn(Account),
    /// The account is to be disconnected, or connected again; whoever asked waits here.
    Stopped(oneshot::Sender<Result<(), Fault>>),
    Started(oneshot::Sender<Result<(), Fault>>),
    /// The account is to be connected by another way; whoever asked waits here.
    OtherWay(oneshot::Sender<Result<(), Fault>>),
    /// The account's proxy lets nothing through.
    NoWay,
    /// A stopped account has to show Telegram that it lives.
    Roused,
    /// The instance is to be removed; whoever asked waits here.
    Remove(oneshot::Sender<Result<bool, Fault>>),
}

impl Owner {
    /// The owner by this lease. It connects the account when the hold's gate is opened, ends the
    /// tenure at its `stop`, and sends nothing to Telegram any more once it is `lost`.
    pub fn new(
        shared: Arc<Shared>,
        hold: Arc<Hold>,
        standing: watch::Sender<Standing>,
        orders: mpsc::Receiver<Order>,
        binder: watch::Receiver<Option<ControlBinder>>,
    ) -> Self {
        let (lease, stop, lost) = (hold.lease.clone(), hold.stop.clone(), hold.lost.clone());
        let desk = Desk::default();
        Self {
            shared,
            lease,
            standing,
            orders,
            binder,
            stop,
            lost,
            hold,
            turn: Arc::default(),
            desk,
            rouse_at: None,
            before_login: None,
            removed: None,
        }
    }

    /// The whole tenure.
    pub async fn run(mut self) {
        self.shared.metrics.moved(None, Some(self.standing.borrow().state));
        let ended = self.live().await;
        if let Err(failure) = &ended {
            tracing::warn!(?failure, instance.id = %self.lease.instance, "the tenure broke off");
        }
        self.shared.metrics.moved(Some(self.standing.borrow().state), None);
        self.unbind().await;
        self.hold.closed(&self.shared.leases).await;
        if let Some((done, logged_out)) = self.removed.take() {
            let _ = done.send(Ok(logged_out));
        }
    }

    async fn live(&mut self) -> Result<(), Failure> {
        let record = self.record().await?;
        let (shared, instance) = (self.shared.clone(), self.lease.instance.clone());
        self.bind().await;
        // What the last owner saves while it may still be at it counts: it is read only then.
        if self.hold.opened().await.is_none() {
            return Ok(());
        }
        let groups = persist::retry(&self.stop, || Groups::open(&shared.vault, &instance)).await?;
        let made = record.created_at;
        let taking = Lanes::take_on(&shared, &self.lease, &groups, made, &self.stop);
        let (lanes, lost) = taking.await?;
        let limiter = self.limiter(&record, lost).await?;
        let goods = Goods { lanes, limiter, groups };
        let mut rest = record.stopped.clone();
        let mut account = if rest.is_none() { self.open().await? } else { None };
        while !self.stop.is_cancelled() {
            let turn = match &rest {
                Some(stopped) => self.rest(&goods, stopped).await,
                None => self.phase(&mut account, &goods).await,
            };
            match turn {
                Turn::Stop => break,
                Turn::Stopped(done) => {
                    let noted = self.note_stopped(&mut rest, true).await;
                    if noted.is_ok() {
                        close(account.take()).await;
                        if let Some(stopped) = &rest {
                            self.stand_stopped(stopped).await;
                        }
                    }
                    let _ = done.send(noted);
                }
                Turn::Started(done) => {
                    let noted = self.note_stopped(&mut rest, false).await;
                    if noted.is_ok() {
                        account = self.open().await?;
                        if let Some(there) = &account {
                            self.stand_connecting(there).await;
                        }
                    }
                    let _ = done.send(noted);
                }
                Turn::OtherWay(done) => {
                    close(account.take()).await;
                    account = self.open().await?;
                    if let Some(there) = &account {
                        self.stand_connecting(there).await;
                    }
                    let _ = done.send(Ok(()));
                }
                // The account is connected anew, through the same proxy or not at all.
                Turn::NoWay => {}
                Turn::Roused => self.show_life(&mut rest).await?,
                Turn::LoggedIn(logged_in) => {
                    account = self.by_its_way(logged_in).await?;
                    self.fit_limits(&goods).await;
                }
                Turn::Verdict(verdict) => {
                    self.condemn(verdict).await;
                    close(account.take()).await;
                }
                Turn::Remove(done) => match self.remove(&mut account, &goods).await {
                    Ok(logged_out) => {
                        self.removed = Some((done, logged_out));
                        break;
                    }
                    Err(fault) => {
                        let _ = done.send(Err(fault));
                    }
                },
            }
        }
        self.desk.give_up().await;
        close(account).await;
        if self.lost.is_cancelled() {
            self.shared.remembered.put(&self.lease.instance, goods.limiter.kept());
        }
        if let Err(error) = goods.limiter.flush().await {
            tracing::warn!(%error, "what was used last of limits was not noted");
        }
        Ok(())
    }

    /// An order that comes from now on goes to whoever takes the instance next. One that comes all
    /// the same is answered by whoever it finds; the next owner is not kept waiting for that.
    async fn unbind(&self) {
        let binder = self.binder.borrow().clone();
        if let Some(binder) = binder
            && !matches!(timeout(UNBIND_MAX, binder.unbind(&self.lease.instance)).await, Ok(Ok(())))
        {
            tracing::warn!(instance.id = %self.lease.instance, "its orders are still bound");
        }
    }

    /// Connects the account, if there is one, and works with it until something about it changes.
    async fn phase(&mut self, account: &mut Option<Account>, goods: &Goods) -> Turn {
        if let Some(there) = account.as_ref() {
            match self.connect(there, goods).await {
                Connected::Online => {}
                Connected::Never => close(account.take()).await,
                Connected::Turn(turn) => return turn,
            }
        }
        let standing = self.standing.borrow().clone();
        let usable = account.clone().ok_or_else(|| standing.fault());
        let waits = account.is_none() && standing.has_to_be_mended();
        let tenure = self.tenure(usable, waits, goods);
        self.serve(&tenure, goods).await
    }

    /// Makes this worker the one that gets the instance's commands and orders.
    async fn bind(&mut self) {
        let mut backoff = Backoff::BROKER;
        loop {
            let bound = async {
                self.shared.bus.declare_instance_queue(&self.lease.instance).await?;
                let mut binder = self.binder.clone();
                let there = binder.wait_for(Option::is_some).await.map(|there| there.clone());
                if let Ok(Some(binder)) = there {
                    binder.bind(&self.lease.instance).await?;
                }
                Ok::<_, BusError>(())
            };
            let bound = tokio::select! {
                bound = bound => bound,
                () = self.stop.cancelled() => return,
            };
            let Err(error) = bound else { return };
            tracing::warn!(%error, instance.id = %self.lease.instance, "can't bind; trying again");
            if !backoff.wait(&self.stop).await {
                return;
            }
        }
    }

    fn tenure(&self, account: Result<Account, Fault>, waits: bool, goods: &Goods) -> Arc<Tenure> {
        Arc::new(Tenure {
            instance: self.lease.instance.clone(),
            lease: self.lease.clone(),
            account,
            waits,
            limiter: goods.limiter.clone(),
            lanes: goods.lanes.clone(),
            turn: self.turn.clone(),
            groups: goods.groups.clone(),
            shared: self.shared.clone(),
            filled: Notify::new(),
            limited: Notify::new(),
            verdict: watch::Sender::new(None),
            stopping: self.stop.child_token(),
        })
    }
}

async fn close(account: Option<Account>) {
    if let Some(account) = account
        && let Err(error) = account.close().await
    {
        tracing::warn!(error, "the session's last changes were not saved");
    }
}
