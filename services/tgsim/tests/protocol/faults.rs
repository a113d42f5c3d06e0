//! The script: what each fault does, and what it leaves undone.

use grammers_tl_types::{Serializable, functions as f};

use crate::client::{Server, create};

const CREATE: &str = "channels.createChannel";

fn rule(then: &str) -> String {
    format!(r#"{{"match":{{"request":"{CREATE}"}},"times":1,"then":{then}}}"#)
}

fn groups(server: &Server) -> usize {
    server.running.hub.with(|sim| sim.world.channels.len())
}

#[tokio::test]
async fn a_flood_and_an_error_are_answers_and_nothing_is_executed() {
    let server = Server::start().await;
    let mut client = server.logged_in("79993001").await;
    server.script(&rule(r#"{"flood":30}"#));
    server.script(&rule(r#"{"error":[400,"PEER_FLOOD"]}"#));
    let flood = client.call(&create("A")).await.unwrap_err();
    assert_eq!(flood, (420, "FLOOD_WAIT_30".to_owned()));
    let error = client.call(&create("A")).await.unwrap_err();
    assert_eq!(error, (400, "PEER_FLOOD".to_owned()));
    assert_eq!(groups(&server), 0);
    client.call(&create("A")).await.unwrap();
    assert_eq!(groups(&server), 1);
    let told = server.journal(CREATE);
    assert_eq!(told, [Some("FLOOD_WAIT_30".into()), Some("PEER_FLOOD".into()), None]);
}

#[tokio::test]
async fn a_rule_for_somebody_else_does_not_matter() {
    let server = Server::start().await;
    let mut client = server.logged_in("79993002").await;
    server.script(r#"{"match":{"user_id":1},"then":{"flood":30}}"#);
    client.call(&create("A")).await.unwrap();
}

#[tokio::test]
async fn cut_before_means_not_executed() {
    let server = Server::start().await;
    let mut client = server.logged_in("79993003").await;
    server.script(&rule(r#"{"cut":"before"}"#));
    let id = client.next_id();
    client.send_raw(id, 101, create("A").to_bytes()).await;
    assert!(client.is_closed().await);
    assert_eq!(groups(&server), 0);
    // The same message on the next connection is as good as new.
    let mut again = client.again(&server, true).await;
    again.send_raw(id, 101, create("A").to_bytes()).await;
    again.answer(id).await.1.unwrap();
    assert_eq!(groups(&server), 1);
}

#[tokio::test]
async fn cut_after_means_executed_and_the_answer_waits_for_the_session() {
    let server = Server::start().await;
    let mut client = server.logged_in("79993004").await;
    server.script(&rule(r#"{"cut":"after"}"#));
    let id = client.send(create("A").to_bytes()).await;
    assert!(client.is_closed().await);
    assert_eq!(groups(&server), 1);
    let mut stranger = client.again(&server, false).await;
    stranger.call(&f::updates::GetState {}).await.unwrap();
    drop(stranger);
    let mut again = client.again(&server, true).await;
    again.send(f::Ping { ping_id: 1 }.to_bytes()).await;
    again.answer(id).await.1.unwrap();
    assert_eq!(groups(&server), 1);
}

#[tokio::test]
async fn an_error_after_comes_although_it_was_executed() {
    let server = Server::start().await;
    let mut client = server.logged_in("79993009").await;
    server.script(&rule(r#"{"error_after":[500,"INTERDC_1_CALL_ERROR"]}"#));
    let error = client.call(&create("A")).await.unwrap_err();
    assert_eq!(error, (500, "INTERDC_1_CALL_ERROR".to_owned()));
    assert_eq!(groups(&server), 1);
    let entries = server.running.hub.with(|sim| sim.journal.after(0, usize::MAX));
    let told = entries.iter().find(|e| e.request.as_deref() == Some(CREATE)).unwrap();
    assert!(!told.effect.is_null() && told.error.as_deref() == Some("INTERDC_1_CALL_ERROR"));
}

#[tokio::test]
async fn a_transport_error_meets_any_message_and_the_key_is_good_afterwards() {
    let server = Server::start().await;
    let mut client = server.logged_in("79993010").await;
    server.script(r#"{"times":2,"then":{"transport":-404}}"#);
    client.send(f::Ping { ping_id: 1 }.to_bytes()).await;
    assert_eq!(client.raw(8).await[4..], (-404_i32).to_le_bytes());
    assert!(client.is_closed().await);
    let mut again = client.again(&server, false).await;
    again.send(create("A").to_bytes()).await;
    assert_eq!(again.raw(8).await[4..], (-404_i32).to_le_bytes());
    assert_eq!(groups(&server), 0);
    let mut third = client.again(&server, false).await;
    third.call(&create("A")).await.unwrap();
    assert_eq!(groups(&server), 1);
}

#[tokio::test]
async fn a_transport_error_may_be_for_one_request() {
    let server = Server::start().await;
    let mut client = server.logged_in("79993011").await;
    server.script(&rule(r#"{"transport":-404}"#));
    client.call(&f::updates::GetState {}).await.unwrap();
    client.send(create("A").to_bytes()).await;
    assert!(client.is_closed().await);
    assert_eq!((groups(&server), server.journal(CREATE).len()), (0, 1));
}

#[tokio::test]
async fn a_delayed_request_does_not_hold_up_others() {
    let server = Server::start().await;
    let mut client = server.logged_in("79993005").await;
    server.script(&rule(r#"{"delay_ms":300}"#));
    let slow = client.send(create("A").to_bytes()).await;
    client.call(&f::help::GetNearestDc {}).await.unwrap();
    assert_eq!(groups(&server), 0);
    client.answer(slow).await.1.unwrap();
    assert_eq!(groups(&server), 1);
}

#[tokio::test]
async fn a_moved_account_is_sent_to_its_dc() {
    let server = Server::start().await;
    let mut client = server.logged_in("79993006").await;
    server.script(&rule(r#"{"migrate_dc":3}"#));
    let error = client.call(&create("A")).await.unwrap_err();
    assert_eq!(error, (303, "USER_MIGRATE_3".to_owned()));
    assert_eq!(client.refused(&f::updates::GetState {}).await, "USER_MIGRATE_3");
    assert_eq!(groups(&server), 0);
}

#[tokio::test]
async fn a_login_taken_away_is_told_until_the_next_login() {
    let server = Server::start().await;
    let mut client = server.logged_in("79993007").await;
    server.script(&rule(r#"{"log_out":true}"#));
    let error = client.call(&create("A")).await.unwrap_err();
    assert_eq!(error, (401, "SESSION_REVOKED".to_owned()));
    assert_eq!(client.refused(&f::updates::GetState {}).await, "SESSION_REVOKED");
    let user = server.running.hub.with(|sim| *sim.world.phones.get("79993007").unwrap());
    client.login(&server, "79993007", user).await;
    client.call(&create("A")).await.unwrap();
}

#[tokio::test]
async fn a_half_open_connection_is_silent_and_a_new_one_is_not() {
    let server = Server::start().await;
    let mut client = server.logged_in("79993008").await;
    server.script(&rule(r#"{"half_open":true}"#));
    client.send(create("A").to_bytes()).await;
    client.send(f::Ping { ping_id: 1 }.to_bytes()).await;
    let mut other = client.again(&server, false).await;
    other.call(&create("B")).await.unwrap();
    other.call(&f::updates::GetState {}).await.unwrap();
    assert_eq!(groups(&server), 1);
    server.running.shutdown().await;
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn stopping_closes_every_connection() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let address = server.address();
    server.running.shutdown().await;
    assert!(client.is_closed().await);
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}
