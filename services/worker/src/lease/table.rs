//! The machine, cell by cell: what each event does in each state. Times are seconds after a moment
//! at which Redis was asked; it is second 5, and leases count as good for 12.

use super::*;

const TERMS: Terms = Terms {
    ttl: Duration::from_secs(15),
    margin: Duration::from_secs(3),
    grace: Duration::from_secs(8),
};

struct Bench {
    start: BootInstant,
}

impl Bench {
    fn at(&self, s: u64) -> BootInstant {
        self.start + Duration::from_secs(s)
    }

    fn states(&self) -> [State; 8] {
        let good_until = self.at(12);
        [
            State::Acquiring { asked_at: self.at(0) },
            State::Grace { until: self.at(8), good_until },
            State::Held { good_until },
            State::Draining { good_until, clean: true },
            State::Draining { good_until, clean: false },
            State::Releasing,
            State::Gone,
            State::Lost,
        ]
    }

    fn events(&self) -> [Event; 11] {
        [
            Event::Acquired { clean: true, doubt: None },
            Event::Acquired { clean: false, doubt: None },
            Event::Acquired { clean: true, doubt: Some(self.at(9)) },
            Event::Renewed { asked_at: self.at(4) },
            Event::Refused,
            Event::Unanswered,
            Event::Doubt(self.at(20)),
            Event::Tick,
            Event::Stop,
            Event::Closed,
            Event::Released,
        ]
    }

    fn told(&self, state: State, effects: &[Effect]) -> String {
        let s = |at: BootInstant| at.since(self.start).as_secs();
        let state = match state {
            State::Acquiring { .. } => "acquiring".to_owned(),
            State::Grace { until, good_until } => format!("grace {} {}", s(until), s(good_until)),
            State::Held { good_until } => format!("held {}", s(good_until)),
            State::Draining { good_until, clean: true } => format!("draining {}", s(good_until)),
            State::Draining { good_until, clean: false } => format!("leaving {}", s(good_until)),
            State::Releasing => "releasing".to_owned(),
            State::Gone => "gone".to_owned(),
            State::Lost => "lost".to_owned(),
        };
        let effects = effects.iter().map(|effect| match effect {
            Effect::OpenGate(until) => format!(" +open {}", s(*until)),
            Effect::ExtendGate(until) => format!(" +extend {}", s(*until)),
            Effect::ShutGate => " +shut".to_owned(),
            Effect::Drain => " +drain".to_owned(),
            Effect::Abandon => " +abandon".to_owned(),
            Effect::Release => " +release".to_owned(),
            Effect::GiveUp => " +give up".to_owned(),
        });
        effects.fold(state, |told, effect| told + &effect)
    }

    fn step(&self, state: State, event: Event, now_s: u64) -> String {
        let (next, effects) = step(state, event, self.at(now_s), &TERMS);
        self.told(next, &effects)
    }
}

/// Rows are states, columns events, in the order above; `-`: nothing happens.
const TABLE: [[&str; 11]; 8] = [
    // Acquiring
    [
        "held 12 +open 12",
        "grace 13 12",
        "grace 9 12",
        "-",
        "gone",
        "gone",
        "-",
        "-",
        "gone",
        "-",
        "-",
    ],
    // Grace
    [
        "-",
        "-",
        "-",
        "grace 8 16",
        "lost +abandon",
        "-",
        "grace 20 12",
        "-",
        "leaving 12 +drain",
        "releasing +give up",
        "-",
    ],
    // Held
    [
        "-",
        "-",
        "-",
        "held 16 +extend 16",
        "lost +shut +abandon",
        "-",
        "-",
        "-",
        "draining 12 +drain",
        "releasing +shut +release",
        "-",
    ],
    // Draining, after its grace
    [
        "-",
        "-",
        "-",
        "draining 16 +extend 16",
        "lost +shut +abandon",
        "-",
        "-",
        "-",
        "-",
        "releasing +shut +release",
        "-",
    ],
    // Draining, before its grace was over
    ["-", "-", "-", "leaving 16", "lost +abandon", "-", "-", "-", "-", "releasing +give up", "-"],
    // Releasing
    ["-", "-", "-", "-", "gone", "gone", "-", "-", "-", "-", "gone"],
    // Gone
    ["gone +give up", "gone +give up", "gone +give up", "-", "-", "-", "-", "-", "-", "-", "-"],
    // Lost
    ["-"; 11],
];

#[test]
fn every_event_does_in_every_state_what_the_table_says() {
    let bench = Bench { start: BootInstant::now() };
    for (state, row) in bench.states().into_iter().zip(TABLE) {
        for (event, expected) in bench.events().into_iter().zip(row) {
            let nothing = bench.told(state, &[]);
            let expected = if expected == "-" { &nothing } else { expected };
            assert_eq!(bench.step(state, event, 5), expected, "{nothing}: {event:?}");
        }
    }
}

#[test]
fn whatever_comes_after_its_time_finds_the_lease_lost() {
    let bench = Bench { start: BootInstant::now() };
    for state in bench.states() {
        for event in bench.events() {
            // Also what wakes after an hour.
            for now_s in [12, 13, 3_600] {
                let told = bench.step(state, event, now_s);
                match state {
                    State::Grace { .. } | State::Draining { clean: false, .. } => {
                        assert_eq!(told, "lost +abandon", "{state:?} {event:?}");
                    }
                    State::Held { .. } | State::Draining { .. } => {
                        assert_eq!(told, "lost +shut +abandon", "{state:?} {event:?}");
                    }
                    State::Acquiring { .. } if matches!(event, Event::Acquired { .. }) => {
                        assert_eq!(told, "gone +give up");
                    }
                    _ => assert!(!told.contains("open"), "{told}"),
                }
            }
        }
    }
}

#[test]
fn the_gate_opens_when_the_grace_is_over_and_not_before() {
    let bench = Bench { start: BootInstant::now() };
    let grace = State::Grace { until: bench.at(8), good_until: bench.at(12) };
    assert_eq!(bench.step(grace, Event::Tick, 7), "grace 8 12");
    assert_eq!(bench.step(grace, Event::Tick, 8), "held 12 +open 12");
    let renewed = Event::Renewed { asked_at: bench.at(7) };
    assert_eq!(bench.step(grace, renewed, 9), "held 19 +open 19");
    // A doubt that has passed keeps nobody waiting, and one that is shorter shortens nothing.
    let acquiring = State::Acquiring { asked_at: bench.at(0) };
    let acquired = |clean, s| Event::Acquired { clean, doubt: Some(bench.at(s)) };
    assert_eq!(bench.step(acquiring, acquired(true, 4), 5), "held 12 +open 12");
    assert_eq!(bench.step(acquiring, acquired(false, 6), 5), "grace 13 12");
    assert_eq!(bench.step(grace, Event::Doubt(bench.at(3)), 5), "grace 8 12");
}

#[test]
fn an_answer_that_was_overtaken_shortens_nothing() {
    let bench = Bench { start: BootInstant::now() };
    let held = State::Held { good_until: bench.at(20) };
    let renewed = Event::Renewed { asked_at: bench.at(4) };
    assert_eq!(bench.step(held, renewed, 17), "held 20 +extend 20");
}
