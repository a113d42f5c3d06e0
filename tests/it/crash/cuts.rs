//! Killed at a chosen point of a command's life (`queuegram-worker-faults`).

use std::collections::BTreeMap;

use queuegram_tests::stage::Scene;
use serde_json::{Value, json};

use super::{INSTANCE, quick};
use crate::expect::{count, done, matching};

/// Sends a command to a worker that dies at `point`, lets another one go on, and gives the reply.
/// Before and after there is no worker.
async fn cut_at(scene: &mut Scene, point: &str, id: &str, method: &str, params: Value) -> Value {
    let order = format!("{point}=kill");
    let dying = scene.add_worker_with(&[("QUEUEGRAM_FAULTS", &order)]).await.unwrap();
    scene.caller.send(INSTANCE, id, method, &params).await.unwrap();
    let status = scene.workers[dying].ended().await.unwrap();
    assert!(!status.success(), "{point}: it was passed");
    let heir = scene.add_worker().await.unwrap();
    let reply = scene.caller.reply(id).await.unwrap().json();
    scene.workers[heir].terminate().unwrap();
    scene.workers[heir].ended().await.unwrap();
    reply
}

/// A scene with a connected instance, two people to be put in, and no worker.
async fn ground(label: &str) -> (Scene, i64, i64) {
    let mut scene = Scene::with(quick(label).faults(true)).await.unwrap();
    scene.connect(INSTANCE).await.unwrap();
    let client = scene.person(json!({ "username": "client" })).await.unwrap().id;
    let colleague = scene.person(json!({ "username": "colleague" })).await.unwrap().id;
    scene.workers[0].terminate().unwrap();
    scene.workers[0].ended().await.unwrap();
    (scene, client, colleague)
}

/// No effect of a group stands there twice: each person is put in and made an admin once.
fn assert_nothing_twice(effects: &[Value], point: &str) {
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for effect in effects {
        let kind = effect["kind"].as_str().unwrap_or_default();
        if ["chat.created", "chat.member_added", "chat.admin_set"].contains(&kind) {
            let who = format!("{kind} {} {}", effect["chat_id"], effect["user_id"]);
            *times.entry(who).or_default() += 1;
        }
    }
    assert!(times.values().all(|times| *times == 1), "{point}: {times:#?}");
}

async fn creations(kind: &str, label: &str) {
    let (mut scene, client, colleague) = ground(label).await;
    let invite = match kind {
        "basic" => format!("step_answered:promote:{colleague}"),
        _ => format!("step_answered:invite_from:{client}"),
    };
    let points = [
        "claimed",
        "step_started:create",
        "step_answered:create",
        "step_executed:create",
        &invite,
        "step_answered:primary_link",
        "recorded",
    ];
    for (number, point) in points.into_iter().enumerate() {
        let mark = scene.tgsim.mark().await.unwrap();
        let title = format!("Deal {number}");
        let params = json!({
            "title": title, "kind": kind, "members": ["@client"], "admins": ["@colleague"],
            "invite_link": true,
        });
        let id = format!("deal-{number}:create");
        let reply = cut_at(&mut scene, point, &id, "group.create", params).await;
        let chat_id = done(&reply);
        assert!(reply["result"]["link"].is_string(), "{point}: {reply:#}");
        for list in ["members", "admins"] {
            assert_eq!(reply["result"][list][0]["status"], "added", "{point}: {reply:#}");
        }
        let effects = scene.tgsim.effects_after(mark).await.unwrap();
        assert_eq!(count(&effects, &json!({ "kind": "chat.created" })), 1, "{point}: {effects:#?}");
        let made = json!({ "kind": "chat.created", "title": title, "chat_id": chat_id });
        assert_eq!(count(&effects, &made), 1, "{point}: {effects:#?}");
        assert_nothing_twice(&effects, point);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supergroup_is_made_once_wherever_its_worker_dies() {
    creations("supergroup", "cut-supergroup").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_basic_group_is_made_once_wherever_its_worker_dies() {
    creations("basic", "cut-basic").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_left_out_of_a_basic_group_is_told_by_the_heir_too() {
    let (mut scene, ..) = ground("cut-missing").await;
    let shy = json!({ "username": "withdrawn", "privacy": { "invite": "nobody" } });
    scene.person(shy).await.unwrap();
    let params = json!({ "title": "Deal", "kind": "basic", "members": ["@client", "@withdrawn"] });
    let reply =
        cut_at(&mut scene, "step_answered:create", "deal:create", "group.create", params).await;
    assert_eq!(reply["status"], "partial", "{reply:#}");
    let members = &reply["result"]["members"];
    assert_eq!(members[0]["status"], "added", "{reply:#}");
    assert_eq!(members[1]["status"], "privacy_blocked", "{reply:#}");
}

/// One of two commands with the same title dies: each ends with a group of its own.
#[tokio::test(flavor = "multi_thread")]
async fn two_commands_with_one_title_never_take_each_others_group() {
    let (mut scene, ..) = ground("cut-twins").await;
    for (round, point) in
        ["step_answered:create=kill", "step_answered:create@2=kill", "step_started:create@2=kill"]
            .into_iter()
            .enumerate()
    {
        let mark = scene.tgsim.mark().await.unwrap();
        let dying = scene.add_worker_with(&[("QUEUEGRAM_FAULTS", point)]).await.unwrap();
        let ids = ["one", "two"].map(|twin| format!("twins-{round}:{twin}"));
        for id in &ids {
            let params = json!({ "title": "Twins" });
            scene.caller.send(INSTANCE, id, "group.create", &params).await.unwrap();
        }
        scene.workers[dying].ended().await.unwrap();
        let heir = scene.add_worker().await.unwrap();
        let mut chats = Vec::new();
        for id in &ids {
            chats.push(done(&scene.caller.reply(id).await.unwrap().json()));
        }
        assert_ne!(chats[0], chats[1], "{point}");
        let effects = scene.tgsim.effects_after(mark).await.unwrap();
        assert_eq!(count(&effects, &json!({ "kind": "chat.created" })), 2, "{point}: {effects:#?}");
        scene.workers[heir].terminate().unwrap();
        scene.workers[heir].ended().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_made_once_and_keeps_no_marker() {
    let (mut scene, ..) = ground("cut-link").await;
    let worker = scene.add_worker().await.unwrap();
    let params = json!({ "title": "Deal" });
    let reply = scene.caller.call(INSTANCE, "deal:create", "group.create", params).await.unwrap();
    let chat_id = done(&reply);
    scene.workers[worker].terminate().unwrap();
    scene.workers[worker].ended().await.unwrap();

    let points = ["step_started", "step_answered", "step_executed"].map(|point| {
        [("export", format!("{point}:export")), ("title", format!("{point}:title:export"))]
    });
    for (number, (_, point)) in points.iter().flatten().enumerate() {
        let mark = scene.tgsim.mark().await.unwrap();
        let title = if number % 2 == 0 { Some(format!("Link {number}")) } else { None };
        let mut params = json!({ "chat_id": chat_id, "usage_limit": 3 });
        if let Some(title) = &title {
            params["title"] = json!(title);
        }
        let id = format!("link-{number}");
        let reply = cut_at(&mut scene, point, &id, "group.get_invite_link", params).await;
        done(&reply);
        assert_eq!(reply["result"]["title"], json!(title), "{point}: {reply:#}");
        let effects = scene.tgsim.effects_after(mark).await.unwrap();
        let made = json!({ "kind": "link.created", "link": reply["result"]["link"] });
        assert_eq!(count(&effects, &made), 1, "{point}: {effects:#?}");
        assert_eq!(count(&effects, &json!({ "kind": "link.created" })), 1, "{point}: {effects:#?}");
        let edited = matching(&effects, &json!({ "kind": "link.edited" }));
        let last = edited.last().unwrap();
        assert_eq!(last["title"], json!(title.unwrap_or_default()), "{point}: {effects:#?}");
    }
}
