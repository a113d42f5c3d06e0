//! A vault belongs to one site: a copy of it connects nothing until it is claimed, and then the
//! first site connects nothing any more.

use std::fs;
use std::path::Path;

use queuegram_tests::stage::shared;
use queuegram_tests::stage::{Scene, SceneOptions, patience};
use serde_json::json;

use crate::expect::done;

const INSTANCES: [&str; 3] = ["acme-sales", "acme-support", "beta"];
const ONLINE: &str = r#"queuegram_instances{state="online"}"#;

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let there = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &there);
        } else {
            // What is written just now under a passing name may be gone again.
            let _ = fs::copy(entry.path(), there);
        }
    }
}

/// Waits until `/ready` of the scene's worker says this.
async fn until_missing(scene: &Scene, worker: usize, words: &str) {
    patience::until(&format!("/ready says: {words}"), patience::USUAL, || async {
        Ok(scene.workers[worker].missing().await?.contains(words).then_some(()))
    })
    .await
    .unwrap();
}

/// Waits until so many accounts are online there: after a claim that takes lease and grace.
async fn until_online(scene: &Scene, worker: usize, accounts: usize) {
    let bound = 3 * patience::USUAL;
    patience::until(&format!("{accounts} accounts are online"), bound, || async {
        let online = scene.workers[worker].metric(ONLINE, |_| true).await?;
        Ok((online.round() as usize == accounts).then_some(()))
    })
    .await
    .unwrap();
}

async fn create(scene: &Scene, instance: &str, id: &str) -> i64 {
    let params = json!({ "title": id });
    scene.caller.send(instance, id, "group.create", &params).await.unwrap();
    done(&scene.caller.reply(id).await.unwrap().json())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copied_vault_connects_nothing_until_it_is_claimed() {
    let first = Scene::open("site-first").await.unwrap();
    for instance in INSTANCES {
        first.connect(instance).await.unwrap();
    }
    let options = SceneOptions::new("site-second");
    let addresses = shared::servers().await.unwrap();
    let mut second = Scene::without_worker(addresses, options).await.unwrap();
    copy(&first.folder.join("vault"), &second.folder.join("vault"));
    fs::copy(first.folder.join("vault.key"), second.folder.join("vault.key")).unwrap();
    let telegram = first.worker_environment();
    let mut telegram: Vec<(&str, &str)> = telegram
        .iter()
        .filter(|(key, _)| key.starts_with("QUEUEGRAM_TELEGRAM__"))
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect();

    // Beside a Redis of its own, which knows nothing of the vault.
    let away = second.add_worker_unready(&telegram).await.unwrap();
    until_missing(&second, away, "vault claim").await;
    until_online(&second, away, 0).await;
    second.workers[away].kill();

    // Beside the first site's server, under a prefix of its own.
    let redis = first.redis_url().to_owned();
    telegram.extend([("QUEUEGRAM_REDIS__URL", redis.as_str()), ("QUEUEGRAM_REDIS__PREFIX", "b")]);
    let copied = second.add_worker_unready(&telegram).await.unwrap();
    until_missing(&second, copied, "vault claim").await;
    create(&first, INSTANCES[0], "by-the-first").await;
    until_online(&first, 0, 3).await;
    until_online(&second, copied, 0).await;

    let ctl = second.ctl().await.unwrap();
    let refused = ctl.run(&["vault", "claim"]).await.unwrap();
    assert_eq!(refused.status.code(), Some(2), "nobody confirmed it");
    let claimed = ctl.json(&["vault", "claim", "--yes"]).await.unwrap();
    assert_eq!(claimed["was_ours"], false);
    until_missing(&first, 0, "claimed by another site").await;
    until_online(&first, 0, 0).await;
    until_online(&second, copied, 3).await;
    for instance in INSTANCES {
        create(&second, instance, &format!("{instance}:by-the-second")).await;
        let shown = ctl.json(&["instance", "show", instance]).await.unwrap();
        assert_eq!(shown["state"], "online", "its login is whole: {shown}");
    }
    let again = ctl.json(&["vault", "claim", "--yes"]).await.unwrap();
    assert_eq!((&again["was_ours"], &again["site"]), (&json!(true), &claimed["site"]));

    // Redis forgets whose it is: the second site's worker knows, and so does the first's.
    first.redis.flush().await.unwrap();
    create(&second, INSTANCES[0], "after-the-loss").await;
    until_online(&first, 0, 0).await;
    until_missing(&first, 0, "vault claim").await;
}
