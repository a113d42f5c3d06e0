//! Where replies go: a queue, direct reply-to, a key of `tg.replies`; and what happens when the asker
//! is gone.

use queuegram_tests::stage::{Caller, Listener, Scene};
use serde_json::json;

use crate::expect::done;

const INSTANCE: &str = "acme-sales";

#[tokio::test(flavor = "multi_thread")]
async fn replies_go_where_the_caller_says() {
    let scene = Scene::open("replies").await.unwrap();
    scene.connect(INSTANCE).await.unwrap();

    let direct = Caller::connect_direct(&scene.vhost.amqp_url).await.unwrap();
    done(&direct.call(INSTANCE, "direct", "group.create", json!({ "title": "a" })).await.unwrap());

    let on_key = Listener::on(&scene.vhost.amqp_url, "tg.replies", "crm.deals").await.unwrap();
    let body = json!({
        "id": "key", "params": { "title": "b" },
        "reply_to": { "exchange": "tg.replies", "routing_key": "crm.deals" },
    });
    let body = serde_json::to_vec(&body).unwrap();
    let none = lapin::BasicProperties::default();
    scene.caller.publish("tg.commands", "acme-sales.group.create", none, &body).await.unwrap();
    let reply = on_key.wait("the reply", |message| message.json()["id"] == "key").await.unwrap();
    done(&reply.json());
    assert_eq!(reply.routing_key, "crm.deals");

    // The property wins over the body, because frameworks set it and people forget it.
    let mut body = json!({ "id": "both", "params": { "title": "c" } });
    body["reply_to"] = json!("not-this-one");
    scene.caller.send_body(INSTANCE, "group.create", &body).await.unwrap();
    done(&scene.caller.reply("both").await.unwrap().json());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_left_holds_nobody_up_and_is_told_as_an_event() {
    let scene = Scene::open("left").await.unwrap();
    scene.connect(INSTANCE).await.unwrap();
    let results = scene.results().await.unwrap();
    let events = scene.events().await.unwrap();

    let gone = scene.caller.properties().with_reply_to("gone-for-ever".into());
    let body = serde_json::to_vec(&json!({ "id": "gone", "params": { "title": "a" } })).unwrap();
    scene.caller.publish("tg.commands", "acme-sales.group.create", gone, &body).await.unwrap();
    let next = json!({ "title": "b" });
    done(&scene.caller.call(INSTANCE, "next", "group.create", next).await.unwrap());

    let result =
        results.wait("its result", |message| message.json()["id"] == "gone").await.unwrap();
    done(&result.json());
    let told = |message: &queuegram_tests::stage::Message| {
        message.json()["event"] == "reply.undeliverable" && message.json()["command_id"] == "gone"
    };
    events.wait("reply.undeliverable", told).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_callers_trace_goes_on_in_the_reply() {
    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    let scene = Scene::open("trace").await.unwrap();
    scene.connect(INSTANCE).await.unwrap();
    let mut headers = lapin::types::FieldTable::default();
    let parent = format!("00-{TRACE}-b7ad6b7169203331-01");
    headers
        .insert("traceparent".into(), lapin::types::AMQPValue::LongString(parent.as_str().into()));
    let properties = scene.caller.properties().with_headers(headers);
    let properties_again = properties.clone();
    let body = serde_json::to_vec(&json!({ "id": "traced", "params": { "title": "a" } })).unwrap();
    scene
        .caller
        .publish("tg.commands", "acme-sales.group.create", properties, &body)
        .await
        .unwrap();
    let reply = scene.caller.reply("traced").await.unwrap();
    done(&reply.json());
    let traceparent = reply.header("traceparent").unwrap();
    assert!(traceparent.contains(TRACE) && traceparent != parent, "{traceparent}");

    // What is worth a line in the log carries the trace too.
    let properties = properties_again.with_correlation_id("refused".into());
    let body = br#"{"id":"refused","method":"group.explode"}"#;
    scene.caller.publish("tg.commands", "acme-sales.command", properties, body).await.unwrap();
    scene.caller.reply("refused").await.unwrap();
    let logs = scene.logs();
    let line = logs.lines().find(|line| line.contains(TRACE)).unwrap_or_else(|| panic!("{logs}"));
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!(line["trace_id"], TRACE, "{line}");
}
