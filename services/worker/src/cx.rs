//! What a method works with: its command, its account, and `step`, the only way to Telegram.
//!
//! A step is admitted by gate and budget ([`admission`]), noted in the ledger as *started*, called ([`attempt`]), and noted as
//! *executed* with its answer. After a crash the method runs again from the top: a step already
//! executed returns its recorded answer, so the work goes on at the first step not done. One that
//! must not be made twice and whose answer is not known is looked for first ([`doubt`]).

mod admission;
mod attempt;
mod doubt;
mod memo;
mod recorded;

use std::future::Future;

use chassis::faults::cut_at;
use chrono::{DateTime, Utc};
use proto::event::{CommandUnknown, EventData};
use proto::{ChatId, Command, Event, InstanceId};
use serde::Serialize;
use serde::de::DeserializeOwned;
use store::{Effect, InstanceRecord, Record, Start, StepState, StoreError};
use telegram::{Account, CallError};

use self::attempt::Attempted;
use self::recorded::Recorded;
use crate::limits::{Class, NotYet};
use crate::outcome::Progress;
use crate::reconcile::{Trace, Untraced};
use crate::step::Step;
use crate::stop::{Failure, Refusal};
use crate::tenure::Tenure;

/// A command being executed.
pub struct Cx<'a> {
    /// What is asked for.
    pub command: &'a Command,
    pub(crate) tenure: &'a Tenure,
    account: Account,
    record: Record,
    sent_at: Option<DateTime<Utc>>,
    chat_id: Option<ChatId>,
    begun: bool,
    effects: usize,
    late_for: Option<NotYet>,
}

impl<'a> Cx<'a> {
    /// For a command whose ledger record is `record`, to be done with `account`.
    pub fn new(command: &'a Command, tenure: &'a Tenure, account: Account, record: Record) -> Self {
        let (effects, begun) = (Self::effects_of(&record), record.has_begun());
        let (sent_at, chat_id, late_for) = (None, None, None);
        Self { command, tenure, account, record, sent_at, chat_id, begun, effects, late_for }
    }

    /// How many steps of a record changed something.
    pub fn effects_of(record: &Record) -> usize {
        let executed = |step: &&store::StepRecord| {
            step.effect != Effect::Read && Recorded::is_success(&step.answer)
        };
        record.steps.values().filter(executed).count()
    }

    /// The same command, not to be gone on with: it would have to wait for this limit, and be late.
    /// What was done is looked at again, and nothing new is begun.
    pub fn wound_up(mut self, limit: NotYet) -> Self {
        self.late_for = Some(limit);
        self
    }

    /// The same command, with the time at which it was published.
    pub fn sent_at(mut self, at: Option<DateTime<Utc>>) -> Self {
        self.sent_at = at;
        self
    }

    /// The account that the command works with.
    pub fn account(&self) -> Account {
        self.account.clone()
    }

    pub(crate) fn works_on(&mut self, chat_id: ChatId) {
        self.chat_id = Some(chat_id);
    }

    /// The present time, by the injected clock.
    pub fn now(&self) -> DateTime<Utc> {
        self.tenure.shared.clock.now()
    }

    /// Whether a step that changes something was started, now or before a crash.
    pub fn has_begun(&self) -> bool {
        self.begun
    }

    /// Whether the step of this name was started before a crash.
    pub fn has_step(&self, name: &str) -> bool {
        self.record.steps.contains_key(name)
    }

    /// How far it came.
    pub fn progress(&self) -> Progress {
        Progress { effects: self.effects, begun: self.begun, chat_id: self.chat_id }
    }

    /// How many steps changed something, now or before a crash.
    pub fn effects(&self) -> usize {
        self.effects
    }

    /// Tells the subscribers of `tg.events` what happened to a group. An event that can't be
    /// published is logged, not waited for: the result holds all that it says.
    ///
    /// One command tells an event of each kind at most once, so command and kind name it: told
    /// again after a crash, it is the same event.
    pub async fn tell<D: EventData>(&self, chat_id: ChatId, data: D) {
        self.announce(Some(chat_id), data).await;
    }

    /// Tells that nobody can say whether a step of the command happened.
    pub async fn tell_unknown(&self, data: CommandUnknown) {
        self.announce(self.chat_id, data).await;
    }

    async fn announce<D: EventData>(&self, chat_id: Option<ChatId>, data: D) {
        let Command { id, instance, external_ref, .. } = self.command;
        let event_id = format!("{instance}:{id}:{}", D::KIND.as_str());
        let about = |event| Event {
            external_ref: external_ref.clone(),
            chat_id,
            command_id: Some(id.clone()),
            ..event
        };
        self.tenure.shared.answers.tell(event_id, instance, &data, about).await;
    }

    /// What operators paused of the instance.
    pub fn pauses(&self) -> Vec<proto::control::PauseInfo> {
        self.tenure.shared.pauses.over(&self.command.instance)
    }

    /// The most calls of a class that the account's budget lets through at once.
    pub fn at_once(&self, class: Class) -> usize {
        self.tenure.limiter.at_once(class).max(1)
    }

    /// The record of another instance, which may be owned by another worker.
    pub async fn instance(&self, id: &InstanceId) -> Result<Option<InstanceRecord>, Failure> {
        let instances = &self.tenure.shared.instances;
        self.tenure.retry_store(|| instances.get(id)).await
    }

    /// The last step was answered, and changed nothing: Telegram took an invite and listed everybody
    /// as missing. It does not count among [`Cx::effects`].
    pub fn came_to_nothing(&mut self) {
        self.effects = self.effects.saturating_sub(1);
    }

    /// Makes one Telegram call as a durable step. `call` is called again where the request surely
    /// never left, and, unless the step is a [`Step::once`], where its answer was lost.
    pub async fn step<T, F, R>(&mut self, step: Step, call: F) -> Result<T, Failure>
    where
        T: Serialize + DeserializeOwned + Send,
        F: FnMut() -> R,
        R: Future<Output = Result<T, CallError>>,
    {
        // Boxed: methods are steps within steps, and the compiler lays each future out in its caller's.
        let untraced = Untraced::default();
        Box::pin(self.durable(step, &untraced, call, |_| std::future::ready(Ok(())))).await
    }

    /// The same for a call that must not be made twice: `trace` finds out what came of it where its
    /// answer is not known, and `keep` makes something durable before the step counts as executed.
    pub(crate) async fn durable<L, F, R, K, W>(
        &mut self,
        step: Step,
        trace: &L,
        mut call: F,
        keep: K,
    ) -> Result<L::Answer, Failure>
    where
        L: Trace,
        L::Answer: Serialize + DeserializeOwned,
        F: FnMut() -> R,
        R: Future<Output = Result<L::Answer, CallError>>,
        K: Fn(&L::Answer) -> W,
        W: Future<Output = Result<(), StoreError>>,
    {
        if let Some(recorded) = self.recorded(&step)? {
            return recorded;
        }
        let (mut attempt, mut doubt) = (self.attempts(&step), self.doubt(&step));
        let answer = loop {
            if let Some(note) = &doubt
                && let Some(found) = Box::pin(self.settle(&step, trace, note, attempt)).await?
            {
                break Ok(found);
            }
            Box::pin(self.admit(&step)).await?;
            // The first attempt's note stays: what is seen since then covers every attempt.
            let note = match doubt.take().filter(|note| !note.is_null()) {
                Some(note) => note,
                None => Box::pin(trace.note(self)).await?,
            };
            attempt += 1;
            let begun = self.begun;
            self.start(&step, attempt, &note).await?;
            cut_at("step_started", &step.name);
            match self.attempt(&step, &mut call).await? {
                Attempted::Answered(answer) => break answer,
                Attempted::Lost => doubt = Some(note),
                Attempted::Limited(hit) => {
                    self.begun = begun;
                    Box::pin(self.put_off(&step, attempt, hit)).await?;
                }
            }
        };
        cut_at("step_answered", &step.name);
        if let Ok(made) = &answer {
            // Counted before any store is asked: whatever a store says, it has happened.
            self.effects += usize::from(step.effect != Effect::Read);
            self.tenure.retry_store(|| keep(made)).await?;
        }
        self.conclude(step, answer).await
    }

    /// The answer that stands in the ledger.
    fn recorded<T: DeserializeOwned>(
        &self,
        step: &Step,
    ) -> Result<Option<Result<T, Failure>>, Failure> {
        match self.record.steps.get(step.name.as_ref()) {
            Some(record) if record.state == StepState::Executed => {
                Recorded::read(&record.answer).map(Some)
            }
            _ => Ok(None),
        }
    }

    async fn start(
        &mut self,
        step: &Step,
        attempt: u32,
        note: &serde_json::Value,
    ) -> Result<(), Failure> {
        if step.effect == Effect::Read {
            return Ok(());
        }
        self.begun = true;
        let ledger = &self.tenure.shared.ledger;
        let (lease, id) = (&self.tenure.lease, &self.command.id);
        let start = Start { effect: step.effect, attempt, note: note.clone() };
        self.tenure.retry_store(|| ledger.step_started(lease, id, &step.name, &start)).await
    }

    async fn conclude<T: Serialize>(
        &self,
        step: Step,
        answer: Result<T, Refusal>,
    ) -> Result<T, Failure> {
        if step.kept {
            let recorded = Recorded::write(&answer)?;
            let ledger = &self.tenure.shared.ledger;
            let (lease, id) = (&self.tenure.lease, &self.command.id);
            self.tenure
                .retry_store(|| ledger.step_executed(lease, id, &step.name, step.effect, &recorded))
                .await?;
        }
        cut_at("step_executed", &step.name);
        answer.map_err(Failure::Refused)
    }
}

#[cfg(test)]
pub(crate) mod tests;
