//! The caller's own key of a group: names one group, addresses it, adopts groups made by hand, is free
//! again after deletion.

use queuegram_tests::stage::Scene;
use serde_json::{Value, json};

use crate::expect::{assert_holds, count, done};

const INSTANCE: &str = "acme-sales";

/// Sends a command with an `external_ref`; its reply.
async fn with_ref(scene: &Scene, id: &str, method: &str, key: &str, params: Value) -> Value {
    let body = json!({ "id": id, "external_ref": key, "params": params });
    scene.caller.send_body(INSTANCE, method, &body).await.unwrap();
    scene.caller.reply(id).await.unwrap().json()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ref_names_one_group_from_creation_to_deletion() {
    let mut scene = Scene::open("ref").await.unwrap();
    scene.connect(INSTANCE).await.unwrap();
    let mark = scene.tgsim.mark().await.unwrap();

    let params = json!({ "title": "Deal 77" });
    let made = with_ref(&scene, "1", "group.create", "deal-77", params.clone()).await;
    let chat = done(&made);
    assert_holds(&made["result"], &json!({ "existing": false }));
    let again = with_ref(&scene, "2", "group.create", "deal-77", params.clone()).await;
    assert_eq!(done(&again), chat);
    assert_holds(&again["result"], &json!({ "existing": true }));
    let effects = scene.tgsim.effects_after(mark).await.unwrap();
    assert_eq!(count(&effects, &json!({ "kind": "chat.created" })), 1);

    // The binding is in the vault: it outlives the worker.
    scene.workers[0].terminate().unwrap();
    scene.workers[0].ended().await.unwrap();
    scene.add_worker().await.unwrap();
    let renamed = with_ref(&scene, "3", "group.rename", "deal-77", json!({ "title": "New" })).await;
    assert_eq!(done(&renamed), chat);
    assert_eq!(renamed["external_ref"], "deal-77");

    // Both given must agree.
    let other = done(&with_ref(&scene, "4", "group.create", "deal-78", params.clone()).await);
    let both = json!({ "chat_id": other, "title": "Wrong" });
    let mismatch = with_ref(&scene, "5", "group.rename", "deal-77", both).await;
    assert_holds(
        &mismatch,
        &json!({ "status": "failed", "error_kind": "invalid", "error_code": "EXTERNAL_REF_MISMATCH" }),
    );

    done(&with_ref(&scene, "6", "group.delete", "deal-77", json!({})).await);
    let free = with_ref(&scene, "7", "group.create", "deal-77", params).await;
    assert_ne!(done(&free), chat);
    assert_holds(&free["result"], &json!({ "existing": false }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_without_a_ref_is_adopted_by_naming_both() {
    let scene = Scene::open("adopt").await.unwrap();
    scene.connect(INSTANCE).await.unwrap();
    let unbound = with_ref(&scene, "0", "group.rename", "deal-1", json!({ "title": "x" })).await;
    assert_holds(
        &unbound,
        &json!({ "status": "failed", "error_kind": "invalid", "error_code": "EXTERNAL_REF_UNBOUND" }),
    );
    let made = json!({ "title": "By hand" });
    let chat = done(&scene.caller.call(INSTANCE, "1", "group.create", made).await.unwrap());
    let both = json!({ "chat_id": chat, "title": "Adopted" });
    assert_eq!(done(&with_ref(&scene, "2", "group.rename", "deal-1", both).await), chat);
    let by_ref = json!({ "title": "By its ref" });
    assert_eq!(done(&with_ref(&scene, "3", "group.rename", "deal-1", by_ref).await), chat);
}
