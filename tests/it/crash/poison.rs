//! A command that breaks the work on it: it is answered after at most three attempts, and the next
//! one runs.

use queuegram_tests::stage::Scene;
use serde_json::json;

use super::{INSTANCE, quick};
use crate::expect::{assert_holds, count, done};

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_before_the_claim_is_answered_and_the_next_command_runs() {
    let mut scene = Scene::with(quick("panic-early").faults(true)).await.unwrap();
    scene.connect(INSTANCE).await.unwrap();
    scene.workers[0].terminate().unwrap();
    scene.workers[0].ended().await.unwrap();
    scene.add_worker_with(&[("QUEUEGRAM_FAULTS", "delivered=panic")]).await.unwrap();

    let params = json!({ "title": "Deal" });
    let broken = scene.caller.call(INSTANCE, "broken", "group.create", params.clone()).await;
    assert_holds(
        &broken.unwrap(),
        &json!({ "id": "broken", "status": "failed", "error_kind": "internal" }),
    );
    assert_eq!(scene.caller.look("tg.dead").await.unwrap().ready, 1);
    done(&scene.caller.call(INSTANCE, "next", "group.create", params).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_off_three_times_is_answered_and_the_next_command_runs() {
    let mut scene = Scene::with(quick("panic-late").faults(true)).await.unwrap();
    scene.connect(INSTANCE).await.unwrap();
    scene.workers[0].terminate().unwrap();
    scene.workers[0].ended().await.unwrap();
    let orders = "claimed@1=panic,claimed@2=panic,claimed@3=panic";
    scene.add_worker_with(&[("QUEUEGRAM_FAULTS", orders)]).await.unwrap();
    let mark = scene.tgsim.mark().await.unwrap();

    let params = json!({ "title": "Deal" });
    let broken = scene.caller.call(INSTANCE, "broken", "group.create", params.clone()).await;
    assert_holds(
        &broken.unwrap(),
        &json!({ "id": "broken", "status": "failed", "error_code": "POISONED", "attempts": 4 }),
    );
    done(&scene.caller.call(INSTANCE, "next", "group.create", params).await.unwrap());
    let effects = scene.tgsim.effects_after(mark).await.unwrap();
    assert_eq!(count(&effects, &json!({ "kind": "chat.created" })), 1, "{effects:#?}");
}
