//! Commands that nobody takes are answered all the same: by the broker's dead-letter queue and its
//! alternate exchange, which workers read.

use queuegram_tests::stage::{Scene, patience};
use serde_json::json;

use crate::expect::{assert_holds, done};

const INSTANCE: &str = "acme-sales";

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_expires_unserved_is_answered_expired() {
    let mut scene = Scene::open("expired").await.unwrap();
    scene.connect(INSTANCE).await.unwrap();
    let worker = &mut scene.workers[0];
    worker.terminate().unwrap();
    assert!(worker.ended().await.unwrap().success());

    let properties = scene
        .caller
        .properties()
        .with_message_id("late".into())
        .with_correlation_id("c-late".into())
        .with_expiration("300".into());
    let body = serde_json::to_vec(&json!({ "params": { "title": "Too late" } })).unwrap();
    scene
        .caller
        .publish("tg.commands", "acme-sales.group.create", properties, &body)
        .await
        .unwrap();
    patience::until("the broker gave the command up", patience::USUAL, || async {
        Ok((scene.caller.look("tg.undelivered").await?.ready == 1).then_some(()))
    })
    .await
    .unwrap();

    let mark = scene.tgsim.mark().await.unwrap();
    scene.add_worker().await.unwrap();
    let reply = scene.caller.reply("late").await.unwrap();
    assert_eq!(reply.correlation_id(), Some("c-late"));
    assert_holds(
        &reply.json(),
        &json!({
            "id": "late", "instance": INSTANCE, "method": "group.create", "status": "failed",
            "error_kind": "expired", "retryable": true,
        }),
    );
    // Final: the same id again gets the same answer, now that somebody serves the instance.
    let params = json!({ "title": "Too late" });
    scene.caller.send(INSTANCE, "late", "group.create", &params).await.unwrap();
    let is_late = |message: &queuegram_tests::stage::Message| message.json()["id"] == "late";
    let both = scene.caller.replies().wait_many("the second answer", 2, is_late).await.unwrap();
    assert_eq!(both[1].json()["error_kind"], "expired");
    let requests = scene.tgsim.requests_after(mark).await.unwrap();
    assert!(!requests.iter().any(|request| request.contains("create")), "{requests:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_is_not_connected_does_not_keep_callers_waiting_for_ever() {
    let scene = Scene::open("new").await.unwrap();
    scene.ctl().await.unwrap().ok(&["instance", "add", "acme-new"]).await.unwrap();
    let properties =
        scene.caller.properties().with_message_id("early".into()).with_expiration("300".into());
    let body = serde_json::to_vec(&json!({ "params": { "title": "Too early" } })).unwrap();
    scene.caller.publish("tg.commands", "acme-new.group.create", properties, &body).await.unwrap();
    let reply = scene.caller.reply("early").await.unwrap().json();
    assert_holds(&reply, &json!({ "instance": "acme-new", "status": "failed", "retryable": true }));
    let kind = reply["error_kind"].as_str().unwrap();
    assert!(["expired", "detached"].contains(&kind), "{reply:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_instance_is_answered_for_every_spelling_of_the_command() {
    let scene = Scene::open("unknown").await.unwrap();
    scene.connect(INSTANCE).await.unwrap();
    for (id, key) in [("a", "nobody.group.create"), ("b", "nobody.command")] {
        let body = json!({ "id": id, "method": "group.create", "params": { "title": "x" } });
        let body = serde_json::to_vec(&body).unwrap();
        scene.caller.publish("tg.commands", key, scene.caller.properties(), &body).await.unwrap();
        let reply = scene.caller.reply(id).await.unwrap().json();
        assert_holds(
            &reply,
            &json!({ "error_kind": "invalid", "error_code": "INSTANCE_NOT_FOUND", "retryable": false }),
        );
    }
    done(&scene.caller.call(INSTANCE, "c", "group.create", json!({ "title": "x" })).await.unwrap());
}
