//! SIGTERM: what runs is finished and answered, nothing new is begun, the exit code is 0.

use queuegram_tests::stage::{Scene, patience};
use serde_json::json;

use crate::expect::{count, done};

const INSTANCE: &str = "acme-sales";

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_told_to_stop_finishes_what_it_has_begun() {
    let mut scene = Scene::open("stop").await.unwrap();
    scene.connect(INSTANCE).await.unwrap();
    let mark = scene.tgsim.mark().await.unwrap();
    let slow = json!({ "match": { "request": "channels.createChannel" }, "times": 1, "then": { "delay_ms": 4000 } });
    scene.tgsim.script(&slow).await.unwrap();
    for (id, title) in [("running", "Deal 1"), ("waiting", "Deal 2")] {
        scene.caller.send(INSTANCE, id, "group.create", &json!({ "title": title })).await.unwrap();
    }
    // The second is still in the queue when the first is at Telegram: prefetch is one.
    let about = json!({ "id": "running" });
    patience::until("the first is at Telegram", patience::USUAL, || async {
        let order = uuid::Uuid::new_v4().to_string();
        let told = scene.caller.control(INSTANCE, &order, "command.get", about.clone()).await?;
        Ok((told["result"]["state"] == "started").then_some(()))
    })
    .await
    .unwrap();
    assert_eq!(scene.caller.look("tg.commands.acme-sales").await.unwrap().ready, 1);

    let worker = &mut scene.workers[0];
    worker.terminate().unwrap();
    assert!(worker.ended().await.unwrap().success(), "{}", scene.logs());
    done(&scene.caller.reply("running").await.unwrap().json());
    let waiting = scene.caller.replies().all().iter().any(|m| m.json()["id"] == "waiting");
    assert!(!waiting, "the second was not begun");

    scene.add_worker().await.unwrap();
    done(&scene.caller.reply("waiting").await.unwrap().json());
    let effects = scene.tgsim.effects_after(mark).await.unwrap();
    assert_eq!(count(&effects, &json!({ "kind": "chat.created" })), 2, "{effects:#?}");
}
