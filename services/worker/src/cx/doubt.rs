//! A step that must not be made twice and whose answer is not known: looking until it is settled.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use proto::{ErrorKind, Fault};
use serde_json::Value;
use store::{Effect, GroupRecord};

use super::Cx;
use super::attempt::{PAUSE_FIRST, PAUSE_MAX, uncertain};
use crate::persist::abandoned;
use crate::reconcile::{Case, Evidence, Next, Trace, decide};
use crate::step::Step;
use crate::stop::{Failure, Stop};
use crate::suspect::CLOCKS_DIFFER;

impl Cx<'_> {
    /// How often the step was started before.
    pub(super) fn attempts(&self, step: &Step) -> u32 {
        self.record.steps.get(step.name.as_ref()).map_or(0, |record| record.attempt)
    }

    /// What was noted of a call that may have happened; `None` where it surely did not, or may
    /// happen twice. Started under the live epoch is no exception: an instance's commands are worked
    /// on one after the other, so whoever finds it has broken off itself.
    pub(super) fn doubt(&self, step: &Step) -> Option<Value> {
        if step.effect != Effect::Once {
            return None;
        }
        match self.record.steps.get(step.name.as_ref()) {
            Some(started) => Some(started.note.clone()),
            None => self.record.suspect.then_some(Value::Null),
        }
    }

    /// Looks until it is known whether the call happened: its answer, or `None` where it did not.
    pub(super) async fn settle<L: Trace>(
        &mut self,
        step: &Step,
        trace: &L,
        note: &Value,
        attempts: u32,
    ) -> Result<Option<L::Answer>, Failure> {
        // It may have happened: nothing from here on is said to be the first step.
        self.begun = true;
        let mut looks = 0;
        loop {
            let Evidence { mut found, gap } = self.look(step, trace, note).await?;
            looks += 1;
            let next = decide(Case { found: found.len(), gap, looks, attempts });
            tracing::info!(step = %step.name, attempts, looks, ?next, "looked what came of it");
            match next {
                Next::Adopt => return Ok(found.pop()),
                Next::RunAgain => return self.not_too_late().map(|()| None),
                Next::LookAgain => self.pause(self.tenure.shared.config.reconcile_pause()).await?,
                Next::Unknown(why) => return Err(uncertain(step, why)),
            }
        }
    }

    /// One look. Telegram out of reach, or asking for a wait, is waited for up to the deadline: a
    /// hurried `unknown` would leave to people what a moment later can be seen.
    async fn look<L: Trace>(
        &mut self,
        step: &Step,
        trace: &L,
        note: &Value,
    ) -> Result<Evidence<L::Answer>, Failure> {
        let mut pause = PAUSE_FIRST;
        loop {
            let failure = match trace.look(self, note).await {
                Ok(evidence) => return Ok(evidence),
                Err(
                    failure @ Failure::Stop(
                        Stop::Abandoned(_) | Stop::Parked(_) | Stop::Uncertain(_),
                    ),
                ) => return Err(failure),
                Err(failure) => failure,
            };
            let fault = failure.into_fault().map_err(abandoned)?;
            let passing = matches!(fault.kind, ErrorKind::Unavailable | ErrorKind::Throttled);
            let wait = pause.max(Duration::from_secs(fault.retry_after_s.unwrap_or(0)));
            if !passing || self.now() + wait >= self.command.deadline {
                return Err(uncertain(step, &format!("it can't be looked for: {}", fault.message)));
            }
            self.pause(wait).await?;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    /// The deadline holds back only what has not begun. A step that was in doubt and did not happen
    /// has not.
    fn not_too_late(&self) -> Result<(), Failure> {
        if self.effects == 0 && self.now() >= self.command.deadline {
            return Err(expired());
        }
        Ok(())
    }

    /// Whether the deadline lets a step be made.
    pub(super) fn in_time(&self, step: &Step) -> Result<(), Failure> {
        if self.now() < self.command.deadline {
            return Ok(());
        }
        let first = self.effects == 0 && step.effect == Effect::Repeatable;
        if !self.begun {
            Err(expired())
        } else if self.record.suspect && first && self.attempts(step) == 0 {
            Err(uncertain(step, "the ledger was lost, and the deadline passed before it came back"))
        } else {
            Ok(())
        }
    }

    /// The earliest time at which a call of this command can have happened that left no note.
    pub(crate) fn not_before(&self) -> DateTime<Utc> {
        if !self.record.suspect {
            return self.record.received_at - CLOCKS_DIFFER;
        }
        let lives_s = self.tenure.shared.config.worker.default_deadline_s;
        let lives = TimeDelta::seconds(i64::try_from(lives_s).unwrap_or(0));
        self.sent_at.unwrap_or(self.record.received_at - lives) - CLOCKS_DIFFER
    }

    /// The group that this command has in the vault as its work since `time`: exact, whatever the
    /// ledger has lost.
    pub(crate) async fn made_since(
        &self,
        time: DateTime<Utc>,
    ) -> Result<Option<GroupRecord>, Failure> {
        let groups = &self.tenure.groups;
        let made = self.tenure.retry_store(|| groups.made_by(&self.command.id)).await?;
        Ok(made.filter(|made| made.at >= time))
    }

    /// Whether the command may have been worked on before the ledger was lost.
    pub(crate) fn is_suspect(&self) -> bool {
        self.record.suspect
    }

    async fn pause(&self, pause: Duration) -> Result<(), Failure> {
        tokio::select! {
            () = tokio::time::sleep(pause) => Ok(()),
            () = self.tenure.stopping.cancelled() => Err(abandoned("the worker is going down")),
        }
    }
}

fn expired() -> Failure {
    Failure::Stop(Stop::Fault(Fault::expired("the deadline passed before the first step")))
}
