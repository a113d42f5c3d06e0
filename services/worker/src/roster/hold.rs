//! One lease as the machine has it, and its effects: the gate, the tokens that end a tenure, and
//! what Redis is told in the end.

use std::sync::{Mutex, PoisonError};

use chassis::BootInstant;
use store::{Lease, Leases};
use telegram::Gate;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::lease::{self, Effect, Event, State, Terms};

/// A lease that is ours, or was.
pub struct Hold {
    /// The proof of ownership.
    pub lease: Lease,
    /// Cancelled when the lease is lost: nothing may be sent to Telegram from then on.
    pub lost: CancellationToken,
    /// Cancelled to end the tenure.
    pub stop: CancellationToken,
    terms: Terms,
    state: Mutex<State>,
    gate: watch::Sender<Option<Gate>>,
}

/// What Redis is to be told of a lease that is no longer needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Return {
    /// The next owner may connect at once.
    Release,
    /// The next owner waits.
    GiveUp,
}

impl Hold {
    /// What Redis was asked for at `asked_at`, and gave.
    pub fn new(lease: Lease, asked_at: BootInstant, terms: Terms) -> Self {
        Self {
            lease,
            terms,
            lost: CancellationToken::new(),
            stop: CancellationToken::new(),
            state: Mutex::new(State::Acquiring { asked_at }),
            gate: watch::Sender::new(None),
        }
    }

    /// What has happened to the lease, and what Redis is to be told of it, if anything.
    pub fn on(&self, event: Event) -> Option<Return> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (next, effects) = lease::step(*state, event, BootInstant::now(), &self.terms);
        *state = next;
        let mut back = None;
        // Under the lock, so that effects come in the order of their events.
        for effect in effects {
            match effect {
                Effect::OpenGate(until) => {
                    self.gate.send_replace(Some(Gate::until(until)));
                }
                Effect::ExtendGate(until) => self.extend(&mut state, until),
                Effect::ShutGate => self.shut(),
                Effect::Drain => self.stop.cancel(),
                Effect::Abandon => self.abandon(event),
                Effect::Release => back = Some(Return::Release),
                Effect::GiveUp => back = Some(Return::GiveUp),
            }
        }
        back
    }

    /// The gate may have found its time over since the machine looked; it does not open again.
    fn extend(&self, state: &mut State, until: BootInstant) {
        let open = self.gate.borrow().as_ref().is_some_and(|gate| gate.extend(until));
        if !open && state.is_ours() {
            self.abandon(Event::Tick);
            *state = State::Lost;
        }
    }

    fn shut(&self) {
        if let Some(gate) = self.gate.borrow().as_ref() {
            gate.shut();
        }
    }

    fn abandon(&self, event: Event) {
        let why = match event {
            Event::Refused => "another worker holds it, or Redis forgot it",
            _ => "it could not be renewed in time",
        };
        tracing::error!(instance.id = %self.lease.instance, why, "the lease is lost");
        self.lost.cancel();
        self.stop.cancel();
    }

    /// The owner has ended: nothing of ours is connected or under way any more. Redis is told, where
    /// the lease is still ours.
    pub async fn closed(&self, leases: &Leases) {
        if let Some(back) = self.on(Event::Closed) {
            self.give_back(back, leases).await;
        }
    }

    /// Tells Redis.
    pub async fn give_back(&self, back: Return, leases: &Leases) {
        let told = match back {
            Return::Release => leases.release(&self.lease).await,
            Return::GiveUp => leases.give_up(&self.lease).await,
        };
        self.on(match told {
            Ok(true) => Event::Released,
            Ok(false) => Event::Refused,
            Err(error) => {
                tracing::warn!(%error, "a lease was not given back; it runs out by itself");
                Event::Unanswered
            }
        });
    }

    /// Whether the lease is to be renewed.
    pub fn is_ours(&self) -> bool {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).is_ours()
    }

    /// The gate, once the account may be connected; none where the tenure ends before.
    pub async fn opened(&self) -> Option<Gate> {
        let mut gate = self.gate.subscribe();
        tokio::select! {
            opened = gate.wait_for(Option::is_some) => opened.ok().and_then(|gate| gate.clone()),
            () = self.stop.cancelled() => None,
        }
    }
}
