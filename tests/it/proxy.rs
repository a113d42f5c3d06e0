//! Accounts that go out through a SOCKS5 proxy, and never past it: Telegram would see where they really are.

use std::process::Output;

use queuegram_tests::stage::proxy::Proxy;
use queuegram_tests::stage::{Listener, Message, Person, Scene, patience};
use serde_json::{Value, json};

use crate::expect::{assert_holds, done};

const INSTANCE: &str = "acme-sales";
const PASSWORD: &str = "canary-of-the-proxy";

async fn shown(scene: &Scene) -> Value {
    scene.ctl().await.unwrap().json(&["instance", "show", INSTANCE]).await.unwrap()
}

fn url(proxy: &Proxy, user: Option<&str>) -> String {
    let user = user.map(|user| format!("{user}@")).unwrap_or_default();
    format!("socks5://{user}{}", proxy.address)
}

async fn typing(scene: &Scene, args: &[&str], lines: &[&str]) -> Output {
    scene.ctl().await.unwrap().run_typing(args, lines).await.unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8([output.stdout.as_slice(), output.stderr.as_slice()].concat()).unwrap()
}

async fn log_in(scene: &Scene) -> Person {
    let person = scene.person(json!({ "first_name": "Manager" })).await.unwrap();
    let ctl = scene.ctl().await.unwrap();
    ctl.login(INSTANCE, &person.phone, None, &scene.tgsim, person.id).await.unwrap();
    is(scene, "online", None).await;
    person
}

async fn is(scene: &Scene, state: &str, reason: Option<&str>) {
    let what = format!("it is {state}, {reason:?}");
    patience::until(&what, patience::USUAL, || async {
        let shown = shown(scene).await;
        Ok((shown["state"] == state && shown["reason"] == json!(reason)).then_some(()))
    })
    .await
    .unwrap();
}

/// How many connections Telegram has seen, from wherever.
async fn seen_by_telegram(scene: &Scene) -> usize {
    let entries = scene.tgsim.journal_after(0).await.unwrap();
    entries.iter().filter(|entry| entry["kind"] == "connection_opened").count()
}

async fn told(events: &Listener, reason: &str) {
    let is_it = |message: &Message| {
        let body = message.json();
        body["event"] == "account.state"
            && body["data"]["to"] == "connecting"
            && body["data"]["reason"] == reason
    };
    events.wait(reason, is_it).await.unwrap();
}

async fn create(scene: &Scene, id: &str) {
    let reply = scene.caller.call(INSTANCE, id, "group.create", json!({ "title": id })).await;
    done(&reply.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_telegram_sees_of_an_account_comes_from_its_proxy() {
    let mut scene = Scene::open("proxy").await.unwrap();
    let events = scene.events().await.unwrap();
    let proxy = Proxy::with_password("acme", PASSWORD).await.unwrap();
    let address = url(&proxy, Some("acme"));
    let added =
        typing(&scene, &["instance", "add", INSTANCE, "--proxy", &address], &[PASSWORD]).await;
    assert!(added.status.success(), "{}", said(&added));
    log_in(&scene).await;
    create(&scene, "first").await;
    // Its next owner goes the same way.
    scene.workers[0].terminate().unwrap();
    scene.workers[0].ended().await.unwrap();
    scene.add_worker().await.unwrap();
    create(&scene, "second").await;

    let tunnels = proxy.tunnels_to(&scene.tgsim.address);
    assert!(tunnels >= 3, "the key, the login, and the next worker: {tunnels}");
    assert_eq!(seen_by_telegram(&scene).await, tunnels);

    let shown = shown(&scene).await;
    let port = proxy.address.port();
    assert_eq!(
        shown["proxy"],
        json!({ "host": "127.0.0.1", "port": port, "has_credentials": true })
    );
    let ctl = scene.ctl().await.unwrap();
    let for_people = ctl.ok(&["instance", "show", INSTANCE]).await.unwrap();
    assert!(
        for_people.contains(&format!("127.0.0.1 port {port}, with a password")),
        "{for_people}"
    );
    let published: String =
        events.all().iter().map(|m| String::from_utf8_lossy(&m.body).into_owned()).collect();
    for text in [&scene.logs(), &published, &shown.to_string(), &for_people, &said(&added)] {
        assert!(!text.contains(PASSWORD), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_dead_proxy_an_account_waits_and_goes_nowhere() {
    let mut scene = Scene::open("proxy-dead").await.unwrap();
    let events = scene.events().await.unwrap();
    let mut proxy = Proxy::start().await.unwrap();
    let ctl = scene.ctl().await.unwrap();
    ctl.ok(&["instance", "add", INSTANCE, "--proxy", &url(&proxy, None)]).await.unwrap();
    log_in(&scene).await;
    let before = seen_by_telegram(&scene).await;

    proxy.die().await;
    // Without any command.
    told(&events, "PROXY_UNREACHABLE").await;
    is(&scene, "connecting", Some("PROXY_UNREACHABLE")).await;
    let counted = "queuegram_instances{state=\"connecting\"}";
    scene.workers[0].metric(counted, |now| now > 0.5).await.unwrap();
    let waiting = json!({ "title": "waits" });
    scene.caller.send(INSTANCE, "waits", "group.create", &waiting).await.unwrap();
    // Another worker does not go past it either.
    scene.workers[0].terminate().unwrap();
    scene.workers[0].ended().await.unwrap();
    let next = scene.add_worker().await.unwrap();
    scene.workers[next].metric(counted, |now| now > 0.5).await.unwrap();
    is(&scene, "connecting", Some("PROXY_UNREACHABLE")).await;
    assert_eq!(seen_by_telegram(&scene).await, before, "nobody went past it");

    proxy.refuse(true);
    proxy.revive().await.unwrap();
    is(&scene, "connecting", Some("PROXY_REFUSED")).await;
    told(&events, "PROXY_REFUSED").await;
    assert!(proxy.refused() > 0);
    proxy.refuse(false);
    let reply = scene.caller.reply("waits").await.unwrap().json();
    assert_holds(&reply, &json!({ "status": "done" }));
    is(&scene, "online", None).await;
    assert_eq!(seen_by_telegram(&scene).await, proxy.tunnels_to(&scene.tgsim.address));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_proxy_is_taken_at_once_and_the_old_way_is_left() {
    let scene = Scene::open("proxy-other").await.unwrap();
    let ctl = scene.ctl().await.unwrap();
    ctl.ok(&["instance", "add", INSTANCE]).await.unwrap();
    log_in(&scene).await;
    create(&scene, "straight").await;
    let straight = seen_by_telegram(&scene).await;
    let (first, second) = (Proxy::start().await.unwrap(), Proxy::start().await.unwrap());
    let mut before = straight;
    for (n, proxy) in [&first, &second].into_iter().enumerate() {
        ctl.ok(&["instance", "set", INSTANCE, "--proxy", &url(proxy, None)]).await.unwrap();
        is(&scene, "online", None).await;
        let mark = scene.tgsim.mark().await.unwrap();
        create(&scene, &format!("through-{n}")).await;
        let tunnels = proxy.tunnels_to(&scene.tgsim.address);
        assert!(tunnels > 0);
        assert_eq!(seen_by_telegram(&scene).await, before + tunnels);
        before += tunnels;
        // What was made was not made over an old connection.
        let entries = scene.tgsim.journal_after(mark).await.unwrap();
        assert!(!entries.iter().any(|entry| entry["kind"] == "key_duplicated"), "{entries:?}");
    }
    let passed = first.tunnels_to(&scene.tgsim.address);
    ctl.ok(&["instance", "set", INSTANCE, "--proxy", "none"]).await.unwrap();
    is(&scene, "online", None).await;
    create(&scene, "straight-again").await;
    assert_eq!(first.tunnels_to(&scene.tgsim.address), passed, "it was left");
    assert_eq!(seen_by_telegram(&scene).await, before + 1);
    assert_eq!(shown(&scene).await["proxy"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_told_and_mended() {
    let scene = Scene::open("proxy-password").await.unwrap();
    let proxy = Proxy::with_password("acme", PASSWORD).await.unwrap();
    let address = url(&proxy, Some("acme"));
    // A password among the arguments would be read by everybody on the machine.
    let open = address.replace("acme@", &format!("acme:{PASSWORD}@"));
    let refused = typing(&scene, &["instance", "add", INSTANCE, "--proxy", &open], &[]).await;
    assert_eq!(refused.status.code(), Some(2));
    assert!(!said(&refused).contains(PASSWORD), "{}", said(&refused));

    let add = ["instance", "add", INSTANCE, "--proxy", &address];
    assert!(typing(&scene, &add, &["wrong"]).await.status.success());
    let person = scene.person(json!({ "first_name": "Manager" })).await.unwrap();
    let login = ["login", INSTANCE, "--phone", &person.phone, "--json"];
    let failed = typing(&scene, &login, &[]).await;
    assert_eq!(failed.status.code(), Some(3), "{}", said(&failed));
    assert!(said(&failed).contains("PROXY_REFUSED"), "{}", said(&failed));
    assert_eq!(seen_by_telegram(&scene).await, 0, "the login went nowhere");

    let set = ["instance", "set", INSTANCE, "--proxy", &address];
    assert!(typing(&scene, &set, &[PASSWORD]).await.status.success());
    let ctl = scene.ctl().await.unwrap();
    ctl.login(INSTANCE, &person.phone, None, &scene.tgsim, person.id).await.unwrap();
    is(&scene, "online", None).await;
    // One that is connected notices it when it is connected anew.
    assert!(typing(&scene, &set, &["wrong"]).await.status.success());
    is(&scene, "connecting", Some("PROXY_REFUSED")).await;
    assert!(typing(&scene, &set, &[PASSWORD]).await.status.success());
    is(&scene, "online", None).await;
    assert_eq!(seen_by_telegram(&scene).await, proxy.tunnels_to(&scene.tgsim.address));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_data_centre_is_reached_by_the_same_way() {
    let scene = Scene::open("proxy-dcs").await.unwrap();
    let proxy = Proxy::start().await.unwrap();
    let ctl = scene.ctl().await.unwrap();
    ctl.ok(&["instance", "add", INSTANCE, "--proxy", &url(&proxy, None)]).await.unwrap();
    // The account lives in the second one: the login is sent there.
    let person = scene.person(json!({ "first_name": "Manager", "dc": 3 })).await.unwrap();
    ctl.login(INSTANCE, &person.phone, None, &scene.tgsim, person.id).await.unwrap();
    is(&scene, "online", None).await;
    create(&scene, "deal").await;
    assert!(proxy.tunnels() > proxy.tunnels_to(&scene.tgsim.address), "to both");
    assert_eq!(seen_by_telegram(&scene).await, proxy.tunnels());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_under_way_is_given_up_for_another_proxy() {
    let scene = Scene::open("proxy-login").await.unwrap();
    let proxy = Proxy::start().await.unwrap();
    let ctl = scene.ctl().await.unwrap();
    ctl.ok(&["instance", "add", INSTANCE]).await.unwrap();
    let set = ["instance", "set", INSTANCE, "--proxy", &url(&proxy, None)];
    let given_up = ctl.login_by_qr(INSTANCE, &[], |_| async { ctl.ok(&set).await.map(drop) }).await;
    let said = given_up.unwrap_err().to_string();
    assert!(said.contains("its settings changed"), "{said}");
    is(&scene, "new", None).await;
    let straight = seen_by_telegram(&scene).await;
    log_in(&scene).await;
    assert_eq!(seen_by_telegram(&scene).await, straight + proxy.tunnels());
}
