//! Telegram says "wait": it is left in peace until then, and the command is done afterwards.

use queuegram_tests::stage::Scene;
use serde_json::json;

use crate::expect::{assert_holds, done};

const INSTANCE: &str = "acme-sales";

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_wait_past_the_deadline_is_answered_throttled_with_its_seconds() {
    let scene = Scene::open("flood").await.unwrap();
    scene.connect(INSTANCE).await.unwrap();
    let request = "channels.createChannel";
    let wait_s = 2 * 86_400;
    let flood = json!({ "match": { "request": request }, "times": 1, "then": { "flood": wait_s } });
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
        assert!((wait_s - 100..=wait_s + 2).contains(&wait), "{reply:#}");
    }
    let requests = scene.tgsim.requests_after(mark).await.unwrap();
    let asked = requests.iter().filter(|name| *name == request).count();
    assert_eq!(asked, 1, "the second was not even tried: {requests:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_flood_wait_is_waited_for_in_place() {
    let scene = Scene::open("short-flood").await.unwrap();
    scene.connect(INSTANCE).await.unwrap();
    let request = "channels.createChannel";
    let flood = json!({ "match": { "request": request }, "times": 1, "then": { "flood": 1 } });
    scene.tgsim.script(&flood).await.unwrap();
    let create = |id| scene.caller.call(INSTANCE, id, "group.create", json!({ "title": "Deal 1" }));
    let reply = create("flooded").await.unwrap();
    done(&reply);
    assert_holds(&reply, &json!({ "attempts": 1 }));
    let lanes = scene.vhost.queues().await.unwrap();
    assert!(!lanes.iter().any(|queue| queue.contains(".lanes.")), "{lanes:?}");
}
