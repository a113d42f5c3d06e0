//! One seed from its drawing to its judgement.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::dice::Dice;
use super::ears::Ears;
use super::fault::Fault;
use super::fleet::Fleet;
use super::history::{Breach, History, Login};
use super::lane::Lane;
use super::logs::{keep, leases_taken};
use super::play::{Played, Stage};
use super::scale::Scale;
use super::schedule::Schedule;
use super::voice::Voice;
use super::workload::{PEOPLE, Workload};
use super::{oracle, quiet};
use crate::stage::{Scene, SceneOptions, scripts};

/// How a seed is played.
#[derive(Debug, Clone)]
pub struct Play {
    /// Its number.
    pub seed: u64,
    /// By how much times are divided.
    pub scale: Scale,
    /// More environment of the workers: the scaled settings, a mutation.
    pub environment: Vec<(String, String)>,
    /// Given rather than drawn.
    pub schedule: Option<Schedule>,
}

/// What came of a seed.
#[derive(Debug)]
pub struct Verdict {
    /// Its number.
    pub seed: u64,
    /// How long it took.
    pub took: Duration,
    /// What happened.
    pub history: History,
    /// The faults as they were played.
    pub faults: Vec<Played>,
    /// Processes that ended by themselves: killed at a cut point, above all.
    pub ended: Vec<String>,
    /// How often a lease was taken.
    pub leases_taken: usize,
    /// The broken promises.
    pub breaches: Vec<Breach>,
    /// Where the logs were kept, if something was broken.
    pub kept: Option<PathBuf>,
}

impl Verdict {
    /// The kinds of the faults that were played, one for each.
    pub fn kinds(&self) -> impl Iterator<Item = &'static str> {
        let played = self.faults.iter().filter(|played| played.failed.is_none());
        played.map(|played| played.fault.kind())
    }
}

/// Plays one seed on a lane.
///
/// # Errors
/// When a part of the stage itself does not work.
pub async fn play(lane: &Lane, play: &Play) -> Result<Verdict> {
    let (began_all, scale) = (Instant::now(), play.scale);
    let workload = Workload::draw(&mut Dice::new(play.seed, "workload"), scale, knows_cancel());
    let schedule = play.schedule.clone().unwrap_or_else(|| {
        Schedule::draw(&mut Dice::new(play.seed, "faults"), scale, workload.lanes.len())
    });
    let options = SceneOptions::new(&format!("seed-{}", play.seed)).faults(true);
    let scene = Scene::without_worker(&lane.addresses, options).await?;
    let folder = scene.folder.path().to_owned();
    let fleet = Arc::new(Fleet::new(&scene, scale, play.environment.clone()).await?);
    let supervisor = tokio::spawn(Arc::clone(&fleet).supervise());
    // Held until the end of the judgement: the logs are gone with it.
    let stage = Arc::new(Stage {
        fleet: fleet.clone(),
        rabbit: lane.rabbit.clone(),
        scene: Mutex::new(scene),
        redis_turn: Mutex::new(()),
        users: OnceLock::new(),
        scale,
    });
    let ended = run(&stage, workload, &schedule).await;
    supervisor.abort();
    let (history, faults) = match ended {
        Ok(ended) => ended,
        Err(error) => {
            let kept = keep(play.seed, &folder, &format!("{error:#}"))?;
            return Err(error.context(format!("seed {}; logs: {}", play.seed, kept.display())));
        }
    };
    let breaches = oracle::judge(&history);
    let mut verdict = Verdict {
        seed: play.seed,
        took: began_all.elapsed(),
        faults,
        ended: fleet.ended(),
        leases_taken: leases_taken(&folder),
        breaches,
        kept: None,
        history,
    };
    if !verdict.breaches.is_empty() {
        let story = super::report::story(&verdict);
        verdict.kept = Some(keep(play.seed, &folder, &story)?);
    }
    Ok(verdict)
}

/// Workers, people and connected accounts; what the journal says until then.
async fn set(stage: &Stage, workload: &Workload, schedule: &Schedule) -> Result<Vec<Value>> {
    let scene = stage.scene.lock().await;
    stage.fleet.want(0, None);
    stage.fleet.ready(0).await?;
    for (username, open) in PEOPLE {
        let invite = if open { "everybody" } else { "nobody" };
        scene.person(json!({ "username": username, "privacy": { "invite": invite } })).await?;
    }
    let mut users = Vec::new();
    for (instance, _) in &workload.lanes {
        users.push(scene.connect(instance).await?.id);
    }
    stage.users.get_or_init(|| users);
    for slot in 1..schedule.workers {
        stage.fleet.want(slot, None);
        stage.fleet.ready(slot).await?;
    }
    scene.tgsim.journal_after(0).await
}

async fn run(
    stage: &Arc<Stage>,
    workload: Workload,
    schedule: &Schedule,
) -> Result<(History, Vec<Played>)> {
    let (amqp_url, redis_url) = {
        let scene = stage.scene.lock().await;
        (scene.vhost.amqp_url.clone(), scene.redis_url().to_owned())
    };
    let before = set(stage, &workload, schedule).await?;
    let mark = before.last().and_then(|entry| entry["n"].as_u64()).unwrap_or(0);
    let ears = Ears::open(&amqp_url).await?;

    let began = Instant::now();
    let instances: Vec<String> = workload.lanes.iter().map(|(name, _)| name.clone()).collect();
    let mut speaking = tokio::task::JoinSet::new();
    for (_, plan) in workload.lanes {
        speaking.spawn(Voice::new(&amqp_url, began).speak(plan));
    }
    let faults = stage.play(schedule, began).await;
    let mut sent = Vec::new();
    for spoken in speaking.join_all().await {
        sent.extend(spoken?);
    }
    sent.sort_by_key(|sent| sent.planned.instance.clone());

    // A rule that no request has met yet would meet one after the healing.
    stage.scene.lock().await.tgsim.forget_script().await?;
    stage.fleet.heal(2);
    let bound = if stage.scale.0 > 1 { 60 } else { 240 };
    quiet::answered(&ears, &sent, Duration::from_secs(bound)).await;
    let records = quiet::records(&amqp_url, &sent).await?;
    let mut logins: Vec<Login> = instances
        .into_iter()
        .zip(stage.users().iter().copied())
        .map(|(instance, user)| Login { key: key_of(&before, user), instance, user, serves: false })
        .collect();
    quiet::serving(&amqp_url, &mut logins).await?;
    quiet::lanes_gone(stage).await?;
    let mut bad_ends = quiet::stop(stage).await;
    bad_ends.extend(stage.fleet.badly_ended());
    let journal = stage.scene.lock().await.tgsim.journal_after(mark).await?;
    let history = History {
        sent,
        told: ears.heard(),
        journal,
        records,
        logins,
        queues: quiet::queues(stage).await?,
        leases: quiet::leases(&redis_url).await?,
        bad_ends,
        ledger_lost: schedule.faults.iter().any(|(_, fault)| fault.loses_the_ledger()),
        interruptions: schedule.faults.iter().filter(|(_, fault)| *fault != Fault::Limits).count(),
        migrated: migrated(schedule, stage.users()),
    };
    Ok((history, faults))
}

fn migrated(schedule: &Schedule, users: &[i64]) -> BTreeSet<i64> {
    let moves = schedule.faults.iter().filter_map(|(_, fault)| match fault {
        Fault::Migrate(instance) => users.get(*instance).copied(),
        _ => None,
    });
    moves.collect()
}

/// The auth key that an account sent on last.
fn key_of(journal: &[Value], user: i64) -> String {
    let last = journal.iter().rev().find(|entry| {
        entry["user_id"] == user && entry["kind"] == "request" && entry["auth_key_id"].is_string()
    });
    last.and_then(|entry| entry["auth_key_id"].as_str()).unwrap_or_default().to_owned()
}

/// Whether the worker under test has the order `command.cancel`: the contract says so.
fn knows_cancel() -> bool {
    let contract = scripts::repository().join("proto/asyncapi.yaml");
    std::fs::read_to_string(contract).is_ok_and(|text| text.contains("command.cancel"))
}
