//! The way of one command, from delivery to acknowledgement.
//!
//! Nothing is acknowledged before its result is in the ledger and with the broker; nothing is sent
//! to Telegram before the ledger knows of it. So a crash at any point leaves a delivery that comes
//! back, and a record that says how far it got.

use std::panic::{AssertUnwindSafe, catch_unwind};

use bus::{BusError, Delivery};
use chassis::faults::{cut, mutant};
use futures_util::FutureExt;
use proto::envelope::{Incoming, Rejected};
use proto::event::CommandUnknown;
use proto::fault::code;
use proto::{Command, CommandResult, ErrorKind, Fault, Outcome, Status};
use store::{Claim, Record, StoreError};
use tracing::Instrument;

use crate::answers::{Answer, Untold};
use crate::cx::Cx;
use crate::metrics::Stage;
use crate::outcome::{Panicked, outcome_of};
use crate::pauses::{self, Hold};
use crate::peril::Peril;
use crate::persist;
use crate::request::Request;
use crate::stop::{Failure, Stop};
use crate::suspect::may_precede;
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

fn decode(tenure: &Tenure, delivery: &Delivery) -> Result<Command, Box<Rejected>> {
    let received_at = tenure.shared.clock.now();
    if let Some(published) = delivery.properties.timestamp.and_then(|at| i64::try_from(at).ok()) {
        let waited = received_at.timestamp().saturating_sub(published);
        tenure.shared.metrics.queued(std::time::Duration::from_secs(waited.max(0).unsigned_abs()));
    }
    let incoming = Incoming {
        body: &delivery.body,
        properties: &delivery.properties,
        exchange: &delivery.exchange,
        routing_key: &delivery.routing_key,
        queue_instance: Some(&tenure.instance),
        redelivered: delivery.redelivered,
        received_at,
        rules: &tenure.shared.rules,
    };
    let reading = AssertUnwindSafe(|| {
        cut("delivered");
        proto::decode(incoming)
    });
    // Nothing counts how often, before the claim: it is answered at once.
    catch_unwind(reading).unwrap_or_else(|_| {
        tracing::error!("reading a command panicked");
        Err(Box::new(Rejected::salvage(Fault::internal("reading it panicked"), &incoming)))
    })
}

async fn prepare(tenure: &Tenure, command: &Command) -> Result<Result<Request, Fault>, Failure> {
    let prepared = AssertUnwindSafe(Request::prepare(tenure, command)).catch_unwind().await;
    prepared.unwrap_or_else(|_| {
        Err(Failure::Stop(Stop::Fault(Fault::internal("reading its params panicked"))))
    })
}

async fn claim(
    tenure: &Tenure,
    delivery: &Delivery,
    command: &Command,
    request: &Request,
) -> Result<Claim, Failure> {
    let (ledger, lease, shared) = (&tenure.shared.ledger, &tenure.lease, &tenure.shared);
    let Command { id, method, received_at, redelivered, .. } = command;
    tenure
        .retry_store(|| {
            let since = shared.losses.since(shared.generation.borrow().since);
            let suspect = may_precede(delivery.properties.sent_at(), *redelivered, since);
            ledger.claim(lease, id, method, &request.hash, *received_at, suspect)
        })
        .await
}

/// A store answered what waiting does not change, such as a record that can't be read, or it broke
/// its workers down. The command was not begun here, and would come back for ever: it is answered
/// and kept for people to look at.
async fn broken(
    tenure: &Tenure,
    delivery: &Delivery,
    command: &Command,
    failure: Failure,
) -> Result<(), Undone> {
    let fault = failure.into_fault().map_err(Undone)?;
    tracing::error!(error = fault.message, "a command can't be served");
    keep(tenure, delivery, command, &fault).await?;
    answer_apart(tenure, command, &command.request_hash(), fault).await
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

async fn record_result(
    tenure: &Tenure,
    command: &Command,
    result: &mut CommandResult,
) -> Result<(), Failure> {
    let text = serde_json::to_string(result).unwrap_or_default();
    let (ledger, lease) = (&tenure.shared.ledger, &tenure.lease);
    if result.error_kind != Some(ErrorKind::Cancelled) {
        match tenure.retry_store(|| ledger.finish(lease, &command.id, &text)).await {
            Err(Failure::Stop(Stop::Fault(fault))) if fault.kind == ErrorKind::Cancelled => {
                // Whoever took it back was told that nothing was begun, and nothing was.
                *result = CommandResult {
                    received_at: result.received_at,
                    ..CommandResult::of(command, fault.into(), result.attempts, result.finished_at)
                };
            }
            recorded => return recorded,
        }
    }
    let text = serde_json::to_string(result).unwrap_or_default();
    tenure.retry_store(|| ledger.finish_cancelled(lease, &command.id, &text)).await
}

/// The ledger would not take the result. Done once, the command must not be done again by coming
/// back: what came of it is told, unless another result was recorded meanwhile, which is final.
async fn unrecorded(
    tenure: &Tenure,
    command: &Command,
    result: CommandResult,
    failure: Failure,
) -> Result<(), Undone> {
    let fault = failure.into_fault().map_err(Undone)?;
    tracing::error!(error = fault.message, "a result was not recorded");
    let ledger = &tenure.shared.ledger;
    let found = tenure.retry_store(|| ledger.get(&tenure.instance, &command.id)).await;
    let recorded = found.ok().flatten().and_then(|record| record.result);
    let recorded = recorded.and_then(|text| serde_json::from_str(&text).ok());
    tenure.shared.metrics.told(&result);
    let answer = match recorded {
        Some(recorded) => Answer::again(recorded, command, true),
        None => Answer::outcome(result, command),
    };
    Ok(tenure.shared.answers.give(&answer, &tenure.stopping).await?)
}

async fn reply(tenure: &Tenure, answer: Answer, command: &Command) -> Result<(), Undone> {
    tenure.shared.answers.give(&answer, &tenure.stopping).await?;
    cut("told");
    let (ledger, lease) = (&tenure.shared.ledger, &tenure.lease);
    let noting = async || match ledger.replied(lease, &command.id).await {
        // It is told, and there is nothing left to note it in.
        Err(StoreError::Vanished) => {
            tenure.shared.losses.note(tenure.shared.clock.now());
            Ok(())
        }
        noted => noted,
    };
    let noted = tenure.retry_store(noting).await;
    cut("replied");
    if let Err(failure) = noted {
        // It is told; at worst it is told again.
        let fault = failure.into_fault().map_err(Undone)?;
        tracing::error!(error = fault.message, "a reply was not noted");
    }
    Ok(())
}

/// The command was done before: its recorded result is told again, to this asker with this asker's
/// correlation. Everybody else has it already, unless the crash came before they could be told.
async fn repeat(
    tenure: &Tenure,
    delivery: &Delivery,
    command: &Command,
    record: Record,
) -> Result<(), Undone> {
    let recorded = record.result.as_deref().map(serde_json::from_str::<CommandResult>);
    let Some(Ok(mut result)) = recorded else {
        let fault = Fault::internal("the recorded result can't be read");
        return answer_apart(tenure, command, &record.hash, fault).await;
    };
    if mutant("result_made_anew") {
        result.finished_at = tenure.shared.clock.now();
    }
    let told = record.is_replied();
    if told && delivery.redelivered && command.reply_to.is_none() {
        return Ok(());
    }
    reply(tenure, Answer::again(result, command, told), command).await
}

async fn answer_apart(
    tenure: &Tenure,
    command: &Command,
    hash: &str,
    fault: Fault,
) -> Result<(), Undone> {
    let answer = Answer::apart(command, fault, hash, tenure.shared.clock.now());
    tenure.shared.metrics.told(&answer.result);
    Ok(tenure.shared.answers.give(&answer, &tenure.stopping).await?)
}

/// What is no command gets one clear answer, and is kept where it is not even readable.
async fn reject(tenure: &Tenure, delivery: Delivery, rejected: &Rejected) -> Ending {
    tenure.shared.metrics.answered(None, rejected.fault.kind.as_str());
    let ended = tenure.shared.answers.refuse(&delivery, rejected, &tenure.stopping).await;
    settle(tenure, delivery, ended.map_err(Undone::from)).await
}

async fn bury(
    tenure: &Tenure,
    delivery: &Delivery,
    command: &Command,
    result: &CommandResult,
) -> Result<(), Undone> {
    let message = result.error_message.clone().unwrap_or_default();
    let said = result.error_code.clone().unwrap_or_else(|| code::INTERNAL.to_owned());
    keep(tenure, delivery, command, &Fault::new(ErrorKind::Internal, said, message)).await
}

/// A copy for people to look at.
async fn keep(
    tenure: &Tenure,
    delivery: &Delivery,
    command: &Command,
    fault: &Fault,
) -> Result<(), Undone> {
    let (instance, id) = (Some(&command.instance), Some(command.id.as_str()));
    Ok(tenure.shared.answers.bury(delivery, fault, instance, id, &tenure.stopping).await?)
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

fn span_of(command: &Command) -> tracing::Span {
    let span = tracing::info_span!(
        "command",
        otel.name = %format!("process {}", command.method),
        otel.kind = "consumer",
        instance.id = %command.instance,
        command.id = %command.id,
        method = %command.method,
    );
    chassis::trace::continue_from(&span, command.traceparent.as_deref());
    span
}

/// The command could not be brought to its end here: it goes back, and its next owner goes on.
#[derive(Debug)]
struct Undone(&'static str);

impl From<Untold> for Undone {
    fn from(_: Untold) -> Self {
        Self("the answer could not be told")
    }
}
