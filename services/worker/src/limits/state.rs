//! What is known of one account's limits, and the rules by which it changes: budgets, gates, learnt
//! rates, the circuit, the number of groups. Where it is kept is not its business.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use chassis::Clock;
use chrono::{DateTime, TimeDelta, Utc};
use proto::ChatId;
use proto::fault::code;
use serde::{Deserialize, Serialize};

use super::circuit::Circuit;
use super::fullness::Fullness;
use super::gates::{Gate, Gates, is_restriction, lanes_of};
use super::meter::{Meter, Used};
use super::settings::Settings;
use super::{Ask, Class, Hit, Lane, Learnt, NotYet};

/// Calls that count for longer than this are written down before they are made; what less is at
/// stake may be forgotten with a crash.
const SCARCE_S: f64 = 1.0;
/// How long what is not scarce may wait to be written down.
const SAVE_AFTER: TimeDelta = TimeDelta::seconds(1);
/// Longest wait of a forecast.
const MILLIS_MAX: f64 = 366.0 * 86_400_000.0;
const VERSION: u32 = 1;

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

/// What is known.
pub(super) struct State {
    pub settings: Settings,
    meters: BTreeMap<Class, Meter>,
    learnt: BTreeMap<Class, Learnt>,
    gates: Gates,
    pub circuit: Circuit,
    pub groups: Option<Fullness>,
    /// Since when something is not written down.
    pub unsaved_since: Option<DateTime<Utc>>,
}

/// How a class stands, beside its meter.
pub(super) struct Look<'a> {
    /// The learnt rate.
    pub rate: f64,
    /// Its gate, where it is shut.
    pub gate: Option<&'a Gate>,
}

impl Kept {
    /// Reads what was kept. What this release can't read counts as lost.
    pub fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok().filter(|kept: &Self| kept.v == VERSION)
    }
}

impl State {
    /// Goes on from what was kept; where that is lost, or may be older than it was, every burst counts
    /// as spent.
    pub fn new(settings: Settings, kept: Option<Kept>, lost: bool, clock: &Clock) -> Self {
        let kept = kept.unwrap_or_default();
        let now = clock.now();
        let learnt: BTreeMap<_, _> =
            kept.used.iter().filter_map(|(class, used)| Some((*class, used.learnt?))).collect();
        let meter = |class: Class| {
            let used = kept.used.get(&class).cloned().unwrap_or_default();
            let budget = settings.budget(class, learnt.get(&class), now);
            let mut meter = Meter::new(budget, &used, clock);
            if lost {
                meter.spend_burst();
            }
            (class, meter)
        };
        let meters = Class::ALL.into_iter().map(meter).collect();
        let (gates, circuit, groups) = (kept.gates, kept.circuit, kept.groups);
        Self { settings, meters, learnt, gates, circuit, groups, unsaved_since: None }
    }

    /// Takes what a call costs, if it may be made now.
    pub fn take(&mut self, ask: Ask, now: DateTime<Utc>) -> Result<(), NotYet> {
        if let Some(shut) = self.gate(ask, now) {
            return Err(shut);
        }
        self.refit(ask.class, now);
        let Some(meter) = self.meters.get_mut(&ask.class) else { return Ok(()) };
        meter.take(ask.cost).map_err(|opens| spent(ask.class, opens))
    }

    /// What Telegram holds against the account as a whole, and until when: a restriction before a
    /// wait, the longest of them.
    pub fn held(&self, now: DateTime<Utc>) -> Option<Gate> {
        let weight = |gate: &&Gate| (is_restriction(&gate.code), gate.opens);
        self.gates.lasting(now).max_by_key(weight).cloned()
    }

    /// The chats that slow mode shuts, and until when.
    pub fn chats(&self, now: DateTime<Utc>) -> Vec<(ChatId, DateTime<Utc>)> {
        self.gates.chats(now).collect()
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

    /// A call that was let through is not made after all.
    pub fn give_back(&mut self, ask: Ask) {
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

    /// When a call of a class can be made that comes after `ahead` others.
    pub fn forecast(&mut self, class: Class, ahead: u32, now: DateTime<Utc>) -> DateTime<Utc> {
        self.refit(class, now);
        let gate = self.gates.of(Lane::Class(class), now).map_or(now, |gate| gate.opens);
        let paced = self.meters.get(&class).and_then(|meter| meter.opens(ahead, NonZeroU32::MIN));
        // Behind a gate those ahead come one after the other from when it opens.
        let after_gate = match self.meters.get(&class) {
            Some(meter) if gate > now => {
                let burst = meter.budget().burst.get();
                let wait = meter.budget().every_s * f64::from(ahead.saturating_sub(burst - 1));
                gate + TimeDelta::milliseconds((wait * 1_000.0).min(MILLIS_MAX) as i64)
            }
            _ => now,
        };
        paced.unwrap_or(now).max(after_gate)
    }

    /// What a lane's head waits for, whose next call costs one.
    pub fn when(&mut self, lane: Lane, now: DateTime<Utc>) -> Option<NotYet> {
        match lane {
            Lane::Class(class) => self.shut(Ask { class, cost: NonZeroU32::MIN, chat: None }, now),
            Lane::Slow(_) => self.gates.of(lane, now).map(|gate| not_yet(gate, lane)),
        }
    }

    /// Other settings from now on; what is used stays used.
    pub fn reconfigure(&mut self, settings: Settings, now: DateTime<Utc>) {
        self.settings = settings;
        for class in Class::ALL {
            self.refit(class, now);
        }
    }

    /// Looks at a class as it is now.
    pub fn look<T>(
        &mut self,
        class: Class,
        now: DateTime<Utc>,
        look: impl FnOnce(&Meter, &Look<'_>) -> T,
    ) -> Option<T> {
        self.refit(class, now);
        let rate = self.learnt.get(&class).map_or(1.0, |learnt| learnt.rate(now));
        let gate = self.gates.of(Lane::Class(class), now);
        self.meters.get(&class).map(|meter| look(meter, &Look { rate, gate }))
    }

    /// Shuts the gates that a limit asks for, and slows its class down, once.
    pub fn hit(&mut self, hit: &Hit, now: DateTime<Utc>) -> NotYet {
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

    /// Whether what was taken of a class is to be written down at once.
    pub fn is_save_due(&mut self, class: Class, now: DateTime<Utc>) -> bool {
        let since = *self.unsaved_since.get_or_insert(now);
        let scarce = self.settings.configured(class).every_s >= SCARCE_S;
        scarce || now - since >= SAVE_AFTER
    }

    /// What is to be kept.
    pub fn kept(&self) -> Kept {
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
