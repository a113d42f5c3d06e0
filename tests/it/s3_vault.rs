//! The vault lies in a bucket. What a folder gives, it gives: a login outlives its worker and Redis, the
//! key can be changed, and nothing is taken for an empty vault that is not one.

use std::fs;

use queuegram_tests::stage::s3::S3;
use queuegram_tests::stage::worker::{PROGRAM, Worker};
use queuegram_tests::stage::{Scene, SceneOptions, patience, shared};
use serde_json::{Value, json};

use crate::expect::{count, done, online_as};

const INSTANCE: &str = "acme-sales";
const ONLINE: &str = r#"queuegram_instances{state="online"}"#;
const NEW: &str = "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b";

async fn scene(label: &str, s3: &S3) -> Scene {
    let options = SceneOptions::new(label).settings(&s3.settings("sites/one"));
    Scene::with(options).await.unwrap()
}

async fn makes_a_group(scene: &Scene, id: &str) {
    let params = json!({ "title": id });
    done(&scene.caller.call(INSTANCE, id, "group.create", params).await.unwrap());
}

/// Waits until the last worker has the account online: that takes a lease and a grace.
async fn until_online(scene: &Scene, user: i64) {
    let last = scene.workers.last().unwrap();
    patience::until("the account is online", 3 * patience::USUAL, || async {
        let online = last.metric(ONLINE, |_| true).await?;
        Ok((online > 0.5).then_some(()))
    })
    .await
    .unwrap();
    online_as(scene, INSTANCE, user).await;
}

/// What `/ready` of the scene's last worker says has these words in it, or no longer has.
async fn until_missing(scene: &Scene, words: &str, there: bool) {
    let last = scene.workers.last().unwrap();
    let what = format!("/ready says `{words}`: {there}");
    patience::until(&what, 2 * patience::USUAL, || async {
        Ok((last.missing().await?.contains(words) == there).then_some(()))
    })
    .await
    .unwrap();
}

fn needed(verified: &Value, key: &Value) -> u64 {
    verified["needed"][key.as_str().unwrap()].as_u64().unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_in_a_bucket_outlives_worker_redis_and_key() {
    let s3 = S3::start().await.unwrap();
    let mut scene = scene("s3", &s3).await;
    let person = scene.connect(INSTANCE).await.unwrap();
    makes_a_group(&scene, "before").await;
    let mark = scene.tgsim.mark().await.unwrap();

    scene.workers[0].kill();
    scene.add_worker().await.unwrap();
    until_online(&scene, person.id).await;
    makes_a_group(&scene, "after-a-crash").await;

    scene.workers[1].terminate().unwrap();
    scene.workers[1].ended().await.unwrap();
    scene.redis.flush().await.unwrap();
    let key_file = scene.folder.join("vault.key");
    let old = fs::read_to_string(&key_file).unwrap();
    fs::write(&key_file, format!("{NEW}\n{old}")).unwrap();
    scene.add_worker().await.unwrap();
    until_online(&scene, person.id).await;
    makes_a_group(&scene, "without-redis").await;

    let ctl = scene.ctl().await.unwrap();
    let before = ctl.json(&["vault", "verify"]).await.unwrap();
    let old_id = before["keys"][1].clone();
    assert!(needed(&before, &old_id) >= 3, "{before}");
    let rotated = ctl.json(&["vault", "rotate"]).await.unwrap();
    assert!(rotated["resealed"].as_u64() >= Some(3), "{rotated}");
    let after = ctl.json(&["vault", "verify"]).await.unwrap();
    assert_eq!(needed(&after, &old_id), 0, "{after}");
    let requests = scene.tgsim.requests_after(mark).await.unwrap();
    let again: Vec<_> = requests.iter().filter(|name| name.starts_with("auth.s")).collect();
    assert!(again.is_empty(), "nobody logged in again: {again:?}");
    assert!(!scene.folder.join("vault").exists(), "nothing lies in a folder");
    assert!(!scene.logs().contains(&s3.access.secret), "the secret is in no log");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_is_away_is_told_and_waited_for() {
    let s3 = S3::start().await.unwrap();
    let options = SceneOptions::new("s3-away").settings(&s3.settings("sites/one"));
    let options = options.setting("QUEUEGRAM_VAULT__TIMEOUT_MS", "1000");
    let mut scene = Scene::with(options).await.unwrap();
    let person = scene.connect(INSTANCE).await.unwrap();
    let mark = scene.tgsim.mark().await.unwrap();
    s3.go_away().await.unwrap();
    until_missing(&scene, "vault", true).await;
    // Its account stays where it is; a command waits where it would note a group. Who starts now waits.
    let params = json!({ "title": "while-it-is-away" });
    scene.caller.send(INSTANCE, "while-it-is-away", "group.create", &params).await.unwrap();
    assert_eq!(scene.workers[0].metric(ONLINE, |_| true).await.unwrap().round(), 1.0);
    scene.add_worker_unready(&[]).await.unwrap();
    until_missing(&scene, "vault can't be reached", true).await;
    s3.come_back().await.unwrap();
    until_missing(&scene, "vault", false).await;
    done(&scene.caller.reply("while-it-is-away").await.unwrap().json());
    online_as(&scene, INSTANCE, person.id).await;
    let effects = scene.tgsim.effects_after(mark).await.unwrap();
    assert_eq!(count(&effects, &json!({ "kind": "chat.created" })), 1, "{effects:?}");

    s3.freeze(true).unwrap();
    until_missing(&scene, "vault did not answer within 1000 ms", true).await;
    s3.freeze(false).unwrap();
    until_missing(&scene, "vault", false).await;
    makes_a_group(&scene, "after-a-silence").await;
}

/// How a worker with these settings ends, and what it says.
async fn refused(scene: &Scene, name: &str, settings: &[(&str, String)]) -> String {
    let mut env = scene.worker_environment();
    env.extend(settings.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
    let launch = Worker::launch(PROGRAM, scene.folder.path(), name, &env).await.unwrap();
    let mut worker = launch.start().unwrap();
    let ended = worker.ended(patience::USUAL).await.unwrap();
    assert!(!ended.success(), "{}", worker.log_text());
    worker.log_text()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_bucket_is_named_and_never_an_empty_vault() {
    let s3 = S3::start().await.unwrap();
    let options = SceneOptions::new("s3-refused").settings(&s3.settings("sites/one"));
    let addresses = shared::servers().await.unwrap();
    let scene = Scene::without_worker(addresses, options).await.unwrap();
    let canary = "canary/secret/of/nobody".to_owned();
    for (n, (variable, value, named)) in [
        ("QUEUEGRAM_VAULT__S3__SECRET_ACCESS_KEY", canary, "vault.s3.secret_access_key"),
        ("QUEUEGRAM_VAULT__S3__ACCESS_KEY_ID", "AKIANOBODY".into(), "vault.s3.access_key_id"),
        ("QUEUEGRAM_VAULT__URL", "s3://no-such-bucket/x".into(), "vault.url"),
        ("QUEUEGRAM_VAULT__URL", "gs://vaults/x".into(), "vault.url"),
        ("QUEUEGRAM_VAULT__S3__ALLOW_HTTP", "false".into(), "vault.s3.allow_http"),
    ]
    .into_iter()
    .enumerate()
    {
        let said = refused(&scene, &format!("refused-{n}"), &[(variable, value)]).await;
        assert!(said.contains(named), "{named}: {said}");
        assert!(!said.contains("canary") && !said.contains(&s3.access.secret), "{said}");
    }
    // The key file is made for an empty vault only: for none of these.
    assert!(!scene.folder.join("vault.key").exists());
}
