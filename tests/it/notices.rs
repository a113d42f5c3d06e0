//! What an account's admin is told, by a POST or in a queue, beside what everybody can hear.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use lapin::options::QueueDeclareOptions;
use lapin::types::FieldTable;
use queuegram_tests::stage::{Listener, Scene, SceneOptions, patience};
use serde_json::{Value, json};

use crate::expect::assert_holds;

const INSTANCE: &str = "acme-sales";
const PATH: &str = "/hooks/canary-of-a-path";

/// An admin's endpoint.
#[derive(Clone)]
struct Hook {
    url: String,
    answers: Arc<Mutex<StatusCode>>,
    got: Arc<Mutex<Vec<Bytes>>>,
}

impl Hook {
    /// One that takes what comes.
    async fn open() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}{PATH}", listener.local_addr().unwrap());
        let hook = Self { url, answers: Arc::new(Mutex::new(StatusCode::OK)), got: Arc::default() };
        let this = hook.clone();
        let take = move |headers: HeaderMap, body: Bytes| async move {
            assert_eq!(headers["content-type"], "application/json");
            this.got.lock().unwrap().push(body);
            *this.answers.lock().unwrap()
        };
        let routes = Router::new().route(PATH, post(take));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        hook
    }

    fn answer(&self, status: StatusCode) {
        *self.answers.lock().unwrap() = status;
    }

    fn bodies(&self) -> Vec<Bytes> {
        self.got.lock().unwrap().clone()
    }

    /// Waits until `wanted` gives something of what came.
    async fn until<T>(&self, what: &str, wanted: impl Fn(&[Value]) -> Option<T>) -> T {
        patience::until(what, patience::USUAL, || async {
            let bodies = self.bodies();
            let told: Vec<Value> =
                bodies.iter().map(|body| serde_json::from_slice(body).unwrap()).collect();
            Ok(wanted(&told))
        })
        .await
        .unwrap()
    }

    /// Everything that came until the end of an account was told.
    async fn until_banned(&self, instance: &str) -> Vec<Value> {
        self.until("the end of the account", |told| {
            told.iter().any(|told| is_ban_of(told, instance)).then(|| told.to_vec())
        })
        .await
    }
}

fn is_ban_of(event: &Value, instance: &str) -> bool {
    event["instance"] == instance && event["data"]["to"] == "banned"
}

async fn notify(scene: &Scene, instance: &str, place: &str) {
    let set = ["instance", "set", instance, "--notify", place];
    scene.ctl().await.unwrap().ok(&set).await.unwrap();
}

/// A flood that is waited for, then the end of the account.
async fn flood_and_ban(scene: &Scene, instance: &str) {
    let then = [json!({ "flood": 1 }), json!({ "error": [401, "USER_DEACTIVATED"] })];
    for (id, then) in ["flooded", "banned"].iter().zip(then) {
        let create = json!({ "request": "channels.createChannel" });
        scene.tgsim.script(&json!({ "match": create, "times": 1, "then": then })).await.unwrap();
        let id = format!("{instance}-{id}");
        scene.caller.call(instance, &id, "group.create", json!({ "title": "A" })).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_is_told_of_limits_and_states_in_their_order() {
    // At this level the HTTP library would tell the whole address.
    let options = SceneOptions::new("notices").setting("QUEUEGRAM_TELEMETRY__LOG", "trace");
    let scene = Scene::with(options).await.unwrap();
    let (hook, quiet) = (Hook::open().await, Hook::open().await);
    let channel = scene.caller.channel().await.unwrap();
    let options = QueueDeclareOptions::durable();
    channel.queue_declare("crm.admins".into(), options, FieldTable::default()).await.unwrap();
    for (instance, place) in [(INSTANCE, hook.url.as_str()), ("acme-support", "crm.admins")] {
        scene.connect(instance).await.unwrap();
        notify(&scene, instance, place).await;
    }
    scene.connect("acme-quiet").await.unwrap();
    notify(&scene, "acme-quiet", &quiet.url).await;
    notify(&scene, "acme-quiet", "").await;
    let shown = scene.ctl().await.unwrap().json(&["instance", "show", INSTANCE]).await.unwrap();
    let told_at = shown["notify"].as_str().unwrap();
    assert!(told_at.starts_with("http://127.0.0.1:") && told_at.ends_with("/…"), "{told_at}");

    // Its first try fails, and nothing overtakes it.
    hook.answer(StatusCode::SERVICE_UNAVAILABLE);
    flood_and_ban(&scene, INSTANCE).await;
    hook.until("a first try", |told| told.first().cloned()).await;
    hook.answer(StatusCode::NO_CONTENT);
    let mut told = hook.until_banned(INSTANCE).await;
    assert_eq!(told[0]["event_id"], told[1]["event_id"], "the same again: {told:#?}");
    told.dedup_by(|a, b| a["event_id"] == b["event_id"]);
    let told: Vec<_> = told.iter().filter(|told| told["event"] != "limit.resumed").collect();
    assert_holds(told[0], &json!({ "event": "limit.hit", "instance": INSTANCE }));
    assert_holds(told[1], &json!({ "event": "account.state", "instance": INSTANCE }));
    assert_holds(&told[1]["data"], &json!({ "to": "banned", "reason": "USER_DEACTIVATED" }));
    let published = scene.heard.all();
    for body in hook.bodies() {
        assert!(published.iter().any(|event| event.body == body), "told as it was published");
    }

    flood_and_ban(&scene, "acme-support").await;
    let admins = Listener::on_queue(&scene.vhost.amqp_url, "crm.admins").await.unwrap();
    admins.wait("limit.hit", |told| told.json()["event"] == "limit.hit").await.unwrap();
    let last = admins.wait("banned", |told| told.json()["data"]["to"] == "banned").await.unwrap();
    assert_eq!(last.message_id(), last.json()["event_id"].as_str());

    flood_and_ban(&scene, "acme-quiet").await;
    let line = "queuegram_notices_total{outcome=\"unwanted\"}";
    scene.workers[0].metric(line, |count| count >= 2.0).await.unwrap();
    // What happened before may still have been told.
    let told = quiet.until("what came", |told| Some(told.to_vec())).await;
    assert!(!told.iter().any(|told| is_ban_of(told, "acme-quiet")), "{told:#?}");
    assert!(!scene.logs().contains("canary-of-a-path"), "the address is in the log");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_outlives_its_worker_and_a_place_that_refuses_holds_nothing_up() {
    let mut scene = Scene::open("notices-lost").await.unwrap();
    let hook = Hook::open().await;
    for instance in [INSTANCE, "acme-support", "acme-north"] {
        scene.connect(instance).await.unwrap();
        notify(&scene, instance, &hook.url).await;
    }
    hook.answer(StatusCode::NOT_FOUND);
    flood_and_ban(&scene, "acme-support").await;
    let refused = "queuegram_notices_total{outcome=\"refused\"}";
    scene.workers[0].metric(refused, |count| count >= 2.0).await.unwrap();
    for (worker, instance) in [INSTANCE, "acme-north"].into_iter().enumerate() {
        hook.answer(StatusCode::BAD_GATEWAY);
        let before = hook.bodies().len();
        flood_and_ban(&scene, instance).await;
        hook.until("a first try", |told| (told.len() > before).then_some(())).await;
        scene.heard.wait("banned", |event| is_ban_of(&event.json(), instance)).await.unwrap();
        match worker {
            0 => scene.workers[worker].kill(),
            _ => {
                // It does not wait for a place that takes nothing.
                scene.workers[worker].terminate().unwrap();
                scene.workers[worker].ended().await.unwrap();
            }
        }
        hook.answer(StatusCode::OK);
        scene.add_worker().await.unwrap();
        hook.until_banned(instance).await;
    }
    let logs = scene.logs();
    assert!(!logs.contains("notice was not settled") && !logs.contains("cut off"), "{logs}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_makes_no_sense_is_named() {
    let scene = Scene::open("notices-wrong").await.unwrap();
    let ctl = scene.ctl().await.unwrap();
    for place in ["ftp://host/x", "https://user:canary@host/", "tg.dead", "amq.direct"] {
        let add = ["instance", "add", INSTANCE, "--notify", place, "--json"];
        let refused = ctl.run(&add).await.unwrap();
        let said = String::from_utf8_lossy(&refused.stdout).into_owned();
        assert_eq!(refused.status.code(), Some(3), "{said}");
        assert!(said.contains("params.notify") && !said.contains("canary"), "{said}");
    }
    ctl.ok(&["instance", "add", INSTANCE, "--notify", "crm.admins"]).await.unwrap();
    let shown = ctl.json(&["instance", "show", INSTANCE]).await.unwrap();
    assert_holds(&shown, &json!({ "notify": "crm.admins", "state": "new" }));
    let said = ctl.ok(&["instance", "show", INSTANCE]).await.unwrap();
    assert!(said.contains("told at"), "{said}");
}
