//! One instance for as long as this worker owns it, and the parts that all instances share.

use std::sync::Arc;

use bus::Bus;
use chassis::Clock;
use chassis::sealed::BoxKey;
use proto::envelope::Rules;
use proto::event::LimitHit;
use proto::{Fault, InstanceId, Names};
use store::{
    Generation, Groups, Instances, Lease, Leases, Ledger, Peers, Perils, Sessions, Sites, Statuses,
    StoreError, Vault, Workers,
};
use telegram::{Account, AccountVerdict, Telegram};
use tokio::sync::{Mutex, Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::answers::Answers;
use crate::audit::Audit;
use crate::config::WorkerConfig;
use crate::lanes::Lanes;
use crate::limits::{ByLease, Class, Hit, Lane, Limiter, NotYet, Remembered};
use crate::metrics::Metrics;
use crate::pace::Pace;
use crate::pauses::PauseWatch;
use crate::persist;
use crate::stop::Failure;
use crate::suspect::Losses;

/// What every part of the worker works with.
pub struct Shared {
    /// Limits of accounts that were lost with Redis' data.
    pub remembered: Remembered,
    /// The settings.
    pub config: WorkerConfig,
    /// This worker's name, new at each start.
    pub worker_id: String,
    /// The names on the broker.
    pub names: Names,
    /// What is a command.
    pub rules: Rules,
    /// The broker.
    pub bus: Bus,
    /// Tells results and events.
    pub answers: Answers,
    /// Who owns what.
    pub leases: Leases,
    /// Which workers are alive.
    pub workers: Workers,
    /// Redis' data since they were last lost: what is older may have been forgotten.
    pub generation: watch::Receiver<Generation>,
    /// Losses of them that this worker met itself.
    pub losses: Losses,
    /// How fast connections to Telegram are begun.
    pub connecting: Pace,
    /// What became of each command.
    pub ledger: Ledger,
    /// What may be breaking workers down.
    pub perils: Perils,
    /// The instances' records.
    pub instances: Instances,
    /// The instances' sessions.
    pub sessions: Sessions,
    /// Whom the accounts have met.
    pub peers: Peers,
    /// What is used of limits.
    pub limits: store::Limits,
    /// What is parked.
    pub lanes: store::Lanes,
    /// What operators paused.
    pub pauses: PauseWatch,
    /// How the instances stand, for every worker to see.
    pub statuses: Statuses,
    /// The durable home of what can't be made again.
    pub vault: Vault,
    /// Whose it is.
    pub sites: Sites,
    /// Opens accounts.
    pub telegram: Telegram,
    /// Opens what the command line sealed.
    pub service_key: BoxKey,
    /// The metrics.
    pub metrics: Metrics,
    /// Who did what.
    pub audit: Arc<Audit>,
    /// The time.
    pub clock: Clock,
}

/// One instance, owned. Where its account can't be connected there is none to work with, and
/// commands are told why; while it is being connected, nobody reads them yet.
pub struct Tenure {
    /// Which instance.
    pub instance: InstanceId,
    /// The proof that it is ours; every state write shows it.
    pub lease: Lease,
    /// The connected account, or why there is none.
    pub account: Result<Account, Fault>,
    /// How often the account may call Telegram.
    pub limiter: Arc<Limiter<ByLease>>,
    /// The commands that wait for a limit.
    pub lanes: Arc<Lanes>,
    /// Held while a command is worked on: those of one instance are done one after the other,
    /// whether they come from its queue or from a lane.
    pub turn: Arc<Mutex<()>>,
    /// Whether commands wait up to their deadlines although there is no account: it will be there again.
    pub waits: bool,
    /// The groups that Queuegram made or that are bound.
    pub groups: Groups,
    /// What all instances share.
    pub shared: Arc<Shared>,
    /// Told when the account seems to be in as many groups as it may be.
    pub filled: Notify,
    /// Told when Telegram told a limit.
    pub limited: Notify,
    /// Where a step says that Telegram ended or restricted the account.
    pub verdict: watch::Sender<Option<AccountVerdict>>,
    /// Cancelled when nothing new may be begun.
    pub stopping: CancellationToken,
}

impl Tenure {
    /// Says that Telegram ended or restricted the account; the owner acts on it.
    pub fn report(&self, verdict: AccountVerdict) {
        self.verdict.send_replace(Some(verdict));
    }

    /// Why calls of a class have to wait until a person resumes them, where they do.
    pub fn paused(&self, class: Class) -> Option<NotYet> {
        let paused = self.shared.pauses.pause_of(&self.instance, class).is_some();
        paused.then(|| NotYet::paused(class))
    }

    /// What a lane's head waits for; `None` where it may go on. Where there is no account nothing is
    /// called, and nothing waited for.
    pub fn limit_of(&self, lane: Lane) -> Option<NotYet> {
        self.account.as_ref().ok()?;
        let paused = match lane {
            Lane::Class(class) => self.paused(class),
            Lane::Slow(_) => None,
        };
        paused.or_else(|| self.limiter.when(lane))
    }

    /// Counts and tells a limit that Telegram told.
    pub async fn tell_limit(&self, hit: &Hit, not_yet: &NotYet) {
        self.shared.metrics.limit_hit(hit.ask.class);
        self.limited.notify_one();
        let class = not_yet.lane.to_string();
        let told = LimitHit { class, reason: hit.code.clone(), until: not_yet.opens };
        let answers = &self.shared.answers;
        answers.tell(Answers::event_id(), &self.instance, &told, |event| event).await;
    }

    /// Asks a store until it answers, for as long as the instance is ours.
    pub async fn retry_store<T, R: Future<Output = Result<T, StoreError>>>(
        &self,
        ask: impl Fn() -> R,
    ) -> Result<T, Failure> {
        let noticing = async || {
            let answer = ask().await;
            if matches!(answer, Err(StoreError::Vanished)) {
                self.shared.losses.note(self.shared.clock.now());
            }
            answer
        };
        persist::retry(&self.stopping, noticing).await
    }
}
