//! What is told on `tg.events`, and never on a caller's reply queue.

use queuegram_tests::stage::{Listener, Message, Scene};
use serde_json::{Value, json};

use crate::expect::{assert_holds, done, holds};

const INSTANCE: &str = "acme-sales";

async fn told(events: &Listener, event: &str, wanted: &Value) -> Message {
    let fits = |message: &Message| {
        let body = message.json();
        body["event"] == event && holds(&body, wanted)
    };
    events.wait(event, fits).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_and_accounts_tell_what_becomes_of_them() {
    let scene = Scene::open("events").await.unwrap();
    let events = scene.events().await.unwrap();
    scene.connect(INSTANCE).await.unwrap();
    let online = |message: &Message| {
        let body = message.json();
        body["event"] == "account.state" && body["data"]["to"] == "online"
    };
    events.wait("account.state online", online).await.unwrap();

    let body = json!({ "id": "1", "external_ref": "deal-1", "params": { "title": "Deal 1" } });
    scene.caller.send_body(INSTANCE, "group.create", &body).await.unwrap();
    let chat = done(&scene.caller.reply("1").await.unwrap().json());
    let wanted = json!({
        "v": 1, "instance": INSTANCE, "chat_id": chat, "command_id": "1", "external_ref": "deal-1",
    });
    let created = told(&events, "group.created", &wanted).await;
    assert_eq!(created.routing_key, "acme-sales.group.created");
    assert_eq!(created.message_id(), created.json()["event_id"].as_str());

    for (id, method, params, event) in [
        ("2", "group.rename", json!({ "chat_id": chat, "title": "New" }), "group.renamed"),
        ("3", "group.delete", json!({ "chat_id": chat }), "group.deleted"),
    ] {
        done(&scene.caller.call(INSTANCE, id, method, params).await.unwrap());
        told(&events, event, &json!({ "chat_id": chat, "command_id": id })).await;
    }
    // Engines correlate the first thing that arrives: only results may.
    let replies = scene.caller.replies().all();
    assert_eq!(replies.len(), 3);
    for reply in replies {
        assert_holds(&reply.json(), &json!({ "ok": true }));
    }
}
