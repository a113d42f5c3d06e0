//! How near an account is to the most groups that Telegram lets it be in: 500 supergroups and
//! channels, 1,000 with Premium (`channels_limit_default` and `channels_limit_premium`,
//! <https://core.telegram.org/api/config#client-configuration>).

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// The limit without Premium, and with it.
const MOST: (u32, u32) = (500, 1_000);
/// The share in percent from which the account counts as nearly full, and below which no more.
const NEAR: (u64, u64) = (80, 75);
/// Between two counts.
const COUNT_EVERY: TimeDelta = TimeDelta::hours(24);
/// Between two counts while it counts as full: people leave groups by hand.
const COUNT_FULL_EVERY: TimeDelta = TimeDelta::minutes(10);

/// The groups of an account, as they were counted and as we changed them since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fullness {
    /// Groups that it is in.
    pub used: u32,
    /// The most that it may be in.
    pub most: u32,
    /// When they were counted.
    pub counted_at: DateTime<Utc>,
    /// Whether it was told that it is nearly full.
    near: bool,
}

/// The most groups of an account.
pub fn most(premium: bool) -> u32 {
    if premium { MOST.1 } else { MOST.0 }
}

impl Fullness {
    /// After a count; `before` is what was known until then.
    pub fn counted(used: u32, most: u32, before: Option<&Self>, now: DateTime<Utc>) -> Self {
        let near = before.is_some_and(|before| before.near);
        Self { used, most, counted_at: now, near }
    }

    /// One group more, or one less.
    pub fn changed(&mut self, made: bool) {
        self.used = match made {
            true => self.used.saturating_add(1),
            false => self.used.saturating_sub(1),
        };
    }

    /// Telegram says that it is full.
    pub fn filled(&mut self, now: DateTime<Utc>) {
        (self.used, self.counted_at) = (self.used.max(self.most), now);
    }

    /// Whether it may make no group any more.
    pub fn is_full(&self) -> bool {
        self.used >= self.most
    }

    /// Whether it has become nearly full, and that is to be told.
    pub fn is_news(&mut self) -> bool {
        let percent = u64::from(self.used) * 100 / u64::from(self.most.max(1));
        let was = self.near;
        self.near = if was { percent >= NEAR.1 } else { percent >= NEAR.0 };
        self.near && !was
    }

    /// When it is to be counted again.
    pub fn count_at(&self) -> DateTime<Utc> {
        self.counted_at + if self.is_full() { COUNT_FULL_EVERY } else { COUNT_EVERY }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_told_once_that_it_is_nearly_full_until_there_is_room_again() {
        let now = DateTime::UNIX_EPOCH;
        let mut groups = Fullness::counted(399, most(false), None, now);
        assert!(!groups.is_news());
        groups.changed(true);
        assert!(groups.is_news() && !groups.is_news());
        let mut groups = Fullness::counted(376, 500, Some(&groups), now);
        assert!(!groups.is_news());
        for _ in 0..30 {
            groups.changed(true);
        }
        assert!(!groups.is_news(), "there was never room enough");
        let mut groups = Fullness::counted(300, 500, Some(&groups), now);
        assert!(!groups.is_news());
        groups.filled(now);
        assert!(groups.is_full() && groups.is_news());
        assert_eq!(groups.count_at(), now + TimeDelta::minutes(10));
        groups.changed(false);
        assert!(!groups.is_full());
        assert_eq!(groups.count_at(), now + TimeDelta::hours(24));
    }
}
