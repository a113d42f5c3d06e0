//! The way of one command, from delivery to acknowledgement.
//!
//! Nothing is acknowledged before its result is in the ledger and with the broker; nothing is sent
//! to Telegram before the ledger knows of it. So a crash at any point leaves a delivery that comes
//! back, and a record that says how far it got.

mod answer;
mod call;
mod intake;
mod park;
mod record;

use std::panic::AssertUnwindSafe;

use bus::{BusError, Delivery};
use chassis::faults::{cut, mutant};
use futures_util::FutureExt;
use proto::envelope::Rejected;
use proto::fault::code;
use proto::lane::LaneCopy;
use proto::{Command, CommandResult, ErrorKind, Fault, Outcome, Status};
use store::{Claim, Record};
use tracing::Instrument;

use self::answer::{
    answer_apart, audited, broken, bury, refused, repeat, reply, reply_to_all, tell_waiting,
};
use self::call::{Called, call};
use self::intake::{Arrival, claim, decode, prepare, span_of};
use self::park::{Order, elsewhere, order, park};
use self::record::{record_result, unrecorded};
use crate::answers::{Answer, Untold};
use crate::limits::Lane;
use crate::metrics::Stage;
use crate::pauses::{self, Hold};
use crate::peril::Peril;
use crate::persist;
use crate::tenure::Tenure;

pub use self::park::answer_parked;

/// Times that the work on a command may break off before it is given up: a command that takes the
/// worker down with it must not do so for ever.
const ATTEMPTS_MAX: u32 = 3;

/// How the work on a delivery ended.
#[derive(Debug)]
pub enum Ending {
    /// It was answered or parked, and acknowledged.
    Settled,
    /// It was given back to its lane, as the lane's head: its limit is shut.
    Stays,
    /// It could not be brought to its end here and goes back to the broker, as the queue's first:
    /// the consumption it came from is over.
    GivenBack(&'static str),
    /// Its method is paused: it went back in the same way, and nothing is to be taken until then.
    Held(Hold),
}

/// Takes one delivery of the instance's queue, or of one of its lanes, to its end.
pub async fn take(tenure: &Tenure, mut delivery: Delivery, lane: Option<Lane>) -> Ending {
    if mutant("ack_before_record") {
        let _acked = delivery.ack_early().await;
    }
    let peril = match Peril::face(tenure, &delivery).await {
        Ok(peril) => peril,
        Err(why) => return settle(tenure, delivery, Err(Undone(why))).await,
    };
    let ending = match decode(tenure, &delivery, lane) {
        Err(rejected) => {
            let span = tracing::info_span!("rejected", instance.id = %tenure.instance);
            chassis::trace::continue_from(&span, rejected.traceparent.as_deref());
            reject(tenure, delivery, &rejected).instrument(span).await
        }
        Ok(arrival) if pauses::is_held(tenure, &arrival.command).await => {
            hold(delivery, arrival.command).await
        }
        Ok(arrival) => {
            let span = span_of(&arrival.command);
            // Boxed, like a step: the compiler lays each future out in its caller's.
            let working = work(tenure, Some(&delivery), &arrival, Some(&peril));
            let working = AssertUnwindSafe(Box::pin(working));
            let ended = working.catch_unwind().instrument(span).await;
            // It comes back, and the ledger counts how often.
            let ended = ended.unwrap_or(Err(Undone("the work on it panicked")));
            settle(tenure, delivery, ended).await
        }
    };
    peril.over(tenure).await;
    ending
}

/// Takes a parked command to its end where it lies, without waiting for its turn in its lane. False
/// where it can't be gone on with now.
pub async fn take_parked(tenure: &Tenure, copy: LaneCopy) -> bool {
    let Some(lane) = tenure.lanes.lane_of(&copy.command.id) else { return true };
    let arrival = Arrival::parked(copy, lane);
    if pauses::is_held(tenure, &arrival.command).await {
        return false;
    }
    let span = span_of(&arrival.command);
    let working = AssertUnwindSafe(Box::pin(work(tenure, None, &arrival, None)));
    match working.catch_unwind().instrument(span).await {
        Ok(Ok(_)) => true,
        Ok(Err(Undone(why))) => {
            tracing::warn!(why, command.id = %arrival.command.id, "a parked command was not worked on");
            false
        }
        Err(_) => false,
    }
}

/// How the work on a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Done {
    /// It has its answer.
    Answered,
    /// It is parked, here or as another copy.
    Parked,
    /// It stays at its lane's head.
    Stays,
}

/// Order → claim → call → record → reply, and out of its lane. What is left is to acknowledge.
async fn work(
    tenure: &Tenure,
    delivery: Option<&Delivery>,
    arrival: &Arrival,
    peril: Option<&Peril>,
) -> Result<Done, Undone> {
    let done = answer(tenure, delivery, arrival, peril).await?;
    if done == Done::Answered && arrival.was_parked() {
        let left = tenure.lanes.left(tenure, &arrival.command.id).await;
        left.map_err(|_| Undone("what is parked could not be noted"))?;
    }
    Ok(done)
}

async fn answer(
    tenure: &Tenure,
    delivery: Option<&Delivery>,
    arrival: &Arrival,
    peril: Option<&Peril>,
) -> Result<Done, Undone> {
    let (metrics, command) = (&tenure.shared.metrics, &arrival.command);
    if let Some(failure) = peril.and_then(Peril::poison) {
        return broken(tenure, delivery, command, failure).await;
    }
    let request = match prepare(tenure, arrival).await {
        Ok(Ok(request)) => request,
        Ok(Err(fault)) => {
            let hash = command.request_hash();
            return refused(tenure, delivery, command, &hash, fault).await;
        }
        Err(failure) => return broken(tenure, delivery, command, failure).await,
    };
    let behind = match order(tenure, arrival, &request).await? {
        Order::First => None,
        Order::Behind(not_yet) => Some(not_yet),
        Order::Elsewhere => return elsewhere(tenure, arrival, &request).await,
    };
    let claimed = metrics.stage(Stage::Claim, claim(tenure, arrival, &request)).await;
    let record = match claimed {
        Ok(Claim::Fresh(record) | Claim::Resumed(record)) => record,
        Ok(Claim::Done(record)) => {
            return match arrival.was_parked() {
                true => tell_waiting(tenure, command, &record).await,
                false => repeat(tenure, command, record).await,
            };
        }
        Ok(Claim::Conflict) => {
            return answer_apart(tenure, command, &request.hash, id_taken()).await;
        }
        Err(failure) => return broken(tenure, delivery, command, failure).await,
    };
    if let Some(peril) = peril {
        peril.over(tenure).await;
    }
    let called = match behind {
        _ if record.cancelled_at.is_some() && !record.has_begun() => {
            Called::Ended(persist::cancelled().into())
        }
        _ if record.attempts > ATTEMPTS_MAX => Called::Ended(poisoned(&record)),
        Some(not_yet) => Called::Parked(not_yet),
        None => metrics.stage(Stage::Call, call(tenure, arrival, request, record.clone())).await?,
    };
    let outcome = match called {
        Called::Ended(outcome) => outcome,
        Called::Parked(not_yet) => match park(tenure, arrival, not_yet).await? {
            park::Ended::Parked => return Ok(Done::Parked),
            park::Ended::Stays => return Ok(Done::Stays),
            park::Ended::Late(outcome) => outcome,
        },
    };
    conclude(tenure, delivery, arrival, &record, outcome).await
}

/// Record → reply.
async fn conclude(
    tenure: &Tenure,
    delivery: Option<&Delivery>,
    arrival: &Arrival,
    record: &Record,
    outcome: Outcome,
) -> Result<Done, Undone> {
    let (metrics, command) = (&tenure.shared.metrics, &arrival.command);
    let mut result = CommandResult {
        received_at: record.received_at,
        ..CommandResult::of(command, outcome, record.attempts, tenure.shared.clock.now())
    };
    if let Err(failure) =
        metrics.stage(Stage::Record, record_result(tenure, command, &mut result)).await
    {
        return unrecorded(tenure, command, result, failure).await;
    }
    cut("recorded");
    tenure.shared.metrics.told(&result);
    if result.error_kind == Some(ErrorKind::Internal)
        && let Some(delivery) = delivery
    {
        bury(tenure, delivery, command, &result).await?;
    }
    audited(tenure, delivery, command, &result);
    let answer = Answer::outcome(result, command);
    let replying = async {
        match arrival.was_parked() {
            true => reply_to_all(tenure, answer, command).await,
            false => reply(tenure, answer, command).await,
        }
    };
    metrics.stage(Stage::Reply, replying).await
}

/// Every attempt ended with the worker: another one would take it down too.
fn poisoned(record: &Record) -> Outcome {
    let message = format!("{ATTEMPTS_MAX} attempts broke off without an answer");
    let fault = Fault::new(ErrorKind::Internal, code::POISONED, message);
    match record.has_begun() {
        true => Outcome { status: Status::Unknown, ..Outcome::from_fault(fault) },
        false => fault.into(),
    }
}

/// The id was used before, for something else.
pub(crate) fn id_taken() -> Fault {
    Fault::conflict("the id was used before, with another method, params or external_ref")
}

/// What is no command gets one clear answer, and is kept where it is not even readable.
async fn reject(tenure: &Tenure, delivery: Delivery, rejected: &Rejected) -> Ending {
    tenure.shared.metrics.answered(None, rejected.fault.kind.as_str());
    let ended = tenure.shared.answers.refuse(&delivery, rejected, &tenure.stopping).await;
    settle(tenure, delivery, ended.map(|()| Done::Answered).map_err(Undone::from)).await
}

async fn hold(delivery: Delivery, command: Command) -> Ending {
    if let Err(error) = delivery.give_back().await {
        tracing::warn!(%error, "a delivery was not given back in order");
    }
    Ending::Held(Hold { method: command.method, deadline: command.deadline })
}

/// The one place where a delivery of an instance's queue or lane is settled.
async fn settle(tenure: &Tenure, delivery: Delivery, ended: Result<Done, Undone>) -> Ending {
    let why = match ended {
        Ok(Done::Answered | Done::Parked) => {
            match tenure.shared.metrics.stage(Stage::Settle, delivery.ack()).await {
                Ok(()) => {
                    cut("acked");
                    return Ending::Settled;
                }
                // The broker delivers it again, and the ledger answers it again.
                Err(BusError::Lost { .. }) => return Ending::GivenBack("its channel is gone"),
                Err(error) => {
                    tracing::warn!(%error, "a command was not acknowledged");
                    return Ending::GivenBack("it could not be acknowledged");
                }
            }
        }
        Ok(Done::Stays) => {
            if let Err(error) = delivery.give_back().await {
                tracing::warn!(%error, "a delivery was not given back in order");
            }
            return Ending::Stays;
        }
        Err(Undone(why)) => why,
    };
    if let Err(error) = delivery.give_back().await {
        tracing::warn!(%error, "a delivery was not given back in order");
    }
    Ending::GivenBack(why)
}

/// The command could not be brought to its end here: it goes back, and its next owner goes on.
#[derive(Debug)]
struct Undone(&'static str);

impl From<Untold> for Undone {
    fn from(_: Untold) -> Self {
        Self("the answer could not be told")
    }
}
