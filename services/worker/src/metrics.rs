//! The worker's metrics. Labels come from closed sets only: never an instance, a chat or an id.

use std::time::Duration;

use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
    Result,
};
use proto::event::AccountState;
use proto::{CommandResult, MethodName, Status};
use telegram::CallObserver;

use crate::limits::{Class, Lane};
use crate::notices::Notice;

/// Seconds that cover a local Redis round trip as well as a day in a queue.
const BUCKETS_S: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0, 300.0, 3600.0];

/// Every series of the worker; cheap to clone.
#[derive(Clone)]
pub struct Metrics {
    commands: IntCounterVec,
    queue_seconds: Histogram,
    stage_seconds: HistogramVec,
    calls: IntCounterVec,
    instances: IntGaugeVec,
    unowned: IntGauge,
    taken: IntCounterVec,
    paused: IntGauge,
    parked: IntGauge,
    delays: IntCounterVec,
    limits: IntCounterVec,
    waits: Histogram,
    notices: IntCounterVec,
}

/// What a command goes through, one after the other.
#[derive(Debug, Clone, Copy)]
pub enum Stage {
    /// Claiming it in the ledger.
    Claim,
    /// Its steps.
    Call,
    /// Writing its result to the ledger.
    Record,
    /// Publishing its result.
    Reply,
    /// Acknowledging it.
    Settle,
}

impl Stage {
    const ALL: [Self; 5] = [Self::Claim, Self::Call, Self::Record, Self::Reply, Self::Settle];

    fn name(self) -> &'static str {
        match self {
            Self::Claim => "claim",
            Self::Call => "call",
            Self::Record => "record",
            Self::Reply => "reply",
            Self::Settle => "settle",
        }
    }
}

impl Metrics {
    /// Registers every series, those with labels from closed lists at zero.
    pub fn new(registry: &Registry) -> Result<Self> {
        let metrics = Self {
            commands: IntCounterVec::new(
                Opts::new(
                    "queuegram_commands_total",
                    "Commands answered, by method and outcome: done, partial, unknown, or the kind \
                     of error. What names no method that exists counts as `rejected`.",
                ),
                &["method", "outcome"],
            )?,
            queue_seconds: Histogram::with_opts(
                HistogramOpts::new(
                    "queuegram_command_queue_seconds",
                    "Time from publishing to receipt, of commands that carry an AMQP timestamp \
                     (whole seconds).",
                )
                .buckets(BUCKETS_S.to_vec()),
            )?,
            stage_seconds: HistogramVec::new(
                HistogramOpts::new(
                    "queuegram_command_stage_seconds",
                    "Time that commands spend in each stage of the pipeline.",
                )
                .buckets(BUCKETS_S.to_vec()),
                &["stage"],
            )?,
            calls: IntCounterVec::new(
                Opts::new(
                    "queuegram_telegram_calls_total",
                    "Requests sent to Telegram, by request and by Telegram's error (`none`; \
                     `lost`, `timeout` and the like where there was no answer).",
                ),
                &["request", "error"],
            )?,
            instances: IntGaugeVec::new(
                Opts::new("queuegram_instances", "Instances that this worker owns, by state."),
                &["state"],
            )?,
            unowned: IntGauge::new(
                "queuegram_instances_unowned",
                "Instances that no worker owns. One worker counts for all, the others say 0.",
            )?,
            taken: IntCounterVec::new(
                Opts::new(
                    "queuegram_instances_taken_total",
                    "Instances that this worker took: `clean` where the last owner had released its \
                     lease, else `unclean`.",
                ),
                &["end"],
            )?,
            paused: IntGauge::new(
                "queuegram_instances_paused",
                "Instances that this worker owns and that are paused, as a whole or some methods.",
            )?,
            parked: IntGauge::new(
                "queuegram_commands_parked",
                "Commands that wait in lanes, of the instances that this worker owns.",
            )?,
            delays: IntCounterVec::new(
                Opts::new(
                    "queuegram_commands_delayed_total",
                    "Times that a command was parked, by the class of calls that it waits for.",
                ),
                &["class"],
            )?,
            limits: IntCounterVec::new(
                Opts::new(
                    "queuegram_limit_hits_total",
                    "Limits that Telegram told: flood waits and the like, by class of calls.",
                ),
                &["class"],
            )?,
            waits: Histogram::with_opts(
                HistogramOpts::new(
                    "queuegram_limit_waits_seconds",
                    "Time that steps waited in place for a limit, without being parked.",
                )
                .buckets(BUCKETS_S.to_vec()),
            )?,
            notices: IntCounterVec::new(
                Opts::new(
                    "queuegram_notices_total",
                    "Events of states and limits, by what became of them at the place that the \
                     instance's admin named: told, refused, or unwanted where there is none.",
                ),
                &["outcome"],
            )?,
        };
        for notice in Notice::ALL {
            metrics.notices.with_label_values(&[notice.as_str()]);
        }
        for class in Class::ALL {
            metrics.delays.with_label_values(&[class.name()]);
            metrics.limits.with_label_values(&[class.name()]);
        }
        for clean in [true, false] {
            metrics.taken.with_label_values(&[end(clean)]);
        }
        for entry in crate::methods::all() {
            metrics.commands.with_label_values(&[entry.name, Status::Done.as_str()]);
        }
        for stage in Stage::ALL {
            metrics.stage_seconds.with_label_values(&[stage.name()]);
        }
        for state in AccountState::ALL {
            metrics.instances.with_label_values(&[state.as_str()]);
        }
        registry.register(Box::new(metrics.commands.clone()))?;
        registry.register(Box::new(metrics.queue_seconds.clone()))?;
        registry.register(Box::new(metrics.stage_seconds.clone()))?;
        registry.register(Box::new(metrics.calls.clone()))?;
        registry.register(Box::new(metrics.instances.clone()))?;
        registry.register(Box::new(metrics.unowned.clone()))?;
        registry.register(Box::new(metrics.taken.clone()))?;
        registry.register(Box::new(metrics.paused.clone()))?;
        registry.register(Box::new(metrics.parked.clone()))?;
        registry.register(Box::new(metrics.delays.clone()))?;
        registry.register(Box::new(metrics.limits.clone()))?;
        registry.register(Box::new(metrics.waits.clone()))?;
        registry.register(Box::new(metrics.notices.clone()))?;
        Ok(metrics)
    }

    /// A command was answered.
    pub fn answered(&self, method: Option<&str>, outcome: &str) {
        let known = method.and_then(crate::methods::find).map_or("rejected", |entry| entry.name);
        self.commands.with_label_values(&[known, outcome]).inc();
    }

    /// A command got this result.
    pub fn told(&self, result: &CommandResult) {
        let outcome = match (result.status, result.error_kind) {
            (Status::Failed, Some(kind)) => kind.as_str(),
            (status, _) => status.as_str(),
        };
        self.answered(result.method.as_ref().map(MethodName::as_str), outcome);
    }

    /// A command was received so long after it was published.
    pub fn queued(&self, waited: Duration) {
        self.queue_seconds.observe(waited.as_secs_f64());
    }

    /// Measures one stage of a command.
    pub async fn stage<T>(&self, stage: Stage, work: impl Future<Output = T>) -> T {
        let timer = self.stage_seconds.with_label_values(&[stage.name()]).start_timer();
        let done = work.await;
        timer.observe_duration();
        done
    }

    /// So many instances have no owner, as far as this worker counts them.
    pub fn unowned(&self, count: usize) {
        self.unowned.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// An instance was taken, after a clean end of its last tenure or another one.
    pub fn taken(&self, clean: bool) {
        self.taken.with_label_values(&[end(clean)]).inc();
    }

    /// So many of the instances are paused now.
    pub fn paused(&self, instances: usize) {
        self.paused.set(i64::try_from(instances).unwrap_or(i64::MAX));
    }

    /// Commands are parked, or no more.
    pub fn parked(&self) -> IntGauge {
        self.parked.clone()
    }

    /// A command was parked. Lanes of single chats count together.
    pub fn delayed(&self, lane: Lane) {
        let class = match lane {
            Lane::Class(class) => class.name(),
            Lane::Slow(_) => "slow",
        };
        self.delays.with_label_values(&[class]).inc();
    }

    /// Measures how long a step waits in place for a limit.
    pub async fn waiting<T>(&self, waits: impl Future<Output = T>) -> T {
        let timer = self.waits.start_timer();
        let done = waits.await;
        timer.observe_duration();
        done
    }

    /// Telegram told of a limit.
    pub fn limit_hit(&self, class: Class) {
        self.limits.with_label_values(&[class.name()]).inc();
    }

    /// An admin was told of an event, or not.
    pub fn noticed(&self, notice: Notice) {
        self.notices.with_label_values(&[notice.as_str()]).inc();
    }

    /// An instance changed its state; `None` for one that was not ours before, or no longer is.
    pub fn moved(&self, from: Option<AccountState>, to: Option<AccountState>) {
        if let Some(from) = from {
            self.instances.with_label_values(&[from.as_str()]).dec();
        }
        if let Some(to) = to {
            self.instances.with_label_values(&[to.as_str()]).inc();
        }
    }
}

fn end(clean: bool) -> &'static str {
    if clean { "clean" } else { "unclean" }
}

impl CallObserver for Metrics {
    fn called(&self, request: &'static str, error: &str) {
        self.calls.with_label_values(&[request, error]).inc();
    }
}
