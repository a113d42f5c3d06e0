//! The test of the tests: a worker that breaks one promise on purpose, and the scene in which that must
//! show. A matrix that does not notice is worth nothing.

use std::time::Duration;

use anyhow::Result;

use super::fault::Fault;
use super::lane::Lane;
use super::links::Server;
use super::scale::Scale;
use super::schedule::Schedule;
use super::seed::{self, Play};

/// A mutation of the worker.
#[derive(Debug, Clone, Copy)]
pub struct Mutant {
    /// The worker's own name of it (`QUEUEGRAM_MUTATION`).
    pub name: &'static str,
    /// The law that it breaks.
    pub law: &'static str,
    /// The faults that bring it out, at the defaults' times in seconds.
    faults: fn(Scale) -> Vec<(f64, Fault)>,
    /// How many workers there are.
    workers: usize,
    /// How long a new owner waits in this scene, in seconds at the defaults.
    grace_s: f64,
}

/// What workers wait by default.
const GRACE_S: f64 = 8.0;

/// What came of one.
#[derive(Debug, Clone)]
pub struct Catch {
    /// Which.
    pub mutant: Mutant,
    /// The seed that caught it and what it said; none: not one of them did.
    pub caught: Option<(u64, String)>,
    /// Seeds that were played.
    pub tried: u64,
}

/// All of them.
pub const MUTANTS: [Mutant; 6] = [
    Mutant {
        name: "ack_before_record",
        law: "L",
        faults: killed_before_records,
        workers: 2,
        grace_s: GRACE_S,
    },
    Mutant {
        name: "ledger_forgets",
        law: "E",
        faults: killed_after_steps,
        workers: 2,
        grace_s: GRACE_S,
    },
    Mutant {
        name: "result_made_anew",
        law: "R",
        faults: killed_before_acks,
        workers: 2,
        grace_s: GRACE_S,
    },
    Mutant { name: "order_ignored", law: "O", faults: piled_up, workers: 2, grace_s: GRACE_S },
    Mutant {
        name: "gate_not_asked",
        law: "S",
        faults: frozen_past_the_grace,
        workers: 3,
        grace_s: GRACE_S,
    },
    Mutant { name: "no_grace", law: "S", faults: frozen_past_the_lease, workers: 3, grace_s: 30.0 },
];

/// Plays seeds with the mutant's faults until its law is broken.
///
/// # Errors
/// When the stage itself does not work.
pub async fn hunt(
    lane: &Lane,
    mutant: Mutant,
    scale: Scale,
    settings: &[(String, String)],
    most: u64,
    told: impl Fn(&str),
) -> Result<Catch> {
    for seed in 1..=most {
        let mut environment = settings.to_vec();
        environment.push(("QUEUEGRAM_MUTATION".to_owned(), mutant.name.to_owned()));
        let grace = scale.time(mutant.grace_s).as_secs_f64().to_string();
        environment.push(("QUEUEGRAM_WORKER__TAKEOVER_GRACE_S".to_owned(), grace));
        let faults = (mutant.faults)(scale).into_iter();
        let faults = faults.map(|(at, fault)| (scale.time(at), fault)).collect();
        let schedule = Some(Schedule { workers: mutant.workers, faults });
        let verdict = seed::play(lane, &Play { seed, scale, environment, schedule }).await?;
        told(&format!("{}: {}", mutant.name, super::report::line(&verdict)));
        if let Some(breach) = verdict.breaches.iter().find(|breach| breach.law == mutant.law) {
            return Ok(Catch { mutant, caught: Some((seed, breach.what.clone())), tried: seed });
        }
    }
    Ok(Catch { mutant, caught: None, tried: most })
}

/// Both workers one after the other die at this order, again and again.
fn dying(scale: Scale, order: &str) -> Vec<(f64, Fault)> {
    let nap = scale.time(5.0);
    let dies =
        |at, slot, n: u32| (at, Fault::AtPoint { slot, order: format!("{order}@{n}=kill"), nap });
    vec![dies(0.0, 0, 2), dies(0.0, 1, 2), dies(30.0, 0, 1), dies(30.0, 1, 1)]
}

fn killed_before_records(scale: Scale) -> Vec<(f64, Fault)> {
    dying(scale, "step_executed")
}

fn killed_after_steps(scale: Scale) -> Vec<(f64, Fault)> {
    dying(scale, "step_executed:create")
}

fn killed_before_acks(scale: Scale) -> Vec<(f64, Fault)> {
    dying(scale, "replied")
}

/// While RabbitMQ's ways are cut commands pile up in their queues: whoever works them in another order
/// than they came in has many to choose from.
fn piled_up(scale: Scale) -> Vec<(f64, Fault)> {
    let time = scale.time(20.0);
    let cut =
        |at, slot| (at, Fault::CutOff { slot, server: Server::Rabbit, half_open: false, time });
    vec![cut(5.0, 0), cut(5.0, 1), cut(40.0, 0), cut(40.0, 1)]
}

/// Frozen with bytes in hand that the gate has not been asked for yet, for longer than lease and grace:
/// another worker takes over, then the sleeper wakes and writes.
fn frozen_past_the_grace(scale: Scale) -> Vec<(f64, Fault)> {
    asleep("sending@9=stop", scale.time(90.0))
}

/// Frozen between the gate's word and the write, for longer than it takes others to get the lease, and
/// not as long as lease and grace together: what is written then is late, and nobody else may have
/// connected yet.
fn frozen_past_the_lease(scale: Scale) -> Vec<(f64, Fault)> {
    asleep("passed@9=stop", scale.time(35.0))
}

/// One worker begins anew with this order; then the others do without it, one after the other. So the one
/// gets their instances and comes to its point, and they are there to take over.
fn asleep(order: &str, nap: Duration) -> Vec<(f64, Fault)> {
    let stops = Fault::AtPoint { slot: 0, order: order.to_owned(), nap };
    vec![(0.0, stops), (12.0, Fault::Roll(1)), (24.0, Fault::Roll(2))]
}
