//! A ledger that lost what it had, wholly or in part, while a group was being made.

use queuegram_tests::stage::{Scene, patience};
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use url::Url;

use super::{INSTANCE, quick};
use crate::expect::{count, done};

const RECORD: &str = "qg:{acme-sales}:cmd:deal:create";

/// Asks the scene's Redis one line, and gives the first of its answer.
async fn redis(scene: &Scene, line: &str) -> String {
    let url = Url::parse(scene.redis_url()).unwrap();
    let address = (url.host_str().unwrap(), url.port().unwrap());
    let mut wire = BufReader::new(TcpStream::connect(address).await.unwrap());
    let database = url.path().trim_start_matches('/').parse().unwrap_or(0_u8);
    wire.write_all(format!("SELECT {database}\r\n{line}\r\n").as_bytes()).await.unwrap();
    let mut answer = String::new();
    wire.read_line(&mut answer).await.unwrap();
    answer.clear();
    wire.read_line(&mut answer).await.unwrap();
    answer.trim_end().to_owned()
}

async fn creation_started(scene: &Scene) {
    patience::until("the step is noted", patience::USUAL, || async {
        let there = redis(scene, &format!("HEXISTS {RECORD} s:create")).await;
        Ok((there == ":1").then_some(()))
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_vanishes_under_its_worker_costs_no_second_group() {
    let scene = Scene::with(quick("vanished")).await.unwrap();
    scene.connect(INSTANCE).await.unwrap();
    let rule = json!({
        "match": { "request": "channels.createChannel" }, "times": 1, "then": { "delay_ms": 3000 },
    });
    scene.tgsim.script(&rule).await.unwrap();
    let mark = scene.tgsim.mark().await.unwrap();
    let params = json!({ "title": "Deal" });
    scene.caller.send(INSTANCE, "deal:create", "group.create", &params).await.unwrap();
    creation_started(&scene).await;
    assert_eq!(redis(&scene, &format!("DEL {RECORD}")).await, ":1");

    let chat_id = done(&scene.caller.reply("deal:create").await.unwrap().json());
    let effects = scene.tgsim.effects_after(mark).await.unwrap();
    assert_eq!(count(&effects, &json!({ "kind": "chat.created" })), 1, "{effects:#?}");
    assert_eq!(count(&effects, &json!({ "kind": "chat.created", "chat_id": chat_id })), 1);
}

/// As the release before wrote it: started, and not a word on where to look.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_note_a_group_is_found_by_its_date() {
    for kind in ["supergroup", "basic"] {
        let mut scene = Scene::with(quick("no-note").faults(true)).await.unwrap();
        scene.connect(INSTANCE).await.unwrap();
        scene.person(json!({ "username": "client" })).await.unwrap();
        scene.workers[0].terminate().unwrap();
        scene.workers[0].ended().await.unwrap();
        let order = [("QUEUEGRAM_FAULTS", "step_answered:create=kill")];
        let dying = scene.add_worker_with(&order).await.unwrap();
        let mark = scene.tgsim.mark().await.unwrap();
        let params = json!({ "title": "Deal", "kind": kind, "members": ["@client"] });
        scene.caller.send(INSTANCE, "deal:create", "group.create", &params).await.unwrap();
        scene.workers[dying].ended().await.unwrap();
        redis(&scene, &format!("HSET {RECORD} v 1 s:create 1|started|once|1|")).await;

        scene.add_worker().await.unwrap();
        let chat_id = done(&scene.caller.reply("deal:create").await.unwrap().json());
        let effects = scene.tgsim.effects_after(mark).await.unwrap();
        assert_eq!(count(&effects, &json!({ "kind": "chat.created" })), 1, "{effects:#?}");
        assert_eq!(count(&effects, &json!({ "kind": "chat.created", "chat_id": chat_id })), 1);
    }
}
