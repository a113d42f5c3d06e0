//! Says when one account may make its next call. What it knows is kept in Redis with every change
//! that matters, so that the next owner goes on from there.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chassis::Clock;
use chrono::{DateTime, TimeDelta, Utc};
use proto::ChatId;
use proto::fault::code;
use serde::{Deserialize, Serialize};
use store::StoreError;

use super::circuit::{Circuit, Trip};
use super::fullness::Fullness;
use super::gates::{Gate, Gates, lanes_of};
use super::meter::{Meter, Used};
use super::settings::Settings;
use super::{Class, Lane, Learnt};

/// Calls that count for longer than this are written down before they are made; what less is at
/// stake may be forgotten with a crash.
const SCARCE_S: f64 = 1.0;
/// How long what is not scarce may wait to be written down.
const SAVE_AFTER: TimeDelta = TimeDelta::seconds(1);
const VERSION: u32 = 1;

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

/// What is kept of an account's limits.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    v: u32,
    used: BTreeMap<Class, Used>,
    gates: Gates,
    circuit: Circuit,
    #[serde(default)]
    groups: Option<Fullness>,
}

/// Where it is kept.
pub trait Keeping: Send + Sync {
    /// Keeps it.
    fn keep(&self, text: String) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// The limits of one account.
pub struct Limiter<K> {
    clock: Clock,
    state: Mutex<State>,
    /// One write after the other: an older one must not come last.
    writing: tokio::sync::Mutex<K>,
}

struct State {
    settings: Settings,
    meters: BTreeMap<Class, Meter>,
    learnt: BTreeMap<Class, Learnt>,
    gates: Gates,
    circuit: Circuit,
    groups: Option<Fullness>,
    unsaved_since: Option<DateTime<Utc>>,
}

impl Kept {
    /// Reads what was kept. What this release can't read counts as lost.
    pub fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok().filter(|kept: &Self| kept.v == VERSION)
    }
}

impl<K: Keeping> Limiter<K> {
    /// Goes on from what was kept; where that is lost, every burst counts as spent.
    pub fn new(
        settings: Settings,
        kept: Option<Kept>,
        lost: bool,
        clock: Clock,
        keeping: K,
    ) -> Self {
        let spent = kept.is_none() && lost;
        let kept = kept.unwrap_or_default();
        let now = clock.now();
        let learnt: BTreeMap<_, _> =
            kept.used.iter().filter_map(|(class, used)| Some((*class, used.learnt?))).collect();
        let meter = |class: Class| {
            let used = kept.used.get(&class).cloned().unwrap_or_default();
            let budget = settings.budget(class, learnt.get(&class), now);
            let mut meter = Meter::new(budget, &used, &clock);
            if spent {
                meter.spend_burst();
            }
            (class, meter)
        };
        let meters = Class::ALL.into_iter().map(meter).collect();
        let (gates, circuit, groups) = (kept.gates, kept.circuit, kept.groups);
        let state = State { settings, meters, learnt, gates, circuit, groups, unsaved_since: None };
        Self { clock, state: Mutex::new(state), writing: tokio::sync::Mutex::new(keeping) }
    }

    /// Lets a call through, and takes what it costs from its budget; or says why not yet.
    ///
    /// # Errors
    /// The store that keeps what is used can't be asked, or the instance is no longer ours: then
    /// nothing may be called.
    pub async fn ask(&self, ask: Ask) -> Result<Result<(), NotYet>, StoreError> {
        let due = {
            let mut state = self.state();
            let now = self.clock.now();
            if let Err(not_yet) = state.take(ask, now) {
                return Ok(Err(not_yet));
            }
            state.is_save_due(ask.class, now)
        };
        if due && let Err(error) = Box::pin(self.save()).await {
            // Nothing is called, and whoever asks again is not to pay for it twice.
            self.state().give_back(ask);
            return Err(error);
        }
        Ok(Ok(()))
    }

    /// Shuts the gates that a limit asks for, and slows its class down. This is written down before
    /// anything else, and may be tried again: it counts once. Where it was one warning too many, the
    /// classes to be stopped are told, each time until that is [noted](Self::stopped).
    ///
    /// # Errors
    /// As for [`Limiter::ask`].
    pub async fn hit(&self, hit: &Hit) -> Result<(NotYet, Option<Trip>), StoreError> {
        let not_yet = self.state().hit(hit, self.clock.now());
        Box::pin(self.save()).await?;
        Ok((not_yet, self.tripped()))
    }

    /// Strangers were invited: so many came in, so many their privacy kept out. The classes to be
    /// stopped are told where these are too many. It is written down with [`Limiter::flush`].
    pub fn invited(&self, added: usize, blocked: usize) -> Option<Trip> {
        let mut state = self.state();
        state.circuit.invited(added, blocked);
        state.unsaved_since.get_or_insert(self.clock.now());
        state.circuit.tripped()
    }

    /// The classes to be stopped, where that is not noted yet: their calls are held back already.
    pub fn tripped(&self) -> Option<Trip> {
        self.state().circuit.tripped()
    }

    /// The classes are noted as paused: from now on the pauses say how long they stop.
    ///
    /// # Errors
    /// As for [`Limiter::ask`].
    pub async fn stopped(&self) -> Result<(), StoreError> {
        self.state().circuit.noted();
        Box::pin(self.save()).await
    }

    /// How many groups the account is in, once they were counted.
    pub fn groups(&self) -> Option<Fullness> {
        self.state().groups.clone()
    }

    /// The groups were counted.
    pub fn count_groups(&self, used: u32, most: u32) {
        let (mut state, now) = (self.state(), self.clock.now());
        state.groups = Some(Fullness::counted(used, most, state.groups.as_ref(), now));
    }

    /// A group was made, or one is gone.
    pub fn change_groups(&self, made: bool) {
        if let Some(groups) = &mut self.state().groups {
            groups.changed(made);
        }
    }

    /// Telegram says that the account can be in no more groups, whatever was counted; `most` is for
    /// where nothing was.
    pub fn fill_groups(&self, most: u32) -> Fullness {
        let (mut state, now) = (self.state(), self.clock.now());
        let never = || Fullness::counted(most, most, None, now);
        let groups = state.groups.get_or_insert_with(never);
        groups.filled(now);
        groups.clone()
    }

    /// The groups, where it is to be told now that they are nearly as many as there may be.
    pub fn groups_news(&self) -> Option<Fullness> {
        let mut state = self.state();
        state.groups.as_mut()?.is_news().then(|| state.groups.clone())?
    }

    /// The most calls of a class that can come at once: by what is configured, so that it is the
    /// same tomorrow.
    pub fn at_once(&self, class: Class) -> usize {
        let burst = self.state().settings.configured(class).burst.get();
        usize::try_from(burst).unwrap_or(usize::MAX)
    }

    /// What a lane's head waits for, whose next call costs one; `None` where it may go on.
    pub fn when(&self, lane: Lane) -> Option<NotYet> {
        let ask = |class| Ask { class, cost: NonZeroU32::MIN, chat: None };
        let (mut state, now) = (self.state(), self.clock.now());
        match lane {
            Lane::Class(class) => state.shut(ask(class), now),
            Lane::Slow(_) => state.gates.of(lane, now).map(|gate| not_yet(gate, lane)),
        }
    }

    /// When a call of a class can be made that comes after `ahead` others.
    pub fn forecast(&self, class: Class, ahead: u32) -> DateTime<Utc> {
        let (mut state, now) = (self.state(), self.clock.now());
        state.refit(class, now);
        let gate = state.gates.of(Lane::Class(class), now).map_or(now, |gate| gate.opens);
        let paced = state.meters.get(&class).and_then(|meter| meter.opens(ahead, NonZeroU32::MIN));
        // Behind a gate those ahead come one after the other from when it opens.
        let after_gate = match state.meters.get(&class) {
            Some(meter) if gate > now => {
                let burst = meter.budget().burst.get();
                let wait = meter.budget().every_s * f64::from(ahead.saturating_sub(burst - 1));
                gate + TimeDelta::milliseconds((wait * 1_000.0).min(MILLIS_MAX) as i64)
            }
            _ => now,
        };
        paced.unwrap_or(now).max(after_gate)
    }

    /// Other settings from now on; what is used stays used.
    pub fn reconfigure(&self, settings: Settings) {
        let (mut state, now) = (self.state(), self.clock.now());
        state.settings = settings;
        for class in Class::ALL {
            state.refit(class, now);
        }
    }

    /// Writes down what is not yet.
    ///
    /// # Errors
    /// As for [`Limiter::ask`].
    pub async fn flush(&self) -> Result<(), StoreError> {
        let unsaved = self.state().unsaved_since.is_some();
        if unsaved { self.save().await } else { Ok(()) }
    }

    /// Writes everything down.
    ///
    /// # Errors
    /// As for [`Limiter::ask`].
    pub async fn save(&self) -> Result<(), StoreError> {
        let keeping = self.writing.lock().await;
        let kept = {
            let mut state = self.state();
            state.unsaved_since = None;
            state.kept()
        };
        let text = serde_json::to_string(&kept).unwrap_or_default();
        let done = keeping.keep(text).await;
        if done.is_err() {
            self.state().unsaved_since.get_or_insert(self.clock.now());
        }
        done
    }

    pub(super) fn look<T>(
        &self,
        class: Class,
        look: impl FnOnce(&Meter, &Look<'_>) -> T,
    ) -> Option<T> {
        let (mut state, now) = (self.state(), self.clock.now());
        state.refit(class, now);
        let rate = state.learnt.get(&class).map_or(1.0, |learnt| learnt.rate(now));
        let gate = state.gates.of(Lane::Class(class), now);
        state.meters.get(&class).map(|meter| look(meter, &Look { rate, gate }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Longest wait of a forecast.
const MILLIS_MAX: f64 = 366.0 * 86_400_000.0;

/// How a class stands, beside its meter.
pub(super) struct Look<'a> {
    /// The learnt rate.
    pub rate: f64,
    /// Its gate, where it is shut.
    pub gate: Option<&'a Gate>,
}

impl State {
    fn take(&mut self, ask: Ask, now: DateTime<Utc>) -> Result<(), NotYet> {
        if let Some(shut) = self.gate(ask, now) {
            return Err(shut);
        }
        self.refit(ask.class, now);
        let Some(meter) = self.meters.get_mut(&ask.class) else { return Ok(()) };
        meter.take(ask.cost).map_err(|opens| spent(ask.class, opens))
    }

    /// Why a call can't be made now; it is not taken.
    fn shut(&mut self, ask: Ask, now: DateTime<Utc>) -> Option<NotYet> {
        self.refit(ask.class, now);
        let paced = || {
            let opens = self.meters.get(&ask.class)?.opens(0, ask.cost)?;
            Some(spent(ask.class, opens))
        };
        self.gate(ask, now).or_else(paced)
    }

    fn give_back(&mut self, ask: Ask) {
        if let Some(meter) = self.meters.get_mut(&ask.class) {
            meter.give_back(ask.cost);
        }
    }

    fn gate(&self, ask: Ask, now: DateTime<Utc>) -> Option<NotYet> {
        if self.circuit.tripped().is_some_and(|trip| trip.classes.contains(&ask.class)) {
            return Some(NotYet::paused(ask.class));
        }
        let lanes = [Some(Lane::Class(ask.class)), ask.chat.map(Lane::Slow)];
        let shut = |lane| self.gates.of(lane, now).map(|gate| not_yet(gate, lane));
        lanes.into_iter().flatten().find_map(shut)
    }

    fn hit(&mut self, hit: &Hit, now: DateTime<Utc>) -> NotYet {
        let (known, lanes) = (self.gates.know(hit, now), lanes_of(hit));
        let gate = self.gates.shut(hit, now);
        if !known {
            self.circuit.hit(&hit.code, now);
        }
        for lane in &lanes {
            if let Lane::Class(class) = lane
                && hit.wait_s.is_some()
                && !known
            {
                let learnt = self.learnt.get(class).copied();
                let learnt = learnt.unwrap_or_else(|| Learnt::nothing(now));
                self.learnt.insert(*class, learnt.slower(now, gate.opens));
                self.refit(*class, now);
            }
        }
        let own = Lane::Class(hit.ask.class);
        let lane = lanes.iter().find(|lane| **lane == own).or(lanes.first()).copied();
        let lane = lane.unwrap_or(own);
        // One that was told before may last longer.
        not_yet(self.gates.of(lane, now).unwrap_or(&gate), lane)
    }

    /// The class's budget as it is now: it changes with what is learnt, and with the account's age.
    fn refit(&mut self, class: Class, now: DateTime<Utc>) {
        let budget = self.settings.budget(class, self.learnt.get(&class), now);
        if let Some(meter) = self.meters.get_mut(&class)
            && meter.budget() != budget
        {
            meter.refit(budget);
        }
    }

    fn is_save_due(&mut self, class: Class, now: DateTime<Utc>) -> bool {
        let since = *self.unsaved_since.get_or_insert(now);
        let scarce = self.settings.configured(class).every_s >= SCARCE_S;
        scarce || now - since >= SAVE_AFTER
    }

    fn kept(&self) -> Kept {
        let used = |(class, meter): (&Class, &Meter)| {
            let used = Used { learnt: self.learnt.get(class).copied(), ..meter.used() };
            (*class, used)
        };
        Kept {
            v: VERSION,
            used: self.meters.iter().map(used).collect(),
            gates: self.gates.clone(),
            circuit: self.circuit.clone(),
            groups: self.groups.clone(),
        }
    }
}

fn not_yet(gate: &Gate, lane: Lane) -> NotYet {
    NotYet { opens: Some(gate.opens), code: gate.code.clone(), lane }
}

fn spent(class: Class, opens: DateTime<Utc>) -> NotYet {
    NotYet { opens: Some(opens), code: code::BUDGET_SPENT.to_owned(), lane: Lane::Class(class) }
}

#[cfg(test)]
mod tests;
