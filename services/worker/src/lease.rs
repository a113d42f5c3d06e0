//! What a lease allows, as a pure machine: when the account may be connected, until when bytes may
//! go to Telegram, and what is given back in the end.
//!
//! ```text
//!  Acquiring ──acquired, clean──────────────► Held ──stop──► Draining{clean} ──closed──► Releasing ──► Gone
//!      └───────acquired, unclean──► Grace ──┘   (grace over)       │
//!                                     └──stop──► Draining{unclean} ──closed──► (given up)
//!  Grace, Held, Draining ──refused, or their time is over──► Lost
//! ```
//!
//! Two connections that send on one auth key make Telegram destroy the login. So the gate is opened
//! only where no former owner can be connected any more, and it is never open longer than Redis
//! counts the lease as ours. All times are of a clock that goes on while the process or the machine
//! sleeps; whichever event comes first after waking finds the time over.

use std::time::Duration;

use chassis::BootInstant;

#[cfg(test)]
mod model;
#[cfg(test)]
mod table;

/// The times that all workers of a vhost agree on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// How long Redis keeps a lease that is not renewed.
    pub ttl: Duration,
    /// How long before that its holder counts it as lost.
    pub margin: Duration,
    /// How long a new owner waits where the last one did not say goodbye.
    pub grace: Duration,
}

impl Terms {
    /// Until when a lease counts as good that Redis was asked for at `asked_at`: Redis can have
    /// begun to count only later.
    fn good_until(&self, asked_at: BootInstant) -> BootInstant {
        asked_at + self.ttl.saturating_sub(self.margin)
    }
}

/// How one lease stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Redis was asked for it.
    Acquiring {
        /// When it was asked.
        asked_at: BootInstant,
    },
    /// It is ours, and the last owner may still be connected.
    Grace {
        /// Nothing is connected before.
        until: BootInstant,
        /// It counts as lost then.
        good_until: BootInstant,
    },
    /// It is ours alone: the account may be connected.
    Held {
        /// It counts as lost then.
        good_until: BootInstant,
    },
    /// What runs is being brought to its end, then the account is closed.
    Draining {
        /// It counts as lost then.
        good_until: BootInstant,
        /// Whether the grace was over, so that the next owner need not wait.
        clean: bool,
    },
    /// Everything is closed, and Redis is being told.
    Releasing,
    /// It is nobody's, or never was ours.
    Gone,
    /// It may be another's: nothing may be sent, written or given back.
    Lost,
}

/// What happens to a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// Redis gave it to us.
    Acquired {
        /// Whether the last owner released it.
        clean: bool,
        /// Redis may have forgotten whom it gave the lease to: nothing is connected before this.
        doubt: Option<BootInstant>,
    },
    /// Redis made it last again.
    Renewed {
        /// When it was asked to.
        asked_at: BootInstant,
    },
    /// Redis says that it is another's, or nobody's. A fenced write means the same; the next renewal
    /// says it.
    Refused,
    /// Redis did not answer, or not in time.
    Unanswered,
    /// Redis may have forgotten whom it gave leases to: nothing new is connected before this.
    Doubt(BootInstant),
    /// Time has passed.
    Tick,
    /// The tenure is to end in good order.
    Stop,
    /// The owner has ended: nothing of ours is connected or under way any more.
    Closed,
    /// Redis has taken it back.
    Released,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// The account may be connected; bytes may pass until then.
    OpenGate(BootInstant),
    /// Bytes may pass until then.
    ExtendGate(BootInstant),
    /// No byte may pass any more.
    ShutGate,
    /// Finish what runs, begin nothing new, close the account.
    Drain,
    /// Let everything go at once: nothing may be written, answered or sent.
    Abandon,
    /// Give the lease back: the next owner may connect at once.
    Release,
    /// Give the lease back: the next owner waits.
    GiveUp,
}

impl State {
    /// Until when the lease counts as good, where it is ours.
    pub fn good_until(self) -> Option<BootInstant> {
        match self {
            Self::Grace { good_until, .. }
            | Self::Held { good_until }
            | Self::Draining { good_until, .. } => Some(good_until),
            Self::Acquiring { .. } | Self::Releasing | Self::Gone | Self::Lost => None,
        }
    }

    /// Whether it is ours and is to be renewed.
    pub fn is_ours(self) -> bool {
        self.good_until().is_some()
    }
}

/// The next state, and what is to be done, in this order.
pub fn step(state: State, event: Event, now: BootInstant, terms: &Terms) -> (State, Vec<Effect>) {
    if state.good_until().is_some_and(|good_until| now >= good_until) {
        return lose(state);
    }
    match (state, event) {
        (State::Acquiring { asked_at }, Event::Acquired { clean, doubt }) => {
            let good_until = terms.good_until(asked_at);
            if now >= good_until {
                // The answer came so late that it says nothing any more.
                return (State::Gone, vec![Effect::GiveUp]);
            }
            let grace = (!clean).then(|| now + terms.grace);
            match grace.max(doubt.filter(|doubt| *doubt > now)) {
                Some(until) => wait_out(State::Grace { until, good_until }, now),
                None => (State::Held { good_until }, vec![Effect::OpenGate(good_until)]),
            }
        }
        (State::Acquiring { .. }, Event::Refused | Event::Unanswered | Event::Stop) => {
            (State::Gone, Vec::new())
        }
        // It was stopped while Redis was asked.
        (State::Gone, Event::Acquired { .. }) => (State::Gone, vec![Effect::GiveUp]),

        (State::Grace { until, good_until }, Event::Renewed { asked_at }) => {
            let good_until = good_until.max(terms.good_until(asked_at));
            wait_out(State::Grace { until, good_until }, now)
        }
        (State::Held { good_until }, Event::Renewed { asked_at }) => {
            let good_until = good_until.max(terms.good_until(asked_at));
            (State::Held { good_until }, vec![Effect::ExtendGate(good_until)])
        }
        (State::Draining { good_until, clean }, Event::Renewed { asked_at }) => {
            let good_until = good_until.max(terms.good_until(asked_at));
            let extend = clean.then_some(Effect::ExtendGate(good_until));
            (State::Draining { good_until, clean }, extend.into_iter().collect())
        }

        (State::Grace { until, good_until }, Event::Doubt(doubt)) => {
            (State::Grace { until: until.max(doubt), good_until }, Vec::new())
        }
        (State::Grace { .. }, Event::Tick) => wait_out(state, now),

        (State::Grace { good_until, .. }, Event::Stop) => {
            (State::Draining { good_until, clean: false }, vec![Effect::Drain])
        }
        (State::Held { good_until }, Event::Stop) => {
            (State::Draining { good_until, clean: true }, vec![Effect::Drain])
        }
        (State::Grace { .. } | State::Draining { clean: false, .. }, Event::Closed) => {
            (State::Releasing, vec![Effect::GiveUp])
        }
        (State::Held { .. } | State::Draining { clean: true, .. }, Event::Closed) => {
            (State::Releasing, vec![Effect::ShutGate, Effect::Release])
        }
        // Where Redis does not answer, the lease runs out by itself.
        (State::Releasing, Event::Released | Event::Refused | Event::Unanswered) => {
            (State::Gone, Vec::new())
        }

        (State::Grace { .. } | State::Held { .. } | State::Draining { .. }, Event::Refused) => {
            lose(state)
        }

        // Nothing that matters to this state: an answer that comes after the end, a doubt about
        // leases where ours has been proven since, a failed renewal that will be tried again.
        _ => (state, Vec::new()),
    }
}

/// In its grace, unless that is over.
fn wait_out(state: State, now: BootInstant) -> (State, Vec<Effect>) {
    match state {
        State::Grace { until, good_until } if now >= until => {
            (State::Held { good_until }, vec![Effect::OpenGate(good_until)])
        }
        _ => (state, Vec::new()),
    }
}

fn lose(state: State) -> (State, Vec<Effect>) {
    let gate = match state {
        State::Held { .. } | State::Draining { clean: true, .. } => Some(Effect::ShutGate),
        _ => None,
    };
    (State::Lost, gate.into_iter().chain([Effect::Abandon]).collect())
}
