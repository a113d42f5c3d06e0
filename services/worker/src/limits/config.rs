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

/// Largest `groups_max`: what an account's list of dialogs is read for.
const GROUPS_MAX_MAX: u32 = 5_000;

/// A class's budget: one call each `every_s` seconds, after a burst of `burst`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Seconds for which one call counts; fractions allowed.
    pub every_s: f64,
    /// Calls that may come at once after a rest.
    pub burst: NonZeroU32,
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
    /// The budget of a class, and why it is what it is.
    pub fn budget(self, class: Class) -> Budget {
        let (every_s, burst) = match (self, class) {
            (Self::Sandbox, _) => (0.002, 500),
            // Reports put the ceiling near 50 groups a day; bursts are what trips it.
            (Self::Careful, Class::Create) => (600.0, 2),
            // Per person. Strangers added in a row are the surest way to PEER_FLOOD.
            (Self::Careful, Class::Invite) => (60.0, 10),
            (Self::Careful, Class::InviteKnown) => (10.0, 20),
            // Both within hold_max_s, so that a command with many of them is slow, not refused.
            (Self::Careful, Class::Link) => (2.0, 5),
            (Self::Careful, Class::Admin) => (1.5, 10),
            // contacts.resolveUsername floods for hours after some 200 in a day.
            (Self::Careful, Class::Resolve) => (20.0, 20),
            (Self::Careful, Class::Read) => (0.1, 100),
        };
        Budget { every_s, burst: NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN) }
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
    /// Most channels and supergroups that an account may be in; by default what Telegram allows
    /// it, which is more with Telegram Premium.
    pub groups_max: Option<u32>,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            profile: Profile::default(),
            budgets: HashMap::new(),
            hold_max_s: 2.0,
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
            if !(budget.every_s > 0.0 && budget.every_s <= 86_400.0) {
                let key = format!("limits.budgets.{}.every_s", class.name());
                return Err(Invalid::new(key, "must be above 0, at most 86400"));
            }
        }
        if !(0.0..=60.0).contains(&self.hold_max_s) {
            return Err(Invalid::new("limits.hold_max_s", "must lie between 0 and 60"));
        }
        if self.groups_max.is_some_and(|most| !(1..=GROUPS_MAX_MAX).contains(&most)) {
            let problem = format!("must lie between 1 and {GROUPS_MAX_MAX}");
            return Err(Invalid::new("limits.groups_max", problem));
        }
        Ok(())
    }
}
