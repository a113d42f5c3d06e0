//! Calling a command's method, and making an outcome of however it ended.

use std::panic::AssertUnwindSafe;

use chassis::faults::cut;
use futures_util::FutureExt;
use proto::event::CommandUnknown;
use proto::{Fault, Outcome};
use store::{Record, StepState};

use super::Undone;
use super::intake::Arrival;
use crate::cx::Cx;
use crate::limits::NotYet;
use crate::outcome::{Panicked, Progress, outcome_of};
use crate::request::Request;
use crate::stop::Stop;
use crate::tenure::Tenure;

/// How a call ended.
#[derive(Debug)]
pub(super) enum Called {
    /// With what the command came to.
    Ended(Outcome),
    /// At a limit that takes longer than a step may wait.
    Parked(NotYet),
}

/// Calls the method.
pub(super) async fn call(
    tenure: &Tenure,
    arrival: &Arrival,
    request: Request,
    record: Record,
) -> Result<Called, Undone> {
    cut("claimed");
    if !record.has_begun() && tenure.shared.clock.now() >= arrival.command.deadline {
        return Ok(Called::Ended(too_late(tenure).into()));
    }
    Box::pin(execute(tenure, arrival, request, record, None)).await
}

/// Tells what a command has come to that is not gone on with, since it would have to wait for
/// `limit`: what was done is done, and each thing that was not says why.
pub(super) async fn wind_up(
    tenure: &Tenure,
    arrival: &Arrival,
    request: Request,
    record: Record,
    limit: &NotYet,
) -> Result<Outcome, Undone> {
    match Box::pin(execute(tenure, arrival, request, record, Some(limit))).await? {
        Called::Ended(outcome) => Ok(outcome),
        Called::Parked(_) => Err(Undone("it would wait for a limit although it is late")),
    }
}

async fn execute(
    tenure: &Tenure,
    arrival: &Arrival,
    request: Request,
    record: Record,
    limit: Option<&NotYet>,
) -> Result<Called, Undone> {
    let command = &arrival.command;
    let account = match &tenure.account {
        Ok(account) => account.clone(),
        Err(fault) => return Ok(Called::Ended(without_account(&record, fault))),
    };
    let cx = Cx::new(command, tenure, account, record).sent_at(arrival.sent_at);
    let mut cx = match limit {
        Some(limit) => cx.wound_up(limit.clone()),
        None => cx,
    };
    let called = AssertUnwindSafe(request.method.call(&mut cx)).catch_unwind().await;
    let called = called.map_err(|_| {
        tracing::error!("the method panicked");
        Panicked
    });
    match called {
        Ok(Err(Stop::Parked(not_yet))) => return Ok(Called::Parked(not_yet)),
        Ok(Err(Stop::Uncertain(ref uncertain))) => {
            let (method, step) = (command.method.clone(), Some(uncertain.step.clone()));
            cx.tell_unknown(CommandUnknown { method, step }).await;
        }
        _ => {}
    }
    outcome_of(called, cx.progress()).map(Called::Ended).map_err(Undone)
}

/// The deadline passed before the first step: what of.
pub(super) fn too_late(tenure: &Tenure) -> Fault {
    match &tenure.account {
        Err(fault) if tenure.waits => fault.clone(),
        _ => Fault::expired("the deadline passed before the first step"),
    }
}

/// What a command has come to whose account can't be used. What a crash left half done stays half
/// done: nobody can look what came of it. What a limit interrupted is known.
fn without_account(record: &Record, fault: &Fault) -> Outcome {
    let open = |step: &store::StepRecord| step.state == StepState::Started;
    if record.suspect || record.steps.values().any(open) {
        return Fault::uncertain(fault.message.clone()).into();
    }
    let progress =
        Progress { effects: Cx::effects_of(record), begun: record.has_begun(), chat_id: None };
    let ended = outcome_of(Ok(Err(Stop::Fault(fault.clone()))), progress);
    ended.unwrap_or_else(|_| fault.clone().into())
}
