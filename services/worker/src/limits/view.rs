//! How limits are told to people.

use std::num::NonZeroU32;

use chrono::{DateTime, Utc};
use proto::ChatId;
use proto::control::ClassLimit;
use proto::event::AccountState;

use super::keeping::Keeping;
use super::{Class, Limiter, is_restriction};
use crate::standing::Standing;

/// What lies in a class's lane.
#[derive(Debug, Clone, Copy, Default)]
pub struct Waiting {
    /// Commands.
    pub parked: u32,
    /// Those of them that wait for a call of the class themselves.
    pub calls: u32,
}

impl<K: Keeping> Limiter<K> {
    /// How a connected account stands with Telegram: online, unless something is held against it.
    pub fn standing(&self) -> Standing {
        let now = self.clock.now();
        match self.state().held(now) {
            None => Standing::new(AccountState::Online, None, now),
            Some(gate) => Standing {
                until: Some(gate.opens),
                ..Standing::new(
                    match is_restriction(&gate.code) {
                        true => AccountState::Restricted,
                        false => AccountState::Cooling,
                    },
                    Some(gate.code),
                    now,
                )
            },
        }
    }

    /// The chats that slow mode shuts, and until when.
    pub fn chats(&self) -> Vec<(ChatId, DateTime<Utc>)> {
        let now = self.clock.now();
        self.state().chats(now)
    }

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
