//! Clients that are not ours send a command in each accepted style, and read the reply.

use std::collections::BTreeMap;

use queuegram_tests::stage::Scene;
use queuegram_tests::stage::witness::{Language, testify};
use serde_json::{Value, json};

use crate::expect::{assert_holds, count, holds};

const INSTANCE: &str = "acme-sales";

/// Each style, and whether its correlation id comes as a property (else in the body).
const STYLES: [(&str, bool); 6] = [
    ("properties_only", true),
    ("body_only", false),
    ("camunda", true),
    ("flat", false),
    ("n8n", false),
    ("foreign", false),
];

#[tokio::test(flavor = "multi_thread")]
async fn aio_pika_is_understood_in_every_style() {
    every_style(Language::Python, "callers.py", "py").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn amqplib_is_understood_in_every_style() {
    every_style(Language::Node, "callers.mjs", "js").await;
}

async fn every_style(language: Language, script: &str, word: &str) {
    let scene = Scene::open("styles").await.unwrap();
    scene.connect(INSTANCE).await.unwrap();
    let member = scene.person(json!({ "first_name": "Anna" })).await.unwrap();
    // Telegram takes a bare number only for people whom the account has met.
    let met = json!({ "title": "met", "members": [member.phone], "import_contacts": true });
    let met = scene.caller.call(INSTANCE, "met", "group.create", met).await.unwrap();
    assert_holds(&met, &json!({ "status": "done" }));
    let results = scene.results().await.unwrap();
    let mark = scene.tgsim.mark().await.unwrap();

    let env = [
        ("AMQP_URL".to_owned(), scene.vhost.amqp_url.clone()),
        ("INSTANCE".to_owned(), INSTANCE.to_owned()),
        ("MEMBER".to_owned(), member.id.to_string()),
    ];
    let said = testify(language, script, &[], &env).await.unwrap();
    let replies: BTreeMap<String, Value> = said
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|reply| (reply["style"].as_str().unwrap().to_owned(), reply))
        .collect();

    let effects = scene.tgsim.effects_after(mark).await.unwrap();
    for (style, correlation_as_property) in STYLES {
        let reply = &replies[style];
        let id = format!("{word}:{style}");
        // Echoed where it came from, and at most also in the other place.
        let correlation = json!(format!("c-{style}"));
        let (there, elsewhere) = match correlation_as_property {
            true => ("properties", "body"),
            false => ("body", "properties"),
        };
        assert_eq!(reply[there]["correlation_id"], correlation, "{reply:#}");
        let other = &reply[elsewhere]["correlation_id"];
        assert!(other.is_null() || *other == correlation, "{reply:#}");
        assert_holds(
            &reply["properties"],
            &json!({
                "content_type": "application/json",
                "message_id": format!("{INSTANCE}:{id}:result"),
                "type": "group.create.result",
                "delivery_mode": 2,
            }),
        );
        assert_holds(
            &reply["body"],
            &json!({
                "v": 1, "event": "group.create.result", "id": id, "instance": INSTANCE,
                "method": "group.create", "ok": true, "status": "done", "error_code": null,
            }),
        );
        let created = json!({
            "kind": "chat.created", "title": format!("{word} {style}"), "chat_id": reply["body"]["chat_id"],
        });
        assert_eq!(count(&effects, &created), 1, "{style}: {effects:#?}");
        let message = results
            .wait(style, |message| holds(&message.json(), &json!({ "id": id })))
            .await
            .unwrap();
        assert_eq!(message.routing_key, format!("{INSTANCE}.group.create.done"));
    }
    let members = json!({ "kind": "chat.member_added", "user_id": member.id });
    assert_eq!(count(&effects, &members), 3, "body_only, flat and n8n name a member: {effects:#?}");
    assert!(!scene.logs().contains("canary-api-key"), "an API key is in the worker's log");
}
