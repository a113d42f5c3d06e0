//! The worker runs unchanged against another Telegram: other data centre, ports and key.

use queuegram_tests::stage::{Scene, SceneOptions};
use serde_json::json;

use crate::expect::{count, done};

const INSTANCE: &str = "acme-sales";

#[tokio::test(flavor = "multi_thread")]
async fn a_second_telegram_with_other_dcs_ports_and_key() {
    let (first, second) = tokio::join!(
        Scene::with(SceneOptions::new("dc-two").dc(2)),
        Scene::with(SceneOptions::new("dc-other").dc(4))
    );
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_ne!(first.tgsim.address, second.tgsim.address);
    let key = |scene: &Scene| std::fs::read_to_string(&scene.tgsim.public_key).unwrap();
    assert_ne!(key(&first), key(&second));

    for scene in [&first, &second] {
        scene.connect(INSTANCE).await.unwrap();
        let mark = scene.tgsim.mark().await.unwrap();
        let params = json!({ "title": "Deal 1" });
        let chat =
            done(&scene.caller.call(INSTANCE, "create", "group.create", params).await.unwrap());
        let effects = scene.tgsim.effects_after(mark).await.unwrap();
        assert_eq!(count(&effects, &json!({ "kind": "chat.created", "chat_id": chat })), 1);
    }
}
