//! Counting an account's groups in the background, and saying so before it is full.

use std::num::NonZeroU32;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use proto::Event;
use proto::event::GroupsNearFull;
use store::StoreError;
use telegram::calls::chats;
use telegram::{Account, CallError, calls};

use crate::answers::Answers;
use crate::limits::{Ask, Class, fullness};
use crate::stop::Failure;
use crate::tenure::Tenure;

/// After an account is online, before its groups are counted: what it was connected for goes first.
const FIRST_AFTER: TimeDelta = TimeDelta::seconds(30);
/// Before a count is tried again that broke off.
const AGAIN_AFTER: TimeDelta = TimeDelta::minutes(10);
/// The most pages of dialogs that are read: twice as many as full accounts have.
const PAGES_MAX: usize = 40;
const PAGE: u32 = 100;

/// Counts the groups whenever it is time, until the tenure's phase ends.
pub async fn keep(tenure: Arc<Tenure>) {
    let Ok(account) = tenure.account.clone() else { return };
    let clock = &tenure.shared.clock;
    let mut earliest = clock.now() + FIRST_AFTER;
    loop {
        let due = tenure.limiter.groups().map_or(earliest, |groups| groups.count_at());
        tokio::select! {
            () = clock.until(due.max(earliest)) => {}
            () = tenure.stopping.cancelled() => return,
        }
        if let Err(error) = count(&tenure, &account).await {
            tracing::info!(%error, instance.id = %tenure.instance, "the groups were not counted");
        }
        earliest = clock.now() + AGAIN_AFTER;
    }
}

/// Why a count broke off.
#[derive(Debug, thiserror::Error)]
enum Uncounted {
    #[error("{0}")]
    Call(#[from] CallError),
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error("reading has to wait until {0:?}")]
    NotYet(Option<DateTime<Utc>>),
}

async fn count(tenure: &Tenure, account: &Account) -> Result<(), Uncounted> {
    let most = match tenure.shared.config.limits.groups_max {
        Some(most) => most.get(),
        None => {
            admit(tenure).await?;
            fullness::most(calls::myself::me(account).await?.premium)
        }
    };
    let (mut used, mut cursor) = (0_u32, None);
    for _ in 0..PAGES_MAX {
        admit(tenure).await?;
        let page = chats::dialogs(account, PAGE, cursor.as_ref()).await?;
        let groups = page.groups.iter().filter(|group| !group.group.is_basic() && group.is_member());
        used = used.saturating_add(u32::try_from(groups.count()).unwrap_or(u32::MAX));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    tenure.limiter.count_groups(used, most);
    tenure.limiter.save().await?;
    tell(tenure).await;
    Ok(())
}

async fn admit(tenure: &Tenure) -> Result<(), Uncounted> {
    let ask = Ask { class: Class::Read, cost: NonZeroU32::MIN, chat: None };
    let answer = tenure.limiter.ask(ask).await?;
    answer.map_err(|not_yet| Uncounted::NotYet(not_yet.opens))
}

/// A supergroup was made, or one is gone; `None` where Telegram said that there can be no more.
pub async fn changed(tenure: &Tenure, made: Option<bool>) -> Result<(), Failure> {
    if let Some(made) = made {
        tenure.limiter.change_groups(made);
    }
    tenure.retry_store(|| tenure.limiter.save()).await?;
    tell(tenure).await;
    Ok(())
}

async fn tell(tenure: &Tenure) {
    let Some(groups) = tenure.limiter.groups_news() else { return };
    let data = GroupsNearFull { groups: groups.used, groups_max: groups.most };
    let about = |event: Event| event;
    tenure.shared.answers.tell(Answers::event_id(), &tenure.instance, &data, about).await;
}
