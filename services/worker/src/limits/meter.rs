//! One class's budget at work: governor's limiter over a store and a clock of our own, so that what
//! is used can be kept over a restart and carried to another rate, and the count of the last day.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use chassis::Clock;
use chrono::{DateTime, TimeDelta, Utc};
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{NotKeyed, StateStore};
use governor::{Quota, RateLimiter};
use serde::{Deserialize, Serialize};

use super::daily::Daily;
use super::{Budget, Learnt};

/// What is used of a class's budget, as it is kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Used {
    /// When the budget is whole again, in milliseconds since the epoch (GCRA's theoretical arrival
    /// time).
    pub whole_at_ms: u64,
    /// What one call counted for then, in nanoseconds: a debt is owed in calls. 0 where that is not
    /// known.
    #[serde(default)]
    pub period_ns: u64,
    /// The calls of the last day.
    pub daily: Daily,
    /// What Telegram taught about the rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learnt: Option<Learnt>,
}

/// A budget at work.
pub struct Meter {
    clock: Clock,
    budget: Budget,
    period: Duration,
    debt: Debt,
    limiter: RateLimiter<NotKeyed, Debt, Wall, NoOpMiddleware<Duration>>,
    daily: Daily,
}

/// When the budget is whole again, in nanoseconds since the epoch: all that GCRA remembers.
#[derive(Debug, Clone, Default)]
struct Debt(Arc<AtomicU64>);

impl StateStore for Debt {
    type Key = NotKeyed;

    fn measure_and_replace<T, F, E>(&self, _: &NotKeyed, measure: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        // Whoever has a meter has it alone: its limiter keeps it behind a lock.
        let (answer, next) = measure(Some(Nanos::new(self.0.load(Ordering::Relaxed))))?;
        self.0.store(next.as_u64(), Ordering::Relaxed);
        Ok(answer)
    }
}

/// The injected clock as governor wants it. governor counts from its first reading: that is the
/// epoch, so that a debt means the same to every limiter.
struct Wall {
    clock: Clock,
    begun: AtomicBool,
}

impl governor::clock::Clock for Wall {
    type Instant = Duration;

    fn now(&self) -> Duration {
        match self.begun.swap(true, Ordering::Relaxed) {
            true => since_epoch(self.clock.now()),
            false => Duration::ZERO,
        }
    }
}

impl Meter {
    /// A meter that goes on from what was used. Where that was at another rate, what is owed is
    /// carried over in calls.
    pub fn new(budget: Budget, used: &Used, clock: &Clock) -> Self {
        let period = Duration::from_secs_f64(budget.every_s).max(Duration::from_nanos(1));
        let now = nanos(since_epoch(clock.now()));
        let owed = used.whole_at_ms.saturating_mul(1_000_000).saturating_sub(now);
        let owed = carried(owed, used.period_ns, nanos(period));
        // Whatever a clock that was wrong may have left.
        let most = nanos(period).saturating_mul(u64::from(budget.burst.get()) + CALLS_MAX);
        let debt = Debt(Arc::new(AtomicU64::new(now.saturating_add(owed.min(most)))));
        let quota = Quota::with_period(period)
            .unwrap_or(Quota::per_hour(NonZeroU32::MIN))
            .allow_burst(budget.burst);
        let wall = Wall { clock: clock.clone(), begun: AtomicBool::new(false) };
        let limiter = RateLimiter::new(quota, debt.clone(), wall);
        Self { clock: clock.clone(), budget, period, debt, limiter, daily: used.daily.clone() }
    }

    /// The budget.
    pub fn budget(&self) -> Budget {
        self.budget
    }

    /// The same debt, counted in calls, at another budget.
    pub fn refit(&mut self, budget: Budget) {
        *self = Self::new(budget, &self.used(), &self.clock);
    }

    /// Takes so many calls, or says when they can be taken.
    pub fn take(&mut self, calls: NonZeroU32) -> Result<(), DateTime<Utc>> {
        if let Some(opens) = self.opens(0, calls) {
            return Err(opens);
        }
        // More than the burst holds needs a whole budget, and owes the rest.
        let at_once = calls.min(self.budget.burst);
        if !matches!(self.limiter.check_n(at_once), Ok(Ok(()))) {
            // Between the two looks at the clock it was set back.
            return Err(self.clock.now() + TimeDelta::milliseconds(1));
        }
        let rest = calls.get() - at_once.get();
        let owed = nanos(self.period).saturating_mul(u64::from(rest));
        self.debt.0.fetch_add(owed, Ordering::Relaxed);
        self.daily.add(calls.get(), self.budget.per_day.map(NonZeroU32::get), self.clock.now());
        Ok(())
    }

    /// Calls that were taken are not made after all.
    pub fn give_back(&mut self, calls: NonZeroU32) {
        let owed = nanos(self.period).saturating_mul(u64::from(calls.get()));
        let debt = self.debt.0.load(Ordering::Relaxed).saturating_sub(owed);
        self.debt.0.store(debt, Ordering::Relaxed);
        self.daily.give_back(calls.get());
    }

    /// When so many calls can be taken that come after `ahead` others; `None` where they can now.
    pub fn opens(&self, ahead: u32, calls: NonZeroU32) -> Option<DateTime<Utc>> {
        let now = self.clock.now();
        let together = ahead.saturating_add(calls.get().min(self.budget.burst.get()));
        let period = nanos(self.period);
        let needed = period.saturating_mul(u64::from(together - 1));
        let spare = period.saturating_mul(u64::from(self.budget.burst.get() - 1));
        let now_ns = nanos(since_epoch(now));
        let whole = self.debt.0.load(Ordering::Relaxed).max(now_ns);
        let paced = whole.saturating_add(needed).saturating_sub(spare);
        // Rounded only where there is something to wait for: now is no whole millisecond.
        let paced = if paced > now_ns { time(paced) } else { now };
        let capped = self.budget.per_day;
        let capped =
            capped.map_or(now, |most| self.daily.opens(ahead, calls.get(), most.get(), now));
        let opens = paced.max(capped);
        (opens > now).then_some(opens)
    }

    /// How many calls can be made at once now.
    pub fn tokens(&self) -> u32 {
        let now = since_epoch(self.clock.now());
        let owed = Duration::from_nanos(self.debt.0.load(Ordering::Relaxed)).saturating_sub(now);
        let owed = (owed.as_secs_f64() / self.period.as_secs_f64()).ceil();
        let paced = self.budget.burst.get().saturating_sub(owed as u32);
        let left = |most: NonZeroU32| most.get().saturating_sub(self.used_today());
        self.budget.per_day.map_or(paced, |most| paced.min(left(most)))
    }

    /// Calls of the last 24 hours.
    pub fn used_today(&self) -> u32 {
        self.daily.used(self.clock.now())
    }

    /// Counts the burst as spent: nobody knows what was used.
    pub fn spend_burst(&mut self) {
        let burst = self.period.saturating_mul(self.budget.burst.get());
        self.debt.0.store(nanos(since_epoch(self.clock.now()) + burst), Ordering::Relaxed);
    }

    /// What is used, to be kept.
    pub fn used(&self) -> Used {
        let whole_at_ms = self.debt.0.load(Ordering::Relaxed).div_ceil(1_000_000);
        let period_ns = nanos(self.period);
        Used { whole_at_ms, period_ns, daily: self.daily.clone(), learnt: None }
    }
}

/// Most calls that can be owed beside the burst: more than any one step makes.
const CALLS_MAX: u64 = 1_000;

/// As many calls as are owed, at another rate.
fn carried(owed_ns: u64, from_ns: u64, to_ns: u64) -> u64 {
    if from_ns == 0 || from_ns == to_ns {
        return owed_ns;
    }
    let carried = u128::from(owed_ns) * u128::from(to_ns) / u128::from(from_ns);
    u64::try_from(carried).unwrap_or(u64::MAX)
}

fn since_epoch(time: DateTime<Utc>) -> Duration {
    (time - DateTime::UNIX_EPOCH).to_std().unwrap_or_default()
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn time(nanos: u64) -> DateTime<Utc> {
    // Rounded up to the millisecond: coming back a moment early would only be refused again.
    let millis = i64::try_from(nanos.div_ceil(1_000_000)).unwrap_or(i64::MAX);
    DateTime::from_timestamp_millis(millis).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

#[cfg(test)]
mod tests;
