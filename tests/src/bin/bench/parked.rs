//! Thousands of commands parked for one account: how fast they are put away, what they hold, how soon
//! another worker goes on with them, how they are answered at their deadlines and worked off.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use chrono::{TimeDelta, Utc};
use queuegram_tests::stage::{Scene, patience};
use serde_json::{Value, json};

use crate::figures::{family, of, seconds};
use crate::{QueueKind, progress, stage_with};

const INSTANCE: &str = "bench";
const LANE: &str = "tg.lanes.bench.admin";
const RENAME: &str = "channels.editTitle";
/// Groups over which the commands are spread.
const GROUPS: usize = 50;
/// The wait that parks them, and the one that is met when that is over.
const WAITS_S: [u32; 2] = [3_600, 7_200];
/// Of so many commands one has a deadline within the second wait.
const DUE_EVERY: usize = 10;
/// Longest time for any part of it.
const BOUND: Duration = Duration::from_secs(3_600);

pub async fn run(commands: usize, queue_kind: QueueKind) -> Result<()> {
    let (_servers, mut scene) =
        stage_with("bench-parked", 1, queue_kind, |options| options.faults(true)).await?;
    scene.add_worker().await?;
    scene.connect(INSTANCE).await?;
    let groups = groups(&scene).await?;
    gate(&scene, WAITS_S[0]).await?;

    println!(
        "{commands} renames of {GROUPS} groups\n\n| what | how long | a second |\n|---|---|---|"
    );
    let row = |what: &str, count: usize, took: Duration| {
        let rate = count as f64 / took.as_secs_f64();
        println!("| {what} | {} | {rate:.0} |", seconds(took));
    };
    let since = Instant::now();
    send(&scene, &groups, commands).await?;
    row("published, each confirmed", commands, since.elapsed());
    until_parked(&scene, commands).await?;
    row("all parked, from the first on", commands, since.elapsed());
    let held = of(&family(), "queuegram-worke").rss;

    let since = Instant::now();
    scene.workers[0].kill();
    scene.add_worker().await?;
    let answer = scene.caller.call(INSTANCE, "after-takeover", "account.get", json!({})).await?;
    ensure!(answer["status"] == "done", "{answer}");
    row("another worker serves, after SIGKILL", 1, since.elapsed());

    // The first call after the wait is told to wait again: now those with a deadline fall due.
    gate(&scene, WAITS_S[1]).await?;
    let met = scene.tgsim.mark().await?;
    scene.advance(WAITS_S[0] + 2).await?;
    patience::until("the second wait is met", BOUND, || async {
        let requests = scene.tgsim.requests_after(met).await?;
        Ok(requests.iter().any(|request| request == RENAME).then_some(()))
    })
    .await?;
    scene.advance(WAITS_S[1] - 600).await?;
    let (since, due) = (Instant::now(), commands.div_ceil(DUE_EVERY));
    until_answered(&scene, due).await?;
    row("answered at their deadlines", due, since.elapsed());

    scene.advance(1_200).await?;
    let since = Instant::now();
    until_answered(&scene, commands).await?;
    row("worked off", commands - due, since.elapsed());
    patience::until("the lane is gone", BOUND, || async {
        let queues = scene.vhost.queues().await?;
        Ok((!queues.iter().any(|queue| queue == LANE)).then_some(()))
    })
    .await?;
    judge(&scene, commands, due)?;
    println!("\nThe worker held {} MB with all of them parked.", held / 1_000_000);
    Ok(())
}

async fn groups(scene: &Scene) -> Result<Vec<i64>> {
    let mut made = Vec::new();
    for n in 0..GROUPS {
        let params = json!({ "title": format!("Group {n}") });
        let answer =
            scene.caller.call(INSTANCE, &format!("create-{n}"), "group.create", params).await?;
        made.push(answer["chat_id"].as_i64().with_context(|| answer.to_string())?);
    }
    Ok(made)
}

/// The next rename is told to wait for so long.
async fn gate(scene: &Scene, wait_s: u32) -> Result<()> {
    let rule = json!({ "match": { "request": RENAME }, "times": 1, "then": { "flood": wait_s } });
    scene.tgsim.script(&rule).await.map(drop)
}

async fn send(scene: &Scene, groups: &[i64], commands: usize) -> Result<()> {
    let due = Utc::now() + TimeDelta::seconds(i64::from(WAITS_S[0] + WAITS_S[1] - 1_200));
    for n in 0..commands {
        let mut body = json!({
            "id": format!("rename-{n}"), "method": "group.rename", "instance": INSTANCE,
            "params": { "chat_id": groups[n % groups.len()], "title": format!("Title {n}") },
        });
        if n % DUE_EVERY == DUE_EVERY - 1 {
            body["deadline"] = json!(due.to_rfc3339());
        }
        scene.caller.send_body(INSTANCE, "group.rename", &body).await?;
    }
    Ok(())
}

async fn until_parked(scene: &Scene, commands: usize) -> Result<()> {
    let told = Cell::new(0);
    patience::until("all are parked", BOUND, || async {
        // The lane is made with the first of them.
        let look = scene.caller.look(LANE).await;
        let parked = look.map_or(0, |look| look.ready as usize);
        if parked / 1_000 > told.get() {
            told.set(parked / 1_000);
            progress(&format!("{parked} of {commands} are parked"));
        }
        Ok((parked >= commands).then_some(()))
    })
    .await
}

async fn until_answered(scene: &Scene, count: usize) -> Result<()> {
    patience::until(&format!("{count} are answered"), BOUND, || async {
        Ok((replies(scene).len() >= count).then_some(()))
    })
    .await
}

/// The answers to the renames, in their order.
fn replies(scene: &Scene) -> Vec<Value> {
    let all = scene.caller.replies().all().into_iter().map(|message| message.json());
    all.filter(|body| body["method"] == "group.rename").collect()
}

/// Whoever looks at figures wants to know that they are of work well done.
fn judge(scene: &Scene, commands: usize, due: usize) -> Result<()> {
    let replies = replies(scene);
    let number = |body: &Value| -> Option<usize> {
        body["id"].as_str()?.strip_prefix("rename-")?.parse().ok()
    };
    let mut last: BTreeMap<usize, usize> = BTreeMap::new();
    let mut late = 0;
    for body in &replies {
        let n = number(body).with_context(|| body.to_string())?;
        if body["status"] != "done" {
            late +=
                usize::from(matches!(body["error_kind"].as_str(), Some("expired" | "throttled")));
            continue;
        }
        let before = last.insert(n % GROUPS, n);
        ensure!(before.is_none_or(|before| before < n), "rename-{n} came after {before:?}");
    }
    println!(
        "\n{} answers to {commands} commands, {late} of {due} at their deadline, the others in the order of their groups.",
        replies.len()
    );
    Ok(())
}
