//! A worker that is frozen in the middle of a command for longer than its lease, and then goes on as if nothing had been:
//! meanwhile another one has the account, and two connections that send on one login destroy it.

use std::time::Duration;

use queuegram_tests::stage::{Message, Scene, SceneOptions, patience};
use serde_json::{Value, json};

use crate::expect::{count, done};

const INSTANCE: &str = "acme-sales";
const RESOLVE: &str = "contacts.resolveUsername";
/// A lease, the grace, and what the broker needs to notice.
const TAKEN_OVER: Duration = Duration::from_secs(90);

async fn entries(scene: &Scene, mark: u64, wanted: impl Fn(&Value) -> bool) -> Vec<Value> {
    let mut entries = scene.tgsim.journal_after(mark).await.unwrap();
    entries.retain(wanted);
    entries
}

/// Waits for an entry of the journal.
async fn entry(scene: &Scene, mark: u64, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    patience::until(what, TAKEN_OVER, || async {
        Ok(entries(scene, mark, &wanted).await.into_iter().next())
    })
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_worker_that_goes_on_does_not_send_beside_the_next_owner() {
    // The broker, too, must give the frozen one up before the next gets anything.
    let options = SceneOptions::new("frozen").setting("QUEUEGRAM_AMQP__HEARTBEAT_S", "2");
    let mut scene = Scene::with(options).await.unwrap();
    let person = scene.connect(INSTANCE).await.unwrap();
    for name in ["one", "two", "three"] {
        scene.person(json!({ "username": format!("frozen_{name}") })).await.unwrap();
    }
    scene.add_worker().await.unwrap();

    // Frozen while it waits for the second of three answers: the first thing it does afterwards is to ask for the third.
    let mark = scene.tgsim.mark().await.unwrap();
    let slow = json!({ "user_id": person.id, "request": RESOLVE });
    for delay_ms in [0, 5_000] {
        let rule = json!({ "match": slow, "times": 1, "then": { "delay_ms": delay_ms } });
        scene.tgsim.script(&rule).await.unwrap();
    }
    let members = ["@frozen_one", "@frozen_two", "@frozen_three"];
    let params = json!({ "title": "Deal 0", "members": members });
    scene.caller.send(INSTANCE, "0", "group.create", &params).await.unwrap();
    let resolved =
        entry(&scene, mark, "the first name is looked up", |entry| entry["request"] == RESOLVE);
    let frozen_connection = resolved.await["connection"].clone();
    scene.workers[0].freeze().unwrap();
    for id in ["1", "2"] {
        let params = json!({ "title": format!("Deal {id}") });
        scene.caller.send(INSTANCE, id, "group.create", &params).await.unwrap();
    }
    entry(&scene, mark, "another connection has done all of it", |entry| {
        entry["effect"].to_string().contains("Deal 2") && entry["connection"] != frozen_connection
    })
    .await;
    for id in ["0", "1", "2"] {
        done(&scene.caller.reply(id).await.unwrap().json());
    }

    scene.workers[0].thaw().unwrap();
    entry(&scene, mark, "the frozen worker's connection is closed", |entry| {
        entry["kind"] == "connection_closed" && entry["connection"] == frozen_connection
    })
    .await;
    let params = json!({ "title": "Deal 3" });
    done(&scene.caller.call(INSTANCE, "3", "group.create", params).await.unwrap());

    assert_eq!(
        entries(&scene, 0, |entry| entry["kind"] == "key_duplicated").await,
        [Value::Null; 0]
    );
    let effects = scene.tgsim.effects_after(mark).await.unwrap();
    for n in 0..4 {
        let title = format!("Deal {n}");
        let made = json!({ "kind": "chat.created", "title": title });
        assert_eq!(count(&effects, &made), 1, "{title}: {effects:#?}");
        let id = n.to_string();
        let of_this = |message: &Message| message.json()["id"].as_str() == Some(&id);
        let mut replies = scene.caller.replies().all();
        replies.retain(of_this);
        let first = replies[0].json();
        assert!(replies.iter().all(|reply| reply.json() == first), "two answers to {title}");
    }
}
