//! The examples of commands are sent as they stand in the manual, and what a running system shows of
//! itself stands in the documents for those who run it.

use lapin::BasicProperties;
use queuegram_tests::stage::{Listener, Scene};
use serde_json::{Value, json};

use super::page::Page;
use crate::expect::done;

const INSTANCE: &str = "acme-sales";
const REPLIES: &str = "crm.replies";

/// An example: a few lines `property: value`, a blank one, the body.
struct Example {
    exchange: String,
    routing_key: String,
    properties: BasicProperties,
    body: String,
    id: String,
    correlation: Option<String>,
}

fn read(block: &str) -> Example {
    let (head, body) = block.split_once("\n\n").unwrap();
    let json: Value = serde_json::from_str(body).unwrap();
    let text = |name: &str| json[name].as_str().map(str::to_owned);
    let mut example = Example {
        exchange: String::new(),
        routing_key: String::new(),
        properties: BasicProperties::default(),
        body: body.to_owned(),
        id: String::new(),
        correlation: text("correlation_id"),
    };
    for line in head.lines() {
        let (name, value) = line.split_once(':').unwrap();
        let value = value.trim();
        let properties = example.properties.clone();
        match name {
            "exchange" => value.clone_into(&mut example.exchange),
            "routing_key" => value.clone_into(&mut example.routing_key),
            "content_type" => example.properties = properties.with_content_type(value.into()),
            "message_id" => {
                value.clone_into(&mut example.id);
                example.properties = properties.with_message_id(value.into());
            }
            "correlation_id" => {
                example.correlation = Some(value.to_owned());
                example.properties = properties.with_correlation_id(value.into());
            }
            "reply_to" => example.properties = properties.with_reply_to(value.into()),
            "expiration" => example.properties = properties.with_expiration(value.into()),
            "type" => example.properties = properties.with_type(value.into()),
            "delivery_mode" => {
                example.properties = properties.with_delivery_mode(value.parse().unwrap());
            }
            other => panic!("no property: {other}"),
        }
    }
    example.id = text("id").unwrap_or(example.id);
    example
}

#[tokio::test(flavor = "multi_thread")]
async fn every_example_of_a_command_is_carried_out() {
    let examples: Vec<Example> =
        Page::read("docs/commands.md").blocks("amqp").iter().map(|block| read(block)).collect();
    assert!(examples.len() > 5);
    let scene = Scene::open("docs").await.unwrap();
    scene.connect(INSTANCE).await.unwrap();
    scene.person(json!({ "username": "client_ann" })).await.unwrap();
    let ctl = scene.ctl().await.unwrap();
    ctl.ok(&["queue", "add", REPLIES]).await.unwrap();
    let replies = Listener::on_queue(&scene.vhost.amqp_url, REPLIES).await.unwrap();
    for example in examples {
        let Example { exchange, routing_key, properties, body, id, correlation } = example;
        let publish = scene.caller.publish(&exchange, &routing_key, properties, body.as_bytes());
        publish.await.unwrap();
        let reply = replies.wait(&id, |message| message.json()["id"] == *id).await.unwrap();
        done(&reply.json());
        assert_eq!(reply.json()["correlation_id"].as_str(), correlation.as_deref(), "{id}");
    }
    what_it_shows_is_documented(&scene).await;
}

/// Every series of a worker that has worked, every name that the topology has on the broker.
async fn what_it_shows_is_documented(scene: &Scene) {
    let operations = Page::read("docs/operations.md");
    let metrics = scene.workers[0].metrics().await.unwrap();
    let series: Vec<&str> = metrics
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next())
        .collect();
    assert!(series.contains(&"queuegram_telegram_calls_total"), "{series:?}");
    for name in series {
        assert!(operations.has_word(name), "docs/operations.md does not tell of {name}");
    }
    let printed = scene.ctl().await.unwrap().ok(&["topology", "--print"]).await.unwrap();
    let names = printed.split_whitespace().filter_map(|word| word.strip_prefix("name="));
    let policies = printed.lines().filter(|line| line.contains(" set_policy "));
    let policies =
        policies.filter_map(|line| line.split_whitespace().find(|word| word.starts_with("tg-")));
    let all: Vec<&str> = names.chain(policies).collect();
    assert!(all.len() > 15, "{all:?}");
    for name in all {
        assert!(operations.has_word(name), "docs/operations.md does not tell of {name}");
    }
}
