//! Dead letters: looked at, published again, dropped, by the command line over the broker alone.

use queuegram_tests::stage::{Message, Scene, patience};
use serde_json::{Value, json};

use crate::expect::{assert_holds, done};

const INSTANCE: &str = "acme-sales";

async fn until_dead(scene: &Scene, wanted: u32) {
    patience::until(&format!("{wanted} dead letters"), patience::USUAL, || async {
        Ok((scene.caller.look("tg.dead").await?.ready == wanted).then_some(()))
    })
    .await
    .unwrap();
}

/// Publishes what nobody can read, and waits until it is dead.
async fn send_poison(scene: &Scene, body: &str, dead: u32) {
    let properties = scene.caller.properties();
    let key = "acme-sales.command";
    scene.caller.publish("tg.commands", key, properties, body.as_bytes()).await.unwrap();
    until_dead(scene, dead).await;
}

/// A field of a command's record, written past the ledger.
async fn write_record(scene: &Scene, id: &str, field: &str, value: &str) {
    let key = format!("qg:{{{INSTANCE}}}:cmd:{id}");
    let mut redis = tokio::process::Command::new("redis-cli");
    redis.args(["-u", scene.redis_url(), "HSET", &key, field, value]);
    assert!(redis.output().await.unwrap().status.success());
}

async fn listed(scene: &Scene) -> Vec<Value> {
    let listed = scene.ctl().await.unwrap().json(&["dead", "list"]).await.unwrap();
    listed.as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn looking_leaves_everything_as_it_is() {
    let scene = Scene::open("dead-look").await.unwrap();
    scene.connect(INSTANCE).await.unwrap();
    assert_eq!(listed(&scene).await, [Value::Null; 0]);
    send_poison(&scene, "first {", 1).await;
    send_poison(&scene, r#"{"id":"second","api_key":"qg_secret","id":"twice"}"#, 2).await;
    let first = listed(&scene).await;
    assert_holds(&first[0], &json!({ "n": 1, "reason": "NOT_JSON", "instance": INSTANCE }));
    assert_holds(&first[0], &json!({ "queue": "tg.commands.acme-sales", "id": null }));
    assert_holds(&first[1], &json!({ "n": 2, "reason": "DUPLICATE_FIELD" }));
    assert!(first[0]["at"].is_string() && first[0]["error"].is_string(), "{first:#?}");
    for _ in 0..3 {
        assert_eq!(listed(&scene).await, first);
    }
    let ctl = scene.ctl().await.unwrap();
    let shown = ctl.json(&["dead", "show", "1"]).await.unwrap();
    assert_eq!(shown["body"], "first {");
    let shown = ctl.ok(&["dead", "show", "2"]).await.unwrap();
    assert!(shown.contains("***") && !shown.contains("qg_secret"), "{shown}");
    let mark = first[1]["mark"].as_str().unwrap();
    let shown = ctl.json(&["dead", "show", "--mark", mark]).await.unwrap();
    assert_holds(&shown, &json!({ "n": 2, "mark": mark }));
    let missing = ctl.run(&["dead", "show", "3"]).await.unwrap();
    assert_eq!(missing.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&missing.stderr).contains("2 lie there"));
    assert_eq!(scene.caller.look("tg.dead").await.unwrap().ready, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_malformed_is_replayed_only_by_force() {
    let scene = Scene::open("dead-force").await.unwrap();
    scene.connect(INSTANCE).await.unwrap();
    send_poison(&scene, "poison {", 1).await;
    send_poison(&scene, "another {", 2).await;
    let ctl = scene.ctl().await.unwrap();
    let refused = ctl.run(&["dead", "replay", "1"]).await.unwrap();
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--force"));
    assert_eq!(listed(&scene).await.len(), 2);

    // Answered and kept once more, behind the other.
    let is_refusal = |message: &Message| message.json()["error_code"] == "NOT_JSON";
    ctl.ok(&["dead", "replay", "1", "--force"]).await.unwrap();
    scene.caller.replies().wait_many("a third refusal", 3, is_refusal).await.unwrap();
    until_dead(&scene, 2).await;
    let shown = ctl.json(&["dead", "show", "2"]).await.unwrap();
    assert_eq!(shown["body"], "poison {");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_met_a_defect_is_published_again_and_one_is_dropped() {
    let scene = Scene::open("dead-replay").await.unwrap();
    scene.connect(INSTANCE).await.unwrap();
    let params = json!({ "title": "Deal 5" });
    let chat =
        done(&scene.caller.call(INSTANCE, "deal-5", "group.create", params.clone()).await.unwrap());
    // A record that this release can't read: a defect, as far as the caller can see.
    write_record(&scene, "deal-5", "v", "99").await;
    scene.caller.send(INSTANCE, "deal-5", "group.create", &params).await.unwrap();
    let is_reply = |message: &Message| message.json()["id"] == "deal-5";
    let replies = scene.caller.replies();
    let both = replies.wait_many("the defect", 2, is_reply).await.unwrap();
    assert_holds(&both[1].json(), &json!({ "error_kind": "internal", "error_code": "INTERNAL" }));
    until_dead(&scene, 1).await;
    send_poison(&scene, "poison {", 2).await;
    let letters = listed(&scene).await;
    let about = json!({ "id": "deal-5", "method": "group.create", "instance": INSTANCE });
    assert_holds(&letters[0], &about);

    // The defect is mended: the same id gets its recorded result, a new one is a new command.
    write_record(&scene, "deal-5", "v", "1").await;
    let ctl = scene.ctl().await.unwrap();
    ctl.ok(&["dead", "replay", "--id", "deal-5"]).await.unwrap();
    let three = replies.wait_many("the recorded result", 3, is_reply).await.unwrap();
    assert_eq!(done(&three[2].json()), chat);
    assert_eq!(listed(&scene).await.len(), 1, "the other stays");

    write_record(&scene, "deal-5", "v", "99").await;
    scene.caller.send(INSTANCE, "deal-5", "group.create", &params).await.unwrap();
    until_dead(&scene, 2).await;
    let replayed = ctl.json(&["dead", "replay", "2", "--new-id"]).await.unwrap();
    let id = replayed["published_id"].as_str().unwrap();
    assert!(id.starts_with("deal-5:replay-"), "{replayed:#}");
    assert_ne!(done(&scene.caller.reply(id).await.unwrap().json()), chat);

    let unasked = ctl.run(&["dead", "drop", "1"]).await.unwrap();
    assert_eq!(unasked.status.code(), Some(2), "nobody said yes");
    let left = listed(&scene).await;
    let mark = left[0]["mark"].as_str().unwrap();
    assert_eq!(mark, letters[1]["mark"].as_str().unwrap(), "its place changed, not its mark");
    ctl.ok(&["dead", "drop", "--mark", mark, "--yes"]).await.unwrap();
    assert_eq!(listed(&scene).await, [Value::Null; 0]);
    let again = ctl.run(&["dead", "drop", "--mark", mark, "--yes"]).await.unwrap();
    assert_eq!(again.status.code(), Some(2), "somebody else was quicker");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_id_mends_a_bad_one_and_nothing_else() {
    let scene = Scene::open("dead-id").await.unwrap();
    scene.connect(INSTANCE).await.unwrap();
    let command = r#"{"id":77,"method":"group.create","params":{"title":"Deal 77"}}"#;
    send_poison(&scene, command, 1).await;
    send_poison(&scene, r#"{"id":78,"method":"group.made_up"}"#, 2).await;
    let letters = listed(&scene).await;
    assert_holds(&letters[0], &json!({ "reason": "ID_INVALID" }));
    assert_holds(&letters[1], &json!({ "reason": "ID_INVALID" }));
    let ctl = scene.ctl().await.unwrap();
    for (arguments, why) in [
        (["dead", "replay", "1", "--json"], "ID_INVALID"),
        (["dead", "replay", "2", "--new-id=deal-78"], "METHOD_"),
    ] {
        let refused = ctl.run(&arguments).await.unwrap();
        assert_eq!(refused.status.code(), Some(2));
        let told = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(told.contains(why), "{told}");
    }
    let replayed = ctl.json(&["dead", "replay", "1", "--new-id=deal-77"]).await.unwrap();
    assert_eq!(replayed["published_id"], "deal-77");
    done(&scene.caller.reply("deal-77").await.unwrap().json());
    assert_eq!(listed(&scene).await.len(), 1, "the other stays");
}
