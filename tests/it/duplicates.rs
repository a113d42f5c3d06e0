//! The same command again gets the same result again, and nothing is done twice.

use std::collections::BTreeSet;

use queuegram_tests::stage::{Caller, Scene};
use serde_json::{Value, json};

use crate::expect::{assert_holds, count, done};

const INSTANCE: &str = "acme-sales";

#[tokio::test(flavor = "multi_thread")]
async fn a_duplicate_gets_the_recorded_result_whoever_asks() {
    let scene = Scene::open("again").await.unwrap();
    scene.connect(INSTANCE).await.unwrap();
    let results = scene.results().await.unwrap();
    let mark = scene.tgsim.mark().await.unwrap();

    let command = |correlation: &str| {
        json!({
            "id": "deal-1:create", "method": "group.create", "instance": INSTANCE,
            "correlation_id": correlation, "params": { "title": "Deal 1" },
        })
    };
    scene.caller.send_body(INSTANCE, "group.create", &command("first")).await.unwrap();
    let first = scene.caller.reply("deal-1:create").await.unwrap();
    done(&first.json());

    let other = Caller::connect(&scene.vhost.amqp_url).await.unwrap();
    // The params mean the same in another order and with other white space.
    other.send_body(INSTANCE, "group.create", &command("second")).await.unwrap();
    let second = other.reply("deal-1:create").await.unwrap();

    assert_eq!(second.message_id(), first.message_id());
    assert_eq!(second.json()["correlation_id"], "second");
    let without_correlation = |mut body: Value| {
        body["correlation_id"].take();
        body
    };
    assert_eq!(without_correlation(second.json()), without_correlation(first.json()));
    // Byte for byte, but for that.
    let text = String::from_utf8(second.body).unwrap();
    let as_first = text.replace(r#""correlation_id":"second""#, r#""correlation_id":"first""#);
    assert_eq!(as_first.as_bytes(), first.body);

    let effects = scene.tgsim.effects_after(mark).await.unwrap();
    assert_eq!(count(&effects, &json!({ "kind": "chat.created" })), 1, "{effects:#?}");
    let ids: BTreeSet<String> =
        results.all().iter().filter_map(|m| m.message_id().map(str::to_owned)).collect();
    assert_eq!(ids.len(), 1, "one distinct result: {ids:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_copies_at_once_make_one_group() {
    const COPIES: usize = 20;
    let scene = Scene::open("copies").await.unwrap();
    scene.connect(INSTANCE).await.unwrap();
    let mark = scene.tgsim.mark().await.unwrap();

    for _ in 0..COPIES {
        let params = json!({ "title": "Deal 2" });
        scene.caller.send(INSTANCE, "deal-2:create", "group.create", &params).await.unwrap();
    }
    let is_reply =
        |message: &queuegram_tests::stage::Message| message.json()["id"] == "deal-2:create";
    let replies =
        scene.caller.replies().wait_many("a reply to each", COPIES, is_reply).await.unwrap();
    let chats: BTreeSet<i64> = replies.iter().map(|reply| done(&reply.json())).collect();
    assert_eq!(chats.len(), 1);
    let effects = scene.tgsim.effects_after(mark).await.unwrap();
    assert_eq!(count(&effects, &json!({ "kind": "chat.created" })), 1, "{effects:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_id_for_something_else_is_a_conflict() {
    let scene = Scene::open("conflict").await.unwrap();
    scene.connect(INSTANCE).await.unwrap();
    let first = json!({ "title": "Deal 3" });
    done(&scene.caller.call(INSTANCE, "deal-3", "group.create", first).await.unwrap());
    let mark = scene.tgsim.mark().await.unwrap();

    let different = [
        json!({ "id": "deal-3", "correlation_id": "title", "params": { "title": "Deal three" } }),
        json!({ "id": "deal-3", "correlation_id": "ref", "external_ref": "deal-3", "params": { "title": "Deal 3" } }),
    ];
    for body in &different {
        scene.caller.send_body(INSTANCE, "group.create", body).await.unwrap();
    }
    let method =
        json!({ "id": "deal-3", "correlation_id": "method", "params": { "user": "@a_user" } });
    scene.caller.send_body(INSTANCE, "user.common_groups", &method).await.unwrap();

    for correlation in ["title", "ref", "method"] {
        let reply = scene
            .caller
            .replies()
            .wait(correlation, |message| message.json()["correlation_id"] == correlation)
            .await
            .unwrap();
        assert_holds(
            &reply.json(),
            &json!({ "status": "failed", "error_kind": "conflict", "retryable": true }),
        );
        assert_ne!(reply.message_id(), Some("acme-sales:deal-3:result"), "not the record's result");
    }
    assert_eq!(scene.tgsim.effects_after(mark).await.unwrap(), [Value::Null; 0]);
}
