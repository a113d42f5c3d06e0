//! Calling Telegram until there is an answer, as far as a step's effect lets the call be repeated.

use std::future::Future;
use std::time::Duration;

use store::Effect;
use telegram::CallError;

use super::Cx;
use crate::limits::Hit;
use crate::persist::abandoned;
use crate::step::Step;
use crate::stop::{Failure, Refusal, Stop, Uncertain};

/// Tries of a call whose answer was lost, where it may be repeated.
const TRIES_MAX: u32 = 3;
/// First pause before a call is tried again; each further one is twice as long.
pub(super) const PAUSE_FIRST: Duration = Duration::from_millis(200);
/// Longest pause before a call is tried again.
pub(super) const PAUSE_MAX: Duration = Duration::from_secs(5);

/// What came of a call.
pub(super) enum Attempted<T> {
    /// Telegram's answer, yes or no.
    Answered(Result<T, Refusal>),
    /// The answer to a call that must not be repeated was lost.
    Lost,
    /// Telegram asks to wait: the call was not made.
    Limited(Hit),
}

impl Cx<'_> {
    /// Calls Telegram until there is an answer, as far as the step's effect lets it be repeated.
    pub(super) async fn attempt<T, F, R>(
        &self,
        step: &Step,
        call: &mut F,
    ) -> Result<Attempted<T>, Failure>
    where
        F: FnMut() -> R,
        R: Future<Output = Result<T, CallError>>,
    {
        let unreachable_until = self.now() + self.tenure.shared.config.unreachable_max();
        let before = self.record.steps.get(step.name.as_ref());
        let sent_before = before.map_or(self.record.suspect, |_| true);
        let (mut lost, mut pause) = (0, PAUSE_FIRST);
        loop {
            let error = match call().await {
                Ok(answer) => return Ok(Attempted::Answered(Ok(answer))),
                Err(error) => error,
            };
            if error.outcome_unknown() {
                lost += 1;
                if step.effect == Effect::Once {
                    tracing::warn!(%error, step = %step.name, "the answer was lost; looking");
                    return Ok(Attempted::Lost);
                }
                if lost == TRIES_MAX {
                    return Err(gave_up(step, &error));
                }
            } else if let CallError::Rpc(fault) = &error {
                if let Some(hit) = self.limit_told(step, fault) {
                    return Ok(Attempted::Limited(hit));
                }
                self.note_frozen(step, fault).await?;
                return self.refused(fault, sent_before || lost > 0).map(Attempted::Answered);
            } else if !matches!(error, CallError::NotSent(_)) {
                return Err(self.ended(error));
            } else if self.now() + pause >= unreachable_until.min(self.command.deadline) {
                return Err(if lost == 0 { unreachable(&error) } else { gave_up(step, &error) });
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => pause = (pause * 2).min(PAUSE_MAX),
                () = self.tenure.stopping.cancelled() => return Err(abandoned("the worker is going down")),
            }
        }
    }

    /// Telegram said no: for this account, or for this step.
    fn refused<T>(
        &self,
        fault: &telegram::RpcFault,
        repeated: bool,
    ) -> Result<Result<T, Refusal>, Failure> {
        let error = CallError::Rpc(fault.clone());
        let verdict = telegram::verdict::verdict(&error);
        if verdict.ends_session() {
            self.tenure.report(verdict);
            return Err(Failure::Stop(Stop::Fault(telegram::fault::of(&error))));
        }
        Ok(Err(Refusal { name: fault.name.clone(), code: fault.code, repeated }))
    }

    /// The connection is over, or we asked for something impossible.
    fn ended(&self, error: CallError) -> Failure {
        match error {
            CallError::Closed => abandoned("the account was closed"),
            CallError::KeyUnknown => {
                self.tenure.report(telegram::AccountVerdict::KEY_UNKNOWN);
                Failure::Stop(Stop::Fault(telegram::fault::of(&error)))
            }
            other => Failure::Stop(Stop::Fault(telegram::fault::of(&other))),
        }
    }
}

pub(super) fn uncertain(step: &Step, why: &str) -> Failure {
    Failure::Stop(Stop::Uncertain(Uncertain { step: step.name.to_string(), why: why.to_owned() }))
}

/// The call was sent and its answer lost, again and again.
fn gave_up(step: &Step, error: &CallError) -> Failure {
    if step.effect == Effect::Read {
        unreachable(error)
    } else {
        uncertain(step, &error.to_string())
    }
}

fn unreachable(error: &CallError) -> Failure {
    Failure::Stop(Stop::Fault(telegram::fault::of(error)))
}
