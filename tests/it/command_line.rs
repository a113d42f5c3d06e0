//! The `queuegram` command line, as scripts use it.

use queuegram_tests::stage::{Listener, Scene};
use serde_json::json;

use crate::expect::{assert_holds, done};

const INSTANCE: &str = "acme-sales";

#[tokio::test(flavor = "multi_thread")]
async fn an_account_lives_from_add_to_remove() {
    let scene = Scene::open("life").await.unwrap();
    let ctl = scene.ctl().await.unwrap();
    ctl.ok(&["doctor"]).await.unwrap();
    scene.connect(INSTANCE).await.unwrap();
    let listed = ctl.ok(&["instance", "list", "--json"]).await.unwrap();
    assert!(listed.contains(INSTANCE), "{listed}");

    let made = ctl
        .json(&[
            "call",
            "group.create",
            "--instance",
            INSTANCE,
            "title=Deal 77",
            "invite_link=true",
        ])
        .await
        .unwrap();
    done(&made);
    assert!(made["result"]["link"].as_str().unwrap().starts_with("https://t.me/+"), "{made:#}");

    let refused = ctl
        .run(&[
            "call",
            "group.rename",
            "--instance",
            INSTANCE,
            "chat_id=-1009999999999",
            "title=x",
            "--json",
        ])
        .await
        .unwrap();
    assert_eq!(refused.status.code(), Some(3), "failed: nothing was done");

    ctl.ok(&["instance", "remove", INSTANCE, "--yes"]).await.unwrap();
    let listed = ctl.ok(&["instance", "list", "--json"]).await.unwrap();
    assert!(!listed.contains(INSTANCE), "{listed}");
    let queues = scene.vhost.queues().await.unwrap();
    assert!(!queues.contains(&format!("tg.commands.{INSTANCE}")), "{queues:?}");
    let reply = scene
        .caller
        .call(INSTANCE, "after", "group.create", json!({ "title": "x" }))
        .await
        .unwrap();
    assert_holds(&reply, &json!({ "error_code": "INSTANCE_NOT_FOUND" }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_queue_for_engines_that_can_not_declare_one() {
    let scene = Scene::open("queue-add").await.unwrap();
    scene.connect(INSTANCE).await.unwrap();
    let ctl = scene.ctl().await.unwrap();
    let bind = format!("tg.results:{INSTANCE}.group.*.done");
    ctl.ok(&["queue", "add", "crm.telegram", "--bind", &bind]).await.unwrap();
    let durable = scene.vhost.get("queues/{vhost}/crm.telegram").await.unwrap();
    assert_eq!(durable["durable"], true);

    let replies = Listener::on_queue(&scene.vhost.amqp_url, "crm.telegram").await.unwrap();
    done(
        &scene
            .caller
            .call(INSTANCE, "deal", "group.create", json!({ "title": "x" }))
            .await
            .unwrap(),
    );
    let result =
        replies.wait("the result", |message| message.json()["id"] == "deal").await.unwrap();
    assert_eq!(result.exchange, "tg.results");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_without_the_topology_is_diagnosed() {
    let addresses = queuegram_tests::stage::shared::servers().await.unwrap();
    let vhost = queuegram_tests::stage::vhost::Vhost::new(addresses, "bare").await.unwrap();
    let env = [
        ("QUEUEGRAM_AMQP__URL".to_owned(), vhost.amqp_url.clone()),
        ("QUEUEGRAM_AMQP__MANAGEMENT_URL".to_owned(), vhost.management_url.clone()),
    ];
    let ctl = queuegram_tests::stage::ctl::Ctl::new(&env).await.unwrap();
    let doctor = ctl.run(&["doctor"]).await.unwrap();
    assert_eq!(doctor.status.code(), Some(3));
    let said = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(said.contains("topology apply"), "it says what to do: {said}");

    ctl.ok(&["topology", "apply"]).await.unwrap();
    ctl.ok(&["topology", "apply"]).await.unwrap();
    let queues = vhost.queues().await.unwrap();
    for queue in ["tg.dead", "tg.undelivered", "tg.unrouted"] {
        assert!(queues.iter().any(|name| name == queue), "{queue} is missing: {queues:?}");
    }
}
