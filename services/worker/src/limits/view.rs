//! Where limits are kept, and how they are told to people.

use std::num::NonZeroU32;

use proto::control::ClassLimit;
use store::{Lease, StoreError};

use super::limiter::Keeping;
use super::{Class, Limiter, NotYet};

/// Kept in Redis under an owner's lease.
pub struct ByLease {
    store: store::Limits,
    lease: Lease,
}

impl ByLease {
    /// Kept there, by the owner with this lease.
    pub fn new(store: &store::Limits, lease: &Lease) -> Self {
        Self { store: store.clone(), lease: lease.clone() }
    }
}

impl Keeping for ByLease {
    async fn keep(&self, text: String) -> Result<(), StoreError> {
        self.store.keep(&self.lease, &text).await
    }
}

/// Not kept: of one who only looks.
pub struct Nowhere;

impl Keeping for Nowhere {
    async fn keep(&self, _: String) -> Result<(), StoreError> {
        Ok(())
    }
}

/// What lies in a class's lane.
#[derive(Debug, Clone, Copy, Default)]
pub struct Waiting {
    /// Commands.
    pub parked: u32,
    /// Those of them that wait for a call of the class themselves.
    pub calls: u32,
}

impl<K: Keeping> Limiter<K> {
    /// How a class stands, with so many commands parked for it. `paused` says that a person has to
    /// resume it, and why it was paused.
    pub fn class_limit(
        &self,
        class: Class,
        waiting: Waiting,
        paused: Option<String>,
    ) -> Option<ClassLimit> {
        let next_at = self.forecast(class, waiting.calls);
        self.look(class, |meter, look| {
            let budget = meter.budget();
            let closed = paused.is_some() || look.gate.is_some();
            let told = look.gate.filter(|_| paused.is_none());
            ClassLimit {
                class: class.name().to_owned(),
                every_s: budget.every_s,
                burst: budget.burst.get(),
                tokens: meter.tokens(),
                per_day: budget.per_day.map(NonZeroU32::get),
                used_today: meter.used_today(),
                rate: look.rate,
                closed,
                closed_until: told.map(|gate| gate.opens),
                reason: paused.clone().or(look.gate.map(|gate| gate.code.clone())),
                parked: waiting.parked,
                next_at: paused.is_none().then_some(next_at),
            }
        })
    }
}

impl NotYet {
    /// A class that a person has to resume first.
    pub fn paused(class: Class) -> Self {
        Self {
            opens: None,
            code: proto::fault::code::PAUSED.to_owned(),
            lane: super::Lane::Class(class),
        }
    }
}
