//! Connecting an account by a login that is there already: another program's, or a backup.

use std::os::unix::fs::PermissionsExt;
use std::process::Output;

use base64::Engine as _;
use base64::prelude::{BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD};
use queuegram_tests::stage::Scene;
use queuegram_tests::stage::witness::{Language, testify};
use serde_json::{Value, json};

use crate::expect::{done, online_as};

const INSTANCE: &str = "acme-sales";

/// A login that Telethon made, and uses no more by itself.
struct Foreign {
    user: i64,
    string: String,
}

async fn telethon(scene: &Scene, args: &[&str]) -> String {
    let environment = scene.tgsim.witness_environment();
    let said = testify(Language::Python, "foreign.py", args, &environment).await.unwrap();
    said.trim().strip_prefix("ok ").expect(&said).to_owned()
}

async fn made_by_telethon(scene: &Scene, password: Option<&str>) -> Foreign {
    let args: Vec<&str> = ["make"].into_iter().chain(password).collect();
    let said = telethon(scene, &args).await;
    let (user, string) = said.split_once(' ').expect(&said);
    Foreign { user: user.parse().unwrap(), string: string.to_owned() }
}

async fn import(scene: &Scene, more: &[&str], lines: &[&str]) -> Output {
    let args = [&["instance", "import", INSTANCE], more].concat();
    scene.ctl().await.unwrap().run_typing(&args, lines).await.unwrap()
}

fn said(output: &Output) -> String {
    let text = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    String::from_utf8(text).unwrap()
}

/// The error code of an import that was refused.
fn refused(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(3), "{}", said(output));
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut lines = lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let code = lines.find_map(|line| line["error_code"].as_str().map(str::to_owned));
    code.unwrap_or_else(|| panic!("no error code in {}", said(output)))
}

/// The imported account works.
async fn makes_a_group(scene: &Scene, user: i64, id: &str) {
    online_as(scene, INSTANCE, user).await;
    let params = json!({ "title": "Deal 77" });
    done(&scene.caller.call(INSTANCE, id, "group.create", params).await.unwrap());
}

/// How many logins the account has at Telegram.
async fn logins(scene: &Scene, user: i64) -> usize {
    let shown = scene.tgsim.get(&format!("/users/{user}")).await.unwrap();
    shown["logins"].as_array().unwrap().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_of_telethon_accepts_ours_and_stays_what_it_was() {
    let scene = Scene::open("import").await.unwrap();
    let (events, foreign) = (scene.events().await.unwrap(), made_by_telethon(&scene, None).await);
    let output = import(&scene, &[], &[&foreign.string]).await;
    let told = said(&output);
    assert!(output.status.success(), "{told}");
    assert!(told.contains(&format!("as user {}", foreign.user)), "{told}");
    assert!(told.contains("API key   qg_"), "the new instance's key: {told}");
    makes_a_group(&scene, foreign.user, "deal-77").await;
    assert_eq!(telethon(&scene, &["check", &foreign.string]).await, foreign.user.to_string());
    assert_eq!(logins(&scene, foreign.user).await, 2, "one each");
    // Whoever imports again is told that there is an account already.
    let again = import(&scene, &["--json"], &[&foreign.string]).await;
    assert_eq!(refused(&again), "LOGIN_NOT_POSSIBLE");
    // The string was for the worker alone.
    let published: String =
        events.all().iter().map(|m| String::from_utf8_lossy(&m.body).into_owned()).collect();
    for text in [&scene.logs(), &published, &told] {
        assert!(!text.contains(&foreign.string[1..60]), "{text}");
    }
    assert!(scene.logs().contains("a login is imported"), "{}", scene.logs());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_password_is_asked_for_as_by_a_qr_login() {
    let scene = Scene::open("import-password").await.unwrap();
    let foreign = made_by_telethon(&scene, Some("right one")).await;
    let output = import(&scene, &[], &[&foreign.string, "wrong", "right one"]).await;
    assert!(output.status.success(), "{}", said(&output));
    assert!(said(&output).contains("that was not the password"), "{}", said(&output));
    makes_a_group(&scene, foreign.user, "deal-77").await;
    assert_eq!(telethon(&scene, &["check", &foreign.string]).await, foreign.user.to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_of_telethon_is_taken_over() {
    let scene = Scene::open("import-take-over").await.unwrap();
    // The password is not asked for: this login was given it already.
    let foreign = made_by_telethon(&scene, Some("right one")).await;
    let unsure = import(&scene, &["--take-over"], &[&foreign.string]).await;
    assert_eq!(unsure.status.code(), Some(2), "nobody at a terminal confirmed it");
    let output = import(&scene, &["--take-over", "--yes"], &[&foreign.string]).await;
    assert!(output.status.success(), "{}", said(&output));
    assert!(said(&output).contains(&format!("as user {}", foreign.user)), "{}", said(&output));
    makes_a_group(&scene, foreign.user, "deal-77").await;
    assert_eq!(logins(&scene, foreign.user).await, 1, "the same one");
}

/// The same login as Pyrogram 2 writes it down: data centre, application, no test server, key, user, no bot.
fn as_pyrogram(foreign: &Foreign, api_id: u32) -> String {
    let telethon = BASE64_URL_SAFE.decode(&foreign.string[1..]).unwrap();
    let (dc, key) = (telethon[0], &telethon[telethon.len() - 256..]);
    let user = u64::try_from(foreign.user).unwrap();
    let bytes = [&[dc][..], &api_id.to_be_bytes(), &[0], key, &user.to_be_bytes(), &[0]].concat();
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_of_pyrogram_stays_one_of_its_application() {
    let scene = Scene::open("import-pyrogram").await.unwrap();
    let foreign = made_by_telethon(&scene, None).await;
    let string = as_pyrogram(&foreign, 2040);
    let output = import(&scene, &["--take-over", "--yes"], &[&string]).await;
    assert!(output.status.success(), "{}", said(&output));
    makes_a_group(&scene, foreign.user, "deal-77").await;
    let user = scene.tgsim.get(&format!("/users/{}", foreign.user)).await.unwrap();
    assert_eq!(user["logins"][0]["client"]["api_id"], 2040, "{user:#}");
    let ctl = scene.ctl().await.unwrap();
    let shown = ctl.json(&["instance", "show", INSTANCE]).await.unwrap();
    assert_eq!(shown["identity"]["api_id"], 2040);
    assert_eq!(shown["identity"]["fixed"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_living_login_is_told_and_leaves_nothing() {
    let scene = Scene::open("import-refused").await.unwrap();
    let foreign = made_by_telethon(&scene, None).await;
    assert_eq!(telethon(&scene, &["end", &foreign.string]).await, "ended");
    let taking_over = ["--json", "--take-over", "--yes"];
    let told = refused(&import(&scene, &taking_over, &[&foreign.string]).await);
    assert_eq!(told, "SESSION_DEAD");
    let kept = scene.folder.join("vault").join(INSTANCE).join("session");
    assert!(!kept.exists(), "a session that is not proven is not kept");
    for (string, code) in [
        (foreign.string.as_str(), "SESSION_DEAD"),
        ("garbage", "SESSION_INVALID"),
        (&foreign.string[..200], "SESSION_INVALID"),
    ] {
        assert_eq!(refused(&import(&scene, &["--json"], &[string]).await), code, "{string}");
    }
    let ctl = scene.ctl().await.unwrap();
    assert_eq!(ctl.json(&["instance", "show", INSTANCE]).await.unwrap()["state"], "new");
    // There is nothing to export.
    let out = scene.folder.join("acme.login");
    let export = ["instance", "export", INSTANCE, "--out", out.to_str().unwrap(), "--json"];
    assert_eq!(refused(&ctl.run(&export).await.unwrap()), "NOT_CONNECTED");
    assert!(!out.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exported_login_comes_back_into_an_instance_of_the_same_id_only() {
    let mut scene = Scene::open("import-backup").await.unwrap();
    let person = scene.connect(INSTANCE).await.unwrap();
    let (out, ctl) = (scene.folder.join("acme.login"), scene.ctl().await.unwrap());
    let file = out.to_str().unwrap();
    ctl.ok(&["instance", "export", INSTANCE, "--out", file]).await.unwrap();
    let mode = std::fs::metadata(&out).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let written = std::fs::read_to_string(&out).unwrap();
    let again = ctl.run(&["instance", "export", INSTANCE, "--out", file]).await.unwrap();
    assert_eq!(again.status.code(), Some(2), "not overwritten");
    assert_eq!(std::fs::read_to_string(&out).unwrap(), written);

    // The login is lost here, as with a vault of an older backup; Telegram still knows it.
    scene.workers[0].terminate().unwrap();
    scene.workers[0].ended().await.unwrap();
    let lost = scene.folder.join("vault").join(INSTANCE).join("session");
    std::fs::remove_dir_all(&lost).unwrap();
    scene.add_worker().await.unwrap();
    ctl.ok(&["instance", "add", "other"]).await.unwrap();
    let back = ["--backup", file, "--yes"];
    let elsewhere = [&["instance", "import", "other", "--json"], &back[..]].concat();
    assert_eq!(refused(&ctl.run(&elsewhere).await.unwrap()), "BACKUP_INVALID");
    let unsure = import(&scene, &["--backup", file], &[]).await;
    assert_eq!(unsure.status.code(), Some(2), "nobody at a terminal confirmed it");
    let output = import(&scene, &back, &[]).await;
    assert!(output.status.success(), "{}", said(&output));
    makes_a_group(&scene, person.id, "deal-77").await;
    assert_eq!(logins(&scene, person.id).await, 1, "the same one");
}
