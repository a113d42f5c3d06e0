//! API keys: two live ones for changing over, scopes, and a reset that ends all others.

use queuegram_tests::stage::Scene;
use serde_json::{Value, json};

use crate::expect::assert_holds;

const INSTANCE: &str = "acme-sales";

async fn key(scene: &Scene, more: &[&str]) -> String {
    let args = [&["instance", "key", INSTANCE], more].concat();
    let made = scene.ctl().await.unwrap().json(&args).await.unwrap();
    made["api_key"].as_str().unwrap().to_owned()
}

/// What a command with this key is told: its error code, or null.
async fn told(scene: &Scene, id: &str, method: &str, key: &str) -> Value {
    let params = if method == "group.create" { json!({ "title": id }) } else { json!({}) };
    let body = json!({
        "id": id, "method": method, "instance": INSTANCE, "api_key": key, "params": params,
    });
    scene.caller.send_body(INSTANCE, method, &body).await.unwrap();
    scene.caller.reply(id).await.unwrap().json()["error_code"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_change_over_are_scoped_and_reset() {
    let scene = Scene::open("api-keys").await.unwrap();
    scene.connect(INSTANCE).await.unwrap();
    let ctl = scene.ctl().await.unwrap();
    let first = key(&scene, &[]).await;
    let set = ["instance", "set", INSTANCE, "--require-api-key", "on", "--tag", "north"];
    let shown = ctl.json(&[&set[..], &["--notes", "Ask Olga"]].concat()).await.unwrap();
    assert_holds(
        &shown,
        &json!({ "require_api_key": true, "tags": ["north"], "notes": "Ask Olga" }),
    );
    assert_eq!(told(&scene, "with-it", "account.get", &first).await, Value::Null);
    assert_eq!(told(&scene, "wrong", "account.get", "qg_wrong").await, "API_KEY_WRONG");

    let reads = key(&scene, &["--keep-old", "--methods", "account.get"]).await;
    assert_eq!(told(&scene, "in-scope", "account.get", &reads).await, Value::Null);
    assert_eq!(told(&scene, "beyond", "group.create", &reads).await, "API_KEY_SCOPE");
    assert_eq!(told(&scene, "old-one", "group.create", &first).await, Value::Null);
    let shown = ctl.json(&["instance", "show", INSTANCE]).await.unwrap();
    assert_eq!(shown["api_keys"].as_array().unwrap().len(), 2);
    assert!(!shown.to_string().contains(&first), "only digits of its hash are shown");

    let last = key(&scene, &[]).await;
    for (id, old) in [("first-is-over", &first), ("reads-is-over", &reads)] {
        assert_eq!(told(&scene, id, "account.get", old).await, "API_KEY_WRONG");
    }
    assert_eq!(told(&scene, "last", "group.create", &last).await, Value::Null);
    let odd = ctl.run(&["instance", "key", INSTANCE, "--methods", "group.fly"]).await.unwrap();
    assert!(!odd.status.success());
    // What an admin notes is not for callers of commands.
    let body = json!({
        "id": "mine", "method": "account.get", "instance": INSTANCE, "api_key": last, "params": {},
    });
    scene.caller.send_body(INSTANCE, "account.get", &body).await.unwrap();
    let mine = scene.caller.reply("mine").await.unwrap().json();
    assert_holds(&mine["result"], &json!({ "notes": null, "tags": [], "api_keys": [] }));
}
