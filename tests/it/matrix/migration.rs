//! A basic group that becomes a supergroup behind our back is followed, with one event.

use queuegram_tests::stage::Scene;
use serde_json::json;

use crate::expect::{count, done};

const INSTANCE: &str = "acme-sales";

#[tokio::test(flavor = "multi_thread")]
async fn a_basic_group_that_was_migrated_is_followed_with_an_event() {
    let scene = Scene::open("migrated").await.unwrap();
    let account = scene.connect(INSTANCE).await.unwrap();
    let somebody = scene.person(json!({ "username": "somebody_here" })).await.unwrap();
    let events = scene.events().await.unwrap();
    let create = json!({
        "id": "create", "method": "group.create", "external_ref": "deal-9",
        "params": { "title": "Deal 9", "kind": "basic", "members": ["@somebody_here"] },
    });
    scene.caller.send_body(INSTANCE, "group.create", &create).await.unwrap();
    let old = done(&scene.caller.reply("create").await.unwrap().json());

    let migrate = format!("/users/{}/migrate", account.id);
    let moved = scene.tgsim.post(&migrate, &json!({ "chat_id": old })).await.unwrap();
    let new = moved["chat_id"].as_i64().unwrap();
    assert!(new < -1_000_000_000_000, "{new}");

    // By the old number, by the ref, and by the new number: always the group that is there now.
    let mark = scene.tgsim.mark().await.unwrap();
    for (id, address, title) in [
        ("by-number", json!({ "params": { "chat_id": old } }), "One"),
        ("by-ref", json!({ "external_ref": "deal-9", "params": {} }), "Two"),
        ("by-both", json!({ "external_ref": "deal-9", "params": { "chat_id": old } }), "Three"),
        ("by-new", json!({ "external_ref": "deal-9", "params": { "chat_id": new } }), "Four"),
    ] {
        let mut body = address;
        body["id"] = json!(id);
        body["params"]["title"] = json!(title);
        scene.caller.send_body(INSTANCE, "group.rename", &body).await.unwrap();
        assert_eq!(done(&scene.caller.reply(id).await.unwrap().json()), new, "{id}");
        let effects = scene.tgsim.effects_after(mark).await.unwrap();
        let renamed = json!({ "kind": "chat.renamed", "chat_id": new, "title": title });
        assert_eq!(count(&effects, &renamed), 1, "{id}: {effects:#?}");
    }
    let params = json!({ "chat_id": old, "members": ["@somebody_here"] });
    let removed = scene.caller.call(INSTANCE, "out", "group.remove_members", params).await.unwrap();
    assert_eq!(done(&removed), new);
    let effects = scene.tgsim.effects_after(mark).await.unwrap();
    let banned = json!({ "kind": "chat.member_banned", "chat_id": new, "user_id": somebody.id });
    assert_eq!(count(&effects, &banned), 1, "{effects:#?}");

    let is_move =
        |message: &queuegram_tests::stage::Message| message.json()["event"] == "group.migrated";
    let told = events.wait("group.migrated", is_move).await.unwrap().json();
    assert_eq!((&told["data"]["from"], &told["data"]["to"]), (&json!(old), &json!(new)), "{told}");
    assert_eq!(events.all().iter().filter(|message| is_move(message)).count(), 1);
}
