//! Telling what came of a command: its result, the same one again, or an answer apart from it.

use bus::Delivery;
use chassis::faults::{cut, mutant};
use proto::fault::code;
use proto::{Command, CommandResult, ErrorKind, Fault};
use store::{Record, StoreError};

use super::{Done, Undone};
use crate::answers::Answer;
use crate::audit;
use crate::stop::Failure;
use crate::tenure::Tenure;

/// Tells a result, and notes that it was told.
pub(super) async fn reply(
    tenure: &Tenure,
    answer: Answer,
    command: &Command,
) -> Result<Done, Undone> {
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
        // It is told, so it is done with, whoever has the lease by now. Given back it would be told again,
        // and something else where the ledger has lost what came of it.
        let why = failure.into_fault().map_or_else(str::to_owned, |fault| fault.message);
        tracing::warn!(why, "a reply was not noted");
    }
    Ok(Done::Answered)
}

/// The same for a command that was parked: others may have asked for it meanwhile. They are looked
/// up after the result was recorded: who comes later is told it like anybody who asks again.
pub(super) async fn reply_to_all(
    tenure: &Tenure,
    answer: Answer,
    command: &Command,
) -> Result<Done, Undone> {
    let (ledger, id) = (&tenure.shared.ledger, &command.id);
    let askers = tenure.retry_store(|| ledger.askers(&tenure.instance, id)).await;
    for asker in askers.map_err(|_| Undone("its askers can't be read"))? {
        let theirs =
            Command { reply_to: asker.reply_to, correlation: asker.correlation, ..command.clone() };
        let again = Answer::again(answer.result.clone(), &theirs, true);
        tenure.shared.answers.give(&again, &tenure.stopping).await?;
    }
    reply(tenure, answer, command).await
}

/// A parked command has its result already. Whoever waits for it knows it, unless a crash came before
/// they could be told. A copy out of a lane asks for nothing itself.
pub(super) async fn tell_waiting(
    tenure: &Tenure,
    command: &Command,
    record: &Record,
) -> Result<Done, Undone> {
    if record.is_replied() {
        return Ok(Done::Answered);
    }
    match result_of(record) {
        Some(result) => reply_to_all(tenure, Answer::outcome(result, command), command).await,
        None => answer_apart(tenure, command, &record.hash, unreadable()).await,
    }
}

fn result_of(record: &Record) -> Option<CommandResult> {
    record.result.as_deref().and_then(|text| serde_json::from_str(text).ok())
}

fn unreadable() -> Fault {
    Fault::internal("the recorded result can't be read")
}

/// More ask for one command than are noted.
pub(super) fn too_many_askers() -> Fault {
    let message = "too many have asked for this command already; its result is told on tg.results";
    Fault::new(ErrorKind::Conflict, code::TOO_MANY_ASKERS, message)
}

/// The command was done before: its recorded result is told again, to this asker with this asker's
/// correlation. Everybody else has it already, unless the crash came before they could be told.
pub(super) async fn repeat(
    tenure: &Tenure,
    command: &Command,
    record: Record,
) -> Result<Done, Undone> {
    let Some(mut result) = result_of(&record) else {
        return answer_apart(tenure, command, &record.hash, unreadable()).await;
    };
    if mutant("result_made_anew") {
        result.finished_at = tenure.shared.clock.now();
    }
    let told = record.is_replied();
    if told && command.redelivered && command.reply_to.is_none() {
        return Ok(Done::Answered);
    }
    reply(tenure, Answer::again(result, command, told), command).await
}

/// Notes what came of a command in the audit log.
pub(super) fn audited(
    tenure: &Tenure,
    delivery: Option<&Delivery>,
    command: &Command,
    result: &CommandResult,
) {
    let by = delivery.and_then(|delivery| audit::by_note(&delivery.notes));
    if let Some(record) = audit::of_command(command, by, result, tenure.shared.clock.now()) {
        tenure.shared.audit.note(record);
    }
}

/// Tells why a command is not taken: its API key, or its params. Whoever tries keys is to be seen.
pub(super) async fn refused(
    tenure: &Tenure,
    delivery: Option<&Delivery>,
    command: &Command,
    hash: &str,
    fault: Fault,
) -> Result<Done, Undone> {
    let now = tenure.shared.clock.now();
    audited(tenure, delivery, command, &CommandResult::of(command, fault.clone().into(), 1, now));
    answer_apart(tenure, command, hash, fault).await
}

/// Tells a fault that is not the outcome of the id's command.
pub(super) async fn answer_apart(
    tenure: &Tenure,
    command: &Command,
    hash: &str,
    fault: Fault,
) -> Result<Done, Undone> {
    let answer = Answer::apart(command, fault, hash, tenure.shared.clock.now());
    tenure.shared.metrics.told(&answer.result);
    tenure.shared.answers.give(&answer, &tenure.stopping).await?;
    Ok(Done::Answered)
}

/// A store answered what waiting does not change, such as a record that can't be read, or it broke
/// its workers down. The command was not begun here, and would come back for ever: it is answered
/// and kept for people to look at.
pub(super) async fn broken(
    tenure: &Tenure,
    delivery: Option<&Delivery>,
    command: &Command,
    failure: Failure,
) -> Result<Done, Undone> {
    let fault = failure.into_fault().map_err(Undone)?;
    tracing::error!(error = fault.message, "a command can't be served");
    if let Some(delivery) = delivery {
        keep(tenure, delivery, command, &fault).await?;
    }
    answer_apart(tenure, command, &command.request_hash(), fault).await
}

/// Keeps a copy of a command that a defect of ours ended.
pub(super) async fn bury(
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
