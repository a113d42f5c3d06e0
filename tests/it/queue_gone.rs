//! Somebody deletes an instance's queue by hand while commands come in. What was in it is gone with
//! it; everything sent afterwards is answered.

use std::collections::BTreeSet;

use lapin::options::QueueDeleteOptions;
use queuegram_tests::stage::{Scene, SceneOptions, patience};
use serde_json::json;

const INSTANCE: &str = "acme-sales";
/// Commands sent without a pause: some of them are on their way whenever the queue goes.
const LOAD: usize = 120;

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_outlives_the_deletion_of_its_queue() {
    let options = SceneOptions::new("queue-gone").setting("QUEUEGRAM_WORKER__QUEUE_LOOK_S", "1");
    let scene = Scene::with(options).await.unwrap();
    scene.connect(INSTANCE).await.unwrap();
    let hand = scene.caller.channel().await.unwrap();
    let mut deleted = Vec::new();
    for n in 0..LOAD {
        if n == LOAD / 3 || n == 2 * LOAD / 3 {
            let queue = format!("tg.commands.{INSTANCE}");
            let options = QueueDeleteOptions::default();
            deleted.push(hand.queue_delete(queue.into(), options).await.unwrap());
        }
        let id = format!("load-{n}");
        scene.caller.send(INSTANCE, &id, "account.get", &json!({})).await.unwrap();
    }
    assert_eq!(deleted.len(), 2);

    let after: BTreeSet<String> = (0..20).map(|n| format!("after-{n}")).collect();
    for id in &after {
        scene.caller.send(INSTANCE, id, "account.get", &json!({})).await.unwrap();
    }
    patience::until("everything sent afterwards is answered", patience::USUAL, || async {
        let answered: BTreeSet<String> = scene
            .caller
            .replies()
            .all()
            .iter()
            .filter_map(|reply| reply.json()["id"].as_str().map(str::to_owned))
            .collect();
        Ok(after.is_subset(&answered).then_some(()))
    })
    .await
    .unwrap();
}
