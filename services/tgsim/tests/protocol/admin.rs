//! The admin port over HTTP: what it makes, what it tells, what it refuses and how.

use std::net::SocketAddr;

use grammers_tl_types::{Serializable, enums, functions as f, types};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::{Server, create};

/// One HTTP request: status and body.
async fn http(address: SocketAddr, method: &str, path: &str, body: &str) -> (u16, Value) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: tgsim\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len(),
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    (status, serde_json::from_str(body).unwrap())
}

async fn post(server: &Server, path: &str, body: Value) -> (u16, Value) {
    http(server.running.admin, "POST", path, &body.to_string()).await
}

async fn get(server: &Server, path: &str) -> (u16, Value) {
    http(server.running.admin, "GET", path, "").await
}

#[tokio::test]
async fn a_user_is_made_logs_in_and_is_shown() {
    let server = Server::start().await;
    let (status, made) = post(
        &server,
        "/users",
        json!({ "phone": "+7 999 100-10-10", "first_name": "Ann", "username": "ann_tg",
                "privacy": { "invite": "nobody" }, "contacts": ["+79991001011"] }),
    )
    .await;
    assert_eq!(status, 200);
    let id = made["id"].as_i64().unwrap();
    assert_eq!(get(&server, &format!("/users/{id}/code")).await.0, 400, "no code was sent yet");
    let mut client = server.client().await;
    client.login(&server, "79991001010", tgsim::world::UserId(id)).await;
    let (_, shown) = get(&server, &format!("/users/{id}")).await;
    assert_eq!(shown["privacy"]["invite"], "nobody");
    assert_eq!(shown["username"], "ann_tg");
    assert_eq!(shown["logins"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_wrong_field_is_named() {
    let server = Server::start().await;
    post(&server, "/users", json!({ "phone": "79991002001", "first_name": "A" })).await;
    for (path, body, field) in [
        ("/users", json!({ "phone": "79991002002" }), "first_name"),
        ("/users", json!({ "phone": "1", "first_name": "A" }), "phone"),
        ("/users", json!({ "phone": "79991002001", "first_name": "A" }), "phone"),
        ("/users", json!({ "phone": "79991002002", "first_name": "A", "nmae": 1 }), "nmae"),
        (
            "/users",
            json!({ "phone": "79991002002", "first_name": "A", "username": "x" }),
            "username",
        ),
        ("/users", json!({ "phone": "79991002002", "first_name": "A", "dc": 9 }), "dc"),
        (
            "/users",
            json!({ "phone": "79991002002", "first_name": "A", "privacy": { "invite": "all" } }),
            "privacy.invite",
        ),
        ("/users/7/scan", json!({ "token": "AAAA" }), "id"),
        (
            "/script",
            json!({ "match": { "request": "no.such" }, "then": { "flood": 1 } }),
            "match.request",
        ),
        ("/script", json!({ "match": {}, "then": { "flod": 1 } }), "then"),
        ("/script", json!({ "match": { "usr_id": 1 }, "then": { "flood": 1 } }), "match.usr_id"),
        ("/clock", json!({ "advance_s": -1 }), "advance_s"),
        ("/clock", json!({}), "advance_s"),
    ] {
        let (status, answer) = post(&server, path, body.clone()).await;
        assert_eq!(
            (status, &answer["error"]["field"]),
            (400, &json!(field)),
            "{path} {body}: {answer}"
        );
        assert!(answer["error"]["message"].is_string());
    }
    assert_eq!(get(&server, "/journal?aftr=1").await.1["error"]["field"], "aftr");
    assert_eq!(get(&server, "/journal?after=x").await.1["error"]["field"], "after");
    assert_eq!(get(&server, "/nothing").await.0, 404);
    assert_eq!(http(server.running.admin, "POST", "/users", "not json").await.0, 400);
}

#[tokio::test]
async fn the_journal_tells_effects_and_waits_for_news() {
    let server = Server::start().await;
    let mut client = server.logged_in("79991003001").await;
    let last = get(&server, "/journal?after=0").await.1["last"].as_u64().unwrap();
    let admin = server.running.admin;
    let waiting = tokio::spawn(async move {
        http(admin, "GET", &format!("/journal?after={last}&wait_ms=20000"), "").await
    });
    client.call(&create("Deal 77")).await.unwrap();
    let (_, news) = waiting.await.unwrap();
    let entry = &news["entries"][0];
    assert_eq!(entry["n"], last + 1);
    assert_eq!(entry["request"], "channels.createChannel");
    assert_eq!(entry["error"], Value::Null);
    assert!(entry["auth_key_id"].is_string() && entry["connection"].is_u64());
    assert!(entry["effect"].to_string().contains("Deal 77"), "{entry}");
    let (_, nothing) = get(&server, &format!("/journal?after={}&wait_ms=50", last + 1)).await;
    assert_eq!(nothing["entries"], json!([]));
}

#[tokio::test]
async fn a_qr_code_is_scanned() {
    let server = Server::start().await;
    let user = server.user("79991004001");
    let mut client = server.client().await;
    let request = f::auth::ExportLoginToken { api_id: 1, api_hash: "h".into(), except_ids: vec![] };
    let shown = client.call(&request).await.unwrap();
    let enums::auth::LoginToken::Token(shown) = shown else { panic!("{shown:?}") };
    let token =
        base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, &shown.token);
    let path = format!("/users/{}/scan", user.0);
    let (status, _) = post(&server, &path, json!({ "token": token })).await;
    assert_eq!(status, 200);
    client.wait_for::<types::UpdateShort>().await;
    let done = client.call(&request).await.unwrap();
    assert!(matches!(done, enums::auth::LoginToken::Success(_)), "{done:?}");
    let (status, again) = post(&server, &path, json!({ "token": token })).await;
    assert_eq!((status, &again["error"]["field"]), (400, &json!("token")));
}

#[tokio::test]
async fn people_act_without_a_client() {
    let server = Server::start().await;
    let mut client = server.logged_in("79991005001").await;
    let other = server.user("79991005002");
    client.call(&create("Club")).await.unwrap();
    let group = get(&server, "/state").await.1["groups"][0].clone();
    let chat_id = group["chat_id"].as_i64().unwrap();
    assert_eq!((&group["title"], &group["kind"]), (&json!("Club"), &json!("supergroup")));
    let peer = server.running.hub.with(|sim| {
        let me = *sim.world.phones.get("79991005001").unwrap();
        let channel = *sim.world.channels.keys().next().unwrap();
        let access_hash = sim.world.access_hash(me, channel);
        types::InputPeerChannel { channel_id: channel.0, access_hash }.into()
    });
    let request = f::messages::ExportChatInvite {
        legacy_revoke_permanent: false,
        request_needed: false,
        peer,
        expire_date: None,
        usage_limit: Some(1),
        title: None,
        subscription_pricing: None,
    };
    client.call(&request).await.unwrap();
    let links = get(&server, &format!("/groups/{chat_id}")).await.1["links"].clone();
    let link = links.as_array().unwrap().iter().find(|link| link["usage_limit"] == 1).unwrap();
    let joined =
        post(&server, &format!("/users/{}/join", other.0), json!({ "link": link["link"] })).await;
    assert_eq!(joined, (200, json!({ "joined": true })));
    let said = json!({ "chat_id": chat_id, "text": "Hello" });
    assert_eq!(post(&server, &format!("/users/{}/send", other.0), said).await.0, 200);
    let group = get(&server, &format!("/groups/{chat_id}")).await.1;
    assert_eq!(group["members"].as_array().unwrap().len(), 2);
    let third = server.user("79991005003");
    let full =
        post(&server, &format!("/users/{}/join", third.0), json!({ "link": link["link"] })).await;
    assert_eq!((full.0, &full.1["error"]["field"]), (400, &json!("link")));
    let left =
        post(&server, &format!("/users/{}/leave", other.0), json!({ "chat_id": chat_id })).await;
    assert_eq!(left, (200, json!({ "left": true })));
    let group = get(&server, &format!("/groups/{chat_id}")).await.1;
    assert_eq!(group["members"].as_array().unwrap().len(), 1);
    client.send(f::Ping { ping_id: 1 }.to_bytes()).await;
    client.wait_for::<types::Pong>().await;
    assert!(!client.updates.is_empty(), "the owner's client was told");
}

#[tokio::test]
async fn a_reset_leaves_an_empty_world() {
    let server = Server::start().await;
    let mut client = server.logged_in("79991006001").await;
    client.call(&create("Gone")).await.unwrap();
    server.script(r#"{"then":{"flood":1}}"#);
    assert_eq!(post(&server, "/reset", json!({})).await.0, 200);
    assert!(client.is_closed().await);
    let (_, state) = get(&server, "/state").await;
    assert_eq!((&state["groups"], &state["auth_keys"]), (&json!([]), &json!(0)));
    let mut client = server.logged_in("79991006001").await;
    client.call(&create("New")).await.unwrap();
}
