//! The broker freezes, blocks, crashes, and closes connections under load: every command is answered,
//! and Telegram sees each of them once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context as _, Result};
use queuegram_tests::stage::folder::Folder;
use queuegram_tests::stage::rabbit::{Rabbit, RabbitPrograms};
use queuegram_tests::stage::worker::{FAULTS_PROGRAM, Worker};
use queuegram_tests::stage::{Addresses, Caller, Scene, SceneOptions, patience, scripts};
use serde_json::{Value, json};

const INSTANCE: &str = "acme-sales";
/// A broker that was frozen or started has much to catch up with.
const RECOVERY: Duration = Duration::from_secs(120);
/// How long Telegram takes to make a group here: long enough to hurt the broker meanwhile.
const SLOW_MS: u64 = 2_500;

/// A broker of its own, and where a scene on it finds everything.
async fn own_broker() -> Result<(Rabbit, Addresses, Folder)> {
    let found = tokio::task::spawn_blocking(|| scripts::key_values_alone("servers")).await??;
    let program = |key: &str| found.get(key).map(Into::into).with_context(|| key.to_owned());
    let programs = RabbitPrograms { server: program("RABBITMQ_SERVER")?, epmd: program("EPMD")? };
    let folder = Folder::new("stage")?;
    let broker = Rabbit::start(&programs, folder.path()).await?;
    let addresses = Addresses {
        amqp_url: broker.amqp_url.clone(),
        management_url: broker.management_url.clone(),
        redis_url: "redis://127.0.0.1:1/0".to_owned(),
        redis_server: Some(program("REDIS_SERVER")?),
    };
    Ok((broker, addresses, folder))
}

fn impatient(label: &str) -> SceneOptions {
    SceneOptions::new(label)
        .setting("QUEUEGRAM_AMQP__HEARTBEAT_S", "1")
        .setting("QUEUEGRAM_AMQP__OPERATION_TIMEOUT_S", "1.5")
        .setting("QUEUEGRAM_AMQP__CONFIRM_TIMEOUT_S", "1.5")
        .setting("QUEUEGRAM_AMQP__CONNECT_TIMEOUT_S", "2.5")
}

/// Sends a command that makes a group, and waits until Telegram has it in hand.
async fn begin_group(scene: &Scene, id: &str) -> Result<()> {
    let slow = json!({
        "match": { "request": "channels.createChannel" },
        "times": 1,
        "then": { "delay_ms": SLOW_MS },
    });
    scene.tgsim.script(&slow).await?;
    let mark = scene.tgsim.mark().await?;
    let params = json!({ "title": id });
    scene.caller.send(INSTANCE, id, "group.create", &params).await?;
    patience::until("the command is under way", patience::USUAL, || async {
        let asked = scene.tgsim.requests_after(mark).await?;
        let worker_looks = |request: &String| request != "updates.getDifference";
        Ok(asked.iter().any(worker_looks).then_some(()))
    })
    .await
}

/// How many groups of each title Telegram made.
async fn groups(scene: &Scene) -> Result<BTreeMap<String, usize>> {
    let mut made = BTreeMap::new();
    for effect in scene.tgsim.effects_after(0).await? {
        if effect["kind"] == "chat.created"
            && let Some(title) = effect["title"].as_str()
        {
            *made.entry(title.to_owned()).or_default() += 1;
        }
    }
    Ok(made)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_blocks_freezes_and_crashes_costs_no_command_and_doubles_none() {
    let (mut broker, addresses, _folder) = own_broker().await.unwrap();
    let mut scene = Scene::without_worker(&addresses, impatient("fire")).await.unwrap();
    scene.add_worker().await.unwrap();
    scene.connect(INSTANCE).await.unwrap();

    begin_group(&scene, "while blocked").await.unwrap();
    broker.block(true).await.unwrap();
    patience::until("the group is made", patience::USUAL, || async {
        Ok(groups(&scene).await?.contains_key("while blocked").then_some(()))
    })
    .await
    .unwrap();
    broker.block(false).await.unwrap();
    assert_eq!(scene.caller.reply("while blocked").await.unwrap().json()["status"], "done");

    begin_group(&scene, "while frozen").await.unwrap();
    broker.freeze(true).unwrap();
    patience::until("the worker gives the broker up", RECOVERY, || async {
        Ok(scene.logs().contains("no connection to RabbitMQ").then_some(()))
    })
    .await
    .unwrap();
    broker.freeze(false).unwrap();
    answered_after(&mut scene, "while frozen").await.unwrap();

    begin_group(&scene, "while killed").await.unwrap();
    broker.kill();
    broker.start_again().await.unwrap();
    answered_after(&mut scene, "while killed").await.unwrap();

    let made = groups(&scene).await.unwrap();
    let expected = ["while blocked", "while frozen", "while killed"];
    assert_eq!(made, expected.map(|title| (title.to_owned(), 1)).into());
}

/// The asker's connection broke too: asked again, the command has its one result.
async fn answered_after(scene: &mut Scene, id: &str) -> Result<()> {
    let url = scene.vhost.amqp_url.clone();
    let result = patience::until("the command is answered again", RECOVERY, || async {
        let Ok(caller) = Caller::connect(&url).await else { return Ok(None) };
        let asked = caller.send(INSTANCE, id, "group.create", &json!({ "title": id })).await;
        if asked.is_err() {
            return Ok(None);
        }
        Ok(Some((caller.reply(id).await?.json(), caller)))
    })
    .await?;
    let (answer, caller) = result;
    anyhow::ensure!(answer["status"] == "done", "{answer}");
    scene.caller = caller;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_are_closed_under_load_cost_no_command_and_double_none() {
    const COMMANDS: usize = 60;
    let options =
        SceneOptions::new("closed").setting("QUEUEGRAM_AMQP__CHANNELS_PER_CONNECTION", "1");
    let scene = Scene::with(options).await.unwrap();
    for instance in [INSTANCE, "acme-support"] {
        scene.connect(instance).await.unwrap();
    }
    let results = scene.results().await.unwrap();
    let mut closed = 0;
    for n in 0..COMMANDS {
        let (id, instance) = (format!("load-{n}"), [INSTANCE, "acme-support"][n % 2]);
        let params = json!({ "title": id });
        scene.caller.send(instance, &id, "group.create", &params).await.unwrap();
        if n % 15 == 7 {
            closed += close_worker_connections(&scene).await.unwrap();
        }
    }
    assert!(closed >= 4, "{closed} connections were closed");

    let all: BTreeSet<String> = (0..COMMANDS).map(|n| format!("load-{n}")).collect();
    for id in &all {
        assert_eq!(scene.caller.reply(id).await.unwrap().json()["status"], "done", "{id}");
    }
    let made = groups(&scene).await.unwrap();
    assert_eq!(made, all.iter().map(|id| (id.clone(), 1)).collect());
    // Told more than once, perhaps, and always the same.
    let mut told: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for result in results.all() {
        let body: Value = result.json();
        let id = body["id"].as_str().unwrap_or_default().to_owned();
        told.entry(id).or_default().insert(body.to_string());
    }
    assert!(told.values().all(|bodies| bodies.len() == 1), "{told:?}");
}

/// Closes every connection of the worker's that the management API shows; how many those were.
async fn close_worker_connections(scene: &Scene) -> Result<usize> {
    let base = scene.vhost.management_url.trim_end_matches('/');
    patience::until("the worker's connections show", patience::USUAL, || async {
        let all = scene
            .vhost
            .get("vhosts/{vhost}/connections?columns=name,client_properties.connection_name")
            .await?;
        let mut closed = 0;
        for connection in all.as_array().into_iter().flatten() {
            let given = connection["client_properties"]["connection_name"].as_str();
            if given.is_some_and(|given| given.starts_with("queuegram-worker ")) {
                let id = connection["name"].as_str().unwrap_or_default().replace(' ', "%20");
                let delete = reqwest::Client::new().delete(format!("{base}/api/connections/{id}"));
                // One that the broker has forgotten meanwhile is closed as well.
                closed += usize::from(delete.send().await?.status().is_success());
            }
        }
        Ok((closed > 0).then_some(closed))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_its_workers_down_before_its_claim_is_answered_and_the_next_one_runs() {
    let mut scene = Scene::with(SceneOptions::new("poison").faults(true)).await.unwrap();
    scene.connect(INSTANCE).await.unwrap();
    scene.workers[0].terminate().unwrap();
    scene.workers[0].ended().await.unwrap();
    let events = scene.events().await.unwrap();
    scene.caller.send(INSTANCE, "poison", "group.create", &json!({ "title": "x" })).await.unwrap();
    scene.caller.send(INSTANCE, "next", "group.create", &json!({ "title": "y" })).await.unwrap();
    for attempt in 0..3 {
        let mut env = scene.worker_environment();
        env.push(("QUEUEGRAM_FAULTS".to_owned(), "delivered=kill".to_owned()));
        let (folder, name) = (scene.folder.path(), format!("doomed-{attempt}"));
        let doomed = Worker::launch(FAULTS_PROGRAM, folder, &name, &env).await.unwrap();
        let ended = doomed.start().unwrap().ended(RECOVERY).await.unwrap();
        assert!(!ended.success(), "attempt {attempt}");
    }
    scene.add_worker().await.unwrap();
    let answer = scene.caller.reply("poison").await.unwrap().json();
    assert_eq!(
        (&answer["error_kind"], &answer["error_code"]),
        (&json!("internal"), &json!("POISONED"))
    );
    assert_eq!(scene.caller.reply("next").await.unwrap().json()["status"], "done");
    let dead = events.wait("command.dead", |event| event.json()["event"] == "command.dead");
    let dead = dead.await.unwrap().json();
    assert_eq!(dead["data"], json!({ "queue": "tg.dead", "reason": "POISONED" }));
    assert_eq!(dead["command_id"], "poison");
    assert_eq!(scene.caller.look("tg.dead").await.unwrap().ready, 1);
}
