//! The budgets of one account: what is configured, what its own record says, and how young it is.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use chrono::{DateTime, Utc};
use store::InstanceRecord;

use super::{Budget, Class, Learnt, LimitsConfig, Profile, warm_up};

/// Where one account's budgets come from.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    profile: Profile,
    budgets: BTreeMap<Class, Budget>,
    connected_at: Option<DateTime<Utc>>,
    warm_up_days: f64,
}

impl Settings {
    /// What the configuration and the instance's own record say.
    pub fn of(config: &LimitsConfig, record: &InstanceRecord) -> Self {
        let own = record.limits.clone().unwrap_or_default();
        let mut budgets: BTreeMap<Class, Budget> =
            config.budgets.iter().map(|(class, budget)| (*class, *budget)).collect();
        for (name, budget) in &own.budgets {
            // Checked when it was set. What a later release allows may be none here.
            if let Some(class) = Class::read(name)
                && let Some(burst) = NonZeroU32::new(budget.burst)
            {
                let per_day = budget.per_day.and_then(NonZeroU32::new);
                let budget = Budget { every_s: budget.every_s, burst, per_day };
                if budget.validate().is_ok() {
                    budgets.insert(class, budget);
                }
            }
        }
        let warms_up = own.warm_up.unwrap_or(config.profile != Profile::Sandbox);
        Self {
            profile: config.profile,
            budgets,
            connected_at: record.connected_at,
            warm_up_days: if warms_up { config.warm_up_days } else { 0.0 },
        }
    }

    /// The set of budgets that they start from.
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// A class's budget, as it is configured.
    pub fn configured(&self, class: Class) -> Budget {
        self.budgets.get(&class).copied().unwrap_or(self.profile.budget(class))
    }

    /// A class's budget now: a part of it while the account is young, slower after flood waits.
    pub fn budget(&self, class: Class, learnt: Option<&Learnt>, now: DateTime<Utc>) -> Budget {
        let share = warm_up::share(self.connected_at, self.warm_up_days, now);
        let rate = learnt.map_or(1.0, |learnt| learnt.rate(now));
        self.configured(class).part(share).slowed(rate)
    }

    /// Until when the account counts as young; `None` where it does not.
    pub fn warm_up_until(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        warm_up::until(self.connected_at, self.warm_up_days, now)
    }
}
