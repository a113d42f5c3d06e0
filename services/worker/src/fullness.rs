//! How near an account is to the most channels and supergroups that Telegram lets it be in.
//!
//! They are counted in the background ([`keep`]); what the account's own commands make and delete is
//! added and taken off at once. So a `group.create` that can't work is answered before anything is
//! asked of Telegram, and the account's admin hears of it while there is still room. Basic groups
//! don't count (<https://core.telegram.org/api/config>, `channels_limit_default`).

mod keep;

use std::num::NonZeroU32;

use proto::control::GroupsUsed;
use proto::event::GroupsNearFull;
use proto::fault::code;
use proto::{ChatId, ChatKind, Fault, InstanceId};
use store::{Counted, StoreError};

pub use self::keep::keep;
use crate::answers::Answers;
use crate::cx::Cx;
use crate::stop::{Failure, Stop};
use crate::tenure::{Shared, Tenure};

/// Channels and supergroups that an account may be in (`channels_limit_default` of Telegram's client
/// configuration).
const MOST: u32 = 500;
/// The same with Telegram Premium (`channels_limit_premium`).
const MOST_PREMIUM: u32 = 1_000;

/// How many groups an instance's account is in, for whoever asks; none where they were never
/// counted.
///
/// # Errors
/// Redis can't be asked.
pub async fn view(
    shared: &Shared,
    instance: &InstanceId,
) -> Result<Option<GroupsUsed>, StoreError> {
    shared.fullness.get(instance).await
}

impl Cx<'_> {
    /// Whether the account can be in one more supergroup, as far as is known.
    ///
    /// # Errors
    /// `ACCOUNT_FULL` where it can't.
    pub async fn has_room(&self) -> Result<(), Stop> {
        let tenure = self.tenure;
        let known = tenure.retry_store(|| view(&tenure.shared, &tenure.instance)).await?;
        match known {
            Some(groups) if groups.used >= groups.most => Err(full(groups.used, groups.most)),
            _ => Ok(()),
        }
    }

    /// The account is in a new supergroup.
    pub async fn joined(&self, chat_id: ChatId) -> Result<(), Failure> {
        self.changed(chat_id, 1).await
    }

    /// The account is no longer in a supergroup.
    pub async fn left(&self, chat_id: ChatId) -> Result<(), Failure> {
        self.changed(chat_id, -1).await
    }

    /// Telegram says that the account can't be in one more: why the command ends.
    pub async fn met_full(&self) -> Stop {
        let (tenure, now) = (self.tenure, self.now());
        let most = tenure.shared.config.limits.groups_max.map_or(MOST, NonZeroU32::get);
        let fullness = &tenure.shared.fullness;
        match tenure.retry_store(|| fullness.fill(&tenure.lease, most, now)).await {
            Ok(counted) => {
                note(tenure, counted).await;
                full(counted.used, counted.most)
            }
            Err(failure) => failure.into(),
        }
    }

    async fn changed(&self, chat_id: ChatId, more: i64) -> Result<(), Failure> {
        if chat_id.kind() == ChatKind::Basic {
            return Ok(());
        }
        let (tenure, fullness) = (self.tenure, &self.tenure.shared.fullness);
        if let Some(counted) = tenure.retry_store(|| fullness.add(&tenure.lease, more)).await? {
            note(tenure, counted).await;
        }
        Ok(())
    }
}

/// Tells what is news, and has an account counted sooner that seems to be full.
async fn note(tenure: &Tenure, counted: Counted) {
    if counted.is_news {
        let data = GroupsNearFull { groups: counted.used, groups_max: counted.most };
        let answers = &tenure.shared.answers;
        answers.tell(Answers::event_id(), &tenure.instance, &data, |event| event).await;
    }
    if counted.used >= counted.most {
        tenure.filled.notify_one();
    }
}

fn full(used: u32, most: u32) -> Stop {
    let message = format!(
        "the account is in {used} channels and supergroups, and Telegram lets it be in {most}: \
         leave or delete some first"
    );
    Stop::Fault(Fault::forbidden(code::ACCOUNT_FULL, message))
}

#[cfg(test)]
mod tests;
