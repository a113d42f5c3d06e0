//! Taking a command back, and deciding about one whose worker did not come back to it.

use queuegram_tests::stage::{Message, Scene, patience};
use serde_json::{Value, json};

use crate::expect::{assert_holds, count, done};

const INSTANCE: &str = "acme-sales";

/// What `queuegram … --json` printed, and its exit code.
async fn ask(scene: &Scene, args: &[&str]) -> (i32, Value) {
    let args: Vec<&str> = args.iter().copied().chain(["--json"]).collect();
    let output = scene.ctl().await.unwrap().run(&args).await.unwrap();
    let printed = serde_json::from_slice(&output.stdout).unwrap_or_default();
    (output.status.code().unwrap(), printed)
}

async fn until_started(scene: &Scene, id: &str) {
    patience::until("a step of it has begun", patience::USUAL, || async {
        let (_, shown) = ask(scene, &["command", "show", id, "-i", INSTANCE]).await;
        Ok((shown["state"] == "started").then_some(()))
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_waits_is_answered_cancelled_when_it_comes_up() {
    let scene = Scene::open("cancel-waiting").await.unwrap();
    scene.connect(INSTANCE).await.unwrap();
    let results = scene.results().await.unwrap();
    scene.ctl().await.unwrap().ok(&["pause", INSTANCE]).await.unwrap();
    let mark = scene.tgsim.mark().await.unwrap();
    let params = json!({ "title": "Deal 1" });
    scene.caller.send(INSTANCE, "deal-1", "group.create", &params).await.unwrap();
    for _ in 0..2 {
        let (code, told) = ask(&scene, &["command", "cancel", "deal-1", "-i", INSTANCE]).await;
        assert_eq!(
            (code, &told),
            (0, &json!({ "cancelled": true, "state": null, "status": null }))
        );
    }
    scene.ctl().await.unwrap().ok(&["resume", INSTANCE]).await.unwrap();
    let reply = scene.caller.reply("deal-1").await.unwrap();
    let cancelled = json!({
        "status": "failed", "error_kind": "cancelled", "error_code": "CANCELLED", "retryable": false,
    });
    assert_holds(&reply.json(), &cancelled);
    assert_eq!(reply.message_id(), Some("acme-sales:deal-1:result"));

    // Final, whoever asks; and asking once more to cancel it changes nothing.
    scene.caller.send(INSTANCE, "deal-1", "group.create", &params).await.unwrap();
    let is_reply = |message: &Message| message.json()["id"] == "deal-1";
    let both = scene.caller.replies().wait_many("the same again", 2, is_reply).await.unwrap();
    assert_eq!(both[1].json(), reply.json());
    let (code, told) = ask(&scene, &["command", "cancel", "deal-1", "-i", INSTANCE]).await;
    assert_eq!((code, &told["cancelled"], &told["status"]), (0, &json!(true), &json!("failed")));
    let told =
        results.wait("the result", |message| message.json()["id"] == "deal-1").await.unwrap();
    assert_eq!(told.routing_key, "acme-sales.group.create.failed");
    assert_eq!(scene.tgsim.effects_after(mark).await.unwrap(), [Value::Null; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_can_be_cancelled_before_it_arrives() {
    let scene = Scene::open("cancel-early").await.unwrap();
    scene.connect(INSTANCE).await.unwrap();
    let (code, told) = ask(&scene, &["command", "cancel", "deal-2", "-i", INSTANCE]).await;
    assert_eq!((code, &told["cancelled"]), (0, &json!(true)));
    let (code, shown) = ask(&scene, &["command", "show", "deal-2", "-i", INSTANCE]).await;
    assert_eq!((code, &shown["error_code"]), (3, &json!("COMMAND_NOT_FOUND")));
    let words = shown["error_message"].as_str().unwrap();
    assert!(words.contains("cancelled"), "{words}");

    let params = json!({ "title": "Deal 2" });
    let reply = scene.caller.call(INSTANCE, "deal-2", "group.create", params).await.unwrap();
    assert_holds(&reply, &json!({ "error_kind": "cancelled" }));
    let (_, shown) = ask(&scene, &["command", "get", "deal-2", "-i", INSTANCE]).await;
    assert!(shown["cancelled_at"].is_string(), "{shown:#}");
    let (code, refused) = ask(&scene, &["command", "cancel", "x", "-i", "nobody"]).await;
    assert_eq!((code, &refused["error_code"]), (3, &json!("INSTANCE_NOT_FOUND")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_begun_is_brought_to_its_end() {
    let scene = Scene::open("cancel-late").await.unwrap();
    scene.connect(INSTANCE).await.unwrap();
    let slow = json!({ "match": { "request": "channels.createChannel" }, "times": 1, "then": { "delay_ms": 4000 } });
    scene.tgsim.script(&slow).await.unwrap();
    let params = json!({ "title": "Deal 3" });
    scene.caller.send(INSTANCE, "deal-3", "group.create", &params).await.unwrap();
    until_started(&scene, "deal-3").await;
    let (code, refused) = ask(&scene, &["command", "cancel", "deal-3", "-i", INSTANCE]).await;
    assert_eq!(code, 3);
    assert_holds(&refused, &json!({ "error_kind": "invalid", "error_code": "COMMAND_UNDER_WAY" }));
    assert_holds(&refused["result"], &json!({ "cancelled": false, "state": "started" }));
    done(&scene.caller.reply("deal-3").await.unwrap().json());
    let (code, refused) = ask(&scene, &["command", "cancel", "deal-3", "-i", INSTANCE]).await;
    assert_eq!((code, &refused["error_code"]), (3, &json!("COMMAND_FINISHED")));
    assert_holds(&refused["result"], &json!({ "cancelled": false, "status": "done" }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_decides_about_a_command_that_nobody_comes_back_to() {
    let mut scene = Scene::open("resolve").await.unwrap();
    scene.connect(INSTANCE).await.unwrap();
    let (results, events) = (scene.results().await.unwrap(), scene.events().await.unwrap());
    let mark = scene.tgsim.mark().await.unwrap();
    let stuck = json!({ "match": { "request": "channels.createChannel" }, "times": 1, "then": { "half_open": true } });
    scene.tgsim.script(&stuck).await.unwrap();
    let params = json!({ "title": "Deal 4" });
    scene.caller.send(INSTANCE, "deal-4", "group.create", &params).await.unwrap();
    until_started(&scene, "deal-4").await;
    let resolve =
        ["command", "resolve", "deal-4", "-i", INSTANCE, "--as", "done", "--chat-id", "-1001234"];
    let (code, refused) = ask(&scene, &resolve).await;
    assert_eq!((code, &refused["error_code"]), (3, &json!("COMMAND_UNDER_WAY")), "{refused:#}");

    // Paused, its next owner does not go on with it.
    scene.ctl().await.unwrap().ok(&["pause", INSTANCE]).await.unwrap();
    scene.workers[0].kill();
    scene.add_worker().await.unwrap();
    let list = ["command", "list", "-i", INSTANCE, "--state", "started", "--older-than", "1s"];
    let row = patience::until("it is in nobody's hand", patience::USUAL, || async {
        let (_, listed) = ask(&scene, &list).await;
        Ok((listed[0]["in_hand"] == false).then(|| listed[0].clone()))
    })
    .await
    .unwrap();
    assert_holds(&row, &json!({ "id": "deal-4", "method": "group.create", "state": "started" }));

    let (code, told) = ask(&scene, &resolve).await;
    assert_eq!(code, 0, "{told:#}");
    assert_holds(&told["decision"], &json!({ "as": "done", "chat_id": -1_001_234 }));
    let result = results.wait("the decision", |message| message.json()["id"] == "deal-4").await;
    let result = result.unwrap();
    assert_holds(&result.json(), &json!({ "status": "done", "chat_id": -1_001_234 }));
    let event = events.wait("the event", |message| message.json()["event"] == "command.resolved");
    let event = event.await.unwrap().json();
    assert_holds(&event, &json!({ "command_id": "deal-4", "chat_id": -1_001_234 }));
    assert_holds(&event["data"], &json!({ "method": "group.create", "status": "done" }));

    // Its caller gets that, too, when the queue goes on: one answer for everybody.
    scene.ctl().await.unwrap().ok(&["resume", INSTANCE]).await.unwrap();
    let reply = scene.caller.reply("deal-4").await.unwrap();
    assert_eq!(reply.message_id(), result.message_id());
    assert_eq!(reply.json()["status"], "done");
    let other = ["command", "resolve", "deal-4", "-i", INSTANCE, "--as", "failed"];
    let (code, refused) = ask(&scene, &other).await;
    assert_eq!((code, &refused["error_code"]), (3, &json!("COMMAND_FINISHED")));
    let (code, shown) = ask(&scene, &["command", "show", "deal-4", "-i", INSTANCE]).await;
    assert_eq!((code, &shown["decision"]["as"]), (0, &json!("done")));
    let effects = scene.tgsim.effects_after(mark).await.unwrap();
    assert_eq!(count(&effects, &json!({ "kind": "chat.created" })), 0, "{effects:#?}");
}
