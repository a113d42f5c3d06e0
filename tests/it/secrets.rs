//! What could let a secret out more easily than other stories do. As after every story, the scene's end
//! looks for them in all that was written down.

use queuegram_tests::stage::{Listener, Scene, patience};
use serde_json::json;

use crate::expect::done;

const INSTANCE: &str = "acme-sales";
const LANE: &str = "tg.lanes.acme-sales.create";

#[tokio::test(flavor = "multi_thread")]
async fn a_mistake_in_a_command_lets_nothing_out() {
    const PASSWORD: &str = "canary-two-step-password";
    const TITLE: &str = "Canary title of a deal";
    let scene = Scene::open("secrets").await.unwrap();
    let details = json!({ "first_name": "Manager", "password": PASSWORD });
    scene.connect_as(INSTANCE, details, Some(PASSWORD)).await.unwrap();
    let client = scene.person(json!({ "first_name": "Anna" })).await.unwrap();
    let params = json!({ "title": TITLE, "members": [client.phone] });
    done(&scene.caller.call(INSTANCE, "deal", "group.create", params).await.unwrap());

    for (id, params) in [
        ("wrong-1", json!({ "title": { "text": TITLE } })),
        ("wrong-2", json!({ "title": "x", "members": TITLE })),
        ("wrong-3", json!({ "title": "x", "on_blocked": TITLE })),
        ("wrong-4", json!({ "title": "x", "members": [format!("{}x", client.phone)] })),
        ("wrong-5", json!({ "title": TITLE.repeat(20) })),
    ] {
        let reply = scene.caller.call(INSTANCE, id, "group.create", params).await.unwrap();
        assert_eq!(reply["error_kind"], "invalid", "{reply:#}");
    }
}

/// The scene's end looks into `tg.dead` and Redis.
#[tokio::test(flavor = "multi_thread")]
async fn an_api_key_is_nowhere_once_its_command_was_taken() {
    let mut scene = Scene::open("secret-keys").await.unwrap();
    scene.connect(INSTANCE).await.unwrap();
    let ctl = scene.ctl().await.unwrap();
    let made = ctl.json(&["instance", "key", INSTANCE]).await.unwrap();
    let api_key = made["api_key"].as_str().unwrap().to_owned();
    ctl.ok(&["instance", "set", INSTANCE, "--require-api-key", "on"]).await.unwrap();
    let flood = json!({
        "match": { "request": "channels.createChannel" }, "times": 1, "then": { "flood": 3_600 },
    });
    scene.tgsim.script(&flood).await.unwrap();
    let body = json!({
        "id": "parked", "method": "group.create", "instance": INSTANCE, "api_key": api_key,
        "params": { "title": "A" },
    });
    scene.caller.send_body(INSTANCE, "group.create", &body).await.unwrap();
    let torn = format!(r#"{{"id":"torn","api_key":"{api_key}","params":{{"#);
    let properties = scene.caller.properties();
    scene
        .caller
        .publish("tg.commands", "acme-sales.command", properties, torn.as_bytes())
        .await
        .unwrap();
    patience::until("one is parked, one is dead", patience::USUAL, || async {
        let there = scene.vhost.queues().await?.iter().any(|queue| queue == LANE);
        let both = there
            && scene.caller.look(LANE).await?.ready == 1
            && scene.caller.look("tg.dead").await?.ready == 1;
        Ok(both.then_some(()))
    })
    .await
    .unwrap();
    // While it lives the lane is its alone.
    scene.workers[0].kill();
    let lane = Listener::on_queue(&scene.vhost.amqp_url, LANE).await.unwrap();
    let parked = lane.wait("what is parked", |_| true).await.unwrap();
    let said = format!("{} {:?}", String::from_utf8_lossy(&parked.body), parked.properties);
    assert!(said.contains("parked") && !said.contains(&api_key), "{said}");
}
