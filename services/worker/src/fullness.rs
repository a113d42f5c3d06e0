//! How near an account is to the most channels and supergroups that Telegram lets it be in.
//!
//! Others put the account into groups as well, and its owner leaves some in an app: so they are
//! counted now and then ([`keep`]), from the list of dialogs and out of the budget for reads. What the
//! account's own commands make and delete is added and taken off at once. So a `group.create` that
//! can't work is answered before anything is asked of Telegram, and the account's admin hears of it
//! while there is still room.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use proto::event::GroupsNearFull;
use proto::fault::code;
use proto::{ChatId, ChatKind, Fault};
use telegram::calls::chats::{DialogCursor, Folder, GroupSummary};
use telegram::{Account, CallError, GroupKind, calls};

use crate::answers::Answers;
use crate::cx::Cx;
use crate::limits::{Ask, Class, Fullness, Hit, fullness};
use crate::stop::{Failure, Stop};
use crate::tenure::Tenure;

/// After an account is online, before its groups are counted: what it was connected for goes first.
const FIRST_AFTER: TimeDelta = TimeDelta::seconds(30);
/// Before a count is tried again that broke off.
const AGAIN_AFTER: TimeDelta = TimeDelta::minutes(10);
/// Dialogs to a page, which is the most, and pages of each folder that are read: what is beyond
/// them is not counted.
const PAGE: u32 = 100;
const PAGES_MAX: usize = 50;

impl Cx<'_> {
    /// Whether the account can be in one more supergroup, as far as is known.
    ///
    /// # Errors
    /// `ACCOUNT_FULL` where it can't.
    pub fn has_room(&self) -> Result<(), Stop> {
        match self.tenure.limiter.groups() {
            Some(groups) if groups.is_full() => Err(full(&groups)),
            _ => Ok(()),
        }
    }

    /// Telegram says that the account can't be in one more: why the command ends.
    pub async fn met_full(&self) -> Stop {
        let most = self.tenure.shared.config.limits.groups_max.map(NonZeroU32::get);
        let groups = self.tenure.limiter.fill_groups(most.unwrap_or(fullness::most(false)));
        self.note_groups().await;
        full(&groups)
    }

    /// The account is in a supergroup more, or in one less. After a crash it may be missed; the
    /// next count knows better.
    pub async fn groups_changed(&self, chat_id: ChatId, made: bool) {
        if chat_id.kind() == ChatKind::Supergroup {
            self.tenure.limiter.change_groups(made);
            Box::pin(self.note_groups()).await;
        }
    }

    async fn note_groups(&self) {
        if let Err(failure) = note(self.tenure).await {
            tracing::warn!(?failure, "the number of groups was not noted");
        }
        self.tenure.filled.notify_one();
    }
}

/// Counts the groups of an online account whenever it is time, until the tenure's phase ends.
pub async fn keep(tenure: Arc<Tenure>) {
    let Ok(account) = tenure.account.clone() else { return };
    let clock = &tenure.shared.clock;
    let mut earliest = clock.now() + FIRST_AFTER;
    loop {
        let due = due(&tenure).map_or(earliest, |due| due.max(earliest));
        tokio::select! {
            () = tenure.stopping.cancelled() => return,
            // What is known changed, and so may when it is to be counted.
            () = tenure.filled.notified() => continue,
            () = clock.until(due) => {}
        }
        // Boxed: of the many accounts that wait for a day, each keeps only the wait. Broken off at
        // the tenure's end, a look leaves nothing behind.
        let counted = tokio::select! {
            () = tenure.stopping.cancelled() => return,
            counted = Box::pin(count(&tenure, &account)) => counted,
        };
        if let Err(failure) = counted {
            tracing::info!(?failure, instance.id = %tenure.instance, "the groups were not counted");
        }
        earliest = clock.now() + AGAIN_AFTER;
    }
}

/// When the groups are to be counted; `None` where they never were.
fn due(tenure: &Tenure) -> Option<DateTime<Utc>> {
    tenure.limiter.groups().map(|groups| groups.count_at())
}

async fn count(tenure: &Tenure, account: &Account) -> Result<(), Failure> {
    let most = match tenure.shared.config.limits.groups_max {
        Some(most) => most.get(),
        None => fullness::most(asked(tenure, || calls::myself::me(account)).await?.premium),
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
    tenure.limiter.count_groups(u32::try_from(counting.len()).unwrap_or(u32::MAX), most);
    note(tenure).await
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
    let (limiter, clock) = (&tenure.limiter, &tenure.shared.clock);
    loop {
        while let Err(not_yet) = tenure.retry_store(|| limiter.ask(ask)).await? {
            match not_yet.opens {
                Some(opens) => clock.until(opens).await,
                None => return Err(Failure::Stop(Stop::Parked(not_yet))),
            }
        }
        let error = match call().await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let Some((fault, flood)) = error.rpc().and_then(|fault| Some((fault, fault.flood_wait()?)))
        else {
            let verdict = telegram::verdict::verdict(&error);
            if verdict.ends_session() {
                tenure.report(verdict);
            }
            return Err(Failure::Stop(Stop::Fault(telegram::fault::of(&error))));
        };
        let hit = Hit { ask, code: fault.name.clone(), wait_s: Some(flood.wait_s) };
        let (not_yet, _) = tenure.retry_store(|| limiter.hit(&hit)).await?;
        tenure.tell_limit(&hit, &not_yet).await;
    }
}

/// Writes down how many there are now, and tells what is news.
async fn note(tenure: &Tenure) -> Result<(), Failure> {
    let news = tenure.limiter.groups_news();
    tenure.retry_store(|| tenure.limiter.save()).await?;
    let Some(groups) = news else { return Ok(()) };
    let data = GroupsNearFull { groups: groups.used, groups_max: groups.most };
    let answers = &tenure.shared.answers;
    answers.tell(Answers::event_id(), &tenure.instance, &data, |event| event).await;
    Ok(())
}

fn full(groups: &Fullness) -> Stop {
    let message = format!(
        "the account is in {} channels and supergroups, and may be in {}: leave or delete some \
         first",
        groups.used, groups.most
    );
    Stop::Fault(Fault::forbidden(code::ACCOUNT_FULL, message))
}

#[cfg(test)]
mod tests;
