//! The faults of one seed and their times.

use std::time::Duration;

use super::dice::Dice;
use super::fault::{Fault, Trouble};
use super::links::Server;
use super::scale::Scale;

/// Points of a command's and a connection's life; `create` and `export` are steps of `group.create`.
const POINTS: [&str; 17] = [
    "leased",
    "connected",
    "delivered",
    "claimed",
    "step_started",
    "step_started:create",
    "step_answered",
    "step_answered:create",
    "step_executed",
    "step_executed:create",
    "step_executed:export",
    "step_started:export",
    "recorded",
    "told",
    "replied",
    "acked",
    "sending",
];

/// Points of a parked command's and its lane's life.
const LANE_POINTS: [&str; 5] = ["lane_noted", "park_published", "parked", "left", "lane_deleted"];

/// Requests that change something.
const REQUESTS: [&str; 6] = [
    "channels.createChannel",
    "messages.createChat",
    "channels.editTitle",
    "messages.editChatTitle",
    "channels.inviteToChannel",
    "messages.exportChatInvite",
];

/// For how long something is frozen at the defaults: shorter than a lease, longer than lease and grace,
/// longer than grammers waits between two pings.
const NAPS_S: [f64; 3] = [5.0, 40.0, 90.0];

/// Before a broker is killed: the instances' queues, which were declared just before the workload, would
/// be lost with it (see `docs/faults.md`).
const QUEUES_LAST_AFTER: Duration = Duration::from_secs(4);

/// How many of a hundred seeds have limits.
const LIMITS_PERCENT: u64 = 50;

/// Over how long the faults of a seed are spread, at the defaults.
const SPREAD_S: f64 = 60.0;

#[derive(Debug, Clone, Copy)]
enum Kind {
    KilledAtPoint,
    FrozenAtPoint,
    Kill,
    Freeze,
    Roll,
    Workers,
    Rabbit,
    Redis,
    Telegram,
    Migrate,
    CutOff,
    Ends,
    ResetAfter,
    Slow,
}

/// How often each kind comes; within a kind its forms come alike.
const WEIGHTS: [(u64, Kind); 14] = [
    (16, Kind::KilledAtPoint),
    (7, Kind::FrozenAtPoint),
    (5, Kind::Kill),
    (9, Kind::Freeze),
    (4, Kind::Roll),
    (4, Kind::Workers),
    (14, Kind::Rabbit),
    (18, Kind::Redis),
    (18, Kind::Telegram),
    (4, Kind::Migrate),
    (10, Kind::CutOff),
    (4, Kind::Ends),
    (4, Kind::ResetAfter),
    (4, Kind::Slow),
];

/// What happens when.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    /// Workers at the beginning.
    pub workers: usize,
    /// Faults by the time at which they begin, from the beginning of the workload.
    pub faults: Vec<(Duration, Fault)>,
}

impl Schedule {
    /// Draws one for so many instances.
    #[must_use]
    pub fn draw(dice: &mut Dice, scale: Scale, instances: usize) -> Self {
        let workers = dice.between(1, 3).try_into().unwrap_or(2);
        let count = dice.between(2, 4);
        let mut faults: Vec<(Duration, Fault)> = Vec::new();
        let limited = dice.percent(LIMITS_PERCENT);
        let points = match limited {
            true => {
                faults.push((Duration::ZERO, Fault::Limits));
                [&POINTS[..], &LANE_POINTS, &LANE_POINTS, &LANE_POINTS].concat()
            }
            false => POINTS.to_vec(),
        };
        for _ in 0..count {
            let fault = draw(dice, scale, workers, instances, &points);
            let is_rabbit =
                |fault: &Fault| matches!(fault, Fault::RabbitKilled | Fault::RabbitRestarted);
            // A broker takes long to come back: once in a seed is enough.
            if is_rabbit(&fault) && faults.iter().any(|(_, other)| is_rabbit(other)) {
                continue;
            }
            // A lane's queue may be lost with a killed broker, and its commands' copies with Redis' data:
            // that both go in one seed is more than can be made good.
            let rival = |other: &Fault| {
                (fault == Fault::RabbitKilled && other.loses_the_ledger())
                    || (fault.loses_the_ledger() && *other == Fault::RabbitKilled)
            };
            if limited && faults.iter().any(|(_, other)| rival(other)) {
                continue;
            }
            let at = match &fault {
                // Orders come with a new process, so the earlier the more commands meet it.
                Fault::AtPoint { .. } => dice.millis(0, 15_000),
                _ => dice.millis(0, (SPREAD_S * 1000.0) as u64),
            };
            let at = at / scale.0.max(1);
            let at = if fault == Fault::RabbitKilled { at.max(QUEUES_LAST_AFTER) } else { at };
            faults.push((at, fault));
        }
        faults.sort_by_key(|(at, _)| *at);
        Self { workers, faults }
    }
}

fn draw(dice: &mut Dice, scale: Scale, workers: usize, instances: usize, points: &[&str]) -> Fault {
    let slot = dice.below(workers);
    let server = *dice.one_of(&Server::ALL);
    let nap = scale.time(*dice.one_of(&NAPS_S));
    let while_away = dice.millis(10_000, 60_000) / scale.0.max(1);
    match dice.weighted(&WEIGHTS) {
        Kind::KilledAtPoint => at_point(dice, points, slot, "kill", nap),
        Kind::FrozenAtPoint => at_point(dice, points, slot, "stop", nap),
        Kind::Kill => Fault::Kill(slot),
        Kind::Freeze => Fault::Freeze(slot, nap),
        Kind::Roll => Fault::Roll(slot),
        Kind::Workers => Fault::Workers,
        Kind::Rabbit => match dice.between(1, 4) {
            1 => Fault::RabbitKilled,
            2 => Fault::RabbitRestarted,
            3 => Fault::RabbitBlocked(while_away),
            _ => Fault::RabbitFrozen(while_away),
        },
        Kind::Redis => match dice.between(1, 5) {
            1 => Fault::RedisRestarted,
            2 => Fault::RedisEmptied,
            3 => Fault::RedisSetBack(while_away / 2),
            4 => Fault::RedisFrozen(scale.time(60.0)),
            _ => Fault::RedisFull(while_away),
        },
        Kind::Telegram => {
            let troubles = [
                Trouble::CutBefore,
                Trouble::CutAfter,
                Trouble::HalfOpen,
                Trouble::ServerError,
                Trouble::KeyUnknown,
            ];
            let times = if dice.percent(70) { 1 } else { 3 };
            let request = *dice.one_of(&REQUESTS);
            Fault::Telegram(*dice.one_of(&troubles), request, times)
        }
        Kind::Migrate => Fault::Migrate(dice.below(instances)),
        Kind::CutOff => {
            let half_open = dice.percent(60);
            Fault::CutOff { slot, server, half_open, time: while_away }
        }
        Kind::Ends => Fault::Ends(slot, server, dice.percent(50)),
        Kind::ResetAfter => {
            let bytes = dice.between(1, 20_000).try_into().unwrap_or(1);
            Fault::ResetAfter(slot, server, bytes)
        }
        // Less than the grace: what is on its way is over before another owner connects.
        Kind::Slow => {
            let late = dice.millis(20, 2_000) / scale.0.max(1);
            Fault::Slow(slot, server, late, while_away)
        }
    }
}

fn at_point(dice: &mut Dice, points: &[&str], slot: usize, act: &str, nap: Duration) -> Fault {
    let point = dice.one_of(points);
    let most = match *point {
        // Each connection begins with some of these.
        "sending" => 80,
        step if step.contains(':') => 2,
        _ => 5,
    };
    let at = dice.between(1, most);
    Fault::AtPoint { slot, order: format!("{point}@{at}={act}"), nap }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn two_hundred_seeds_hold_every_kind_often() {
        let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
        for seed in 0..200 {
            let schedule = Schedule::draw(&mut Dice::new(seed, "faults"), Scale(10), 3);
            for (_, fault) in schedule.faults {
                *kinds.entry(fault.kind()).or_default() += 1;
            }
        }
        assert_eq!(kinds.len(), 28, "{kinds:#?}");
        assert!(kinds.values().all(|count| *count >= 5), "{kinds:#?}");
    }

    #[test]
    fn times_are_scaled() {
        for seed in 0..50 {
            let draw = |scale| Schedule::draw(&mut Dice::new(seed, "faults"), Scale(scale), 3);
            let (slow, fast) = (draw(1), draw(10));
            for ((slow, _), (fast, _)) in slow.faults.iter().zip(&fast.faults) {
                assert!(*fast == *slow / 10 || *fast == QUEUES_LAST_AFTER, "{slow:?} {fast:?}");
            }
        }
    }
}
