//! What bad input gets: one clear error reply where there is anywhere to reply to; never a crash,
//! never a loop, never silence.

use lapin::BasicProperties;
use queuegram_tests::stage::{Scene, patience};
use serde_json::{Value, json};

use crate::expect::{assert_holds, count, done};

const INSTANCE: &str = "acme-sales";

/// One message that can't be carried out, and what its sender is told.
struct Row {
    /// Also its `correlation_id`, by which the reply is found.
    name: &'static str,
    key: &'static str,
    body: Vec<u8>,
    kind: &'static str,
    code: &'static str,
    /// Words that the message must hold: what is wrong, and with which field.
    words: &'static [&'static str],
}

fn row(
    name: &'static str,
    key: &'static str,
    body: impl Into<Vec<u8>>,
    (kind, code): (&'static str, &'static str),
    words: &'static [&'static str],
) -> Row {
    Row { name, key, body: body.into(), kind, code, words }
}

fn create(name: &str, extra: &Value) -> Vec<u8> {
    let mut body = json!({ "id": name, "method": "group.create", "instance": INSTANCE, "params": { "title": "x" } });
    body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    serde_json::to_vec(&body).unwrap()
}

fn rows() -> Vec<Row> {
    const CREATE: &str = "acme-sales.group.create";
    const COMMAND: &str = "acme-sales.command";
    let deep =
        format!("{{\"id\":\"deep\",\"params\":{}1{}}}", "{\"a\":".repeat(64), "}".repeat(64));
    let large = create("large", &json!({ "params": { "title": "x".repeat(300 * 1024) } }));
    vec![
        row("not_json", COMMAND, "{\"id\": nonsense", ("malformed", "NOT_JSON"), &[]),
        row("not_an_object", COMMAND, "[1,2]", ("malformed", "NOT_AN_OBJECT"), &[]),
        row("not_utf8", COMMAND, b"{\"id\":\"\xff\xfe\"}".to_vec(), ("malformed", "NOT_UTF8"), &[]),
        row("no_id", CREATE, r#"{"params":{"title":"x"}}"#, ("malformed", "ID_MISSING"), &["id"]),
        row("deep", CREATE, deep, ("malformed", "TOO_DEEP"), &["32"]),
        row("large", CREATE, large, ("malformed", "TOO_LARGE"), &["262144"]),
        row(
            "twice",
            CREATE,
            r#"{"id":"twice","params":{"title":"x"},"id":"twice-2"}"#,
            ("malformed", "DUPLICATE_FIELD"),
            &["id"],
        ),
        row(
            "unknown_method",
            COMMAND,
            r#"{"id":"unknown_method","method":"group.explode","params":{}}"#,
            ("invalid", "METHOD_UNKNOWN"),
            &["group.explode"],
        ),
        row(
            "no_method",
            COMMAND,
            r#"{"id":"no_method","params":{}}"#,
            ("invalid", "METHOD_MISSING"),
            &["method"],
        ),
        row(
            "unknown_field",
            CREATE,
            create("unknown_field", &json!({ "params": { "title": "x", "membres": [] } })),
            ("invalid", "PARAMS_INVALID"),
            &["membres"],
        ),
        row(
            "unknown_envelope_field",
            CREATE,
            create("unknown_envelope_field", &json!({ "dead_line": "2020-01-01T00:00:00Z" })),
            ("invalid", "FIELD_UNKNOWN"),
            &["dead_line"],
        ),
        row(
            "wrong_type",
            CREATE,
            create("wrong_type", &json!({ "params": { "title": 7 } })),
            ("invalid", "PARAMS_INVALID"),
            &["params.title", "7"],
        ),
        row(
            "wrong_element",
            CREATE,
            create(
                "wrong_element",
                &json!({ "params": { "title": "x", "members": ["@fine_name", {"a": 1}] } }),
            ),
            ("invalid", "PARAMS_INVALID"),
            &["members[1]"],
        ),
        row(
            "missing_param",
            CREATE,
            create("missing_param", &json!({ "params": {} })),
            ("invalid", "PARAMS_INVALID"),
            &["title"],
        ),
        row(
            "title_too_long",
            CREATE,
            create("title_too_long", &json!({ "params": { "title": "x".repeat(129) } })),
            ("invalid", "PARAMS_INVALID"),
            &["title", "128"],
        ),
        row(
            "two_methods",
            "acme-sales.group.rename",
            create("two_methods", &json!({})),
            ("invalid", "METHOD_AMBIGUOUS"),
            &["group.rename", "group.create"],
        ),
        row(
            "two_instances",
            CREATE,
            create("two_instances", &json!({ "instance": "acme-support" })),
            ("invalid", "INSTANCE_AMBIGUOUS"),
            &["acme-sales", "acme-support"],
        ),
        row(
            "past_deadline",
            CREATE,
            create("past_deadline", &json!({ "deadline": "2020-01-01T00:00:00Z" })),
            ("expired", "DEADLINE_PASSED"),
            &[],
        ),
        row(
            "bad_deadline",
            CREATE,
            create("bad_deadline", &json!({ "deadline": "tomorrow" })),
            ("invalid", "DEADLINE_INVALID"),
            &["deadline"],
        ),
        row(
            "callback",
            CREATE,
            create("callback", &json!({ "callback_url": "https://example.org/x" })),
            ("invalid", "CALLBACKS_UNAVAILABLE"),
            &["callback_url"],
        ),
        row(
            "unknown_instance",
            "nobody-here.group.create",
            r#"{"id":"unknown_instance","params":{"title":"x"}}"#,
            ("invalid", "INSTANCE_NOT_FOUND"),
            &["nobody-here"],
        ),
        row(
            "unknown_user",
            "acme-sales.user.common_groups",
            r#"{"id":"unknown_user","params":{"user":"@nobody_of_that_name"}}"#,
            ("invalid", "USERNAME_NOT_OCCUPIED"),
            &["params.user"],
        ),
        row(
            "unknown_chat",
            "acme-sales.group.rename",
            r#"{"id":"unknown_chat","params":{"chat_id":-1009999999999,"title":"x"}}"#,
            ("invalid", "CHAT_NOT_FOUND"),
            &["-1009999999999"],
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_bad_input_gets_one_clear_answer() {
    let scene = Scene::open("bad").await.unwrap();
    scene.connect(INSTANCE).await.unwrap();
    let results = scene.results().await.unwrap();
    let mark = scene.tgsim.mark().await.unwrap();

    let rows = rows();
    for row in &rows {
        let properties = scene.caller.properties().with_correlation_id(row.name.into());
        scene.caller.publish("tg.commands", row.key, properties, &row.body).await.unwrap();
    }
    let mut wrong = Vec::new();
    for row in &rows {
        let is_answer =
            |message: &queuegram_tests::stage::Message| message.correlation_id() == Some(row.name);
        let reply = match scene.caller.replies().wait(row.name, is_answer).await {
            Ok(reply) => reply.json(),
            Err(error) => {
                wrong.push(format!("{}: {error}", row.name));
                continue;
            }
        };
        let message = reply["error_message"].as_str().unwrap_or_default();
        let fits = reply["ok"] == false
            && reply["status"] == "failed"
            && reply["error_kind"] == row.kind
            && reply["error_code"] == row.code
            && row.words.iter().all(|word| message.contains(word));
        if !fits {
            wrong.push(format!(
                "{}: wanted {} {} {:?}, got {reply:#}",
                row.name, row.kind, row.code, row.words
            ));
        }
        let on_results = results.wait(row.name, is_answer).await.unwrap();
        assert_eq!(on_results.json(), reply, "{}", row.name);
    }
    assert!(wrong.is_empty(), "{} of {} rows:\n{}", wrong.len(), rows.len(), wrong.join("\n"));

    // The queue goes on behind them, nothing was done, and nothing goes round in circles.
    let fine = json!({ "title": "fine" });
    done(&scene.caller.call(INSTANCE, "fine", "group.create", fine).await.unwrap());
    let effects = scene.tgsim.effects_after(mark).await.unwrap();
    assert_eq!(count(&effects, &json!({ "kind": "chat.created" })), 1, "{effects:#?}");
    for row in &rows {
        let replies = scene.caller.replies().all();
        let count = replies.iter().filter(|m| m.correlation_id() == Some(row.name)).count();
        assert_eq!(count, 1, "{}", row.name);
    }
    let malformed = rows.iter().filter(|row| row.kind == "malformed").count();
    patience::until(
        "tg.dead keeps what was malformed, the other queues are empty",
        patience::USUAL,
        || async {
            let kept = scene.caller.look("tg.dead").await?.ready as usize == malformed;
            let mut empty = true;
            for queue in ["tg.commands.acme-sales", "tg.unrouted", "tg.undelivered"] {
                empty &= scene.caller.look(queue).await?.ready == 0;
            }
            Ok((kept && empty).then_some(()))
        },
    )
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_to_that_is_ours_is_refused_and_told_on_results() {
    let scene = Scene::open("reply-to").await.unwrap();
    scene.connect(INSTANCE).await.unwrap();
    let results = scene.results().await.unwrap();
    for (name, reply_to) in [
        ("queue", json!("tg.commands.acme-sales")),
        (
            "exchange",
            json!({ "exchange": "tg.commands", "routing_key": "acme-sales.group.delete" }),
        ),
    ] {
        let body = create(name, &json!({ "reply_to": reply_to }));
        let key = "acme-sales.group.create";
        scene.caller.publish("tg.commands", key, BasicProperties::default(), &body).await.unwrap();
        let result = results.wait(name, |message| message.json()["id"] == name).await.unwrap();
        assert_holds(
            &result.json(),
            &json!({ "status": "failed", "error_kind": "invalid", "error_code": "REPLY_TO_FORBIDDEN" }),
        );
    }
    done(
        &scene
            .caller
            .call(INSTANCE, "fine", "group.create", json!({ "title": "x" }))
            .await
            .unwrap(),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_no_admin_is_told_so() {
    let scene = Scene::open("no-admin").await.unwrap();
    let sales = json!({ "first_name": "Sales", "username": "acme_sales_manager" });
    scene.connect_as(INSTANCE, sales, None).await.unwrap();
    scene.connect("acme-support").await.unwrap();
    let params = json!({ "title": "Of support", "members": [{ "instance": INSTANCE }] });
    let made = scene.caller.call("acme-support", "made", "group.create", params).await.unwrap();
    let chat = done(&made);
    let mark = scene.tgsim.mark().await.unwrap();

    let params = json!({ "chat_id": chat, "usage_limit": 1 });
    let reply = scene.caller.call(INSTANCE, "link", "group.get_invite_link", params).await.unwrap();
    assert_holds(
        &reply,
        &json!({
            "status": "failed", "error_kind": "forbidden", "error_code": "CHAT_ADMIN_REQUIRED",
            "retryable": false,
        }),
    );
    let effects = scene.tgsim.effects_after(mark).await.unwrap();
    assert_eq!(count(&effects, &json!({ "kind": "link.created" })), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_asks_for_its_api_key_gets_it_or_refuses() {
    let scene = Scene::open("api-key").await.unwrap();
    let person = scene.person(json!({ "first_name": "Manager" })).await.unwrap();
    let ctl = scene.ctl().await.unwrap();
    let added = ctl.json(&["instance", "add", INSTANCE, "--require-api-key"]).await.unwrap();
    let key =
        added["api_key"].as_str().unwrap_or_else(|| panic!("no api_key in {added}")).to_owned();
    ctl.login(INSTANCE, &person.phone, None, &scene.tgsim, person.id).await.unwrap();

    for (id, given, code) in [
        ("none", Value::Null, Some("API_KEY_MISSING")),
        ("wrong", json!("qg_wrong-key"), Some("API_KEY_WRONG")),
        ("right", json!(key), None),
    ] {
        let mut body = json!({ "id": id, "params": { "title": id } });
        if !given.is_null() {
            body["api_key"] = given;
        }
        scene.caller.send_body(INSTANCE, "group.create", &body).await.unwrap();
        let reply = scene.caller.reply(id).await.unwrap().json();
        match code {
            Some(code) => {
                assert_holds(&reply, &json!({ "error_kind": "forbidden", "error_code": code }));
            }
            None => {
                done(&reply);
            }
        }
    }
    assert!(!scene.logs().contains(&key), "the API key is in the worker's log");
}
