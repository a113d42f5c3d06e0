//! Telegram cuts, logs out, is slow: what callers are told, and that nothing is done twice.

use queuegram_tests::stage::{Message, Scene};
use serde_json::{Value, json};

use crate::expect::{assert_holds, count, done};

const INSTANCE: &str = "acme-sales";

async fn script(scene: &Scene, request: &str, then: Value) {
    let rule = json!({ "match": { "request": request }, "times": 1, "then": then });
    scene.tgsim.script(&rule).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_after_the_effect_is_made_up_for_where_that_is_safe() {
    let scene = Scene::open("cut-after").await.unwrap();
    scene.connect(INSTANCE).await.unwrap();
    let chat = done(
        &scene.caller.call(INSTANCE, "1", "group.create", json!({ "title": "a" })).await.unwrap(),
    );
    let mark = scene.tgsim.mark().await.unwrap();
    script(&scene, "channels.editTitle", json!({ "cut": "after" })).await;
    let params = json!({ "chat_id": chat, "title": "b" });
    done(&scene.caller.call(INSTANCE, "2", "group.rename", params).await.unwrap());
    let effects = scene.tgsim.effects_after(mark).await.unwrap();
    assert_eq!(
        count(&effects, &json!({ "kind": "chat.renamed", "title": "b" })),
        1,
        "{effects:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_while_making_a_group_is_never_answered_by_making_two() {
    let scene = Scene::open("cut-create").await.unwrap();
    scene.connect(INSTANCE).await.unwrap();
    for (id, moment) in [("after", "after"), ("before", "before")] {
        let mark = scene.tgsim.mark().await.unwrap();
        script(&scene, "channels.createChannel", json!({ "cut": moment })).await;
        let reply =
            scene.caller.call(INSTANCE, id, "group.create", json!({ "title": id })).await.unwrap();
        let effects = scene.tgsim.effects_after(mark).await.unwrap();
        let made = count(&effects, &json!({ "kind": "chat.created", "title": id }));
        match reply["status"].as_str() {
            // Known, and then it is true.
            Some("done") => assert_eq!(made, 1, "{effects:#?}"),
            // The library sends again on a new connection what it knows was not received.
            Some("unknown") => assert!(made <= 1, "{effects:#?}"),
            _ => panic!("{reply:#}"),
        }
    }
    done(
        &scene
            .caller
            .call(INSTANCE, "next", "group.create", json!({ "title": "next" }))
            .await
            .unwrap(),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_is_taken_away_is_told_at_once() {
    let scene = Scene::open("logged-out").await.unwrap();
    let events = scene.events().await.unwrap();
    scene.connect(INSTANCE).await.unwrap();
    script(&scene, "channels.createChannel", json!({ "log_out": true })).await;
    for id in ["first", "second"] {
        let reply =
            scene.caller.call(INSTANCE, id, "group.create", json!({ "title": id })).await.unwrap();
        assert_holds(
            &reply,
            &json!({ "status": "failed", "error_kind": "detached", "retryable": true }),
        );
    }
    let logged_out = |message: &Message| {
        let body = message.json();
        body["event"] == "account.state" && body["data"]["to"] == "logged_out"
    };
    events.wait("account.state logged_out", logged_out).await.unwrap();
    let shown = scene.ctl().await.unwrap().json(&["instance", "show", INSTANCE]).await.unwrap();
    assert!(shown.to_string().contains("logged_out"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_of_telegrams_is_told_by_its_name_and_the_queue_goes_on() {
    let scene = Scene::open("error").await.unwrap();
    scene.connect(INSTANCE).await.unwrap();
    script(&scene, "channels.createChannel", json!({ "error": [400, "CHAT_ADMIN_REQUIRED"] }))
        .await;
    let reply =
        scene.caller.call(INSTANCE, "1", "group.create", json!({ "title": "a" })).await.unwrap();
    assert_holds(
        &reply,
        &json!({
            "status": "failed", "error_kind": "forbidden", "error_code": "CHAT_ADMIN_REQUIRED", "retryable": false,
        }),
    );
    done(&scene.caller.call(INSTANCE, "2", "group.create", json!({ "title": "b" })).await.unwrap());
}
