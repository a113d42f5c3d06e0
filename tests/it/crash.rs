//! A worker killed in the middle of a command: what was begun and can't be known is `unknown`, and
//! never done a second time.

use queuegram_tests::stage::{Scene, patience};
use serde_json::{Value, json};

use crate::expect::{assert_holds, count, done};

const INSTANCE: &str = "acme-sales";

async fn asked_for(scene: &Scene, mark: u64, request: &str) {
    let what = format!("{request} has arrived at Telegram");
    patience::until(&what, patience::USUAL, || async {
        let entries = scene.tgsim.journal_after(mark).await?;
        Ok(entries.iter().any(|entry| entry["request"] == request).then_some(()))
    })
    .await
    .unwrap();
}

/// Sends a `group.create` whose Telegram call meets `fault`, kills the worker there, starts another,
/// and gives the reply and the effects.
async fn killed_in_creation(label: &str, fault: Value) -> (Value, Vec<Value>, Scene) {
    let mut scene = Scene::open(label).await.unwrap();
    scene.connect(INSTANCE).await.unwrap();
    let mark = scene.tgsim.mark().await.unwrap();
    let request = "channels.createChannel";
    let rule = json!({ "match": { "request": request }, "times": 1, "then": fault });
    scene.tgsim.script(&rule).await.unwrap();

    let params = json!({ "title": "Deal 9" });
    scene.caller.send(INSTANCE, "deal-9:create", "group.create", &params).await.unwrap();
    asked_for(&scene, mark, request).await;
    scene.workers[0].kill();
    scene.add_worker().await.unwrap();

    let reply = scene.caller.reply("deal-9:create").await.unwrap().json();
    let effects = scene.tgsim.effects_after(mark).await.unwrap();
    (reply, effects, scene)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_and_never_answered_is_unknown() {
    let (reply, effects, scene) =
        killed_in_creation("crash-sent", json!({ "half_open": true })).await;
    assert_holds(
        &reply,
        &json!({
            "id": "deal-9:create", "ok": false, "status": "unknown", "error_kind": "uncertain",
            "retryable": false,
        }),
    );
    assert_eq!(count(&effects, &json!({ "kind": "chat.created" })), 0, "{effects:#?}");
    // Final: asked again, the answer stays.
    let params = json!({ "title": "Deal 9" });
    scene.caller.send(INSTANCE, "deal-9:create", "group.create", &params).await.unwrap();
    let is_reply =
        |message: &queuegram_tests::stage::Message| message.json()["id"] == "deal-9:create";
    let both = scene.caller.replies().wait_many("the same answer", 2, is_reply).await.unwrap();
    assert_eq!(both[1].json()["status"], "unknown");
    // And the instance works on.
    let params = json!({ "title": "Deal 10" });
    done(&scene.caller.call(INSTANCE, "deal-10", "group.create", params).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_done_but_not_told_is_not_done_again() {
    let (reply, effects, _scene) =
        killed_in_creation("crash-done", json!({ "cut": "after" })).await;
    assert_eq!(count(&effects, &json!({ "kind": "chat.created" })), 1, "{effects:#?}");
    // The worker may have been quick enough to record that it could not know.
    assert_holds(&reply, &json!({ "status": "unknown", "error_kind": "uncertain" }));
}
