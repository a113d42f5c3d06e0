//! The `limits` section of the configuration: budgets, and the profiles that they start from.
//!
//! Telegram publishes no numbers for user accounts. The careful profile is what people who run such
//! accounts report as safe; the sandbox profile is for tgsim, where nothing can be banned.

use std::collections::HashMap;
use std::num::NonZeroU32;

use chassis::Invalid;
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::Class;

/// Longest that a spent burst may take to come back. Young accounts and flood waits make that 80
/// times as long, which GCRA's nanoseconds still hold.
const REFILL_MAX_S: f64 = 366.0 * 86_400.0;

/// A class's budget: one call each `every_s` seconds, after a burst of `burst`, and no more than
/// `per_day` in 24 hours.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Seconds for which one call counts; fractions allowed.
    pub every_s: f64,
    /// Calls that may come at once after a rest.
    pub burst: NonZeroU32,
    /// Most calls in any 24 hours; none for no such cap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_day: Option<NonZeroU32>,
}

impl Budget {
    /// Names what makes no sense.
    ///
    /// # Errors
    /// The field, and what is wrong with it.
    pub fn validate(&self) -> Result<(), (&'static str, &'static str)> {
        if !(self.every_s >= 0.001 && self.every_s <= 86_400.0) {
            return Err(("every_s", "must be at least 0.001, at most 86400"));
        }
        if self.every_s * f64::from(self.burst.get()) > REFILL_MAX_S {
            return Err(("burst", "times every_s must be at most a year"));
        }
        Ok(())
    }

    /// The same, at a part of its rate.
    pub fn slowed(self, rate: f64) -> Self {
        Self { every_s: self.every_s / rate, ..self }
    }

    /// A part of it in every respect, but never nothing.
    pub fn part(self, part: f64) -> Self {
        let of = |whole: NonZeroU32| {
            let part = (f64::from(whole.get()) * part).round();
            NonZeroU32::new(part as u32).unwrap_or(NonZeroU32::MIN)
        };
        Self { burst: of(self.burst), per_day: self.per_day.map(of), ..self.slowed(part) }
    }
}

/// A named set of budgets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// For real accounts.
    #[default]
    Careful,
    /// For tgsim: as good as none.
    Sandbox,
}

impl Profile {
    /// The budget of a class, and why it is what it is. The figures are in `docs/operations.md` too.
    pub fn budget(self, class: Class) -> Budget {
        let (every_s, burst, per_day) = match (self, class) {
            (Self::Sandbox, _) => (0.002, 500, 0),
            // Reports put the ceiling near 50 groups a day; bursts are what trips it.
            (Self::Careful, Class::Create) => (600.0, 2, 20),
            // Per person. Strangers added in a row are the surest way to PEER_FLOOD.
            (Self::Careful, Class::Invite) => (60.0, 10, 30),
            // Bots and contacts are hardly ever reported for it.
            (Self::Careful, Class::InviteKnown) => (10.0, 20, 200),
            // Both within hold_max_s, so that a command with many of them is slow, not parked.
            (Self::Careful, Class::Link) => (2.0, 5, 500),
            (Self::Careful, Class::Admin) => (1.5, 10, 1_000),
            // contacts.resolveUsername floods for hours after some 200 in a day.
            (Self::Careful, Class::Resolve) => (20.0, 20, 180),
            (Self::Careful, Class::Read) => (0.1, 100, 0),
        };
        let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
        Budget { every_s, burst, per_day: NonZeroU32::new(per_day) }
    }

    /// The word in settings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Careful => "careful",
            Self::Sandbox => "sandbox",
        }
    }
}

/// The `limits` section of the worker's configuration.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsConfig {
    /// The set of budgets to start from.
    pub profile: Profile,
    /// Budgets that replace the profile's, by class.
    pub budgets: HashMap<Class, Budget>,
    /// Seconds that a step may wait in place for its budget; longer, and the command is
    /// parked.
    pub hold_max_s: f64,
    /// Days for which a newly connected account counts as young, with smaller budgets; 0 for never.
    /// With the sandbox profile none does.
    pub warm_up_days: f64,
    /// The most groups that an account may be in; none for what Telegram's own limit is.
    pub groups_max: Option<NonZeroU32>,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            profile: Profile::default(),
            budgets: HashMap::new(),
            hold_max_s: 2.0,
            warm_up_days: 14.0,
            groups_max: None,
        }
    }
}

impl LimitsConfig {
    /// How long a step may wait in place.
    pub fn hold_max(&self) -> TimeDelta {
        // Checked to be at most a minute.
        TimeDelta::milliseconds((self.hold_max_s * 1_000.0) as i64)
    }

    /// Names the first setting that makes no sense.
    ///
    /// # Errors
    /// The setting's key and what is wrong with it.
    pub fn validate(&self) -> Result<(), Invalid> {
        for (class, budget) in &self.budgets {
            budget.validate().map_err(|(field, problem)| {
                Invalid::new(format!("limits.budgets.{}.{field}", class.name()), problem)
            })?;
        }
        if !(0.0..=365.0).contains(&self.warm_up_days) {
            return Err(Invalid::new("limits.warm_up_days", "must lie between 0 and 365"));
        }
        if !(0.0..=60.0).contains(&self.hold_max_s) {
            return Err(Invalid::new("limits.hold_max_s", "must lie between 0 and 60"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_that_makes_no_sense_is_named() {
        let wrong = |every_s| {
            let budget = Budget { every_s, burst: NonZeroU32::MIN, per_day: None };
            let budgets = HashMap::from([(Class::Link, budget)]);
            LimitsConfig { budgets, ..LimitsConfig::default() }.validate().err()
        };
        assert!(wrong(2.0).is_none());
        for every_s in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let said = wrong(every_s).unwrap().to_string();
            assert!(said.contains("limits.budgets.link.every_s"), "{said}");
        }
        let burst = NonZeroU32::MAX;
        let budgets = HashMap::from([(Class::Link, Budget { every_s: 1.0, burst, per_day: None })]);
        let said = LimitsConfig { budgets, ..LimitsConfig::default() }.validate().unwrap_err();
        assert!(said.to_string().contains("limits.budgets.link.burst"), "{said}");
    }

    #[test]
    fn a_part_of_a_budget_is_never_nothing() {
        let create = Profile::Careful.budget(Class::Create).part(0.2);
        assert_eq!((create.burst.get(), create.per_day.map(NonZeroU32::get)), (1, Some(4)));
        assert!((create.every_s - 3_000.0).abs() < 1e-6);
        assert_eq!(Profile::Careful.budget(Class::Create).part(0.001).burst.get(), 1);
    }
}
