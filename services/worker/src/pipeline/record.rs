//! The result goes into the ledger before anybody hears of it.

use proto::{Command, CommandResult, ErrorKind};

use super::{Done, Undone};
use crate::answers::Answer;
use crate::stop::{Failure, Stop};
use crate::tenure::Tenure;

/// Makes the result the command's own. One that was cancelled meanwhile takes no other result.
pub(super) async fn record_result(
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
pub(super) async fn unrecorded(
    tenure: &Tenure,
    command: &Command,
    result: CommandResult,
    failure: Failure,
) -> Result<Done, Undone> {
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
    tenure.shared.answers.give(&answer, &tenure.stopping).await?;
    Ok(Done::Answered)
}
