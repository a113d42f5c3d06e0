//! Many connected accounts on one worker that have nothing to do: what each of them costs.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use queuegram_tests::crowd::Desk;
use queuegram_tests::stage::{Scene, patience};

use crate::figures::{self, Process, kib_each, mib, seconds};
use crate::{Setting, connect, progress, stage};

const INSTANCES: usize = 5_000;
/// Longest wait for all of them to be online.
const ONLINE_BOUND: Duration = Duration::from_secs(1_800);
/// How long they are left alone before the last look.
const REST: Duration = Duration::from_secs(60);
/// The programs whose memory is told, by the names that the kernel knows them by.
const PROGRAMS: [(&str, &str); 4] = [
    ("queuegram-worke", "worker"),
    ("tgsim", "tgsim"),
    ("beam.smp", "RabbitMQ"),
    ("redis-server", "Redis"),
];

pub async fn run(setting: Setting) -> Result<()> {
    let count = setting.instances.unwrap_or(INSTANCES);
    let (_servers, mut scene) = stage("bench-idle", count, setting).await?;
    scene.add_worker().await?;
    let before = figures::family();
    let desk = Desk::open(&scene.vhost.amqp_url).await?;
    let took = connect(&scene, &desk, count, setting.logins).await?;
    online(&scene, count).await?;
    println!("logged in, {} at once: {}", setting.logins, seconds(took));
    println!("leases lost meanwhile: {}", leases_lost(&scene.logs()));

    // What was left over by the logins is gone with their worker; the next one is what runs for weeks.
    let last = scene.workers.last_mut().context("a worker")?;
    last.terminate()?;
    last.ended().await?;
    let since = Instant::now();
    scene.add_worker().await?;
    let ready = since.elapsed();
    online(&scene, count).await?;
    println!(
        "started again: ready after {}, all online after {}",
        seconds(ready),
        seconds(since.elapsed())
    );
    let online = figures::family();
    progress(&format!("leaving them alone for {}", seconds(REST)));
    tokio::time::sleep(REST).await;
    let rested = figures::family();
    let newest = scene.workers.last().context("a worker")?;
    println!("leases that it lost: {}", leases_lost(&newest.log_text()));
    println!();
    println!(
        "| program | with none | all online | a minute later | per instance | fds | of a core, idle |"
    );
    println!("|---|---|---|---|---|---|---|");
    for (program, name) in PROGRAMS {
        print_row(program, name, [&before, &online, &rested], count);
    }
    Ok(())
}

fn print_row(program: &str, name: &str, looks: [&[Process]; 3], count: usize) {
    let [before, online, rested] = looks.map(|look| figures::of(look, program));
    let each = kib_each(rested.rss.saturating_sub(before.rss), count);
    let cpu = (rested.cpu_s - online.cpu_s) / REST.as_secs_f64() * 100.0;
    let [none, all, later] = [before, online, rested].map(|look| mib(look.rss));
    println!("| {name} | {none} | {all} | {later} | {each} | {} | {cpu:.0} % |", rested.fds);
}

/// Waits until the newest worker says that all are online.
async fn online(scene: &Scene, count: usize) -> Result<()> {
    let worker = scene.workers.last().context("a worker")?;
    let mut told = Instant::now();
    patience::until("all instances are online", ONLINE_BOUND, || {
        let tell = told.elapsed() > Duration::from_secs(10);
        if tell {
            told = Instant::now();
        }
        async move {
            let line = r#"queuegram_instances{state="online"}"#;
            let online = worker.metric(line, |_| true).await? as usize;
            if tell {
                progress(&format!("{online} of {count} are online"));
            }
            Ok((online >= count).then_some(()))
        }
    })
    .await
}

/// What a worker says that could not renew a lease in time.
fn leases_lost(log: &str) -> usize {
    log.matches("the lease is lost").count()
}
