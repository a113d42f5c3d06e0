//! One session, one owner: a second worker leaves a taken instance alone, and takes it when its owner
//! is gone.

use queuegram_tests::stage::Scene;
use serde_json::{Value, json};

use crate::expect::done;

const INSTANCE: &str = "acme-sales";

/// Journal entries that tell of two connections on one key.
async fn duplicated_keys(scene: &Scene) -> Vec<Value> {
    let entries = scene.tgsim.journal_after(0).await.unwrap();
    entries.into_iter().filter(|entry| entry["kind"] == "key_duplicated").collect()
}

/// How many consumers the instance's queue has, as the broker itself counts.
async fn consumers(scene: &Scene) -> u32 {
    scene.caller.look("tg.commands.acme-sales").await.unwrap().consumers
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_worker_leaves_a_taken_instance_alone_and_takes_it_over() {
    let mut scene = Scene::open("two").await.unwrap();
    scene.connect(INSTANCE).await.unwrap();
    scene.add_worker().await.unwrap();
    for n in 0..5 {
        let params = json!({ "title": format!("Deal {n}") });
        done(
            &scene
                .caller
                .call(INSTANCE, &format!("one:{n}"), "group.create", params)
                .await
                .unwrap(),
        );
    }
    assert_eq!(consumers(&scene).await, 1);
    assert_eq!(duplicated_keys(&scene).await, [Value::Null; 0]);

    // A clean end hands over; the commands that came meanwhile are carried out by the other one.
    scene.workers[0].terminate().unwrap();
    assert!(scene.workers[0].ended().await.unwrap().success());
    let params = json!({ "title": "After a clean end" });
    done(&scene.caller.call(INSTANCE, "two", "group.create", params).await.unwrap());

    // So does a crash, after the lease has run out.
    scene.add_worker().await.unwrap();
    scene.workers[1].kill();
    let params = json!({ "title": "After a crash" });
    done(&scene.caller.call(INSTANCE, "three", "group.create", params).await.unwrap());
    assert_eq!(duplicated_keys(&scene).await, [Value::Null; 0]);
}
