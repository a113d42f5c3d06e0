//! Counting the groups of an account, now and then.
//!
//! Others put the account into groups as well, and its owner leaves some in an app: what was counted
//! grows old. It is read from the list of dialogs, a page at a time and out of the budget for reads.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use proto::control::GroupsUsed;
use proto::event::LimitHit;
use telegram::calls::chats::{DialogCursor, Folder, GroupSummary};
use telegram::{Account, CallError, GroupKind, calls};

use super::{MOST, MOST_PREMIUM, note};
use crate::answers::Answers;
use crate::limits::{Ask, Class, Hit};
use crate::stop::{Failure, Stop};
use crate::tenure::Tenure;

/// A count is good for so long.
const GOOD_FOR: TimeDelta = TimeDelta::hours(24);
/// One that says the account is full, or that failed: what it stands for is looked at again soon,
/// since commands are refused meanwhile.
const FULL_FOR: TimeDelta = TimeDelta::minutes(10);
/// What waits in the instance's queue when its account comes online goes first.
const AFTER_ONLINE: TimeDelta = TimeDelta::seconds(30);
/// Dialogs to a page, which is the most, and pages of each folder that are read: what is beyond
/// them is not counted.
const PAGE: u32 = 100;
const PAGES_MAX: usize = 50;

/// Keeps the count of an online account until the tenure's end. At most one count in
/// [`GOOD_FOR`], or in [`FULL_FOR`] while the account seems to be full, whoever owned it then.
pub async fn keep(tenure: Arc<Tenure>) {
    let Ok(account) = tenure.account.clone() else { return };
    let mut due = tenure.shared.clock.now() + AFTER_ONLINE;
    loop {
        tokio::select! {
            () = tenure.stopping.cancelled() => return,
            () = tenure.shared.clock.until(due) => {}
            () = tenure.filled.notified() => {}
        }
        // Boxed: of the many accounts that wait for a day, each keeps only the wait. Broken off at
        // the tenure's end, a look leaves nothing behind.
        let counted = tokio::select! {
            () = tenure.stopping.cancelled() => return,
            counted = Box::pin(count_if_due(&tenure, &account)) => counted,
        };
        due = match counted {
            Ok(next) => next,
            Err(Failure::Stop(Stop::Abandoned(_))) => return,
            Err(failure) => {
                tracing::info!(?failure, instance.id = %tenure.instance, "groups were not counted");
                tenure.shared.clock.now() + FULL_FOR
            }
        };
    }
}

/// Counts, unless the last count is good still; says when it will not be.
pub(super) async fn count_if_due(
    tenure: &Tenure,
    account: &Account,
) -> Result<DateTime<Utc>, Failure> {
    let known = tenure.retry_store(|| super::view(&tenure.shared, &tenure.instance)).await?;
    if let Some(next) = known.as_ref().map(next_count)
        && next > tenure.shared.clock.now()
    {
        return Ok(next);
    }
    let groups = count(tenure, account).await?;
    let fullness = &tenure.shared.fullness;
    let counted = tenure.retry_store(|| fullness.count(&tenure.lease, &groups)).await?;
    if counted.is_news {
        note(tenure, counted).await;
    }
    Ok(next_count(&groups))
}

/// Until when a count is good.
pub(super) fn next_count(groups: &GroupsUsed) -> DateTime<Utc> {
    let good_for = if groups.used >= groups.most { FULL_FOR } else { GOOD_FOR };
    groups.counted_at + good_for
}

async fn count(tenure: &Tenure, account: &Account) -> Result<GroupsUsed, Failure> {
    let most = match tenure.shared.config.limits.groups_max {
        Some(most) => most.get(),
        None if asked(tenure, || calls::myself::me(account)).await?.premium => MOST_PREMIUM,
        None => MOST,
    };
    let mut counting = BTreeSet::new();
    for folder in [Folder::Main, Folder::Archive] {
        let mut after: Option<DialogCursor> = None;
        for _ in 0..PAGES_MAX {
            let read = || calls::chats::dialogs_in(account, folder, PAGE, after.as_ref());
            let page = asked(tenure, read).await?;
            let groups = page.groups.iter().filter(|group| counts(group));
            counting.extend(groups.map(|group| group.group.chat_id()));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    let used = u32::try_from(counting.len()).unwrap_or(u32::MAX);
    Ok(GroupsUsed { used, most, counted_at: tenure.shared.clock.now() })
}

fn counts(group: &GroupSummary) -> bool {
    group.is_member() && group.kind != GroupKind::Basic
}

/// One look at Telegram, when the budget for reads and its gate let it through. A wait that
/// Telegram asks for is noted, for everybody who reads.
async fn asked<T, R>(tenure: &Tenure, call: impl Fn() -> R) -> Result<T, Failure>
where
    R: Future<Output = Result<T, CallError>>,
{
    let ask = Ask { class: Class::Read, cost: NonZeroU32::MIN, chat: None };
    let limiter = &tenure.limiter;
    loop {
        while let Err(not_yet) = tenure.retry_store(|| limiter.ask(ask)).await? {
            // Where a person has to open the gate, it is looked at again later.
            let Some(opens) = not_yet.opens else {
                return Err(Failure::Stop(Stop::Parked(not_yet)));
            };
            tenure.shared.clock.until(opens).await;
        }
        let error = match call().await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let Some((fault, flood)) = error.rpc().and_then(|fault| Some((fault, fault.flood_wait()?)))
        else {
            let verdict = telegram::fault::verdict(&error);
            if verdict.ends_session() {
                tenure.report(verdict);
            }
            return Err(Failure::Stop(Stop::Fault(telegram::fault::of(&error))));
        };
        let hit = Hit { ask, code: fault.name.clone(), wait_s: Some(flood.wait_s) };
        let (not_yet, _) = tenure.retry_store(|| limiter.hit(&hit)).await?;
        tenure.shared.metrics.limit_hit(Class::Read);
        let class = not_yet.lane.to_string();
        let told = LimitHit { class, reason: hit.code, until: not_yet.opens };
        let answers = &tenure.shared.answers;
        answers.tell(Answers::event_id(), &tenure.instance, &told, |event| event).await;
    }
}
