//! Looking at limits, changing them, and what only a person may set going again.

use queuegram_tests::stage::{Scene, SceneOptions};
use serde_json::{Value, json};

use crate::expect::{assert_holds, done};

const INSTANCE: &str = "acme-sales";

fn class<'a>(limits: &'a Value, name: &str) -> &'a Value {
    limits["classes"].as_array().unwrap().iter().find(|class| class["class"] == name).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_are_shown_changed_and_forecast() {
    let scene = Scene::open("limits-shown").await.unwrap();
    scene.connect(INSTANCE).await.unwrap();
    let ctl = scene.ctl().await.unwrap();
    let limits = ctl.json(&["instance", "limits", INSTANCE]).await.unwrap();
    assert_holds(&limits, &json!({ "profile": "sandbox", "warm_up_until": null }));
    assert_holds(class(&limits, "create"), &json!({ "burst": 500, "closed": false, "parked": 0 }));

    let set = ["instance", "limits", INSTANCE, "--set", "create=20m,burst=1,per-day=3"];
    let limits = ctl.json(&set).await.unwrap();
    let wanted = json!({ "every_s": 1_200.0, "burst": 1, "per_day": 3, "tokens": 1 });
    assert_holds(class(&limits, "create"), &wanted);
    let create = |id| scene.caller.call(INSTANCE, id, "group.create", json!({ "title": "A" }));
    done(&create("first").await.unwrap());
    let forecast = ctl.json(&["instance", "forecast", INSTANCE, "group.create"]).await.unwrap();
    assert_holds(&forecast, &json!({ "class": "create", "reason": "BUDGET_SPENT", "parked": 0 }));
    assert!(forecast["next_at"].is_string(), "{forecast:#}");
    let hasty = json!({
        "id": "hasty", "method": "group.create", "instance": INSTANCE,
        "params": { "title": "B" }, "on_flood": "fail",
    });
    scene.caller.send_body(INSTANCE, "group.create", &hasty).await.unwrap();
    let told = scene.caller.reply("hasty").await.unwrap().json();
    assert_holds(&told, &json!({ "error_kind": "throttled", "error_code": "BUDGET_SPENT" }));

    // The next owner has them too, and knows what is used.
    let shown = ctl.ok(&["instance", "show", INSTANCE]).await.unwrap();
    assert!(shown.contains("20m") && shown.contains("1/3"), "{shown}");
    let wrong = ["instance", "limits", INSTANCE, "--set", "sloth=1m", "--json"];
    let refused = ctl.run(&wrong).await.unwrap();
    assert_eq!(refused.status.code(), Some(3));
    let said = String::from_utf8_lossy(&refused.stdout).into_owned();
    assert!(said.contains("params.budgets.sloth"), "{said}");
    let limits = ctl.json(&["instance", "limits", INSTANCE, "--reset", "create"]).await.unwrap();
    assert_holds(class(&limits, "create"), &json!({ "burst": 500 }));
    done(&create("second").await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_peer_flood_stops_invitations_until_a_person_resumes_them() {
    let scene = Scene::with(SceneOptions::new("circuit").faults(true)).await.unwrap();
    scene.connect(INSTANCE).await.unwrap();
    let guest = scene.person(json!({ "first_name": "Guest", "username": "circuitguest" })).await;
    let events = scene.events().await.unwrap();
    let made = scene.caller.call(INSTANCE, "made", "group.create", json!({ "title": "A" })).await;
    let chat = done(&made.unwrap());
    let flood = json!({
        "match": { "request": "channels.inviteToChannel" }, "times": 2,
        "then": { "error": [400, "PEER_FLOOD"] },
    });
    scene.tgsim.script(&flood).await.unwrap();
    let deadline = (chrono::Utc::now() + chrono::TimeDelta::days(6)).to_rfc3339();
    let add = json!({
        "id": "add", "method": "group.add_members", "instance": INSTANCE, "deadline": deadline,
        "params": { "chat_id": chat, "members": ["@circuitguest"] },
    });
    scene.caller.send_body(INSTANCE, "group.add_members", &add).await.unwrap();
    let hit = events.wait("the first", |event| event.json()["event"] == "limit.hit").await.unwrap();
    assert_holds(&hit.json()["data"], &json!({ "class": "invite", "reason": "PEER_FLOOD" }));

    let cooling = events.wait("it cools down", |event| {
        event.json()["event"] == "account.state" && event.json()["data"]["to"] == "cooling"
    });
    let cooling = cooling.await.unwrap().json();
    assert_holds(&cooling["data"], &json!({ "from": "online", "reason": "PEER_FLOOD" }));
    assert!(cooling["data"]["until"].is_string(), "{cooling:#}");

    // A day later it is tried again, and that was one time too many.
    scene.advance(86_500).await.unwrap();
    let paused =
        events.wait("it is stopped", |event| event.json()["event"] == "limit.paused").await;
    assert_holds(&paused.unwrap().json()["data"], &json!({ "class": "invite", "until": null }));
    scene.advance(2 * 86_400).await.unwrap();
    // Everything else goes on; only what is about that chat waits behind it.
    let other = scene.caller.call(INSTANCE, "other", "group.create", json!({ "title": "B" })).await;
    done(&other.unwrap());
    let told = scene.caller.control(INSTANCE, "look", "account.limits", json!({})).await.unwrap();
    let wanted = json!({ "closed": true, "closed_until": null, "next_at": null, "parked": 1 });
    assert_holds(class(&told["result"], "invite"), &wanted);

    scene.caller.control(INSTANCE, "resume", "account.resume", json!({})).await.unwrap();
    let added = scene.caller.reply("add").await.unwrap().json();
    assert_holds(&added, &json!({ "status": "done" }));
    assert_eq!(added["result"]["members"][0]["user_id"], guest.unwrap().id);
    events.wait("it is told", |event| event.json()["event"] == "limit.resumed").await.unwrap();
}
