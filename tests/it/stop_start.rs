//! Stopping an account and starting it again: its login stays, its commands wait.

use queuegram_tests::stage::{Scene, SceneOptions, patience};
use serde_json::{Value, json};

use crate::expect::{assert_holds, done};

const INSTANCE: &str = "acme-sales";
const DAY_S: u32 = 86_400;

async fn state(scene: &Scene) -> Value {
    scene.ctl().await.unwrap().json(&["instance", "show", INSTANCE]).await.unwrap()["state"].clone()
}

async fn rename(scene: &Scene, id: &str, chat_id: i64, deadline_s: Option<i64>) {
    let mut body = json!({
        "id": id, "method": "group.rename", "instance": INSTANCE,
        "params": { "chat_id": chat_id, "title": id },
    });
    if let Some(seconds) = deadline_s {
        let deadline = chrono::Utc::now() + chrono::TimeDelta::seconds(seconds);
        body["deadline"] = json!(deadline.to_rfc3339());
    }
    scene.caller.send_body(INSTANCE, "group.rename", &body).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_account_keeps_its_login_and_its_commands() {
    let mut scene = Scene::open("stop").await.unwrap();
    scene.connect(INSTANCE).await.unwrap();
    let made = scene.caller.call(INSTANCE, "make", "group.create", json!({ "title": "A" })).await;
    let chat = done(&made.unwrap());
    let ctl = scene.ctl().await.unwrap();
    let stopped = ctl.json(&["instance", "stop", INSTANCE]).await.unwrap();
    assert_holds(&stopped, &json!({ "instance": INSTANCE, "state": "stopped" }));
    let mark = scene.tgsim.mark().await.unwrap();
    let again = ctl.json(&["instance", "stop", INSTANCE]).await.unwrap();
    assert_eq!(again["state"], "stopped");

    rename(&scene, "in-time", chat, Some(2)).await;
    rename(&scene, "patient", chat, None).await;
    let late = scene.caller.reply("in-time").await.unwrap().json();
    assert_holds(
        &late,
        &json!({
            "status": "failed", "error_kind": "detached", "error_code": "STOPPED", "retryable": true,
        }),
    );
    let login = ctl.run(&["login", INSTANCE]).await.unwrap();
    assert!(!login.status.success(), "a stopped account is not logged in");

    // It stays stopped over a restart, and nothing was sent meanwhile.
    scene.workers[0].terminate().unwrap();
    scene.workers[0].ended().await.unwrap();
    scene.add_worker().await.unwrap();
    patience::until("it is stopped again", patience::USUAL, || async {
        Ok((state(&scene).await == "stopped").then_some(()))
    })
    .await
    .unwrap();
    assert_eq!(scene.tgsim.requests_after(mark).await.unwrap(), [""; 0]);

    let started = ctl.json(&["instance", "start", INSTANCE]).await.unwrap();
    assert!(matches!(started["state"].as_str(), Some("connecting" | "online")), "{started}");
    let patient = scene.caller.reply("patient").await.unwrap().json();
    assert_holds(&patient, &json!({ "status": "done", "attempts": 1 }));
    assert_eq!(state(&scene).await, "online");
    let already = ctl.json(&["instance", "start", INSTANCE]).await.unwrap();
    assert_eq!(already["state"], "online");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_account_shows_every_few_days_that_it_lives() {
    let options = SceneOptions::new("stop-life").faults(true);
    let scene = Scene::with(options).await.unwrap();
    scene.connect(INSTANCE).await.unwrap();
    let ctl = scene.ctl().await.unwrap();
    ctl.ok(&["instance", "stop", INSTANCE]).await.unwrap();
    for look in ["look-1", "look-2"] {
        let mark = scene.tgsim.mark().await.unwrap();
        scene.advance(3 * DAY_S + 60).await.unwrap();
        patience::until("it shows that it lives", patience::USUAL, || async {
            let requests = scene.tgsim.requests_after(mark).await?;
            Ok(requests.iter().any(|request| request == "updates.getState").then_some(()))
        })
        .await
        .unwrap();
        // The command line lives at another time now.
        let shown = scene.caller.control(INSTANCE, look, "account.get", json!({})).await.unwrap();
        assert_eq!(shown["result"]["state"], "stopped", "{shown:#}");
    }
}

/// While an account can't be connected its commands wait, and no longer than they may.
#[tokio::test(flavor = "multi_thread")]
async fn a_command_is_answered_at_its_deadline_while_its_account_connects() {
    let mut scene = Scene::open("connecting").await.unwrap();
    scene.connect(INSTANCE).await.unwrap();
    let made = scene.caller.call(INSTANCE, "make", "group.create", json!({ "title": "A" })).await;
    let chat = done(&made.unwrap());
    scene.workers[0].terminate().unwrap();
    scene.workers[0].ended().await.unwrap();
    // Nobody listens there.
    let nowhere = [("QUEUEGRAM_TELEGRAM__SERVER__ADDRESS", "127.0.0.1:9")];
    scene.add_worker_with(&nowhere).await.unwrap();
    rename(&scene, "in-time", chat, Some(3)).await;
    rename(&scene, "patient", chat, None).await;
    let late = scene.caller.reply("in-time").await.unwrap().json();
    assert_holds(
        &late,
        &json!({
            "status": "failed", "error_kind": "detached", "error_code": "NOT_CONNECTED",
        }),
    );
    scene.workers[1].terminate().unwrap();
    scene.workers[1].ended().await.unwrap();
    scene.add_worker().await.unwrap();
    let patient = scene.caller.reply("patient").await.unwrap().json();
    assert_holds(&patient, &json!({ "status": "done" }));
}
