//! Says when one account may make its next call of a class.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chassis::Clock;
use chrono::{DateTime, TimeDelta, Utc};
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use proto::ChatId;
use proto::fault::code;
use store::StoreError;

use super::{Class, Lane, LimitsConfig};

/// Longest that a gate stays shut: what an absurd wait is cut to.
const SHUT_MAX: Duration = Duration::from_secs(366 * 86_400);

/// The limits of one account.
pub struct Limiter {
    clock: Clock,
    budgets: HashMap<Class, DefaultDirectRateLimiter>,
    bursts: HashMap<Class, NonZeroU32>,
    gates: Mutex<HashMap<Lane, Gate>>,
}

struct Gate {
    opens: DateTime<Utc>,
    code: String,
}

/// A call that asks to be let through.
#[derive(Debug, Clone, Copy)]
pub struct Ask {
    /// Its class.
    pub class: Class,
    /// How many calls it counts for.
    pub cost: NonZeroU32,
    /// The chat that it is about, where it is about one.
    pub chat: Option<ChatId>,
}

/// A limit that Telegram told.
#[derive(Debug, Clone)]
pub struct Hit {
    /// What was called.
    pub ask: Ask,
    /// Telegram's name of the error: `FLOOD_WAIT`, `SLOWMODE_WAIT`, `PEER_FLOOD`, …
    pub code: String,
    /// Seconds to wait, where Telegram told them.
    pub wait_s: Option<u64>,
}

/// Why a call may not be made now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotYet {
    /// When it may be; `None` where a person has to say so.
    pub opens: Option<DateTime<Utc>>,
    /// The limit that shut the gate, or `BUDGET_SPENT`.
    pub code: String,
    /// Where a command waits for that.
    pub lane: Lane,
}

impl Limiter {
    /// Limiters with full bursts.
    pub fn new(config: &LimitsConfig, clock: Clock) -> Self {
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
            clock,
            budgets: Class::ALL.into_iter().map(limiter).collect(),
            bursts: Class::ALL.into_iter().map(|class| (class, budget(class).burst)).collect(),
            gates: Mutex::default(),
        }
    }

    /// Lets a call through, and takes what it costs from its budget; or says why not yet.
    ///
    /// # Errors
    /// The store that keeps what is used can't be asked, or the instance is no longer ours.
    pub async fn ask(&self, ask: Ask) -> Result<Result<(), NotYet>, StoreError> {
        Ok(self.take(ask))
    }

    /// The most calls of a class that can come at once.
    pub fn at_once(&self, class: Class) -> usize {
        self.bursts
            .get(&class)
            .map_or(1, |burst| usize::try_from(burst.get()).unwrap_or(usize::MAX))
    }

    /// Shuts a gate: Telegram asked for it. It is noted before anything else.
    ///
    /// # Errors
    /// As for [`Limiter::ask`].
    pub async fn hit(&self, hit: Hit) -> Result<NotYet, StoreError> {
        let lane = Lane::Class(hit.ask.class);
        let wait = Duration::from_secs(hit.wait_s.unwrap_or(86_400)).min(SHUT_MAX);
        let opens = self.clock.now() + TimeDelta::from_std(wait).unwrap_or(TimeDelta::MAX);
        let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        // A shorter wait says nothing about a longer one.
        if gates.get(&lane).is_none_or(|gate| gate.opens < opens) {
            gates.insert(lane, Gate { opens, code: hit.code.clone() });
        }
        Ok(NotYet { opens: Some(opens), code: hit.code, lane })
    }

    /// When a lane's head may go on, as far as limits have a say; the next call of its class costs
    /// one. `None` where it may at once.
    pub fn when(&self, lane: Lane) -> Option<NotYet> {
        self.gate(lane)
    }

    /// When a call of a class can be made that comes after `ahead` others; `None` where a person has
    /// to resume the class first.
    pub fn forecast(&self, class: Class, _ahead: u32) -> Option<DateTime<Utc>> {
        Some(self.clock.now())
    }

    fn take(&self, ask: Ask) -> Result<(), NotYet> {
        let lane = Lane::Class(ask.class);
        if let Some(shut) = self.gate(lane) {
            return Err(shut);
        }
        let Some(limiter) = self.budgets.get(&ask.class) else { return Ok(()) };
        let not_yet = |wait: Duration| NotYet {
            opens: Some(self.clock.now() + TimeDelta::from_std(wait).unwrap_or(TimeDelta::MAX)),
            code: code::BUDGET_SPENT.to_owned(),
            lane,
        };
        let now = DefaultClock::default().now();
        match limiter.check_n(ask.cost) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(not_until)) => Err(not_yet(not_until.wait_time_from(now))),
            Err(insufficient) => {
                match limiter.check_n(NonZeroU32::new(insufficient.0).unwrap_or(NonZeroU32::MIN)) {
                    Ok(Err(not_until)) => Err(not_yet(not_until.wait_time_from(now))),
                    _ => Ok(()),
                }
            }
        }
    }

    fn gate(&self, lane: Lane) -> Option<NotYet> {
        let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        let gate = gates.get(&lane)?;
        if gate.opens > self.clock.now() {
            return Some(NotYet { opens: Some(gate.opens), code: gate.code.clone(), lane });
        }
        gates.remove(&lane);
        None
    }
}
