//! A login that Telegram does not know for a moment, and one whose record can't be read: nothing of either is
//! overwritten, and both work again when what is wrong is mended.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use queuegram_tests::stage::{Listener, Message, Scene};
use serde_json::{Value, json};

use crate::expect::{assert_holds, done, online_as};

const INSTANCE: &str = "acme-sales";

/// The session's records in the vault, byte for byte.
fn kept(scene: &Scene) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    read_all(&scene.folder.join("vault").join(INSTANCE).join("session"), &mut files);
    assert!(!files.is_empty());
    files
}

fn read_all(folder: &Path, into: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        match entry.path().is_dir() {
            true => read_all(&entry.path(), into),
            false => drop(into.insert(entry.path(), fs::read(entry.path()).unwrap())),
        }
    }
}

async fn entered(events: &Listener, state: &str) -> Value {
    let is_it = |message: &Message| {
        let body = message.json();
        body["event"] == "account.state" && body["data"]["to"] == state
    };
    events.wait(state, is_it).await.unwrap().json()["data"].clone()
}

async fn create(scene: &Scene, id: &str) -> Value {
    scene.caller.call(INSTANCE, id, "group.create", json!({ "title": id })).await.unwrap()
}

/// The auth keys by which the account is logged in.
async fn keys(scene: &Scene, user: i64) -> Vec<Value> {
    let shown = scene.tgsim.get(&format!("/users/{user}")).await.unwrap();
    shown["logins"].as_array().unwrap().iter().map(|login| login["auth_key_id"].clone()).collect()
}

async fn knows(scene: &Scene, user: i64, known: bool) {
    scene.tgsim.post(&format!("/users/{user}/keys"), &json!({ "known": known })).await.unwrap();
}

async fn shown(scene: &Scene) -> Value {
    scene.ctl().await.unwrap().json(&["instance", "show", INSTANCE]).await.unwrap()
}

async fn restart(scene: &mut Scene) -> usize {
    let last = scene.workers.len() - 1;
    scene.workers[last].terminate().unwrap();
    scene.workers[last].ended().await.unwrap();
    scene.add_worker().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_telegram_does_not_know_for_a_moment_is_kept() {
    let mut scene = Scene::open("key-unknown").await.unwrap();
    let events = scene.events().await.unwrap();
    let person = scene.connect(INSTANCE).await.unwrap();
    let (login, record) = (keys(&scene, person.id).await, kept(&scene));
    let mark = scene.tgsim.mark().await.unwrap();
    knows(&scene, person.id, false).await;

    let told = create(&scene, "met").await;
    assert_holds(&told, &json!({ "error_kind": "detached", "error_code": "LOGGED_OUT" }));
    let event = entered(&events, "logged_out").await;
    assert_holds(&event, &json!({ "from": "online", "reason": "AUTH_KEY_NOT_FOUND" }));
    assert_holds(
        &shown(&scene).await,
        &json!({ "state": "logged_out", "reason": "AUTH_KEY_NOT_FOUND" }),
    );
    assert_eq!(kept(&scene), record, "the old key, byte for byte");
    // Started while it is unknown still, it ends there again.
    let ctl = scene.ctl().await.unwrap();
    ctl.ok(&["instance", "start", INSTANCE]).await.unwrap();
    let told = create(&scene, "met-again").await;
    assert_holds(&told, &json!({ "error_kind": "detached", "error_code": "LOGGED_OUT" }));
    let entries = scene.tgsim.journal_after(mark).await.unwrap();
    let used_others = entries
        .iter()
        .any(|entry| entry["kind"] == "request" && !login.contains(&entry["auth_key_id"]));
    assert!(!used_others, "nothing is sent on a key that grammers made: {entries:#?}");

    knows(&scene, person.id, true).await;
    ctl.ok(&["instance", "start", INSTANCE]).await.unwrap();
    online_as(&scene, INSTANCE, person.id).await;
    done(&create(&scene, "after").await);
    assert_eq!(keys(&scene, person.id).await, login, "the same login");

    // The same by a restart.
    knows(&scene, person.id, false).await;
    create(&scene, "met-once-more").await;
    knows(&scene, person.id, true).await;
    restart(&mut scene).await;
    online_as(&scene, INSTANCE, person.id).await;
    done(&create(&scene, "after-restart").await);
    assert_eq!(keys(&scene, person.id).await, login);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_cannot_be_read_is_told_and_left_as_it_is() {
    let mut scene = Scene::open("session-corrupt").await.unwrap();
    let events = scene.events().await.unwrap();
    let person = scene.connect(INSTANCE).await.unwrap();
    let login = keys(&scene, person.id).await;
    scene.workers[0].terminate().unwrap();
    scene.workers[0].ended().await.unwrap();
    let good = kept(&scene);
    for (path, bytes) in &good {
        let mut spoilt = bytes.clone();
        let middle = spoilt.len() / 2;
        spoilt[middle] ^= 1;
        fs::write(path, spoilt).unwrap();
    }
    let spoilt = kept(&scene);
    let mark = scene.tgsim.mark().await.unwrap();

    scene.add_worker().await.unwrap();
    let event = entered(&events, "failed").await;
    assert_eq!(event["reason"], "SESSION_UNREADABLE");
    assert_holds(
        &shown(&scene).await,
        &json!({ "state": "failed", "reason": "SESSION_UNREADABLE" }),
    );
    assert_eq!(kept(&scene), spoilt, "nothing is written over it");
    assert_eq!(scene.tgsim.requests_after(mark).await.unwrap(), [""; 0], "nobody is asked");

    // As it comes back with a copy of the vault.
    for (path, bytes) in &good {
        fs::write(path, bytes).unwrap();
    }
    scene.ctl().await.unwrap().ok(&["instance", "start", INSTANCE]).await.unwrap();
    online_as(&scene, INSTANCE, person.id).await;
    done(&create(&scene, "after").await);
    assert_eq!(keys(&scene, person.id).await, login);
}
