//! A worker killed in the middle of a command: whoever takes its instance over finds out what came of
//! the step it died in, and goes on. Nothing is done twice, and nothing is left undone.

mod cuts;
mod lost;
mod poison;

use queuegram_tests::stage::{Scene, SceneOptions, patience};
use serde_json::{Value, json};

use crate::expect::{count, done};

const INSTANCE: &str = "acme-sales";

/// A scene in which takeovers are as quick as a killed process allows.
fn quick(label: &str) -> SceneOptions {
    SceneOptions::new(label)
        .setting("QUEUEGRAM_WORKER__RECONCILE_PAUSE_S", "0.3")
        .setting("QUEUEGRAM_WORKER__TAKEOVER_GRACE_S", "0.5")
}

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
    let mut scene = Scene::with(quick(label)).await.unwrap();
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
async fn what_was_sent_and_never_done_is_done_once() {
    let (reply, effects, scene) =
        killed_in_creation("crash-sent", json!({ "half_open": true })).await;
    let chat_id = done(&reply);
    assert_eq!(count(&effects, &json!({ "kind": "chat.created" })), 1, "{effects:#?}");
    assert_eq!(count(&effects, &json!({ "kind": "chat.created", "chat_id": chat_id })), 1);
    // Final: asked again, the answer stays.
    let params = json!({ "title": "Deal 9" });
    scene.caller.send(INSTANCE, "deal-9:create", "group.create", &params).await.unwrap();
    let is_reply =
        |message: &queuegram_tests::stage::Message| message.json()["id"] == "deal-9:create";
    let both = scene.caller.replies().wait_many("the same answer", 2, is_reply).await.unwrap();
    assert_eq!(done(&both[1].json()), chat_id);
    // And the instance works on.
    let params = json!({ "title": "Deal 10" });
    done(&scene.caller.call(INSTANCE, "deal-10", "group.create", params).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_done_but_not_told_is_found_and_told() {
    let (reply, effects, _scene) =
        killed_in_creation("crash-done", json!({ "cut": "after" })).await;
    let chat_id = done(&reply);
    assert_eq!(count(&effects, &json!({ "kind": "chat.created" })), 1, "{effects:#?}");
    assert_eq!(count(&effects, &json!({ "kind": "chat.created", "chat_id": chat_id })), 1);
}

/// The same with nobody dying: the connection alone is lost, before or after the effect.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_lost_on_the_way_is_looked_for_at_once() {
    let scene = Scene::with(quick("answer-lost")).await.unwrap();
    scene.connect(INSTANCE).await.unwrap();
    scene.person(json!({ "username": "client" })).await.unwrap();
    for (number, kind, cut) in [
        (1, "supergroup", "before"),
        (2, "supergroup", "after"),
        (3, "basic", "before"),
        (4, "basic", "after"),
    ] {
        let request =
            if kind == "basic" { "messages.createChat" } else { "channels.createChannel" };
        let rule = json!({ "match": { "request": request }, "times": 1, "then": { "cut": cut } });
        scene.tgsim.script(&rule).await.unwrap();
        let mark = scene.tgsim.mark().await.unwrap();
        let params = json!({ "title": "Deal", "kind": kind, "members": ["@client"] });
        let id = format!("deal-{number}:create");
        let reply = scene.caller.call(INSTANCE, &id, "group.create", params).await.unwrap();
        let chat_id = done(&reply);
        assert_eq!(reply["result"]["members"][0]["status"], "added", "{reply:#}");
        let effects = scene.tgsim.effects_after(mark).await.unwrap();
        let made = json!({ "kind": "chat.created" });
        assert_eq!(count(&effects, &made), 1, "{kind} {cut}: {effects:#?}");
        assert_eq!(count(&effects, &json!({ "kind": "chat.created", "chat_id": chat_id })), 1);
    }
}
