//! How an account presents itself to Telegram: what was asked for at first, and ever after the same.

use queuegram_tests::stage::tgsim::{API_HASH, API_ID};
use queuegram_tests::stage::{Person, Scene, patience};
use serde_json::{Value, json};

use crate::expect::{assert_holds, done};

const OWN_ID: i32 = 7777;
const OWN_HASH: &str = "cafe0123cafe45670123456789abcdef";

async fn log_in(scene: &Scene, instance: &str) -> Person {
    let person = scene.person(json!({ "first_name": "Manager" })).await.unwrap();
    let ctl = scene.ctl().await.unwrap();
    ctl.login(instance, &person.phone, None, &scene.tgsim, person.id).await.unwrap();
    online(scene, instance).await;
    person
}

async fn online(scene: &Scene, instance: &str) {
    let ctl = scene.ctl().await.unwrap();
    patience::until(&format!("{instance} is online"), patience::USUAL, || async {
        let shown = ctl.json(&["instance", "show", instance]).await?;
        Ok((shown["state"] == "online").then_some(()))
    })
    .await
    .unwrap();
}

/// What the account's only login told Telegram of itself last.
async fn client(scene: &Scene, person: &Person) -> Value {
    let shown = scene.tgsim.get(&format!("/users/{}", person.id)).await.unwrap();
    assert_eq!(shown["logins"].as_array().unwrap().len(), 1, "{shown:#}");
    shown["logins"][0]["client"].clone()
}

async fn allow(scene: &Scene, pairs: &[(i32, &str)]) {
    let list: Vec<Value> =
        pairs.iter().map(|(id, hash)| json!({ "api_id": id, "api_hash": hash })).collect();
    scene.tgsim.post("/applications", &json!({ "applications": list })).await.unwrap();
}

async fn create(scene: &Scene, instance: &str, id: &str) {
    let reply = scene.caller.call(instance, id, "group.create", json!({ "title": id })).await;
    done(&reply.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_stays_what_it_was_whatever_the_settings_become() {
    let mut scene = Scene::open("identity").await.unwrap();
    let ctl = scene.ctl().await.unwrap();
    ctl.ok(&["instance", "add", "plain"]).await.unwrap();
    let own = [
        "instance",
        "add",
        "own",
        "--device-model",
        "Acme CRM",
        "--system-version",
        "Debian 13",
        "--app-version",
        "7.1",
        "--lang",
        "de",
    ];
    ctl.ok(&own).await.unwrap();
    let (plain, own) = (log_in(&scene, "plain").await, log_in(&scene, "own").await);
    let (plain_was, own_was) = (client(&scene, &plain).await, client(&scene, &own).await);
    assert_holds(&plain_was, &json!({ "api_id": API_ID, "device_model": "Queuegram" }));
    assert_holds(
        &own_was,
        &json!({
            "api_id": API_ID, "device_model": "Acme CRM", "system_version": "Debian 13", "app_version": "7.1",
            "system_lang_code": "de", "lang_code": "de",
        }),
    );

    scene.workers[0].terminate().unwrap();
    scene.workers[0].ended().await.unwrap();
    let others = [
        ("QUEUEGRAM_TELEGRAM__API_ID", "5151"),
        ("QUEUEGRAM_TELEGRAM__API_HASH", "00000000000000000000000000000000"),
        ("QUEUEGRAM_TELEGRAM__DEVICE__MODEL", "Another"),
        ("QUEUEGRAM_TELEGRAM__DEVICE__SYSTEM_VERSION", "Other"),
        ("QUEUEGRAM_TELEGRAM__DEVICE__APP_VERSION", "99"),
        ("QUEUEGRAM_TELEGRAM__DEVICE__LANG_CODE", "fr"),
    ];
    scene.add_worker_with(&others).await.unwrap();
    for (instance, person, was) in [("plain", &plain, &plain_was), ("own", &own, &own_was)] {
        online(&scene, instance).await;
        create(&scene, instance, instance).await;
        assert_eq!(client(&scene, person).await, *was);
        let shown = ctl.json(&["instance", "show", instance]).await.unwrap();
        let told = json!({
            "model": was["device_model"], "system_version": was["system_version"],
            "app_version": was["app_version"], "lang_code": was["lang_code"], "api_id": API_ID, "fixed": true,
            "own_application": false,
        });
        assert_holds(&shown["identity"], &told);
        let change = ["instance", "set", instance, "--device-model", "New", "--json"];
        let refused = ctl.run(&change).await.unwrap();
        assert_eq!(refused.status.code(), Some(3));
        let said = String::from_utf8_lossy(&refused.stdout).into_owned();
        assert!(said.contains("INSTANCE_IDENTITY_FIXED"), "{said}");
    }
    // Whoever is logged in from now on is as configured now.
    ctl.ok(&["instance", "add", "late"]).await.unwrap();
    let late = log_in(&scene, "late").await;
    assert_holds(
        &client(&scene, &late).await,
        &json!({ "api_id": 5151, "device_model": "Another", "lang_code": "fr" }),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_of_its_own_logs_in_and_its_secret_is_not_shown() {
    let mut scene = Scene::open("identity-own").await.unwrap();
    let events = scene.events().await.unwrap();
    let ctl = scene.ctl().await.unwrap();
    allow(&scene, &[(API_ID, API_HASH), (OWN_ID, OWN_HASH)]).await;
    let number = OWN_ID.to_string();
    let add = ["instance", "add", "acme", "--api-id", &number];
    let added = ctl.run_typing(&add, &[&"0".repeat(32)]).await.unwrap();
    assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
    // Not the secret of that application: Telegram says so, and nothing is fixed by it.
    let person = scene.person(json!({ "first_name": "Manager" })).await.unwrap();
    let login = ["login", "acme", "--phone", &person.phone, "--json"];
    let failed = ctl.run(&login).await.unwrap();
    let said = String::from_utf8_lossy(&failed.stdout).into_owned();
    assert!(said.contains("API_ID_INVALID"), "{said}");
    let set = ["instance", "set", "acme", "--api-id", &number];
    let mended = ctl.run_typing(&set, &[OWN_HASH]).await.unwrap();
    assert!(mended.status.success(), "{}", String::from_utf8_lossy(&mended.stderr));
    ctl.login("acme", &person.phone, None, &scene.tgsim, person.id).await.unwrap();
    online(&scene, "acme").await;
    assert_holds(&client(&scene, &person).await, &json!({ "api_id": OWN_ID }));

    // The next owner presents the same, and needs no secret for it.
    scene.workers[0].terminate().unwrap();
    scene.workers[0].ended().await.unwrap();
    allow(&scene, &[(API_ID, API_HASH)]).await;
    scene.add_worker().await.unwrap();
    online(&scene, "acme").await;
    create(&scene, "acme", "deal").await;
    assert_holds(&client(&scene, &person).await, &json!({ "api_id": OWN_ID }));

    let shown = ctl.json(&["instance", "show", "acme"]).await.unwrap();
    assert_holds(&shown["identity"], &json!({ "api_id": OWN_ID, "own_application": true }));
    let for_people = ctl.ok(&["instance", "show", "acme"]).await.unwrap();
    assert!(for_people.contains("api_id 7777, its own"), "{for_people}");
    let refused = ctl.run_typing(&set, &[OWN_HASH, ""]).await.unwrap();
    assert!(refused.status.success(), "the same again changes nothing");
    let published: String =
        events.all().iter().map(|m| String::from_utf8_lossy(&m.body).into_owned()).collect();
    for text in [&scene.logs(), &published, &shown.to_string(), &for_people] {
        assert!(!text.contains(OWN_HASH), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_sense_is_refused_by_its_name() {
    let scene = Scene::open("identity-wrong").await.unwrap();
    let long = "x".repeat(129);
    for (n, (field, params)) in [
        ("device.model", json!({ "device": { "model": "" } })),
        ("device.app_version", json!({ "device": { "app_version": long } })),
        ("device.lang_code", json!({ "device": { "lang_code": "d\u{7}e" } })),
        ("application.api_id", json!({ "application": { "api_id": 0, "api_hash": "x" } })),
        ("application.api_hash", json!({ "application": { "api_id": 1, "api_hash": "open" } })),
        ("proxy.address", json!({ "proxy": { "address": "proxy" } })),
        ("proxy.password", json!({ "proxy": { "address": "p:1", "username": "u" } })),
        ("proxy.username", json!({ "proxy": { "address": "p:1", "password": "x" } })),
    ]
    .into_iter()
    .enumerate()
    {
        let id = format!("wrong-{n}");
        let told = scene.caller.control("acme", &id, "account.add", params).await.unwrap();
        assert_holds(&told, &json!({ "error_kind": "invalid", "error_code": "PARAMS_INVALID" }));
        let message = told["error"].as_str().or(told["message"].as_str()).unwrap_or_default();
        let message = if message.is_empty() { told.to_string() } else { message.to_owned() };
        assert!(message.contains(&format!("params.{field}: ")), "{field}: {told:#}");
    }
}
