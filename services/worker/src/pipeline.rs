//! The way of one command, from delivery to acknowledgement.
//!
//! Nothing is acknowledged before its result is in the ledger and with the broker; nothing is sent
//! to Telegram before the ledger knows of it. So a crash at any point leaves a delivery that comes
//! back, and a record that says how far it got.

use std::panic::AssertUnwindSafe;

use bus::{BusError, Delivery};
use futures_util::FutureExt;
use proto::envelope::{Incoming, Rejected};
use proto::event::CommandUnknown;
use proto::fault::code;
use proto::{Command, CommandResult, ErrorKind, Fault, Outcome, Status};
use store::{Claim, Record};
use tracing::Instrument;

use crate::answers::{Answer, Untold};
use crate::cx::Cx;
use crate::metrics::Stage;
use crate::request::Request;
use crate::stop::{Failure, Stop};
use crate::tenure::Tenure;

/// How the work on a delivery ended.
#[derive(Debug)]
pub enum Ending {
    /// It was answered and acknowledged.
    Settled,
    /// It could not be brought to its end here and goes back to the broker, as the queue's first:
    /// the consumption it came from is over.
    GivenBack(&'static str),
}

/// Takes one delivery of the instance's queue to its end.
pub async fn take(tenure: &Tenure, delivery: Delivery) -> Ending {
    match decode(tenure, &delivery) {
        Err(rejected) => reject(tenure, delivery, &rejected).await,
        Ok(command) => {
            let span = span_of(&command);
            let ended = work(tenure, &delivery, &command).instrument(span).await;
            settle(tenure, delivery, ended).await
        }
    }
}

/// Claim → call → record → reply. What is left is to acknowledge.
async fn work(tenure: &Tenure, delivery: &Delivery, command: &Command) -> Result<(), Undone> {
    let metrics = &tenure.shared.metrics;
    let request = match Request::prepare(tenure, command).await? {
        Ok(request) => request,
        Err(fault) => return answer_apart(tenure, command, "", fault).await,
    };
    let record = match metrics.stage(Stage::Claim, claim(tenure, command, &request)).await? {
        Claim::Fresh(record) | Claim::Resumed(record) => record,
        Claim::Done(record) => return repeat(tenure, delivery, command, record).await,
        Claim::Conflict => {
            let fault = Fault::conflict(
                "the id was used before, with another method, params or external_ref",
            );
            return answer_apart(tenure, command, &request.hash, fault).await;
        }
    };
    let (attempts, received_at) = (record.attempts, record.received_at);
    let outcome = metrics.stage(Stage::Call, call(tenure, command, request, record)).await?;
    let result = CommandResult {
        received_at,
        ..CommandResult::of(command, outcome, attempts, tenure.shared.clock.now())
    };
    metrics.stage(Stage::Record, record_result(tenure, command, &result)).await?;
    count(tenure, &result);
    if result.error_kind == Some(ErrorKind::Internal) {
        bury(tenure, delivery, &result).await?;
    }
    metrics.stage(Stage::Reply, reply(tenure, command, result)).await
}

fn decode(tenure: &Tenure, delivery: &Delivery) -> Result<Command, Box<Rejected>> {
    let received_at = tenure.shared.clock.now();
    if let Some(published) = delivery.properties.timestamp.and_then(|at| i64::try_from(at).ok()) {
        let waited = received_at.timestamp().saturating_sub(published);
        tenure.shared.metrics.queued(std::time::Duration::from_secs(waited.max(0).unsigned_abs()));
    }
    proto::decode(Incoming {
        body: &delivery.body,
        properties: &delivery.properties,
        exchange: &delivery.exchange,
        routing_key: &delivery.routing_key,
        queue_instance: Some(&tenure.instance),
        redelivered: delivery.redelivered,
        received_at,
        rules: &tenure.shared.rules,
    })
}

async fn claim(tenure: &Tenure, command: &Command, request: &Request) -> Result<Claim, Undone> {
    let (ledger, lease) = (&tenure.shared.ledger, &tenure.lease);
    tenure
        .retry_store(|| {
            ledger.claim(lease, &command.id, &command.method, &request.hash, command.received_at)
        })
        .await
        .map_err(Undone::from)
}

/// Calls the method, and makes an outcome of however it ended.
async fn call(
    tenure: &Tenure,
    command: &Command,
    request: Request,
    record: Record,
) -> Result<Outcome, Undone> {
    let begun = record.has_begun();
    let account = match &tenure.account {
        Ok(account) => account.clone(),
        // What a crash left half done stays half done: nobody can look what came of it.
        Err(fault) if begun => return Ok(unknown(&fault.message)),
        Err(fault) => return Ok(fault.clone().into()),
    };
    if !begun && tenure.shared.clock.now() >= command.deadline {
        return Ok(Fault::expired("the deadline passed before the first step").into());
    }
    let mut cx = Cx::new(command, tenure, account, record);
    let called = AssertUnwindSafe(request.method.call(&mut cx)).catch_unwind().await;
    let (effects, chat_id) = (cx.effects(), cx.chat_id());
    match called {
        Ok(Ok(done)) => Ok(match done.lacking {
            None => Outcome::done(done.chat_id, done.result),
            Some(fault) if effects > 0 => Outcome::partial(done.chat_id, done.result, Some(fault)),
            Some(fault) => {
                Outcome { chat_id: done.chat_id, result: done.result, ..Outcome::from_fault(fault) }
            }
        }),
        Ok(Err(Stop::Fault(fault))) if effects > 0 => {
            Ok(Outcome::partial(chat_id, serde_json::Value::Null, Some(fault)))
        }
        Ok(Err(Stop::Fault(fault))) => Ok(Outcome { chat_id, ..Outcome::from_fault(fault) }),
        Ok(Err(Stop::Uncertain(uncertain))) => {
            let data = CommandUnknown {
                method: command.method.clone(),
                step: Some(uncertain.step.clone()),
            };
            cx.tell_unknown(data).await;
            let why = format!("step {}: {}", uncertain.step, uncertain.why);
            Ok(Outcome { chat_id, ..unknown(&why) })
        }
        Ok(Err(Stop::Abandoned(why))) => Err(Undone(why)),
        Err(_panic) => {
            tracing::error!(method = %command.method, "the method panicked");
            let fault = Fault::internal("the method panicked");
            Ok(if cx.has_begun() {
                Outcome { status: Status::Unknown, chat_id, ..Outcome::from_fault(fault) }
            } else {
                fault.into()
            })
        }
    }
}

fn unknown(why: &str) -> Outcome {
    Fault::uncertain(why).into()
}

async fn record_result(
    tenure: &Tenure,
    command: &Command,
    result: &CommandResult,
) -> Result<(), Undone> {
    let text = serde_json::to_string(result).unwrap_or_default();
    let (ledger, lease) = (&tenure.shared.ledger, &tenure.lease);
    Ok(tenure.retry_store(|| ledger.finish(lease, &command.id, &text)).await?)
}

async fn reply(tenure: &Tenure, command: &Command, result: CommandResult) -> Result<(), Undone> {
    let answer = Answer {
        message_id: result.message_id(),
        result,
        correlation: command.correlation.clone(),
        reply_to: command.reply_to.clone(),
        to_results: true,
    };
    tenure.shared.answers.give(&answer, &tenure.stopping).await?;
    let (ledger, lease) = (&tenure.shared.ledger, &tenure.lease);
    Ok(tenure.retry_store(|| ledger.replied(lease, &command.id)).await?)
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
    let Some(Ok(result)) = recorded else {
        let fault = Fault::internal("the recorded result can't be read");
        return answer_apart(tenure, command, &record.hash, fault).await;
    };
    let told = record.is_replied();
    let result = result.for_asker(&command.correlation);
    if told && delivery.redelivered && command.reply_to.is_none() {
        return Ok(());
    }
    let answer = Answer {
        message_id: result.message_id(),
        result,
        correlation: command.correlation.clone(),
        reply_to: command.reply_to.clone(),
        to_results: !told,
    };
    tenure.shared.answers.give(&answer, &tenure.stopping).await?;
    let (ledger, lease) = (&tenure.shared.ledger, &tenure.lease);
    Ok(tenure.retry_store(|| ledger.replied(lease, &command.id)).await?)
}

/// An answer that is not the outcome of the id's command: the id stays free for it, or belongs to
/// another one.
async fn answer_apart(
    tenure: &Tenure,
    command: &Command,
    hash: &str,
    fault: Fault,
) -> Result<(), Undone> {
    let now = tenure.shared.clock.now();
    let result = CommandResult::of(command, fault.into(), 0, now);
    count(tenure, &result);
    let hash = if hash.is_empty() { command.request_hash() } else { hash.to_owned() };
    let answer = Answer {
        message_id: result.message_id_apart(&hash),
        result,
        correlation: command.correlation.clone(),
        reply_to: command.reply_to.clone(),
        to_results: true,
    };
    Ok(tenure.shared.answers.give(&answer, &tenure.stopping).await?)
}

/// What is no command gets one clear answer, and is kept where it is not even readable.
async fn reject(tenure: &Tenure, delivery: Delivery, rejected: &Rejected) -> Ending {
    tenure.shared.metrics.answered(None, rejected.fault.kind.as_str());
    let ended = tenure.shared.answers.refuse(&delivery, rejected, &tenure.stopping).await;
    settle(tenure, delivery, ended.map_err(Undone::from)).await
}

async fn bury(tenure: &Tenure, delivery: &Delivery, result: &CommandResult) -> Result<(), Undone> {
    let message = result.error_message.clone().unwrap_or_default();
    let fault = Fault::new(ErrorKind::Internal, code::INTERNAL, message);
    Ok(tenure.shared.answers.bury(delivery, &fault, &tenure.stopping).await?)
}

/// The one place where a delivery of an instance's queue is settled.
async fn settle(tenure: &Tenure, delivery: Delivery, ended: Result<(), Undone>) -> Ending {
    let why = match ended {
        Ok(()) => match tenure.shared.metrics.stage(Stage::Settle, delivery.ack()).await {
            Ok(()) => return Ending::Settled,
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

fn count(tenure: &Tenure, result: &CommandResult) {
    let outcome = match (result.status, result.error_kind) {
        (Status::Failed, Some(kind)) => kind.as_str(),
        (status, _) => status.as_str(),
    };
    let method = result.method.as_ref().map(proto::MethodName::as_str);
    tenure.shared.metrics.answered(method, outcome);
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
pub struct Undone(&'static str);

impl From<Untold> for Undone {
    fn from(_: Untold) -> Self {
        Self("the answer could not be told")
    }
}

impl From<Failure> for Undone {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Stop(Stop::Abandoned(why)) => Self(why),
            other => {
                tracing::error!(?other, "the ledger refused");
                Self("the ledger refused")
            }
        }
    }
}
