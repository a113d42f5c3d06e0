//! Several workers: they share the instances, hand them over when one goes, and never hold one login
//! together. Leases last less than usual, so that moves to a new worker begin sooner.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::{join_all, try_join_all};
use queuegram_tests::stage::{Caller, Scene, SceneOptions, patience};
use serde_json::{Value, json};

use crate::expect::{count, done};

/// Between an answer and the next command of the same instance.
const PAUSE: Duration = Duration::from_millis(100);

fn brisk(label: &str) -> SceneOptions {
    [
        ("QUEUEGRAM_WORKER__LEASE_TTL_S", "6"),
        ("QUEUEGRAM_WORKER__LEASE_MARGIN_S", "1"),
        ("QUEUEGRAM_WORKER__RENEW_S", "1"),
        ("QUEUEGRAM_WORKER__TAKEOVER_GRACE_S", "3"),
        ("QUEUEGRAM_WORKER__REBALANCE_PERCENT_PER_MIN", "3000"),
    ]
    .into_iter()
    .fold(SceneOptions::new(label), |options, (key, value)| options.setting(key, value))
}

/// How many instances a worker owns.
async fn owned(scene: &Scene, worker: usize) -> usize {
    let metrics = scene.workers[worker].metrics().await.unwrap();
    let lines = metrics.lines().filter(|line| line.starts_with("queuegram_instances{"));
    lines.filter_map(|line| line.rsplit(' ').next()?.parse::<usize>().ok()).sum()
}

async fn end(scene: &mut Scene, worker: usize) {
    scene.workers[worker].terminate().unwrap();
    assert!(scene.workers[worker].ended().await.unwrap().success(), "{}", scene.logs());
}

async fn assert_no_login_was_shared(scene: &Scene) {
    let entries = scene.tgsim.journal_after(0).await.unwrap();
    let shared: Vec<&Value> =
        entries.iter().filter(|entry| entry["kind"] == "key_duplicated").collect();
    assert!(shared.is_empty(), "{shared:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn three_workers_share_what_a_fourth_leaves_about_evenly() {
    let mut scene = Scene::with(brisk("shares")).await.unwrap();
    for n in 0..60 {
        let (instance, id) = (format!("acme-{n}"), format!("add-{n}"));
        let told = scene.caller.control(&instance, &id, "account.add", json!({})).await.unwrap();
        assert_eq!(told["ok"], true, "{told:#}");
    }
    assert_eq!(owned(&scene, 0).await, 60);
    for _ in 0..3 {
        scene.add_worker().await.unwrap();
    }
    end(&mut scene, 0).await;
    let shares = patience::until("every instance has an owner again", patience::USUAL, || async {
        let owned = join_all((1..4).map(|worker| owned(&scene, worker))).await;
        Ok((owned.iter().sum::<usize>() == 60).then_some(owned))
    })
    .await
    .unwrap();
    // 20 each, and chance leaves nobody less than 6 or more than 34 in a hundred thousand runs.
    assert!(shares.iter().all(|share| (6..=34).contains(share)), "{shares:?}");
    for worker in 1..4 {
        scene.workers[worker]
            .metric("queuegram_instances_unowned", |unowned| unowned == 0.0)
            .await
            .unwrap();
    }
}

/// Sends each instance one command after the other until `enough`; gives how many.
async fn work(caller: &Caller, instance: &str, enough: &AtomicBool) -> usize {
    let mut sent = 0;
    while !enough.load(Ordering::SeqCst) {
        let id = format!("{instance}:{sent}");
        let params = json!({ "title": id });
        done(&caller.call(instance, &id, "group.create", params).await.unwrap());
        sent += 1;
        tokio::time::sleep(PAUSE).await;
    }
    sent
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rolling_restart_under_load_answers_everything_once_and_shares_no_login() {
    let mut scene = Scene::with(brisk("rolling")).await.unwrap();
    let instances: Vec<String> = (0..9).map(|n| format!("acme-{n}")).collect();
    try_join_all(instances.iter().map(|instance| scene.connect(instance))).await.unwrap();
    for _ in 0..2 {
        scene.add_worker().await.unwrap();
    }
    let mark = scene.tgsim.mark().await.unwrap();

    let enough = AtomicBool::new(false);
    let sent = AtomicUsize::new(0);
    let (caller, old) = (Caller::connect(&scene.vhost.amqp_url).await.unwrap(), 3);
    let working = async {
        let works = instances.iter().map(|instance| work(&caller, instance, &enough));
        sent.store(join_all(works).await.into_iter().sum(), Ordering::SeqCst);
    };
    let restarting = async {
        for worker in 0..old {
            end(&mut scene, worker).await;
            scene.add_worker().await.unwrap();
        }
        enough.store(true, Ordering::SeqCst);
    };
    tokio::join!(working, restarting);
    let sent = sent.into_inner();

    let effects = scene.tgsim.effects_after(mark).await.unwrap();
    assert_eq!(count(&effects, &json!({ "kind": "chat.created" })), sent, "each once");
    assert_no_login_was_shared(&scene).await;
    // All that the first three had was handed over in good order.
    let mut handed_over = 0.0;
    for worker in &scene.workers[old..] {
        let taken = "queuegram_instances_taken_total{end=\"clean\"}";
        handed_over += worker.metric(taken, |_| true).await.unwrap();
    }
    assert!(handed_over >= 9.0, "{handed_over}");
}
