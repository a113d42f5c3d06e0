//! Telegram says "wait": the caller is told how long, and Telegram is left in peace until then.

use queuegram_tests::stage::Scene;
use serde_json::json;

use crate::expect::{assert_holds, done};

const INSTANCE: &str = "acme-sales";

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_wait_is_answered_throttled_with_its_seconds() {
    let scene = Scene::open("flood").await.unwrap();
    scene.connect(INSTANCE).await.unwrap();
    let request = "channels.createChannel";
    let flood = json!({ "match": { "request": request }, "times": 1, "then": { "flood": 3000 } });
    scene.tgsim.script(&flood).await.unwrap();
    let mark = scene.tgsim.mark().await.unwrap();

    for id in ["first", "second"] {
        let params = json!({ "title": "Deal 1" });
        let reply = scene.caller.call(INSTANCE, id, "group.create", params).await.unwrap();
        assert_holds(
            &reply,
            &json!({ "status": "failed", "error_kind": "throttled", "retryable": true }),
        );
        let wait = reply["retry_after_s"].as_u64().unwrap();
        assert!((2_900..=3_000).contains(&wait), "{reply:#}");
    }
    let requests = scene.tgsim.requests_after(mark).await.unwrap();
    let asked = requests.iter().filter(|name| *name == request).count();
    assert_eq!(asked, 1, "the second was not even tried: {requests:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gate_that_opens_soon_is_waited_for_in_place() {
    let scene = Scene::open("short-flood").await.unwrap();
    scene.connect(INSTANCE).await.unwrap();
    let request = "channels.createChannel";
    let flood = json!({ "match": { "request": request }, "times": 1, "then": { "flood": 1 } });
    scene.tgsim.script(&flood).await.unwrap();
    let create = |id| scene.caller.call(INSTANCE, id, "group.create", json!({ "title": "Deal 1" }));
    let reply = create("flooded").await.unwrap();
    assert_holds(&reply, &json!({ "error_kind": "throttled", "retry_after_s": 1 }));
    done(&create("patient").await.unwrap());
}
