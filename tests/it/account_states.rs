//! What Telegram's errors make of an account: its state and reason in orders, events and metrics, and
//! what its commands are told. Error by error, each met once.

use std::time::{Duration, Instant};

use queuegram_tests::stage::{Listener, Message, Scene};
use serde_json::{Value, json};

use crate::expect::{assert_holds, done};

/// The error, the state that it leads to, and what the next command is told.
const ENDS: &[(u16, &str, &str, &str)] = &[
    (401, "AUTH_KEY_UNREGISTERED", "logged_out", "LOGGED_OUT"),
    (401, "AUTH_KEY_INVALID", "logged_out", "LOGGED_OUT"),
    (401, "AUTH_KEY_PERM_EMPTY", "logged_out", "LOGGED_OUT"),
    (406, "AUTH_KEY_DUPLICATED", "logged_out", "LOGGED_OUT"),
    (401, "SESSION_REVOKED", "logged_out", "LOGGED_OUT"),
    (401, "SESSION_EXPIRED", "logged_out", "LOGGED_OUT"),
    (401, "SESSION_PASSWORD_NEEDED", "logged_out", "LOGGED_OUT"),
    (401, "ACTIVE_USER_REQUIRED", "logged_out", "LOGGED_OUT"),
    (401, "USER_DEACTIVATED", "banned", "BANNED"),
    (401, "USER_DEACTIVATED_BAN", "banned", "BANNED"),
    (400, "PHONE_NUMBER_BANNED", "banned", "BANNED"),
];

/// Longer than an answer takes that waits for nothing.
const AT_ONCE: Duration = Duration::from_secs(5);

async fn meet(scene: &Scene, instance: &str, error: Value) -> Value {
    let rule = json!({
        "match": { "request": "channels.createChannel" }, "times": 1, "then": { "error": error },
    });
    scene.tgsim.script(&rule).await.unwrap();
    create(scene, instance, "met").await
}

async fn create(scene: &Scene, instance: &str, id: &str) -> Value {
    let id = format!("{instance}-{id}");
    scene.caller.call(instance, &id, "group.create", json!({ "title": "A" })).await.unwrap()
}

async fn entered(events: &Listener, instance: &str, state: &str) -> Value {
    let is_it = |message: &Message| {
        let body = message.json();
        body["event"] == "account.state"
            && body["instance"] == instance
            && body["data"]["to"] == state
    };
    events.wait(state, is_it).await.unwrap().json()["data"].clone()
}

async fn shown(scene: &Scene, instance: &str) -> Value {
    scene.ctl().await.unwrap().json(&["instance", "show", instance]).await.unwrap()
}

async fn counted(scene: &Scene, state: &str, count: f64) {
    let line = format!("queuegram_instances{{state=\"{state}\"}}");
    scene.workers[0].metric(&line, |now| (now - count).abs() < 0.5).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn each_error_that_ends_an_account_is_told_by_its_state_and_name() {
    let scene = Scene::open("states-ends").await.unwrap();
    let events = scene.events().await.unwrap();
    let mut counts = std::collections::BTreeMap::new();
    for (code, name, state, told) in ENDS {
        let instance = name.to_lowercase();
        scene.connect(&instance).await.unwrap();
        let met = meet(&scene, &instance, json!([code, name])).await;
        assert_holds(&met, &json!({ "error_kind": "detached", "error_code": name }));
        let event = entered(&events, &instance, state).await;
        assert_holds(&event, &json!({ "from": "online", "reason": name, "until": null }));
        let asked = Instant::now();
        let next = create(&scene, &instance, "next").await;
        assert_holds(&next, &json!({ "error_kind": "detached", "error_code": told }));
        assert!(asked.elapsed() < AT_ONCE, "{name}");
        let shown = shown(&scene, &instance).await;
        assert_holds(&shown, &json!({ "state": state, "reason": name, "since": event["since"] }));
        let count = counts.entry(*state).or_insert(0.0);
        *count += 1.0;
        counted(&scene, state, *count).await;
    }
    let listed = scene.ctl().await.unwrap().ok(&["instance", "list"]).await.unwrap();
    for (_, name, ..) in ENDS {
        assert!(listed.contains(name), "{name}\n{listed}");
    }
    assert!(listed.contains("SINCE"), "{listed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limited_account_stays_connected_and_tells_until_when() {
    let scene = Scene::open("states-limits").await.unwrap();
    let events = scene.events().await.unwrap();
    for (n, (code, error, reason, state)) in [
        (420, "FLOOD_WAIT_300", "FLOOD_WAIT", "cooling"),
        (420, "FLOOD_PREMIUM_WAIT_300", "FLOOD_PREMIUM_WAIT", "cooling"),
        (400, "PEER_FLOOD", "PEER_FLOOD", "cooling"),
        (403, "USER_RESTRICTED", "USER_RESTRICTED", "restricted"),
        (420, "FROZEN_METHOD_INVALID", "FROZEN_METHOD_INVALID", "restricted"),
        (400, "FROZEN_PARTICIPANT_MISSING", "FROZEN_PARTICIPANT_MISSING", "restricted"),
    ]
    .into_iter()
    .enumerate()
    {
        let instance = format!("limited-{n}");
        scene.connect(&instance).await.unwrap();
        let rule = json!({
            "match": { "request": "channels.createChannel" }, "times": 1,
            "then": { "error": [code, error] },
        });
        scene.tgsim.script(&rule).await.unwrap();
        let params = json!({ "title": "A" });
        scene.caller.send(&instance, &instance, "group.create", &params).await.unwrap();
        let event = entered(&events, &instance, state).await;
        assert_holds(&event, &json!({ "from": "online", "reason": reason }));
        assert!(event["until"].is_string(), "{event:#}");
        let shown = shown(&scene, &instance).await;
        assert_holds(&shown, &json!({ "state": state, "reason": reason, "until": event["until"] }));
    }
    counted(&scene, "cooling", 3.0).await;
    counted(&scene, "restricted", 3.0).await;
}

/// What this installation does wrong can be mended by whoever runs it: commands wait for that.
#[tokio::test(flavor = "multi_thread")]
async fn a_failed_account_keeps_its_commands_until_it_is_mended() {
    let scene = Scene::open("states-failed").await.unwrap();
    let events = scene.events().await.unwrap();
    let instance = "acme-sales";
    scene.connect(instance).await.unwrap();
    for (n, name) in [
        "API_ID_INVALID",
        "CONNECTION_API_ID_INVALID",
        "API_ID_PUBLISHED_FLOOD",
        "CONNECTION_LAYER_INVALID",
    ]
    .into_iter()
    .enumerate()
    {
        let rule = json!({
            "match": { "request": "channels.createChannel" }, "times": 1,
            "then": { "error": [400, name] },
        });
        scene.tgsim.script(&rule).await.unwrap();
        let met = create(&scene, instance, &format!("met-{n}")).await;
        assert_holds(&met, &json!({ "error_kind": "detached", "error_code": name }));
        let is_it = |message: &Message| message.json()["data"]["reason"] == name;
        let event = events.wait(name, is_it).await.unwrap().json()["data"].clone();
        assert_holds(&event, &json!({ "from": "online", "to": "failed" }));
        let shown = shown(&scene, instance).await;
        assert_holds(
            &shown,
            &json!({ "state": "failed", "reason": name, "since": event["since"] }),
        );
        counted(&scene, "failed", 1.0).await;

        let deadline = (chrono::Utc::now() + chrono::TimeDelta::seconds(2)).to_rfc3339();
        let (late, patient) = (format!("late-{n}"), format!("patient-{n}"));
        let body = json!({
            "id": late, "method": "group.create", "instance": instance, "deadline": deadline,
            "params": { "title": "B" },
        });
        scene.caller.send_body(instance, "group.create", &body).await.unwrap();
        let params = json!({ "title": "C" });
        scene.caller.send(instance, &patient, "group.create", &params).await.unwrap();
        let told = scene.caller.reply(&late).await.unwrap().json();
        assert_holds(
            &told,
            &json!({ "error_kind": "detached", "error_code": "ACCOUNT_FAILED", "retryable": true }),
        );
        let ctl = scene.ctl().await.unwrap();
        ctl.ok(&["instance", "start", instance]).await.unwrap();
        done(&scene.caller.reply(&patient).await.unwrap().json());
    }
}
