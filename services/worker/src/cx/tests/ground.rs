//! What the tests of steps stand on: an instance that is owned by a lease in a real Redis, with a
//! vault in a folder of its own. The account is open and never connects: the tests play Telegram.

use std::sync::Arc;

use chassis::{Clock, HandClock};
use chrono::{DateTime, TimeDelta};
use proto::envelope::{Incoming, Rules};
use proto::{Names, Properties};
use queuegram_tests::stage::shared;
use serde_json::json;
use store::{
    Claim, Generation, Generations, Groups, Instances, Leases, Ledger, Peers, Perils, Place, Redis,
    RedisConfig, RedisUrl, Sessions, Sites, Statuses, StepRecord, Vault, VaultConfig, Workers,
};
use telegram::secret::ApiHash;
use telegram::session::MemorySink;
use telegram::{Gate, Telegram, TelegramConfig};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::super::*;
use crate::answers::Answers;
use crate::config::{AuditConfig, OwnConfig, WorkerConfig};
use crate::limits::{ByLease, Limiter, LimitsConfig, Profile, Remembered, Settings};
use crate::metrics::Metrics;
use crate::suspect::Losses;
use crate::tenure::Shared;

/// An owned instance, and one command of it.
pub struct Ground {
    pub tenure: Tenure,
    pub command: Command,
    pub account: Account,
    pub clock: HandClock,
    _folder: TempDir,
}

impl Ground {
    pub async fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let (clock, hand) = Clock::by_hand(proto::time::parse("2026-11-23T08:00:00Z").unwrap());
        let shared = Arc::new(stores(&folder, clock).await);
        let instance: InstanceId = "acme".parse().unwrap();
        let lease = shared.leases.try_acquire(&instance, "w-1").await.unwrap().unwrap();
        let account =
            shared.telegram.open(None, Vec::new(), Arc::new(MemorySink::default()), Gate::always());
        let tenure = Tenure {
            waits: false,
            groups: Groups::open(&shared.vault, &instance).await.unwrap(),
            account: Ok(account.clone()),
            limiter: Arc::new(limiter(&shared, &lease)),
            lanes: Arc::new(crate::lanes::Lanes::new(&lease, shared.metrics.parked())),
            turn: Arc::default(),
            filled: tokio::sync::Notify::new(),
            limited: tokio::sync::Notify::new(),
            verdict: watch::Sender::new(None),
            stopping: CancellationToken::new(),
            instance,
            lease,
            shared,
        };
        let command = command(&tenure);
        Self { tenure, command, account, clock: hand, _folder: folder }
    }

    /// The command as it is taken from its queue: for the first time, or after a crash.
    pub async fn take(&self) -> Cx<'_> {
        self.take_as(false).await
    }

    /// The same, perhaps as one that may have been worked on before the ledger was lost.
    pub async fn take_as(&self, suspect: bool) -> Cx<'_> {
        let (ledger, lease) = (&self.tenure.shared.ledger, &self.tenure.lease);
        let Command { id, method, received_at, .. } = &self.command;
        match ledger.claim(lease, id, method, "hash", *received_at, suspect).await.unwrap() {
            Claim::Fresh(record) | Claim::Resumed(record) => {
                Cx::new(&self.command, &self.tenure, self.account.clone(), record)
            }
            other => panic!("{other:?}"),
        }
    }

    /// What the ledger has of a step.
    pub async fn step(&self, name: &str) -> Option<StepRecord> {
        let ledger = &self.tenure.shared.ledger;
        let record = ledger.get(&self.tenure.instance, &self.command.id).await.unwrap().unwrap();
        record.steps.get(name).cloned()
    }

    /// Leaves a step as a crash in the middle of it does.
    pub async fn crash_in(&self, name: &str, effect: Effect) {
        self.crash_at(name, effect, 1).await;
    }

    /// The same, at this attempt.
    pub async fn crash_at(&self, name: &str, effect: Effect, attempt: u32) {
        let (ledger, lease) = (&self.tenure.shared.ledger, &self.tenure.lease);
        let start = Start { effect, attempt, note: json!("noted") };
        ledger.step_started(lease, &self.command.id, name, &start).await.unwrap();
    }

    pub fn pass(&self, seconds: i64) {
        self.clock.advance(TimeDelta::seconds(seconds));
    }

    /// Another worker takes the instance.
    pub async fn usurp(&self) {
        let leases = &self.tenure.shared.leases;
        leases.release(&self.tenure.lease).await.unwrap();
        leases.try_acquire(&self.tenure.instance, "w-2").await.unwrap().unwrap();
    }
}

fn limiter(shared: &Shared, lease: &store::Lease) -> Limiter<ByLease> {
    let record = InstanceRecord::new(lease.instance.clone(), shared.clock.now());
    let settings = Settings::of(&shared.config.limits, &record);
    let keeping = ByLease::new(&shared.limits, lease);
    Limiter::new(settings, None, false, shared.clock.clone(), keeping)
}

async fn stores(folder: &TempDir, clock: Clock) -> Shared {
    let addresses = shared::servers().await.unwrap();
    let redis = RedisConfig {
        url: RedisUrl::try_from(addresses.redis_url.clone()).unwrap(),
        prefix: format!("test-{}", Uuid::new_v4()),
        ..RedisConfig::default()
    };
    let vault = VaultConfig {
        url: url::Url::from_directory_path(folder.path().join("vault")).unwrap(),
        key_file: folder.path().join("vault.key"),
        create_key: true,
        ..VaultConfig::default()
    };
    let telegram = TelegramConfig {
        api_id: 4242,
        api_hash: ApiHash::new("0123456789abcdef0123456789abcdef"),
        ..TelegramConfig::default()
    };
    // Nobody listens there: what is told goes nowhere, and nothing waits for it.
    let amqp = bus::AmqpConfig {
        url: "amqp://guest:guest@127.0.0.1:1/%2f".parse().unwrap(),
        operation_timeout_s: 0.1,
        confirm_timeout_s: 0.1,
        ..bus::AmqpConfig::default()
    };
    let config = WorkerConfig {
        limits: LimitsConfig { profile: Profile::Sandbox, ..LimitsConfig::default() },
        worker: OwnConfig { unreachable_max_s: 60, reconcile_pause_s: 0.0, ..OwnConfig::default() },
        amqp,
        redis,
        vault,
        telegram,
        audit: AuditConfig::default(),
    };
    let redis = Redis::connect(&config.redis).await.unwrap();
    let vault = Vault::open(&config.vault).await.unwrap();
    let instances = Instances::new(&vault, &redis);
    let generations = Generations::new(&redis, &vault, &instances, "w-1");
    let place = Place::here(&config.vault, &config.redis);
    let bus = bus::Bus::start(&config.amqp, "test").unwrap();
    let names = Names::default();
    let generation = Generation { id: "one".to_owned(), since: DateTime::UNIX_EPOCH };
    Shared {
        audit: Arc::new(crate::audit::Audit::new(&vault, "w-1", clock.clone(), 400)),
        worker_id: "w-1".to_owned(),
        rules: Rules::new(names.clone(), &["group.create"]),
        answers: Answers::new(bus.publisher(), names.clone(), clock.clone()),
        leases: Leases::new(&redis),
        workers: Workers::new(&redis, Leases::new(&redis).ttl()),
        connecting: crate::pace::Pace::per_second(50.0),
        generation: watch::channel(generation).1,
        losses: Losses::default(),
        remembered: Remembered::default(),
        ledger: Ledger::new(&vault, &redis),
        perils: Perils::new(&redis),
        sites: Sites::new(&vault, &redis, &generations, place),
        instances,
        sessions: Sessions::new(&vault, &redis),
        peers: Peers::new(&vault, &redis),
        statuses: Statuses::new(&redis),
        limits: store::Limits::new(&redis),
        lanes: store::Lanes::new(&redis),
        pauses: crate::pauses::PauseWatch::new(store::Pauses::new(&redis)),
        metrics: Metrics::new(&prometheus::Registry::new()).unwrap(),
        telegram: Telegram::new(config.telegram.clone()).unwrap(),
        service_key: chassis::sealed::BoxKey::from_bytes(*vault.service_key().unwrap()),
        vault,
        names,
        bus,
        clock,
        config,
    }
}

/// A command that lives for an hour.
fn command(tenure: &Tenure) -> Command {
    let body = json!({
        "id": "deal-77:create", "method": "group.create",
        "deadline": "2026-11-23T09:00:00Z", "params": { "title": "Deal 77" },
    });
    proto::decode(Incoming {
        body: &serde_json::to_vec(&body).unwrap(),
        properties: &Properties::default(),
        exchange: "tg.commands",
        routing_key: "acme.group.create",
        queue_instance: Some(&tenure.instance),
        redelivered: false,
        received_at: tenure.shared.clock.now(),
        rules: &tenure.shared.rules,
    })
    .unwrap()
}
