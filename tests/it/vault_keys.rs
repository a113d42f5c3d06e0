//! The vault's key is changed under an account that stays logged in.

use std::fs;

use queuegram_tests::stage::Scene;
use serde_json::Value;

const INSTANCE: &str = "acme-sales";
const NEW: &str = "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b";
const ONLINE: &str = r#"queuegram_instances{state="online"}"#;

/// Stops the worker, gives the next one this key file, and waits until the account is online.
async fn restart_with(scene: &mut Scene, keys: &str) {
    let last = scene.workers.len() - 1;
    scene.workers[last].terminate().unwrap();
    assert!(scene.workers[last].ended().await.unwrap().success());
    fs::write(scene.folder.join("vault.key"), keys).unwrap();
    let next = scene.add_worker().await.unwrap();
    scene.workers[next].metric(ONLINE, |online| online > 0.5).await.unwrap();
}

fn needed(verified: &Value, key: &Value) -> u64 {
    verified["needed"][key.as_str().unwrap()].as_u64().unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_is_changed_and_the_login_stays() {
    let mut scene = Scene::open("vault-keys").await.unwrap();
    scene.connect(INSTANCE).await.unwrap();
    let ctl = scene.ctl().await.unwrap();
    let old = fs::read_to_string(scene.folder.join("vault.key")).unwrap();
    restart_with(&mut scene, &format!("{NEW}\n{old}")).await;
    let before = ctl.json(&["vault", "verify"]).await.unwrap();
    let (new_id, old_id) = (before["keys"][0].clone(), before["keys"][1].clone());
    assert!(needed(&before, &old_id) >= 3, "{before}");

    let rotated = ctl.json(&["vault", "rotate"]).await.unwrap();
    assert_eq!(rotated["key"], new_id);
    assert!(rotated["resealed"].as_u64() >= Some(3), "{rotated}");
    assert!(rotated["audit_resealed"].as_u64() >= Some(1), "{rotated}");
    let after = ctl.json(&["vault", "verify"]).await.unwrap();
    assert_eq!(needed(&after, &old_id), 0, "{after}");
    assert_eq!(ctl.json(&["vault", "rotate"]).await.unwrap()["resealed"], 0);

    restart_with(&mut scene, NEW).await;
    let audit = ctl.ok(&["audit", "--json"]).await.unwrap();
    assert!(audit.contains("account.add"), "what was logged under the old key: {audit}");
    let shown = ctl.json(&["instance", "show", INSTANCE]).await.unwrap();
    assert_eq!(shown["state"], "online", "without the old key: {shown}");
}
