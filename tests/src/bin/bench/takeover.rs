//! A worker that owns many instances goes while another one stands by: how long until each serves
//! commands again, as a caller sees it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use futures_util::future::try_join_all;
use queuegram_tests::crowd::{Desk, instance};
use queuegram_tests::stage::Scene;
use serde_json::json;
use tokio::sync::watch;

use crate::figures::seconds;
use crate::{Setting, connect, progress, stage};

const INSTANCES: usize = 200;
/// Commands a second over all instances, before the worker goes.
const LOAD_PER_S: f64 = 50.0;
/// The pause between an instance's commands while it is away and afterwards.
const QUICK: Duration = Duration::from_millis(250);
/// How long the load runs before the worker goes.
const WARM_UP: Duration = Duration::from_secs(5);

/// How a worker goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Going {
    Killed,
    Asked,
}

pub async fn run(setting: Setting) -> Result<()> {
    let count = setting.instances.unwrap_or(INSTANCES);
    let (_servers, mut scene) = stage("bench-takeover", count, setting).await?;
    scene.add_worker().await?;
    let desk = Desk::open(&scene.vhost.amqp_url).await?;
    let took = connect(&scene, &desk, count, setting.logins).await?;
    println!("logged in, {} at once: {}", setting.logins, seconds(took));
    println!();
    println!("| the worker | instances it owned | first serves again | median | last |");
    println!("|---|---|---|---|---|");
    for (how, name) in [(Going::Killed, "SIGKILL"), (Going::Asked, "SIGTERM")] {
        scene.add_worker().await?;
        let owned = owned(&scene).await?;
        let mut back = leave(&mut scene, &desk, count, how).await?;
        // Instances that the other worker had already never were away: they are the quickest.
        back.sort();
        let away = &back[count - owned.min(count)..];
        let at = |n: usize| away.get(n).copied().map(seconds).unwrap_or_default();
        let last = away.len().saturating_sub(1);
        println!("| {name} | {owned} | {} | {} | {} |", at(0), at(last / 2), at(last));
    }
    Ok(())
}

/// How many instances the worker owns that is to go: the one before the newest.
async fn owned(scene: &Scene) -> Result<usize> {
    let going = scene.workers.len().checked_sub(2).context("two workers")?;
    let online = r#"queuegram_instances{state="online"}"#;
    let count = scene.workers[going].metric(online, |_| true).await?;
    Ok(count as usize)
}

/// The worker goes under load; when each instance was back, counted from that moment.
async fn leave(scene: &mut Scene, desk: &Desk, count: usize, how: Going) -> Result<Vec<Duration>> {
    let (signal, went) = watch::channel(None);
    let gone = Arc::new(AtomicBool::new(false));
    let callers = (0..count).map(|n| {
        tokio::spawn(caller(desk.clone(), instance(n), count, n, went.clone(), gone.clone()))
    });
    let callers: Vec<_> = callers.collect();
    tokio::time::sleep(WARM_UP).await;
    let going = scene.workers.len() - 2;
    match how {
        Going::Killed => scene.workers[going].kill(),
        Going::Asked => scene.workers[going].terminate()?,
    }
    let at = Instant::now();
    signal.send_replace(Some(at));
    if how == Going::Asked {
        scene.workers[going].ended().await?;
        progress(&format!("the worker had ended after {}", seconds(at.elapsed())));
    }
    gone.store(true, Ordering::Relaxed);
    try_join_all(callers).await?.into_iter().collect()
}

/// One instance's caller: a command, its reply, a pause, the next one. Until a command that was sent
/// after the worker had gone is answered; then the answer to the command that waited longest is the
/// moment at which the instance was back.
async fn caller(
    desk: Desk,
    instance: String,
    count: usize,
    n: usize,
    mut went: watch::Receiver<Option<Instant>>,
    gone: Arc<AtomicBool>,
) -> Result<Duration> {
    let usual = Duration::from_secs_f64(count as f64 / LOAD_PER_S);
    // Spread over the first pause, so that they don't send in step.
    let _early = tokio::time::timeout(usual.mul_f64(n as f64 / count as f64), went.changed()).await;
    let (mut longest, mut back) = (Duration::ZERO, Duration::ZERO);
    loop {
        let (sent, after) = (Instant::now(), gone.load(Ordering::Relaxed));
        desk.command(&instance, "account.get", json!({})).await?;
        let signalled = *went.borrow_and_update();
        if let Some(at) = signalled {
            let waited = sent.elapsed();
            if waited >= longest {
                (longest, back) = (waited, at.elapsed());
            }
            if after {
                return Ok(back);
            }
            tokio::time::sleep(QUICK).await;
        } else {
            let _signal = tokio::time::timeout(usual, went.changed()).await;
        }
    }
}
