//! Telegram's limits, met by nobody who waits: with tgsim's limits switched on, and time moved on
//! instead of waited for.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use queuegram_tests::stage::{Scene, SceneOptions, patience};
use serde_json::{Value, json};

use crate::expect::{assert_holds, done};

const CREATE: &str = "channels.createChannel";
const INSTANCES: usize = 10;
const DEALS: usize = 3;
/// As long as nothing is answered for this long, nothing can be: everything waits for time to go on.
const QUIET: Duration = Duration::from_millis(700);
/// The steps of one deal, in the order in which they are asked for.
const STEPS: [&str; 10] = [
    "create", "add", "rename-1", "link", "rename-2", "members", "rename-3", "revoke", "remove",
    "rename-4",
];

/// A worker that lives at the scene's time.
async fn scene(label: &str, settings: &[(&str, &str)]) -> Scene {
    let options =
        settings.iter().fold(SceneOptions::new(label).faults(true), |options, (key, value)| {
            options.setting(key, value)
        });
    Scene::with(options).await.unwrap()
}

fn instance(n: usize) -> String {
    format!("acme-{n}")
}

/// Asks for everything at once, mixed as it comes: deal by deal within a step, instance by instance.
async fn throw(scene: &Scene, guests: &[i64]) {
    for step in STEPS {
        for deal in 0..DEALS {
            for n in 0..INSTANCES {
                let external_ref = format!("deal-{deal}");
                let guest = format!("@guest{}", guests.len() * n / INSTANCES);
                let (method, params) = match step {
                    "create" => ("group.create", json!({ "title": external_ref })),
                    "add" => ("group.add_members", json!({ "members": [guest] })),
                    "link" | "members" => ("group.get_invite_link", json!({})),
                    "revoke" => ("group.revoke_invite_link", json!({})),
                    "remove" => ("group.remove_members", json!({ "members": [guest] })),
                    rename => {
                        ("group.rename", json!({ "title": format!("{external_ref} {rename}") }))
                    }
                };
                let body = json!({
                    "id": format!("{n}:{external_ref}:{step}"), "method": method, "instance": instance(n),
                    "external_ref": external_ref, "params": params,
                });
                scene.caller.send_body(&instance(n), method, &body).await.unwrap();
            }
        }
    }
}

/// Moves time on until everything is answered; the replies in their order.
async fn until_all_answered(scene: &Scene, commands: usize, step_s: u32) -> Vec<Value> {
    let mut moved = 0_u32;
    loop {
        let before = scene.caller.replies().all().len();
        if before >= commands {
            break;
        }
        assert!(moved < 20 * 3_600, "{before} of {commands} answered after {moved} s");
        // Whatever can be done now is done before time goes on.
        let more = patience::until("one more is answered", QUIET, || async {
            Ok((scene.caller.replies().all().len() > before).then_some(()))
        });
        if more.await.is_err() {
            scene.advance(step_s).await.unwrap();
            moved += step_s;
        }
    }
    println!("{commands} commands, {moved} s of the world's time");
    scene.caller.replies().all().iter().map(queuegram_tests::stage::Message::json).collect()
}

/// Each deal's answers came in the order in which they were asked for, and all well.
fn assert_in_order(replies: &[Value]) {
    let mut deals: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for reply in replies {
        assert_holds(reply, &json!({ "status": "done" }));
        let id = reply["id"].as_str().unwrap();
        let mut parts = id.split(':').map(str::to_owned);
        let deal = (parts.next().unwrap(), parts.next().unwrap());
        deals.entry(deal).or_default().push(parts.next().unwrap());
    }
    assert_eq!(deals.len(), INSTANCES * DEALS);
    for (deal, steps) in deals {
        assert_eq!(steps, STEPS, "{deal:?}");
    }
}

/// The flood waits in the journal: how many, and how many of them in a wait that was not over.
async fn floods(scene: &Scene) -> (usize, usize) {
    let journal = scene.tgsim.journal_after(0).await.unwrap();
    let waits: Vec<_> =
        journal.iter().filter(|entry| entry["fault"]["limit"].is_string()).collect();
    let impatient = waits.iter().filter(|entry| entry["fault"]["in_flood"] == true).count();
    (waits.len(), impatient)
}

async fn play(label: &str, settings: &[(&str, &str)], limits: &Value) -> (usize, usize) {
    let scene = scene(label, settings).await;
    let mut guests = Vec::new();
    for n in 0..INSTANCES {
        let guest = json!({ "first_name": "Guest", "username": format!("guest{n}") });
        guests.push(scene.person(guest).await.unwrap().id);
        scene.connect(&instance(n)).await.unwrap();
    }
    scene.tgsim.post("/limits", limits).await.unwrap();
    throw(&scene, &guests).await;
    let replies = until_all_answered(&scene, INSTANCES * DEALS * STEPS.len(), 120).await;
    assert_in_order(&replies);
    let left = patience::until("the lanes are gone", patience::USUAL, || async {
        let queues = scene.vhost.queues().await?;
        Ok((!queues.iter().any(|queue| queue.contains(".lanes."))).then_some(()))
    });
    left.await.unwrap();
    floods(&scene).await
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_budgets_that_come_with_it_no_flood_wait_is_provoked() {
    let careful = [("QUEUEGRAM_LIMITS__PROFILE", "careful")];
    let (waits, impatient) =
        play("limits-careful", &careful, &json!({ "profile": "telegram" })).await;
    println!("flood waits provoked: {waits}, calls inside a closed gate: {impatient}");
    assert_eq!((waits, impatient), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_budgets_each_flood_wait_is_met_once() {
    let limit =
        |request: &str, every_s: u32| json!({ "request": request, "every_s": every_s, "burst": 1 });
    let strict = json!({ "limits": [
        limit(CREATE, 300), limit("channels.inviteToChannel", 120), limit("channels.editTitle", 20),
        limit("messages.exportChatInvite", 60), limit("channels.editBanned", 60),
    ] });
    let (waits, impatient) = play("limits-none", &[], &strict).await;
    println!("flood waits met: {waits}, calls inside a closed gate: {impatient}");
    assert!(waits > 0, "the limits were met");
    assert_eq!(impatient, 0);
}

/// How long each of these takes, in milliseconds: the middle one of several tries.
async fn latencies(scene: &Scene, chat: i64, round: &str) -> BTreeMap<&'static str, f64> {
    let mut taken: HashMap<&str, Vec<f64>> = HashMap::new();
    for n in 0..15 {
        let rename = json!({ "chat_id": chat, "title": format!("{round} {n}") });
        for (method, params) in [
            ("group.rename", rename),
            ("group.get_invite_link", json!({ "chat_id": chat })),
            ("account.get", json!({})),
        ] {
            let since = Instant::now();
            let id = format!("{round}:{n}:{method}");
            let reply = scene.caller.call("acme-0", &id, method, params).await.unwrap();
            taken.entry(method).or_default().push(since.elapsed().as_secs_f64() * 1_000.0);
            assert_holds(&reply, &json!({ "status": "done" }));
        }
    }
    let middle = |mut all: Vec<f64>| {
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    };
    taken.into_iter().map(|(method, all)| (method, middle(all))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn creates_that_are_gated_for_an_hour_hold_nothing_else_up() {
    let scene = scene("limits-gated", &[]).await;
    scene.connect("acme-0").await.unwrap();
    let made = scene.caller.call("acme-0", "made", "group.create", json!({ "title": "A" })).await;
    let chat = done(&made.unwrap());
    let before = latencies(&scene, chat, "before").await;

    let flood = json!({ "match": { "request": CREATE }, "times": 1, "then": { "flood": 3_600 } });
    scene.tgsim.script(&flood).await.unwrap();
    let create = json!({ "title": "B" });
    scene.caller.send("acme-0", "gated", "group.create", &create).await.unwrap();
    patience::until("it is parked", patience::USUAL, || async {
        let queues = scene.vhost.queues().await?;
        Ok(queues.iter().any(|queue| queue == "tg.lanes.acme-0.create").then_some(()))
    })
    .await
    .unwrap();
    let gated = latencies(&scene, chat, "gated").await;
    for (method, ms) in &before {
        println!("{method}: {ms:.1} ms before, {:.1} ms while creates are gated", gated[method]);
    }
    let mark = scene.tgsim.mark().await.unwrap();
    scene.advance(3_500).await.unwrap();
    done(
        &scene
            .caller
            .call("acme-0", "still", "group.rename", json!({ "chat_id": chat, "title": "C" }))
            .await
            .unwrap(),
    );
    let requests = scene.tgsim.requests_after(mark).await.unwrap();
    assert!(!requests.iter().any(|name| name == CREATE), "{requests:?}");
    scene.advance(101).await.unwrap();
    done(&scene.caller.reply("gated").await.unwrap().json());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_owner_obeys_the_gate_and_empties_the_lane_in_order() {
    let mut scene = scene("limits-successor", &[]).await;
    scene.connect("acme-0").await.unwrap();
    let flood = json!({ "match": { "request": CREATE }, "times": 1, "then": { "flood": 3_600 } });
    scene.tgsim.script(&flood).await.unwrap();
    let ids: Vec<String> = (0..20).map(|n| format!("deal-{n}")).collect();
    for id in &ids {
        scene.caller.send("acme-0", id, "group.create", &json!({ "title": id })).await.unwrap();
    }
    let lane = "tg.lanes.acme-0.create";
    patience::until("they are parked", patience::USUAL, || async {
        let there = scene.vhost.queues().await?.iter().any(|queue| queue == lane);
        Ok((there && scene.caller.look(lane).await?.ready == 20).then_some(()))
    })
    .await
    .unwrap();
    scene.workers[0].kill();
    let mark = scene.tgsim.mark().await.unwrap();
    scene.add_worker().await.unwrap();
    // It is at work, and leaves the gate alone.
    done_read(&scene, "probe").await;
    scene.advance(3_500).await.unwrap();
    done_read(&scene, "still").await;
    let requests = scene.tgsim.requests_after(mark).await.unwrap();
    assert!(!requests.iter().any(|name| name == CREATE), "{requests:?}");

    scene.advance(200).await.unwrap();
    let last = scene.caller.reply(&ids[19]).await.unwrap().json();
    done(&last);
    let answered: Vec<String> = scene
        .caller
        .replies()
        .all()
        .iter()
        .map(|reply| reply.json()["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(answered[2..], ids, "in the order in which they came");
}

async fn done_read(scene: &Scene, id: &str) {
    let reply = scene.caller.call("acme-0", id, "account.get", json!({})).await.unwrap();
    assert_holds(&reply, &json!({ "status": "done" }));
}

/// What the program's bytes say.
fn holds(program: &std::path::Path, text: &str) -> bool {
    let bytes = std::fs::read(program).unwrap();
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_released_worker_knows_no_time_but_the_machines() {
    use queuegram_tests::stage::{binaries, worker};
    let variable = "QUEUEGRAM_TEST_CLOCK";
    let released = binaries::program(worker::PROGRAM).await.unwrap();
    let twin = binaries::program(worker::FAULTS_PROGRAM).await.unwrap();
    assert!(!holds(&released, variable) && holds(&twin, variable));
    // Told another time, it lives at the machine's; its twin follows.
    for (faults, follows) in [(false, false), (true, true)] {
        let scene = Scene::with(SceneOptions::new("clock").faults(faults)).await.unwrap();
        scene.connect("acme-0").await.unwrap();
        scene.advance(86_400).await.unwrap();
        let later = patience::until("its clock", Duration::from_secs(3), || async {
            let id = uuid::Uuid::new_v4().to_string();
            let reply = scene.caller.call("acme-0", &id, "account.get", json!({})).await?;
            let finished = reply["finished_at"].as_str().unwrap_or_default();
            let at = chrono::DateTime::parse_from_rfc3339(finished)?.to_utc();
            Ok((at - chrono::Utc::now() > chrono::TimeDelta::hours(23)).then_some(()))
        });
        assert_eq!(later.await.is_ok(), follows);
    }
}
