//! Pauses: a paused instance takes no command, on whatever worker, until it is resumed.

use queuegram_tests::stage::{Scene, patience};
use serde_json::{Value, json};

use crate::expect::{assert_holds, done};

const INSTANCE: &str = "acme-sales";
const OTHER: &str = "acme-support";
const PAUSED: &str = "queuegram_instances_paused";

/// Waits until the instance's queue has no consumer, or again has one.
async fn until_consumed(scene: &Scene, instance: &str, consumed: bool) {
    let queue = format!("tg.commands.{instance}");
    patience::until(&format!("{queue} is consumed: {consumed}"), patience::USUAL, || async {
        let look = scene.caller.look(&queue).await?;
        Ok(((look.consumers > 0) == consumed).then_some(()))
    })
    .await
    .unwrap();
}

/// Waits until the workers count so many paused instances between them: whose they are may change,
/// and each worker counts at its next look.
async fn until_paused(scene: &Scene, instances: u32) {
    patience::until(&format!("{instances} paused instances"), patience::USUAL, || async {
        let mut paused = 0.0;
        for worker in &scene.workers {
            paused += worker.metric(PAUSED, |_| true).await?;
        }
        Ok(((paused - f64::from(instances)).abs() < 0.5).then_some(()))
    })
    .await
    .unwrap();
}

/// What waits in the queue, while nobody consumes it.
async fn waiting(scene: &Scene, instance: &str) -> u32 {
    let look = scene.caller.look(&format!("tg.commands.{instance}")).await.unwrap();
    assert_eq!(look.consumers, 0, "{instance}");
    look.ready
}

async fn create(scene: &Scene, instance: &str, id: &str) {
    let params = json!({ "title": id });
    scene.caller.send(instance, id, "group.create", &params).await.unwrap();
}

async fn done_reply(scene: &Scene, id: &str) -> i64 {
    done(&scene.caller.reply(id).await.unwrap().json())
}

#[tokio::test(flavor = "multi_thread")]
async fn all_instances_are_paused_and_resumed_on_every_worker() {
    let mut scene = Scene::open("pause-all").await.unwrap();
    scene.connect(INSTANCE).await.unwrap();
    scene.add_worker().await.unwrap();
    scene.connect(OTHER).await.unwrap();
    let ctl = scene.ctl().await.unwrap();
    let mark = scene.tgsim.mark().await.unwrap();
    let told = ctl.json(&["pause", "--all", "--reason", "a check"]).await.unwrap();
    assert_holds(&told["pauses"][0], &json!({ "all_instances": true, "method": null }));
    for instance in [INSTANCE, OTHER] {
        until_consumed(&scene, instance, false).await;
        create(&scene, instance, &format!("{instance}:1")).await;
        assert_eq!(waiting(&scene, instance).await, 1);
        let shown = ctl.json(&["instance", "show", instance]).await.unwrap();
        assert_holds(&shown["pauses"][0], &json!({ "all_instances": true, "reason": "a check" }));
    }
    until_paused(&scene, 2).await;
    let requests = scene.tgsim.requests_after(mark).await.unwrap();
    assert!(!requests.iter().any(|request| request.contains("create")), "{requests:?}");

    // One instance's resuming does not end the pause of all.
    let told = ctl.json(&["resume", INSTANCE]).await.unwrap();
    assert_eq!(told["pauses"][0]["all_instances"], true);
    ctl.ok(&["resume", "--all"]).await.unwrap();
    for instance in [INSTANCE, OTHER] {
        done_reply(&scene, &format!("{instance}:1")).await;
    }
    until_paused(&scene, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_owner_obeys_what_was_paused_before() {
    let mut scene = Scene::open("pause-kept").await.unwrap();
    scene.connect(INSTANCE).await.unwrap();
    let ctl = scene.ctl().await.unwrap();
    ctl.ok(&["pause", INSTANCE, "--reason", "kept"]).await.unwrap();
    until_consumed(&scene, INSTANCE, false).await;
    create(&scene, INSTANCE, "waits").await;
    scene.workers[0].terminate().unwrap();
    assert!(scene.workers[0].ended().await.unwrap().success());
    scene.add_worker().await.unwrap();
    scene.workers[1].metric(PAUSED, |paused| paused > 0.5).await.unwrap();
    let online = r#"queuegram_instances{state="online"}"#;
    scene.workers[1].metric(online, |online| online > 0.5).await.unwrap();
    assert_eq!(waiting(&scene, INSTANCE).await, 1);
    let listed = ctl.json(&["instance", "list"]).await.unwrap();
    assert_eq!(listed[0]["pauses"][0]["reason"], "kept");
    ctl.ok(&["resume", INSTANCE]).await.unwrap();
    done_reply(&scene, "waits").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_method_stops_the_queue_in_its_order_until_its_deadline() {
    let scene = Scene::open("pause-method").await.unwrap();
    scene.connect(INSTANCE).await.unwrap();
    scene.connect(OTHER).await.unwrap();
    let (ctl, results) = (scene.ctl().await.unwrap(), scene.results().await.unwrap());
    create(&scene, INSTANCE, "first").await;
    let chat = done_reply(&scene, "first").await;
    let told = ctl.json(&["pause", INSTANCE, "--method", "group.create"]).await.unwrap();
    assert_holds(&told["pauses"][0], &json!({ "method": "group.create", "all_instances": false }));

    // Other methods, and other instances, go on.
    let rename = async |id: &str| {
        let params = json!({ "chat_id": chat, "title": id });
        scene.caller.send(INSTANCE, id, "group.rename", &params).await.unwrap();
    };
    rename("before").await;
    done_reply(&scene, "before").await;
    create(&scene, OTHER, "elsewhere").await;
    done_reply(&scene, "elsewhere").await;

    // At its deadline the one that waits is answered, and what is behind it goes on.
    let late = ["call", "group.create", "-i", INSTANCE, "--id", "late", "--deadline", "4s"];
    ctl.ok(&[&late[..], &["--no-wait", "title=late"]].concat()).await.unwrap();
    rename("behind").await;
    let late = results.wait("its answer", |message| message.json()["id"] == "late").await.unwrap();
    assert_holds(&late.json(), &json!({ "status": "failed", "error_kind": "expired" }));
    results.wait("the next", |message| message.json()["id"] == "behind").await.unwrap();
    let order: Vec<Value> =
        results.all().iter().map(|result| result.json()["id"].clone()).collect();
    assert!(order.ends_with(&[json!("late"), json!("behind")]), "{order:?}");

    // Resumed, the queue goes on where it stood.
    create(&scene, INSTANCE, "held").await;
    rename("after").await;
    until_consumed(&scene, INSTANCE, false).await;
    assert_eq!(waiting(&scene, INSTANCE).await, 2);
    ctl.ok(&["resume", INSTANCE, "--method", "group.create"]).await.unwrap();
    done_reply(&scene, "held").await;
    done_reply(&scene, "after").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_paused_is_said() {
    let scene = Scene::open("pause-wrong").await.unwrap();
    let ctl = scene.ctl().await.unwrap();
    for (args, code, word) in [
        (vec!["pause", "nobody"], "INSTANCE_NOT_FOUND", "instance"),
        (
            vec!["pause", "--all", "--method", "group.explode"],
            "METHOD_UNKNOWN",
            "params.methods[0]",
        ),
    ] {
        let args: Vec<&str> = args.into_iter().chain(["--json"]).collect();
        let output = ctl.run(&args).await.unwrap();
        assert_eq!(output.status.code(), Some(3), "{args:?}");
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(answer["error_code"], code);
        assert!(answer["error_message"].as_str().unwrap().starts_with(word), "{answer:#}");
    }
}
