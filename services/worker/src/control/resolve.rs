//! The order by which a person decides what came of a command. A result is final: where there is
//! one (`unknown`), the decision is kept beside it and told as an event. Where there is none, since
//! the work broke off and nobody came back to it, the decision is the result.

use proto::control::{CommandResolve, CommandResolved, Verdict};
use proto::event::ResolvedByHand;
use proto::fault::code;
use proto::{Command, CommandResult, Correlation, Event, Fault, Outcome, Status};
use serde_json::Value;
use store::{Decision, Record, Resolved};

use super::account::unavailable;
use super::command::{finished, not_found, result_of, told};
use super::{Control, asker, bounded};
use crate::answers::Answer;

/// Most characters of a note.
const NOTE_CHARS_MAX: usize = 1_000;

impl Control {
    /// Notes what a person found out.
    pub(super) async fn command_resolve(
        &self,
        order: &Command,
        asked: CommandResolve,
    ) -> Result<CommandResolved, Fault> {
        let ledger = &self.shared.ledger;
        let found = ledger.get(&order.instance, &asked.id).await.map_err(unavailable)?;
        let Some(record) = found else {
            self.known(&order.instance).await?;
            return Err(not_found(order, false));
        };
        let decision = self.decision(order, &asked)?;
        let about = about(order, &asked, &record);
        if let Some(again) = repeated(&record, &decision) {
            return self.tell(&about, again, result_of(&record)).await;
        }
        let recorded = result_of(&record);
        if let Some(result) = recorded.as_ref().filter(|result| result.status != Status::Unknown) {
            return Err(finished(result.status));
        }
        let outcome = match asked.verdict {
            Verdict::Done => Outcome::done(asked.chat_id, Value::Null),
            Verdict::Failed => Fault::unavailable(
                code::RESOLVED_BY_HAND,
                "the work broke off, and a person found that nothing of it was done",
            )
            .into(),
        };
        let result = CommandResult::of(&about, outcome, record.attempts, decision.at);
        let text = recorded.is_none().then(|| serde_json::to_string(&result).unwrap_or_default());
        let noted = ledger.resolve(&about.instance, &about.id, &decision, text.as_deref()).await;
        match noted.map_err(unavailable)? {
            Resolved::Recorded => self.tell(&about, decision, Some(result)).await,
            Resolved::Beside(record) => self.tell(&about, decision, result_of(&record)).await,
            Resolved::InHand => Err(Fault::invalid(
                code::COMMAND_UNDER_WAY,
                "params.id: the instance's owner is at it, and will answer it",
            )),
            Resolved::NotBegun => Err(Fault::invalid(
                code::COMMAND_NOT_BEGUN,
                "params.id: nothing of the command has begun; command.cancel takes it back",
            )),
            Resolved::Changed => Err(Fault::invalid(
                code::COMMAND_UNDER_WAY,
                "params.id: the command has just changed: look at it again",
            )),
            Resolved::Missing => Err(not_found(order, false)),
        }
    }

    fn decision(&self, order: &Command, asked: &CommandResolve) -> Result<Decision, Fault> {
        bounded("params.note", asked.note.as_deref(), NOTE_CHARS_MAX)?;
        if asked.verdict == Verdict::Failed && asked.chat_id.is_some() {
            let message = "params.chat_id: only what was done has a group";
            return Err(Fault::invalid(code::PARAMS_INVALID, message));
        }
        Ok(Decision {
            done: asked.verdict == Verdict::Done,
            chat_id: asked.chat_id,
            note: asked.note.clone(),
            by: asker(order, asked.by.clone())?,
            at: self.shared.clock.now(),
        })
    }

    /// Tells the event, and on the exchange of results what became the result by this.
    async fn tell(
        &self,
        about: &Command,
        decision: Decision,
        result: Option<CommandResult>,
    ) -> Result<CommandResolved, Fault> {
        let result = result.ok_or_else(|| Fault::internal("the recorded result can't be read"))?;
        if result.status != Status::Unknown {
            let answer = Answer::outcome(result.clone(), about);
            self.shared.answers.give(&answer, &self.stopping).await.map_err(|_| {
                Fault::unavailable(code::WORKER_STOPPING, "the worker is going down; ask again")
            })?;
        }
        let (instance, id, at) = (&about.instance, &about.id, decision.at.timestamp_millis());
        let decision = told(decision);
        let data = ResolvedByHand {
            method: about.method.clone(),
            status: match decision.verdict {
                Verdict::Done => Status::Done,
                Verdict::Failed => Status::Failed,
            },
            by: decision.by.clone(),
        };
        let about = |event| Event {
            chat_id: decision.chat_id.or(result.chat_id),
            command_id: Some(id.clone()),
            ..event
        };
        let event_id = format!("{instance}:{id}:command.resolved:{at}");
        self.shared.answers.tell(event_id, instance, &data, about).await;
        Ok(CommandResolved { decision, result })
    }
}

/// The command that is decided about, as far as its record tells. Who asked for it is not known:
/// its result goes to the exchange of results.
fn about(order: &Command, asked: &CommandResolve, record: &Record) -> Command {
    Command {
        id: asked.id.clone(),
        method: record.method.clone(),
        received_at: record.received_at,
        correlation: Correlation::default(),
        reply_to: None,
        external_ref: None,
        ..order.clone()
    }
}

/// The same decision once more, as after a lost answer: it is told again.
fn repeated(record: &Record, decision: &Decision) -> Option<Decision> {
    let noted = *record.decision.clone()?;
    (Decision { at: decision.at, ..noted.clone() } == *decision).then_some(noted)
}
