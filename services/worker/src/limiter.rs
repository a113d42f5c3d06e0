//! How often an account may call Telegram: one governor limiter for each class of calls, and a gate
//! that stays shut for as long as a flood wait says.
//!
//! Telegram publishes no numbers for user accounts. The careful profile is what people who run such
//! accounts report as safe; the sandbox profile is for tgsim, where nothing can be banned.

use proto::fault::code;
use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use chassis::Invalid;
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Longest that a gate stays shut: what an absurd wait is cut to.
const SHUT_MAX: Duration = Duration::from_secs(366 * 86_400);

/// What a Telegram call does to an account's standing: calls of one class share a budget.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Making groups. Real flood waits reach four hours.
    Create,
    /// Adding people; counted per person. Real flood waits reach 21 hours.
    Invite,
    /// Making, changing and revoking invite links.
    Link,
    /// Renaming, removing, promoting, deleting: changes that an admin makes in an own group.
    Admin,
    /// Finding people by name or phone, and the address book.
    Resolve,
    /// Everything that only looks.
    Read,
}

impl Class {
    /// Every class, in the order of the documentation.
    pub const ALL: [Self; 6] =
        [Self::Create, Self::Invite, Self::Link, Self::Admin, Self::Resolve, Self::Read];

    /// The class's word in settings and on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Invite => "invite",
            Self::Link => "link",
            Self::Admin => "admin",
            Self::Resolve => "resolve",
            Self::Read => "read",
        }
    }
}

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
    /// Seconds that a step may wait in place for its budget; longer, and the command is answered
    /// `throttled`.
    pub hold_max_s: f64,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self { profile: Profile::default(), budgets: HashMap::new(), hold_max_s: 2.0 }
    }
}

impl LimitsConfig {
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
        Ok(())
    }
}

/// Says when one account may make its next call of a class.
pub struct Limiter {
    budgets: HashMap<Class, DefaultDirectRateLimiter>,
    bursts: HashMap<Class, NonZeroU32>,
    gates: Mutex<HashMap<Class, Gate>>,
    hold_max: Duration,
}

struct Gate {
    opens: Instant,
    code: String,
}

/// Why a call may not be made now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotYet {
    /// How long to wait.
    pub wait: Duration,
    /// The flood wait that shut the gate, or `BUDGET_SPENT`.
    pub code: String,
}

impl Limiter {
    /// Limiters with full bursts.
    pub fn new(config: &LimitsConfig) -> Self {
        let budget = |class: Class| {
            config.budgets.get(&class).copied().unwrap_or(config.profile.budget(class))
        };
        let limiter = |class: Class| {
            let quota = Quota::with_period(Duration::from_secs_f64(budget(class).every_s))
                .unwrap_or(Quota::per_hour(NonZeroU32::MIN))
                .allow_burst(budget(class).burst);
            (class, RateLimiter::direct(quota))
        };
        Self {
            budgets: Class::ALL.into_iter().map(limiter).collect(),
            bursts: Class::ALL.into_iter().map(|class| (class, budget(class).burst)).collect(),
            gates: Mutex::default(),
            hold_max: Duration::from_secs_f64(config.hold_max_s),
        }
    }

    /// Waits in place where the wait is short; says how long it is otherwise.
    pub async fn admit(&self, class: Class, calls: NonZeroU32) -> Result<(), NotYet> {
        let started = Instant::now();
        loop {
            let Err(not_yet) = self.admit_now(class, calls) else { return Ok(()) };
            if started.elapsed() + not_yet.wait > self.hold_max {
                return Err(not_yet);
            }
            tokio::time::sleep(not_yet.wait).await;
        }
    }

    /// The most calls of a class that can come at once.
    pub fn at_once(&self, class: Class) -> usize {
        self.bursts
            .get(&class)
            .map_or(1, |burst| usize::try_from(burst.get()).unwrap_or(usize::MAX))
    }

    /// Shuts the gate of a class: Telegram asked for it.
    pub fn shut(&self, class: Class, wait: Duration, code: &str) {
        let Ok(mut gates) = self.gates.lock() else { return };
        let opens = Instant::now() + wait.min(SHUT_MAX);
        // A shorter wait says nothing about a longer one.
        if gates.get(&class).is_none_or(|gate| gate.opens < opens) {
            gates.insert(class, Gate { opens, code: code.to_owned() });
        }
    }

    /// Says how long to wait, however short the wait is.
    ///
    /// # Errors
    /// The wait, and what asks for it.
    pub fn admit_now(&self, class: Class, calls: NonZeroU32) -> Result<(), NotYet> {
        self.gate(class)?;
        let Some(limiter) = self.budgets.get(&class) else { return Ok(()) };
        let not_yet = |wait| NotYet { wait, code: code::BUDGET_SPENT.to_owned() };
        match limiter.check_n(calls) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(not_until)) => {
                Err(not_yet(not_until.wait_time_from(DefaultClock::default().now())))
            }
            // More at once than the burst holds: it can only be let through whole or never. Who can
            // ask for less does (see `at_once`).
            Err(insufficient) => {
                match limiter.check_n(NonZeroU32::new(insufficient.0).unwrap_or(NonZeroU32::MIN)) {
                    Ok(Ok(())) => Ok(()),
                    Ok(Err(not_until)) => {
                        Err(not_yet(not_until.wait_time_from(DefaultClock::default().now())))
                    }
                    Err(_) => Ok(()),
                }
            }
        }
    }

    fn gate(&self, class: Class) -> Result<(), NotYet> {
        let Ok(mut gates) = self.gates.lock() else { return Ok(()) };
        let Some(gate) = gates.get(&class) else { return Ok(()) };
        match gate.opens.checked_duration_since(Instant::now()) {
            Some(wait) if !wait.is_zero() => Err(NotYet { wait, code: gate.code.clone() }),
            _ => {
                gates.remove(&class);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: NonZeroU32 = NonZeroU32::MIN;

    #[tokio::test]
    async fn a_burst_goes_through_and_the_next_is_told_how_long() {
        let limiter = Limiter::new(&LimitsConfig::default());
        assert_eq!(limiter.admit(Class::Create, ONE).await, Ok(()));
        assert_eq!(limiter.admit(Class::Create, ONE).await, Ok(()));
        let not_yet = limiter.admit(Class::Create, ONE).await.unwrap_err();
        assert_eq!(not_yet.code, code::BUDGET_SPENT);
        assert!(not_yet.wait > Duration::from_secs(590), "{not_yet:?}");
        assert_eq!(limiter.admit(Class::Read, ONE).await, Ok(()));
    }

    #[tokio::test]
    async fn a_flood_wait_shuts_its_class_only() {
        let limiter = Limiter::new(&LimitsConfig::default());
        limiter.shut(Class::Invite, Duration::from_secs(30), "FLOOD_WAIT");
        assert_eq!(limiter.admit(Class::Invite, ONE).await.unwrap_err().code, "FLOOD_WAIT");
        assert_eq!(limiter.admit(Class::Link, ONE).await, Ok(()));
    }

    #[tokio::test]
    async fn a_short_wait_is_waited_in_place() {
        let budgets = HashMap::from([(Class::Read, Budget { every_s: 0.05, burst: ONE })]);
        let limiter = Limiter::new(&LimitsConfig { budgets, ..LimitsConfig::default() });
        for _ in 0..3 {
            assert_eq!(limiter.admit(Class::Read, ONE).await, Ok(()));
        }
    }

    #[tokio::test]
    async fn a_shorter_wait_does_not_open_a_gate_early() {
        let limiter = Limiter::new(&LimitsConfig::default());
        limiter.shut(Class::Invite, Duration::from_secs(86_400), "PEER_FLOOD");
        limiter.shut(Class::Invite, Duration::from_secs(5), "FLOOD_WAIT");
        let not_yet = limiter.admit(Class::Invite, ONE).await.unwrap_err();
        assert_eq!(not_yet.code, "PEER_FLOOD");
        assert!(not_yet.wait > Duration::from_secs(86_000));
    }

    #[tokio::test]
    async fn an_absurd_wait_is_a_long_one() {
        let limiter = Limiter::new(&LimitsConfig::default());
        limiter.shut(Class::Link, Duration::from_secs(u64::MAX), "FLOOD_WAIT");
        assert!(limiter.admit(Class::Link, ONE).await.unwrap_err().wait <= SHUT_MAX);
    }

    #[tokio::test]
    async fn a_gate_opens_by_itself() {
        let limiter = Limiter::new(&LimitsConfig::default());
        limiter.shut(Class::Link, Duration::from_millis(20), "FLOOD_WAIT");
        assert_eq!(limiter.admit(Class::Link, ONE).await, Ok(()));
    }

    #[tokio::test]
    async fn several_calls_use_up_as_much_of_a_budget() {
        let limiter = Limiter::new(&LimitsConfig::default());
        let most = limiter.at_once(Class::Invite);
        assert_eq!(most, 10);
        let all = NonZeroU32::new(u32::try_from(most).unwrap()).unwrap();
        assert_eq!(limiter.admit(Class::Invite, all).await, Ok(()));
        assert_eq!(limiter.admit(Class::Invite, ONE).await.unwrap_err().code, code::BUDGET_SPENT);
    }

    #[test]
    fn a_budget_that_makes_no_sense_is_named() {
        let wrong = |every_s| {
            let budgets = HashMap::from([(Class::Link, Budget { every_s, burst: ONE })]);
            LimitsConfig { budgets, ..LimitsConfig::default() }.validate().err()
        };
        assert!(wrong(2.0).is_none());
        for every_s in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let said = wrong(every_s).unwrap().to_string();
            assert!(said.contains("limits.budgets.link.every_s"), "{said}");
        }
    }
}
