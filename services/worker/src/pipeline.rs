//! The way of one command, from delivery to acknowledgement.
//!
//! Nothing is acknowledged before its result is in the ledger and with the broker; nothing is sent
//! to Telegram before the ledger knows of it. So a crash at any point leaves a delivery that comes
//! back, and a record that says how far it got.

mod answer;
mod intake;
mod record;

use std::panic::AssertUnwindSafe;

use bus::{BusError, Delivery};
use chassis::faults::{cut, mutant};
use futures_util::FutureExt;
use proto::envelope::Rejected;
use proto::event::CommandUnknown;
use proto::fault::code;
use proto::{Command, CommandResult, ErrorKind, Fault, Outcome, Status};
use store::{Claim, Record};
use tracing::Instrument;

use self::answer::{answer_apart, broken, bury, repeat, reply};
use self::intake::{claim, decode, prepare, span_of};
use self::record::{record_result, unrecorded};
use crate::answers::{Answer, Untold};
use crate::cx::Cx;
use crate::metrics::Stage;
use crate::outcome::{Panicked, outcome_of};
use crate::pauses::{self, Hold};
use crate::peril::Peril;
use crate::persist;
use crate::request::Request;
use crate::stop::Stop;
use crate::tenure::Tenure;

/// Times that the work on a command may break off before it is given up: a command that takes the
/// worker down with it must not do so for ever.
const ATTEMPTS_MAX: u32 = 3;

/// How the work on a delivery ended.
#[derive(Debug)]
pub enum Ending {
    /// It was answered and acknowledged.
    Settled,
    /// It could not be brought to its end here and goes back to the broker, as the queue's first:
    /// the consumption it came from is over.
    GivenBack(&'static str),
    /// Its method is paused: it went back in the same way, and nothing is to be taken until then.
    Held(Hold),
}

/// Takes one delivery of the instance's queue to its end.
pub async fn take(tenure: &Tenure, mut delivery: Delivery) -> Ending {
    if mutant("ack_before_record") {
        let _acked = delivery.ack_early().await;
    }
    let peril = match Peril::face(tenure, &delivery).await {
        Ok(peril) => peril,
        Err(why) => return settle(tenure, delivery, Err(Undone(why))).await,
    };
    let ending = match decode(tenure, &delivery) {
        Err(rejected) => {
            let span = tracing::info_span!("rejected", instance.id = %tenure.instance);
            chassis::trace::continue_from(&span, rejected.traceparent.as_deref());
            reject(tenure, delivery, &rejected).instrument(span).await
        }
        Ok(command) if pauses::is_held(tenure, &command).await => hold(delivery, command).await,
        Ok(command) => {
            let working = AssertUnwindSafe(work(tenure, &delivery, &command, &peril));
            let ended = working.catch_unwind().instrument(span_of(&command)).await;
            // It comes back, and the ledger counts how often.
            let ended = ended.unwrap_or(Err(Undone("the work on it panicked")));
            settle(tenure, delivery, ended).await
        }
    };
    peril.over(tenure).await;
    ending
}

/// Claim → call → record → reply. What is left is to acknowledge.
async fn work(
    tenure: &Tenure,
    delivery: &Delivery,
    command: &Command,
    peril: &Peril,
) -> Result<(), Undone> {
    let metrics = &tenure.shared.metrics;
    if let Some(failure) = peril.poison() {
        return broken(tenure, delivery, command, failure).await;
    }
    let request = match prepare(tenure, command).await {
        Ok(Ok(request)) => request,
        Ok(Err(fault)) => {
            return answer_apart(tenure, command, &command.request_hash(), fault).await;
        }
        Err(failure) => return broken(tenure, delivery, command, failure).await,
    };
    let claimed = metrics.stage(Stage::Claim, claim(tenure, delivery, command, &request)).await;
    let record = match claimed {
        Ok(Claim::Fresh(record) | Claim::Resumed(record)) => record,
        Ok(Claim::Done(record)) => return repeat(tenure, delivery, command, record).await,
        Ok(Claim::Conflict) => {
            return answer_apart(tenure, command, &request.hash, id_taken()).await;
        }
        Err(failure) => return broken(tenure, delivery, command, failure).await,
    };
    peril.over(tenure).await;
    let (attempts, received_at) = (record.attempts, record.received_at);
    let outcome = match attempts {
        _ if record.cancelled_at.is_some() && !record.has_begun() => persist::cancelled().into(),
        ..=ATTEMPTS_MAX => {
            metrics.stage(Stage::Call, call(tenure, delivery, command, request, record)).await?
        }
        _ => poisoned(&record),
    };
    let mut result = CommandResult {
        received_at,
        ..CommandResult::of(command, outcome, attempts, tenure.shared.clock.now())
    };
    if let Err(failure) =
        metrics.stage(Stage::Record, record_result(tenure, command, &mut result)).await
    {
        return unrecorded(tenure, command, result, failure).await;
    }
    cut("recorded");
    tenure.shared.metrics.told(&result);
    if result.error_kind == Some(ErrorKind::Internal) {
        bury(tenure, delivery, command, &result).await?;
    }
    metrics.stage(Stage::Reply, reply(tenure, Answer::outcome(result, command), command)).await
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

/// Calls the method, and makes an outcome of however it ended.
async fn call(
    tenure: &Tenure,
    delivery: &Delivery,
    command: &Command,
    request: Request,
    record: Record,
) -> Result<Outcome, Undone> {
    cut("claimed");
    let begun = record.has_begun();
    let account = match &tenure.account {
        Ok(account) => account.clone(),
        // What a crash left half done stays half done: nobody can look what came of it.
        Err(fault) if begun => return Ok(Fault::uncertain(fault.message.clone()).into()),
        Err(fault) => return Ok(fault.clone().into()),
    };
    if !begun && tenure.shared.clock.now() >= command.deadline {
        return Ok(Fault::expired("the deadline passed before the first step").into());
    }
    let sent_at = delivery.properties.sent_at();
    let mut cx = Cx::new(command, tenure, account, record).sent_at(sent_at);
    let called = AssertUnwindSafe(request.method.call(&mut cx)).catch_unwind().await;
    let called = called.map_err(|_| {
        tracing::error!("the method panicked");
        Panicked
    });
    if let Ok(Err(Stop::Uncertain(uncertain))) = &called {
        let (method, step) = (command.method.clone(), Some(uncertain.step.clone()));
        cx.tell_unknown(CommandUnknown { method, step }).await;
    }
    outcome_of(called, cx.progress()).map_err(Undone)
}

/// What is no command gets one clear answer, and is kept where it is not even readable.
async fn reject(tenure: &Tenure, delivery: Delivery, rejected: &Rejected) -> Ending {
    tenure.shared.metrics.answered(None, rejected.fault.kind.as_str());
    let ended = tenure.shared.answers.refuse(&delivery, rejected, &tenure.stopping).await;
    settle(tenure, delivery, ended.map_err(Undone::from)).await
}

async fn hold(delivery: Delivery, command: Command) -> Ending {
    if let Err(error) = delivery.give_back().await {
        tracing::warn!(%error, "a delivery was not given back in order");
    }
    Ending::Held(Hold { method: command.method, deadline: command.deadline })
}

/// The one place where a delivery of an instance's queue is settled.
async fn settle(tenure: &Tenure, delivery: Delivery, ended: Result<(), Undone>) -> Ending {
    let why = match ended {
        Ok(()) => match tenure.shared.metrics.stage(Stage::Settle, delivery.ack()).await {
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
        },
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
