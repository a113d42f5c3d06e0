//! Whether a step may be made now, and what becomes of the command where it may not: it waits in
//! place for a moment, is parked for longer, or is told at once that its deadline can't be met.

use chrono::{DateTime, Utc};
use proto::OnFlood;
use proto::event::LimitPaused;
use store::Effect;
use telegram::RpcFault;

use super::Cx;
use crate::answers::Answers;
use crate::limits::{Ask, Hit, Lane, NotYet, PEER_FLOOD, Trip, USER_RESTRICTED, is_frozen};
use crate::persist::abandoned;
use crate::step::Step;
use crate::stop::{Failure, Stop};

/// What to do about a limit.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Patience {
    /// Stay here until then.
    Hold(DateTime<Utc>),
    /// Make room for others, and come back.
    Park,
    /// Tell the caller now.
    Tell,
}

impl Cx<'_> {
    /// Gate, budget and deadline. The deadline holds back only what has not begun: a command half
    /// done is brought to its end, as far as limits let it.
    pub(super) async fn admit(&self, step: &Step) -> Result<(), Failure> {
        if let Some(limit) = &self.late_for {
            return self.admit_late(step, limit).await;
        }
        // A crash came before it was noted.
        if let Some(trip) = self.tenure.limiter.tripped() {
            self.stop_classes(&trip).await;
        }
        let (ask, lane) = (self.ask(step), Lane::Class(step.class));
        loop {
            self.in_time(step)?;
            if let Some(paused) = self.tenure.paused(step.class) {
                return Err(self.behind(paused));
            }
            if self.tenure.lanes.bars(&self.command.id, lane) {
                return Err(self.behind(self.tenure.lanes.waits_for(lane, self.now())));
            }
            let limiter = &self.tenure.limiter;
            let Err(not_yet) = self.tenure.retry_store(|| limiter.ask(ask)).await? else {
                return Ok(());
            };
            match self.patience(&not_yet) {
                Patience::Hold(opens) => self.hold(opens).await?,
                Patience::Park => return Err(Failure::Stop(Stop::Parked(not_yet))),
                Patience::Tell => return Err(self.throttled(not_yet)),
            }
        }
    }

    /// For a command that is wound up: it may look, if that needs no waiting, and change nothing.
    async fn admit_late(&self, step: &Step, limit: &NotYet) -> Result<(), Failure> {
        let (ask, limiter) = (self.ask(step), &self.tenure.limiter);
        if step.effect == Effect::Read
            && self.tenure.retry_store(|| limiter.ask(ask)).await?.is_ok()
        {
            return Ok(());
        }
        Err(self.throttled(limit.clone()))
    }

    /// A person has to resume the class, or others wait for it already and came before: there is
    /// nothing to stay here for.
    fn behind(&self, not_yet: NotYet) -> Failure {
        match self.patience(&not_yet) {
            Patience::Tell => self.throttled(not_yet),
            Patience::Hold(_) | Patience::Park => Failure::Stop(Stop::Parked(not_yet)),
        }
    }

    /// The limit that Telegram's answer tells of, if it does.
    pub(super) fn limit_told(&self, step: &Step, fault: &RpcFault) -> Option<Hit> {
        let wait_s = match fault.flood_wait() {
            Some(flood) => Some(flood.wait_s),
            None if [PEER_FLOOD, USER_RESTRICTED].contains(&fault.name.as_str()) => None,
            None => return None,
        };
        Some(Hit { ask: self.ask(step), code: fault.name.clone(), wait_s })
    }

    /// Telegram froze the account. Waiting won't help the command that met it, so it is told; those
    /// that would meet the same wait.
    pub(super) async fn note_frozen(&self, step: &Step, fault: &RpcFault) -> Result<(), Failure> {
        if !is_frozen(&fault.name) {
            return Ok(());
        }
        let hit = Hit { ask: self.ask(step), code: fault.name.clone(), wait_s: None };
        let limiter = &self.tenure.limiter;
        let (not_yet, _) = self.tenure.retry_store(|| limiter.hit(&hit)).await?;
        self.tenure.tell_limit(&hit, &not_yet).await;
        Ok(())
    }

    /// Telegram told of a limit: the gate is shut before anything else, for every owner to come.
    /// The call was not made, so nothing of it stays in the ledger that would have to be looked for;
    /// only after an earlier attempt whose answer was lost, what was noted for that one does.
    pub(super) async fn put_off(&self, step: &Step, attempt: u32, hit: Hit) -> Result<(), Failure> {
        let limiter = &self.tenure.limiter;
        let (not_yet, trip) = self.tenure.retry_store(|| limiter.hit(&hit)).await?;
        self.tenure.tell_limit(&hit, &not_yet).await;
        if let Some(trip) = trip {
            self.stop_classes(&trip).await;
        }
        let not_yet = self.tenure.paused(step.class).unwrap_or(not_yet);
        if attempt == 1 && step.effect != Effect::Read && !self.record.suspect {
            let ledger = &self.tenure.shared.ledger;
            let (lease, id) = (&self.tenure.lease, &self.command.id);
            self.tenure.retry_store(|| ledger.step_withdrawn(lease, id, &step.name)).await?;
        }
        match self.patience(&not_yet) {
            Patience::Hold(_) => Ok(()),
            Patience::Park => Err(Failure::Stop(Stop::Parked(not_yet))),
            Patience::Tell => Err(self.throttled(not_yet)),
        }
    }

    /// Strangers were invited: so many came in, so many their privacy kept out.
    pub(crate) async fn invited(&self, added: usize, blocked: usize) {
        let limiter = &self.tenure.limiter;
        let trip = limiter.invited(added, blocked);
        if let Err(failure) = self.tenure.retry_store(|| limiter.flush()).await {
            tracing::warn!(?failure, "what came of invitations was not noted");
        }
        if let Some(trip) = trip {
            self.stop_classes(&trip).await;
        }
    }

    /// One warning too many: the classes are paused until a person resumes them. Never is another
    /// account used instead.
    async fn stop_classes(&self, trip: &Trip) {
        let shared = &self.tenure.shared;
        tracing::warn!(classes = ?trip.classes, reason = trip.reason, "calls are stopped until they are resumed");
        let names: Vec<_> = trip.classes.iter().filter_map(|class| class.pause_name()).collect();
        let pause = store::Pause {
            since: self.now(),
            by: Some("queuegram".to_owned()),
            reason: Some(trip.reason.to_owned()),
        };
        let scope = store::PauseScope::Instance(self.command.instance.clone());
        let store = shared.pauses.store();
        match self.tenure.retry_store(|| store.pause(&scope, &names, &pause)).await {
            Ok(book) => shared.pauses.noted(book),
            // They stay held back, and it is tried again with the next step.
            Err(failure) => {
                tracing::error!(?failure, "that calls are stopped could not be noted");
                return;
            }
        }
        let limiter = &self.tenure.limiter;
        if let Err(failure) = self.tenure.retry_store(|| limiter.stopped()).await {
            tracing::warn!(?failure, "that calls are stopped may be noted once more");
        }
        for class in trip.classes {
            let told = LimitPaused {
                class: class.to_string(),
                reason: Some(trip.reason.to_owned()),
                until: None,
            };
            let instance = &self.command.instance;
            shared.answers.tell(Answers::event_id(), instance, &told, |event| event).await;
        }
    }

    fn ask(&self, step: &Step) -> Ask {
        Ask { class: step.class, cost: step.cost, chat: self.chat_id }
    }

    fn patience(&self, not_yet: &NotYet) -> Patience {
        let hold_max = self.tenure.shared.config.limits.hold_max();
        match (self.command.on_flood, not_yet.opens) {
            (OnFlood::Fail, _) => Patience::Tell,
            (OnFlood::Wait, Some(opens)) if opens >= self.command.deadline => Patience::Tell,
            (OnFlood::Wait, Some(opens)) if opens - self.now() <= hold_max => Patience::Hold(opens),
            (OnFlood::Wait, _) => Patience::Park,
        }
    }

    async fn hold(&self, until: DateTime<Utc>) -> Result<(), Failure> {
        let waits = async {
            tokio::select! {
                () = self.tenure.shared.clock.until(until) => Ok(()),
                () = self.tenure.stopping.cancelled() => Err(abandoned("the worker is going down")),
            }
        };
        self.tenure.shared.metrics.waiting(waits).await
    }

    fn throttled(&self, not_yet: NotYet) -> Failure {
        let retry_after_s = not_yet.seconds(self.command.deadline, self.now());
        Failure::Throttled { retry_after_s, code: not_yet.code }
    }
}
