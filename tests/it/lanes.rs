//! Commands that a limit holds back wait in lanes: the rest of the queue goes on, the order of a chat
//! holds, and nothing of it is lost with a worker.

use queuegram_tests::stage::{Message, Scene, SceneOptions, patience};
use serde_json::{Value, json};

use crate::expect::{assert_holds, count, done};

const INSTANCE: &str = "acme-sales";
const LANE: &str = "tg.lanes.acme-sales.create";
const CREATE: &str = "channels.createChannel";

/// Telegram asks for this wait at the next making of a group.
async fn flood(scene: &Scene, seconds: u64) {
    let flood = json!({ "match": { "request": CREATE }, "times": 1, "then": { "flood": seconds } });
    scene.tgsim.script(&flood).await.unwrap();
}

async fn send(scene: &Scene, id: &str, method: &str, external_ref: &str, params: Value) {
    let body = json!({
        "id": id, "method": method, "instance": INSTANCE,
        "external_ref": external_ref, "params": params,
    });
    scene.caller.send_body(INSTANCE, method, &body).await.unwrap();
}

async fn until_lane_is(scene: &Scene, there: bool) {
    patience::until(&format!("{LANE} is there: {there}"), patience::USUAL, || async {
        let queues = scene.vhost.queues().await?;
        Ok((queues.iter().any(|queue| queue == LANE) == there).then_some(()))
    })
    .await
    .unwrap();
}

fn is_reply(id: &str) -> impl Fn(&Message) -> bool + '_ {
    move |message| message.json()["id"] == id
}

/// The ids of the replies so far, in their order.
fn answered(scene: &Scene) -> Vec<String> {
    let ids = scene.caller.replies().all().into_iter();
    ids.map(|message| message.json()["id"].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_chat_waits_for_holds_nobody_else_up() {
    let scene = Scene::open("lane-order").await.unwrap();
    scene.connect(INSTANCE).await.unwrap();
    let events = scene.events().await.unwrap();
    let other =
        scene.caller.call(INSTANCE, "other", "group.create", json!({ "title": "Other" })).await;
    let other = done(&other.unwrap());
    flood(&scene, 5).await;
    let mark = scene.tgsim.mark().await.unwrap();

    // Three for a group whose making waits, and one for another group.
    send(&scene, "create", "group.create", "deal-1", json!({ "title": "Deal 1" })).await;
    send(&scene, "rename", "group.rename", "deal-1", json!({ "title": "Deal 1 won" })).await;
    send(&scene, "link", "group.get_invite_link", "deal-1", json!({})).await;
    let rename = json!({ "chat_id": other, "title": "Other 2" });
    done(&scene.caller.call(INSTANCE, "other-rename", "group.rename", rename).await.unwrap());
    assert_eq!(answered(&scene), ["other", "other-rename"]);
    let delayed = events
        .wait("it is told", |message| message.json()["command_id"] == "create")
        .await
        .unwrap()
        .json();
    assert_holds(&delayed["data"], &json!({ "class": "create", "reason": "FLOOD_WAIT" }));
    assert!(delayed["data"]["retry_at"].is_string(), "{delayed:#}");

    let link = scene.caller.reply("link").await.unwrap().json();
    assert_holds(&link, &json!({ "status": "done", "attempts": 1 }));
    assert_eq!(answered(&scene)[2..], ["create", "rename", "link"]);
    let requests = scene.tgsim.requests_after(mark).await.unwrap();
    assert_eq!(requests.iter().filter(|name| *name == CREATE).count(), 2, "{requests:?}");
    until_lane_is(&scene, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_parked_outlives_its_worker() {
    let mut scene = Scene::open("lane-killed").await.unwrap();
    scene.connect(INSTANCE).await.unwrap();
    flood(&scene, 20).await;
    let mark = scene.tgsim.mark().await.unwrap();
    for deal in ["deal-1", "deal-2", "deal-3"] {
        send(&scene, deal, "group.create", deal, json!({ "title": deal })).await;
        let rename = json!({ "title": format!("{deal} won") });
        send(&scene, &format!("{deal}:rename"), "group.rename", deal, rename).await;
    }
    until_parked(&scene, 6).await;
    scene.workers[0].kill();
    scene.add_worker().await.unwrap();
    let last = scene.caller.reply("deal-3:rename").await.unwrap().json();
    assert_holds(&last, &json!({ "status": "done" }));
    let order = ["deal-1", "deal-1:rename", "deal-2", "deal-2:rename", "deal-3", "deal-3:rename"];
    assert_eq!(answered(&scene), order);
    let journal = scene.tgsim.journal_after(mark).await.unwrap();
    let creates: Vec<_> = journal.iter().filter(|entry| entry["request"] == CREATE).collect();
    assert_eq!(creates.len(), 4, "one that was refused, and three");
    let effects = scene.tgsim.effects_after(mark).await.unwrap();
    assert_eq!(count(&effects, &json!({ "kind": "chat.created" })), 3);
    until_lane_is(&scene, false).await;
}

async fn until_parked(scene: &Scene, commands: u32) {
    patience::until("they are parked", patience::USUAL, || async {
        let there = scene.vhost.queues().await?.iter().any(|queue| queue == LANE);
        let parked = if there { scene.caller.look(LANE).await?.ready } else { 0 };
        Ok((parked == commands).then_some(()))
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parked_command_is_answered_at_its_deadline_and_when_it_is_cancelled() {
    let scene = Scene::open("lane-due").await.unwrap();
    scene.connect(INSTANCE).await.unwrap();
    flood(&scene, 3_000).await;
    let mark = scene.tgsim.mark().await.unwrap();
    send(&scene, "first", "group.create", "deal-1", json!({ "title": "Deal 1" })).await;
    send(&scene, "second", "group.rename", "deal-1", json!({ "title": "Deal 1 won" })).await;
    until_parked(&scene, 2).await;

    // Too short a deadline is told at once, and so is a command that does not want to wait.
    let deadline = (chrono::Utc::now() + chrono::TimeDelta::seconds(60)).to_rfc3339();
    for (id, more) in
        [("late", json!({ "deadline": deadline })), ("hasty", json!({ "on_flood": "fail" }))]
    {
        let mut body = json!({
            "id": id, "method": "group.create", "instance": INSTANCE, "params": { "title": "X" },
        });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        scene.caller.send_body(INSTANCE, "group.create", &body).await.unwrap();
        let told = scene.caller.reply(id).await.unwrap().json();
        assert_holds(
            &told,
            &json!({ "status": "failed", "error_kind": "throttled", "retryable": true }),
        );
        let wait = told["retry_after_s"].as_u64().unwrap();
        assert!((2_900..=3_002).contains(&wait), "{told:#}");
    }

    // Somebody else asks for the same meanwhile, and is told too.
    let other = queuegram_tests::stage::Caller::connect(&scene.vhost.amqp_url).await.unwrap();
    let body = json!({
        "id": "first", "method": "group.create", "instance": INSTANCE,
        "external_ref": "deal-1", "params": { "title": "Deal 1" },
    });
    other.send_body(INSTANCE, "group.create", &body).await.unwrap();
    // Behind it in the queue: when this is answered, that was taken.
    other.call(INSTANCE, "probe", "account.get", json!({})).await.unwrap();

    let ctl = scene.ctl().await.unwrap();
    ctl.ok(&["command", "cancel", "first", "-i", INSTANCE]).await.unwrap();
    for caller in [&scene.caller, &other] {
        let told = caller.replies().wait("cancelled", is_reply("first")).await.unwrap().json();
        assert_holds(&told, &json!({ "status": "failed", "error_kind": "cancelled" }));
    }
    // What followed it has nothing to wait for any more.
    let second = scene.caller.reply("second").await.unwrap().json();
    assert_holds(&second, &json!({ "status": "failed", "error_code": "EXTERNAL_REF_UNBOUND" }));
    // Nothing of it counts any more, so the lane goes although its gate is shut.
    until_lane_is(&scene, false).await;
    let requests = scene.tgsim.requests_after(mark).await.unwrap();
    assert_eq!(requests.iter().filter(|name| *name == CREATE).count(), 1, "{requests:?}");
}

/// A rename behind a creation draws on no budget for creations: it goes on as soon as the group is there.
#[tokio::test(flavor = "multi_thread")]
async fn who_only_follows_a_creation_waits_for_nothing_else() {
    let scene = Scene::with(SceneOptions::new("lane-freed").faults(true)).await.unwrap();
    scene.connect(INSTANCE).await.unwrap();
    let ctl = scene.ctl().await.unwrap();
    let set = ["instance", "limits", INSTANCE, "--set", "create=1h,burst=1", "--warm-up", "off"];
    ctl.ok(&set).await.unwrap();
    let made = json!({ "title": "Spends the burst" });
    done(&scene.caller.call(INSTANCE, "spent", "group.create", made).await.unwrap());
    for deal in ["deal-1", "deal-2"] {
        send(&scene, deal, "group.create", deal, json!({ "title": deal })).await;
        send(&scene, &format!("{deal}:link"), "group.get_invite_link", deal, json!({})).await;
    }
    let last = json!({ "title": "Deal 1 won" });
    // By the first one's hour it can be there, though not by the second's.
    let mut body = json!({
        "id": "deal-1:won", "method": "group.rename", "instance": INSTANCE,
        "external_ref": "deal-1", "params": last,
    });
    body["deadline"] = json!((chrono::Utc::now() + chrono::TimeDelta::minutes(90)).to_rfc3339());
    scene.caller.send_body(INSTANCE, "group.rename", &body).await.unwrap();
    until_parked(&scene, 5).await;
    scene.advance(3_605).await.unwrap();
    for id in ["deal-1", "deal-1:link", "deal-1:won"] {
        assert_holds(&scene.caller.reply(id).await.unwrap().json(), &json!({ "status": "done" }));
    }
    assert_eq!(answered(&scene), ["spent", "deal-1", "deal-1:link", "deal-1:won"]);
    scene.advance(3_605).await.unwrap();
    for id in ["deal-2", "deal-2:link"] {
        assert_holds(&scene.caller.reply(id).await.unwrap().json(), &json!({ "status": "done" }));
    }
    until_lane_is(&scene, false).await;
}

/// Redis loses everything while commands are parked: the lanes are read again, in their order.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_parked_keeps_its_order_when_redis_loses_its_data() {
    let scene = Scene::open("lane-flushed").await.unwrap();
    scene.connect(INSTANCE).await.unwrap();
    flood(&scene, 30).await;
    let steps = ["create", "rename-1", "rename-2", "rename-3"];
    for deal in ["deal-1", "deal-2", "deal-3"] {
        for step in steps {
            let method = if step == "create" { "group.create" } else { "group.rename" };
            let title = json!({ "title": format!("{deal} {step}") });
            send(&scene, &format!("{deal}:{step}"), method, deal, title).await;
        }
    }
    until_parked(&scene, 12).await;
    scene.redis.flush().await.unwrap();
    for deal in ["deal-1", "deal-2", "deal-3"] {
        for step in steps {
            let id = format!("{deal}:{step}");
            let told = scene.caller.reply(&id).await.unwrap().json();
            assert_holds(&told, &json!({ "status": "done" }));
        }
        let order: Vec<_> =
            answered(&scene).into_iter().filter(|id| id.starts_with(deal)).collect();
        assert_eq!(order, steps.map(|step| format!("{deal}:{step}")));
    }
    until_lane_is(&scene, false).await;
}
