//! The audit log: who did what to which account, and that it outlives what it was done with.

use queuegram_tests::stage::ctl::Ctl;
use queuegram_tests::stage::{Scene, patience};
use serde_json::{Value, json};

use crate::expect::{assert_holds, done};

const INSTANCE: &str = "acme-sales";

/// The command line, used by a person with a name.
async fn ctl(scene: &Scene) -> Ctl {
    let mut environment = scene.ctl_environment();
    environment.push(("USER".to_owned(), "anna".to_owned()));
    Ctl::new(&environment).await.unwrap()
}

async fn log(scene: &Scene, more: &[&str]) -> Vec<Value> {
    let args = [&["audit", "--since", "1h"], more].concat();
    let shown = ctl(scene).await.json(&args).await.unwrap();
    shown.as_array().unwrap().clone()
}

/// Whom the broker knows the caller as.
fn user(scene: &Scene) -> String {
    let (_, rest) = scene.vhost.amqp_url.split_once("://").unwrap();
    rest.split(':').next().unwrap().to_owned()
}

fn find<'a>(log: &'a [Value], action: &str) -> &'a Value {
    log.iter().find(|row| row["action"] == action).unwrap_or_else(|| panic!("{action} {log:#?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_and_commands_are_in_the_log_with_who_gave_them_and_what_came_of_them() {
    let mut scene = Scene::open("audit").await.unwrap();
    scene.connect(INSTANCE).await.unwrap();
    let ctl = ctl(&scene).await;
    let made = ["instance", "add", "acme-support", "--require-api-key"];
    let key = ctl.json(&made).await.unwrap()["api_key"].as_str().unwrap().to_owned();
    ctl.ok(&["instance", "stop", INSTANCE]).await.unwrap();
    ctl.ok(&["instance", "start", INSTANCE]).await.unwrap();
    ctl.ok(&["instance", "show", INSTANCE]).await.unwrap();

    let create = scene.caller.call(INSTANCE, "c-1", "group.create", json!({ "title": "Hush 77" }));
    let chat = done(&create.await.unwrap());
    let look = scene.caller.call(INSTANCE, "c-2", "account.get", json!({}));
    done_without_chat(&look.await.unwrap());
    // By a user that the broker vouches for, with a key that is right and one that is not.
    for (id, shown) in [("k-1", key.as_str()), ("k-2", "qgk_wrong")] {
        let user = user(&scene);
        let properties =
            scene.caller.properties().with_user_id(user.into()).with_message_id(id.into());
        let body = json!({ "params": { "title": "B" }, "api_key": shown });
        let body = serde_json::to_vec(&body).unwrap();
        let routing_key = "acme-support.group.create";
        scene.caller.publish("tg.commands", routing_key, properties, &body).await.unwrap();
        scene.caller.reply(id).await.unwrap();
    }
    let rows = patience::until("the commands are written", patience::USUAL, || async {
        let rows = log(&scene, &[]).await;
        let there = ["c-1", "k-1", "k-2"].iter().all(|id| rows.iter().any(|row| row["id"] == *id));
        Ok(there.then_some(rows))
    })
    .await
    .unwrap();

    let stop = find(&rows, "account.stop");
    assert_holds(
        stop,
        &json!({ "v": 1, "instance": INSTANCE, "kind": "order", "status": "done", "error_code": null }),
    );
    assert_eq!(stop["actor"]["by"], "anna", "{stop:#}");
    assert_eq!(stop["actor"]["amqp_user"], Value::Null, "{stop:#}");
    find(&rows, "account.start");
    find(&rows, "account.login");
    let command = |id: &str| rows.iter().find(|row| row["id"] == id).unwrap();
    assert_holds(
        command("c-1"),
        &json!({ "kind": "command", "action": "group.create", "chat_id": chat, "status": "done" }),
    );
    assert_holds(command("k-1"), &json!({ "instance": "acme-support", "status": "failed" }));
    assert_holds(command("k-2"), &json!({ "error_code": "API_KEY_WRONG", "status": "failed" }));
    for id in ["k-1", "k-2"] {
        assert_eq!(command(id)["actor"]["amqp_user"], user(&scene), "{id}");
        assert_eq!(command(id)["actor"]["api_key"].as_str().map(str::len), Some(8), "{id}");
    }
    for action in ["account.get", "account.list", "audit.list"] {
        assert!(!rows.iter().any(|row| row["action"] == action), "{action} only looks");
    }
    let text = serde_json::to_string(&rows).unwrap();
    for secret in [key.as_str(), "qgk_wrong", "Hush 77"] {
        assert!(!text.contains(secret), "{secret} is in the log");
    }
    let of_one = log(&scene, &["--instance", "acme-support"]).await;
    assert!(of_one.iter().all(|row| row["instance"] == "acme-support"), "{of_one:#?}");

    // An order is written before it is answered; neither Redis nor the worker is needed for what is.
    ctl.ok(&["pause", INSTANCE, "--reason", "a check"]).await.unwrap();
    scene.workers[0].kill();
    scene.redis.flush().await.unwrap();
    scene.add_worker().await.unwrap();
    let after = log(&scene, &[]).await;
    assert_eq!(find(&after, "account.pause")["actor"]["by"], "anna");
    assert!(after.len() > rows.len(), "{} {}", after.len(), rows.len());
    let few = log(&scene, &["--limit", "2"]).await;
    assert_eq!(few.len(), 2);
    assert_eq!(few.last(), after.last(), "the newest");
}

fn done_without_chat(reply: &Value) {
    assert_eq!(reply["status"], "done", "{reply:#}");
}
