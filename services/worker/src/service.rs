//! The worker as a process: what is connected to what, what must be up before it is ready, and the
//! order in which it goes down.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use bus::Bus;
use chassis::sealed::BoxKey;
use chassis::{Context, Invalid, Latch, Service};
use proto::envelope::Rules;
use store::{
    Generations, Instances, Leases, Ledger, Pauses, Peers, Perils, Place, Redis, Sessions, Sites,
    Statuses, Vault, Workers,
};
use telegram::Telegram;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::answers::Answers;
use crate::audit::Audit;
use crate::config::WorkerConfig;
use crate::contract::ContractCommand;
use crate::control::Control;
use crate::limits::Remembered;
use crate::methods;
use crate::metrics::Metrics;
use crate::notices::{self, Notices};
use crate::pace::Pace;
use crate::patience::until_there;
use crate::pauses::{self, PauseWatch};
use crate::roster::{Ground, Roster, Watch};
use crate::suspect::Losses;
use crate::tenure::Shared;
use crate::undertaker::{self, Queue};

/// Between two looks whether the broker keeps what nobody takes.
const PROBE_PAUSE: Duration = Duration::from_secs(2);

/// The worker.
pub struct Worker;

impl Service for Worker {
    const NAME: &'static str = "queuegram-worker";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DEFAULTS: &'static str = include_str!("../defaults.toml");
    const LOG_DIRECTIVES: &'static [&'static str] = &[
        bus::LOG_DIRECTIVE,
        bus::CHANNELS_LOG_DIRECTIVE,
        telegram::LOG_DIRECTIVE,
        notices::LOG_DIRECTIVE,
    ];
    type Config = WorkerConfig;
    type Command = ContractCommand;

    fn validate(config: &WorkerConfig) -> Result<(), Invalid> {
        config.validate()
    }

    fn command(command: ContractCommand, _: Option<&Path>) -> anyhow::Result<ExitCode> {
        command.run()
    }

    async fn run(config: WorkerConfig, context: Context) -> anyhow::Result<()> {
        // Before anything is waited for: a part that has no latch yet counts as ready.
        let latches = [context.readiness.latch("broker"), context.readiness.latch("redis")];
        let ground = context.readiness.latch("vault");
        let stopping = context.lifecycle.soft();
        let redis = Redis::new(&config.redis)?;
        // None where the worker was told to stop while it waited for its stores or its broker.
        let connected = connect(config, &redis, &latches, &ground, &context).await?;
        let Some((shared, watch_redis)) = connected else {
            return Ok(());
        };
        let shared = Arc::new(shared);
        let (binder_tx, binder) = watch::channel(None);
        let ground = Ground::new(shared.sites.clone(), ground);
        let lifecycle = context.lifecycle.clone();
        let roster = Roster::new(shared.clone(), lifecycle, watch_redis, ground, binder);
        let control = Control::new(shared.clone(), roster.clone(), stopping.clone());

        let renewing = tokio::spawn(roster.clone().renew(stopping.clone()));
        let mut reading = tokio::task::JoinSet::new();
        for queue in [Queue::Unrouted, Queue::Undelivered] {
            reading.spawn(undertaker::read(shared.clone(), queue, stopping.clone()));
        }
        reading.spawn(control.clone().read_own(binder_tx));
        for queue in Control::shared_queues(&shared.names) {
            reading.spawn(control.clone().read_shared(queue));
        }
        reading.spawn(Notices::new(shared.clone(), stopping.clone()).read());
        reading.spawn(shared.audit.clone().keep(stopping.clone()));
        reading.spawn(pauses::watch(shared.clone(), roster.clone(), stopping.clone()));
        reading.spawn(ready(shared.clone(), redis, latches, stopping.clone()));
        roster.clone().run(stopping).await;

        // Nothing new is begun from here on: orders and owners come to their ends, the leases are
        // kept until the last of them has.
        while reading.join_next().await.is_some() {}
        renewing.await.context("the renewal of leases broke off")?;
        roster.leave().await;
        if let Err(error) = shared.audit.flush().await {
            tracing::error!(%error, "the last records of the audit log were not written");
        }
        shared.bus.close().await;
        Ok(())
    }
}

async fn connect(
    config: WorkerConfig,
    redis: &Redis,
    [broker, stores]: &[Latch; 2],
    ground: &Latch,
    context: &Context,
) -> anyhow::Result<Option<(Shared, Watch)>> {
    let stopping = context.lifecycle.soft();
    let metrics = Metrics::new(&context.registry)?;
    let telegram = Telegram::observed(config.telegram(), metrics.clone())?;
    let vault = until_there(ground, &stopping, || Vault::open(&config.vault)).await?;
    let Some(vault) = vault else { return Ok(None) };
    let service_key = BoxKey::from_bytes(*vault.service_key()?);
    let connected = || Bus::connect(&config.amqp, Worker::NAME);
    let Some(bus) = until_there(broker, &stopping, connected).await? else { return Ok(None) };
    let declared = until_there(broker, &stopping, || bus.declare_topology()).await?;
    if declared.is_none() {
        return Ok(None);
    }
    let names = bus.names().clone();
    let worker_id = format!("worker-{}", Uuid::new_v4().simple());
    let terms = config.terms();
    let instances = Instances::new(&vault, redis);
    let generations = Generations::new(redis, &vault, &instances, &worker_id);
    let begun = || Watch::begin(generations.clone(), terms);
    let Some(watch_redis) = until_there(stores, &stopping, begun).await? else {
        return Ok(None);
    };
    let keep_days = config.audit.keep_days;
    let audit = Audit::new(&vault, &worker_id, context.clock.clone(), keep_days);
    let shared = Shared {
        audit: Arc::new(audit),
        remembered: Remembered::default(),
        worker_id,
        rules: Rules {
            names: names.clone(),
            methods: methods::all().iter().map(|entry| entry.name).collect(),
            default_deadline_s: config.worker.default_deadline_s,
            reply_queues: config.worker.reply_queues.clone(),
        },
        answers: Answers::new(bus.publisher(), names.clone(), context.clock.clone()),
        leases: Leases::with_ttl(redis, terms.ttl),
        workers: Workers::new(redis, terms.ttl),
        generation: watch_redis.generation(),
        connecting: Pace::per_second(config.worker.connect_per_s),
        losses: Losses::default(),
        ledger: Ledger::new(&vault, redis),
        perils: Perils::new(redis),
        sites: Sites::new(&vault, redis, &generations, Place::here(&config.vault, &config.redis)),
        instances,
        sessions: Sessions::new(&vault, redis),
        peers: Peers::new(&vault, redis),
        statuses: Statuses::new(redis),
        limits: store::Limits::new(redis),
        lanes: store::Lanes::new(redis),
        pauses: PauseWatch::new(Pauses::new(redis)),
        vault,
        metrics,
        clock: context.clock.clone(),
        telegram,
        service_key,
        names,
        bus,
        config,
    };
    Ok(Some((shared, watch_redis)))
}

/// Ready means: connected, and what nobody takes does not vanish. The second is the broker's
/// policies' doing, so it is tried, not believed.
async fn ready(
    shared: Arc<Shared>,
    redis: Redis,
    [latch, stores]: [Latch; 2],
    stopping: CancellationToken,
) {
    let mut proven = false;
    loop {
        if !shared.bus.is_connected() {
            latch.clear("RabbitMQ is away");
        } else if proven {
            latch.set();
        } else {
            match shared.bus.probe().await {
                Ok(probe) => proven = probe.passed(),
                Err(error) => tracing::warn!(%error, "the broker can't be tried"),
            }
            match proven {
                true => latch.set(),
                false => latch.clear(
                    "a command for an unknown instance would vanish: run `queuegram topology apply`",
                ),
            }
        }
        match redis.ping().await {
            Ok(()) => stores.set(),
            Err(error) => stores.clear(error.to_string()),
        }
        tokio::select! {
            () = tokio::time::sleep(PROBE_PAUSE) => {}
            () = stopping.cancelled() => return,
        }
    }
}
