//! Working an instance's queue and lanes, and following orders, until something about the account changes.

use std::sync::Arc;
use std::time::Duration;

use chassis::Clock;
use chrono::{DateTime, Utc};
use proto::event::AccountState;
use telegram::AccountVerdict;
use telegram::link::Connectivity;
use tokio::sync::watch;

use super::{Goods, Order, Owner, Turn, close, queue};
use crate::tenure::Tenure;
use crate::{fullness, lanes};

/// Before a lost connection by way of a proxy is tried again.
const AGAIN_AFTER: Duration = Duration::from_secs(2);

impl Owner {
    /// Works the queue and follows orders until something about the account changes.
    pub(super) async fn serve(&mut self, tenure: &Arc<Tenure>, goods: &Goods) -> Turn {
        let consuming = tokio::spawn(queue::consume(tenure.clone()));
        let tending = tokio::spawn(lanes::tend(tenure.clone()));
        let counting = tokio::spawn(fullness::keep(tenure.clone()));
        let turn = self.follow(tenure, goods).await;
        // What runs is brought to its end: only then is the account closed or exchanged. Without
        // the lease there is no end to bring it to: somebody else may be sending already.
        tenure.stopping.cancel();
        if self.lost.is_cancelled() {
            close(tenure.account.as_ref().ok().cloned()).await;
        }
        for working in [consuming, tending, counting] {
            if let Err(error) = working.await {
                tracing::error!(%error, "a consumer of an instance's commands panicked");
            }
        }
        turn
    }

    fn is_stopped(&self) -> bool {
        self.standing.borrow().state == AccountState::Stopped
    }

    fn may_be_known_again(&self) -> bool {
        self.standing.borrow().may_be_known_again()
    }

    async fn follow(&mut self, tenure: &Tenure, goods: &Goods) -> Turn {
        let mut verdicts = tenure.verdict.subscribe();
        loop {
            let held_until = self.standing.borrow().until;
            let order = tokio::select! {
                () = self.stop.cancelled() => return Turn::Stop,
                () = due(&self.shared.clock, self.rouse_at) => return Turn::Roused,
                () = no_way(tenure) => return Turn::NoWay,
                () = limits_changed(tenure, held_until) => {
                    self.stand_by_limits(goods).await;
                    continue;
                }
                verdict = said(&mut verdicts) => return Turn::Verdict(verdict),
                news = self.desk.news() => match self.heard(news).await {
                    Some(account) => return Turn::LoggedIn(account),
                    None => continue,
                },
                order = self.orders.recv() => order,
            };
            match order {
                None => return Turn::Stop,
                Some(Order::Login(start)) if self.is_stopped() => start.refuse_stopped(),
                Some(Order::Login(start)) => {
                    let online = tenure.account.is_ok();
                    self.begin_login(start, online).await;
                }
                Some(Order::LoginAnswer(answer)) => self.desk.answer(answer).await,
                Some(Order::SetLimits(wish, done)) => {
                    let _ = done.send(self.set_limits(goods, &wish).await);
                }
                Some(Order::Set(wish, done)) => match self.set(&wish).await {
                    Ok(true) if tenure.account.is_ok() => return Turn::OtherWay(done),
                    set => {
                        if let Ok(true) = set {
                            self.desk.supersede();
                        }
                        let _ = done.send(set.map(drop));
                    }
                },
                Some(Order::SetKey(wish, done)) => {
                    let _ = done.send(self.set_key(&wish).await);
                }
                // A login under way is given up: it would connect the account.
                Some(Order::Stop(done)) => {
                    self.desk.give_up().await;
                    self.before_login = None;
                    return Turn::Stopped(done);
                }
                // With the login that it has: one that is under way is given up.
                Some(Order::Start(done)) if tenure.waits || self.may_be_known_again() => {
                    self.desk.give_up().await;
                    self.before_login = None;
                    return Turn::Started(done);
                }
                Some(Order::Start(done)) => {
                    let _ = done.send(Ok(()));
                }
                Some(Order::Remove(done)) => return Turn::Remove(done),
            }
        }
    }
}

/// Waits until a connected account's proxy lets nothing through; for ever, where it has none. A connection that is lost
/// by the way is made again, without a command that needs it: that the proxy is dead shows only so.
async fn no_way(tenure: &Tenure) {
    let proxied = tenure.account.as_ref().ok().filter(|account| account.presence().proxy.is_some());
    let Some(account) = proxied else { return std::future::pending().await };
    let (mut trouble, mut connectivity) = (account.trouble(), account.connectivity());
    loop {
        let lost = connectivity.wait_for(|now| *now == Connectivity::Down);
        tokio::select! {
            Ok(()) = async { trouble.wait_for(Option::is_some).await.map(drop) } => return,
            Ok(()) = async { lost.await.map(drop) } => {}
            else => return std::future::pending().await,
        }
        tenure.shared.connecting.wait().await;
        if let Err(error) = account.connect().await {
            tracing::debug!(%error, instance.id = %tenure.instance, "not connected again yet");
            tokio::time::sleep(AGAIN_AFTER).await;
        }
    }
}

/// Waits until a connected account may stand in another way: Telegram told a limit, or one is over.
async fn limits_changed(tenure: &Tenure, held_until: Option<DateTime<Utc>>) {
    if tenure.account.is_err() {
        return std::future::pending().await;
    }
    tokio::select! {
        () = tenure.limited.notified() => {}
        () = due(&tenure.shared.clock, held_until) => {}
    }
}

/// Waits until then; for ever, where there is no such time.
async fn due(clock: &Clock, at: Option<DateTime<Utc>>) {
    match at {
        Some(at) => clock.until(at).await,
        None => std::future::pending().await,
    }
}

/// Waits for a verdict; for ever, where none comes.
async fn said(verdicts: &mut watch::Receiver<Option<AccountVerdict>>) -> AccountVerdict {
    let verdict = verdicts.wait_for(Option::is_some).await.ok().and_then(|verdict| *verdict);
    match verdict {
        Some(verdict) => verdict,
        None => std::future::pending().await,
    }
}
