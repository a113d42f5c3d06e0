//! Connecting an account by a QR code that a phone scans: the way that needs no code and no number.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use queuegram_tests::stage::Scene;
use queuegram_tests::stage::ctl::link_in;
use queuegram_tests::stage::witness::{Language, testify};
use serde_json::{Value, json};

use crate::expect::{assert_holds, done, online_as};

const INSTANCE: &str = "acme-sales";

/// What a login asked for, and its result.
fn steps(told: &[Value]) -> Vec<&Value> {
    let is_login = |line: &&Value| {
        line["event"].as_str().is_some_and(|name| name.starts_with("account.login."))
    };
    told.iter().filter(is_login).collect()
}

fn events<'a>(steps: &[&'a Value]) -> Vec<&'a str> {
    steps.iter().filter_map(|line| line["event"].as_str()).collect()
}

async fn until_online(scene: &Scene, user: i64) {
    online_as(scene, INSTANCE, user).await;
    done(&scene.caller.call(INSTANCE, "alive", "account.get", json!({})).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_scans_the_code_and_a_new_instance_is_online() {
    let scene = Scene::open("qr").await.unwrap();
    let states = scene.events().await.unwrap();
    let marta = scene.person(json!({ "first_name": "Marta" })).await.unwrap();
    let ctl = scene.ctl().await.unwrap();
    let scan = |url: String| async { scene.tgsim.scan(marta.id, url).await };
    let told = ctl.login_by_qr(INSTANCE, &[], scan).await.unwrap();
    assert_eq!(events(&steps(&told)), ["account.login.qr", "account.login.result"]);
    let made = told.last().unwrap();
    assert_holds(made, &json!({ "instance": INSTANCE }));
    assert!(made["api_key"].as_str().unwrap().starts_with("qg_"), "shown once, at the end");
    until_online(&scene, marta.id).await;
    let of_state =
        |message: &queuegram_tests::stage::Message| message.json()["event"] == "account.state";
    let told = states.wait_many("the states", 3, of_state).await.unwrap();
    let told: Vec<_> = told.iter().map(|one| one.json()["data"]["to"].clone()).collect();
    assert_eq!(
        told[told.len() - 3..],
        [json!("awaiting_scan"), json!("connecting"), json!("online")]
    );
    // The link is for whoever asked, and for nobody else.
    let seen: Vec<_> = states.all().iter().map(|message| message.json().to_string()).collect();
    assert!(seen.iter().any(|event| event.contains("sealed_url")), "{seen:?}");
    assert!(!seen.iter().any(|event| event.contains("tg://")), "{seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_with_a_password_in_another_data_centre_is_followed_there() {
    let scene = Scene::open("qr-password").await.unwrap();
    let details =
        json!({ "first_name": "Olga", "password": "right one", "dc": scene.tgsim.dc + 1 });
    let olga = scene.person(details).await.unwrap();
    let ctl = scene.ctl().await.unwrap();
    ctl.ok(&["instance", "add", INSTANCE]).await.unwrap();
    let scan = |url: String| async { scene.tgsim.scan(olga.id, url).await };
    let told = ctl.login_by_qr(INSTANCE, &["wrong", "right one"], scan).await.unwrap();
    let (qr, asked) = ("account.login.qr", "account.login.password_needed");
    assert_eq!(events(&steps(&told)), [qr, asked, asked, "account.login.result"]);
    assert_eq!(steps(&told)[1]["data"]["again"], Value::Null);
    assert_eq!(steps(&told)[2]["data"]["again"], "wrong");
    until_online(&scene, olga.id).await;
}

/// Another client than ours, logged in as a phone is, accepts what we show.
#[tokio::test(flavor = "multi_thread")]
async fn telethon_scans_the_code() {
    let scene = Scene::open("qr-telethon").await.unwrap();
    let scanned = Mutex::new(String::new());
    let scan = |url: String| {
        let (scanned, environment) = (&scanned, scene.tgsim.witness_environment());
        async move {
            let said = testify(Language::Python, "phone.py", &[&url], &environment).await?;
            // A slow machine's phone may come too late for a code: it scans the next one.
            if said.trim() != "ok stale" {
                *scanned.lock().unwrap() = said;
            }
            Ok(())
        }
    };
    let ctl = scene.ctl().await.unwrap();
    ctl.login_by_qr(INSTANCE, &[], scan).await.unwrap();
    let said = scanned.into_inner().unwrap();
    let user = said.trim().strip_prefix("ok scanned by ").and_then(|user| user.parse().ok());
    until_online(&scene, user.expect(&said)).await;
}

/// What a person sees can be scanned: the drawn code is read as a camera would.
#[tokio::test(flavor = "multi_thread")]
async fn the_drawn_code_holds_the_link_below_it() {
    let scene = Scene::open("qr-drawn").await.unwrap();
    let marta = scene.person(json!({ "first_name": "Marta" })).await.unwrap();
    let ctl = scene.ctl().await.unwrap();
    let drawn = Mutex::new(Vec::new());
    let line = |line: String| {
        let link = link_in(&line).map(str::to_owned);
        drawn.lock().unwrap().push(line);
        async {
            match link {
                Some(url) => scene.tgsim.scan(marta.id, url).await,
                None => Ok(()),
            }
        }
    };
    let said = ctl.login_drawn(INSTANCE, &[], line).await.unwrap();
    assert!(said.contains("API key   qg_") && said.contains("online"), "{said}");
    let drawn = drawn.into_inner().unwrap();
    let link = drawn.iter().find_map(|line| link_in(line)).unwrap();
    assert_eq!(read_code(&drawn), link);
}

/// Reads a QR code that is drawn with half blocks, light on dark.
fn read_code(drawn: &[String]) -> String {
    let rows: Vec<Vec<char>> = drawn
        .iter()
        .filter(|line| line.contains('\u{2588}'))
        .map(|line| line.chars().collect())
        .collect();
    let (width, scale) = (rows[0].len(), 4);
    let is_light = |x: usize, y: usize| {
        let module = rows.get(y / 2).and_then(|row| row.get(x));
        matches!(
            (module, y % 2),
            (Some('\u{2588}'), _) | (Some('\u{2580}'), 0) | (Some('\u{2584}'), 1)
        )
    };
    let light = |x: usize, y: usize| if is_light(x / scale, y / scale) { 255 } else { 0 };
    let mut image =
        rqrr::PreparedImage::prepare_from_greyscale(width * scale, rows.len() * 2 * scale, light);
    let (_, text) = image.detect_grids()[0].decode().unwrap();
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_nobody_scans_is_shown_anew() {
    let scene = Scene::open("qr-anew").await.unwrap();
    let marta = scene.person(json!({ "first_name": "Marta" })).await.unwrap();
    let ctl = scene.ctl().await.unwrap();
    let (shown, scene) = (AtomicUsize::new(0), &scene);
    let scan = |url: String| {
        let nth = shown.fetch_add(1, Ordering::Relaxed);
        async move { if nth == 0 { Ok(()) } else { scene.tgsim.scan(marta.id, url).await } }
    };
    let told = ctl.login_by_qr(INSTANCE, &[], scan).await.unwrap();
    let qr = "account.login.qr";
    assert_eq!(events(&steps(&told)), [qr, qr, "account.login.result"]);
    assert_ne!(steps(&told)[0]["url"], steps(&told)[1]["url"]);
    until_online(scene, marta.id).await;
}
