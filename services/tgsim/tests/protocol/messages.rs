//! Salts, message ids, sequence numbers, containers, acknowledgements, repetition.

use grammers_tl_types::{Serializable, enums, functions as f, types};
use tgsim::wire::message::{pack, write_container};
use tgsim::wire::msg_id::{from_time, now_ns};

use crate::client::{Server, create, init};

const S: i64 = 1_000_000_000;

#[tokio::test]
async fn a_wrong_salt_is_told_and_nothing_is_executed() {
    let server = Server::start().await;
    let mut client = server.client().await;
    client.identity.as_mut().unwrap().salt ^= 1;
    let id = client.send(f::help::GetNearestDc {}.to_bytes()).await;
    let told: types::BadServerSalt = client.wait_for().await;
    assert_eq!((told.bad_msg_id, told.error_code), (id, 48));
    assert_eq!(server.journal("help.getNearestDc").len(), 0);
    client.identity.as_mut().unwrap().salt = told.new_server_salt;
    client.call(&f::help::GetNearestDc {}).await.unwrap();
}

#[tokio::test]
async fn future_salts_are_several_and_the_first_is_good() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let id = client.send(f::GetFutureSalts { num: 1 }.to_bytes()).await;
    let salts: types::FutureSalts = client.wait_for().await;
    assert_eq!(salts.req_msg_id, id);
    assert!(salts.salts.0.len() >= 2);
    client.identity.as_mut().unwrap().salt = salts.salts.0[0].salt;
    client.call(&f::help::GetNearestDc {}).await.unwrap();
}

#[tokio::test]
async fn ids_and_sequence_numbers_that_can_not_be_are_refused() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let body = f::help::GetNearestDc {}.to_bytes();
    let ack = enums::MsgsAck::Ack(types::MsgsAck { msg_ids: vec![] }).to_bytes();
    let now = from_time(now_ns());
    for (id, seq_no, body, code) in [
        (from_time(now_ns() - 310 * S), 101, &body, 16),
        (from_time(now_ns() + 40 * S), 101, &body, 17),
        (now + 400 + 2, 101, &body, 18),
        (now + 404, 100, &body, 35),
        (now + 408, 101, &ack, 34),
        (now + (2 << 32), 1, &body, 32),
    ] {
        client.send_raw(id, seq_no, body.clone()).await;
        let told: types::BadMsgNotification = client.wait_for().await;
        assert_eq!((told.bad_msg_id, told.error_code), (id, code));
    }
    assert_eq!(server.journal("help.getNearestDc").len(), 0);
    client.call(&f::help::GetNearestDc {}).await.unwrap();
}

#[tokio::test]
async fn a_container_must_be_newer_than_what_it_holds() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let body = f::help::GetNearestDc {}.to_bytes();
    let (outer, inner) = (client.next_id(), client.next_id());
    client.send_raw(outer, 4, write_container(&[(inner, 3, &body)])).await;
    let told: types::BadMsgNotification = client.wait_for().await;
    assert_eq!((told.bad_msg_id, told.error_code), (outer, 64));
    let (inner, outer) = (client.next_id(), client.next_id());
    client.send_raw(outer, 4, write_container(&[(inner, 3, &body)])).await;
    client.answer(inner).await.1.unwrap();
    client.send_raw(outer, 4, write_container(&[(inner, 3, &body)])).await;
    let told: types::BadMsgNotification = client.wait_for().await;
    assert_eq!(told.error_code, 19);
}

#[tokio::test]
async fn a_repeated_request_is_answered_alike_and_executed_once() {
    let server = Server::start().await;
    let mut client = server.logged_in("79990001").await;
    let (id, body) = (client.next_id(), create("Once").to_bytes());
    client.send_raw(id, 101, body.clone()).await;
    let (first, _) = client.answer(id).await;
    client.acknowledge(vec![first.msg_id]).await;
    client.send_raw(id, 101, body).await;
    let (second, _) = client.answer(id).await;
    assert_eq!(first, second);
    assert_eq!(server.journal("channels.createChannel"), [None]);
}

#[tokio::test]
async fn what_was_not_acknowledged_comes_again_on_the_next_connection() {
    let server = Server::start().await;
    let mut client = server.logged_in("79990002").await;
    let kept = client.send(f::help::GetNearestDc {}.to_bytes()).await;
    let (kept_message, _) = client.answer(kept).await;
    let done = client.send(f::help::GetNearestDc {}.to_bytes()).await;
    let (done_message, _) = client.answer(done).await;
    client.acknowledge(vec![done_message.msg_id]).await;
    client.send(f::Ping { ping_id: 1 }.to_bytes()).await;
    client.wait_for::<types::Pong>().await;
    let mut other = client.again(&server, true).await;
    drop(client);
    other.send(f::Ping { ping_id: 2 }.to_bytes()).await;
    let (again, _) = other.answer(kept).await;
    assert_eq!(again, kept_message);
    // Nothing of what was acknowledged: the pong is the last that comes of it.
    other.wait_for::<types::Pong>().await;
    let id = other.send(f::help::GetNearestDc {}.to_bytes()).await;
    let (next, _) = other.answer(id).await;
    assert!(next.msg_id > again.msg_id);
}

#[tokio::test]
async fn a_new_session_is_announced_once() {
    let server = Server::start().await;
    let client = server.logged_in("79990003").await;
    let mut other = client.again(&server, false).await;
    let id = other.send(f::Ping { ping_id: 1 }.to_bytes()).await;
    let created: types::NewSessionCreated = other.wait_for().await;
    assert_eq!(created.first_msg_id, id);
    other.call(&f::help::GetNearestDc {}).await.unwrap();
}

#[tokio::test]
async fn packed_requests_are_read_and_large_answers_are_packed() {
    let server = Server::start().await;
    let mut client = server.logged_in("79990004").await;
    let mut request = create("Packed");
    request.about = "a".repeat(200);
    let mut body = request.to_bytes();
    body.extend([0; 2000]);
    let packed = pack(body.clone());
    assert!(packed.len() < body.len());
    let id = client.send(packed).await;
    client.answer(id).await.1.unwrap();
    let id = client.send(f::help::GetConfig {}.to_bytes()).await;
    client.answer(id).await.1.unwrap();
}

#[tokio::test]
async fn states_pings_sessions_and_repetition_on_demand() {
    let server = Server::start().await;
    let mut client = server.logged_in("79990005").await;
    let id =
        client.send(f::PingDelayDisconnect { ping_id: 7, disconnect_delay: 60 }.to_bytes()).await;
    let pong: types::Pong = client.wait_for().await;
    assert_eq!((pong.msg_id, pong.ping_id), (id, 7));

    let asked = client.send(f::help::GetNearestDc {}.to_bytes()).await;
    let (answer, _) = client.answer(asked).await;
    let request = types::MsgsStateReq { msg_ids: vec![asked, asked + 4_000_000] };
    client.send(enums::MsgsStateReq::Req(request).to_bytes()).await;
    let info: types::MsgsStateInfo = client.wait_for().await;
    assert_eq!(info.info, [76, 3]);

    let request = types::MsgResendReq { msg_ids: vec![answer.msg_id] };
    client.send(enums::MsgResendReq::Req(request).to_bytes()).await;
    assert_eq!(client.answer(asked).await.0, answer);

    let other = client.again(&server, false).await.identity.unwrap().session_id;
    client.send(f::DestroySession { session_id: other }.to_bytes()).await;
    let none: types::DestroySessionNone = client.wait_for().await;
    assert_eq!(none.session_id, other);
    let mine = client.identity.as_ref().unwrap().session_id;
    let mut second = client.again(&server, false).await;
    second.call(&f::help::GetNearestDc {}).await.unwrap();
    second.send(f::DestroySession { session_id: mine }.to_bytes()).await;
    second.wait_for::<types::DestroySessionOk>().await;
}

#[tokio::test]
async fn a_client_that_stops_pinging_is_disconnected() {
    let server = Server::start().await;
    let mut client = server.client().await;
    client.send(f::PingDelayDisconnect { ping_id: 7, disconnect_delay: 1 }.to_bytes()).await;
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn before_the_introduction_nothing_is_answered() {
    let server = Server::start().await;
    let mut client = crate::client::Client::connect(
        server.address(),
        tgsim::wire::transport::Transport::Abridged,
    )
    .await;
    client.make_key(&server, None).await;
    assert_eq!(client.refused(&f::help::GetNearestDc {}).await, "CONNECTION_NOT_INITED");
    client.call(&init(f::help::GetNearestDc {})).await.unwrap();
    client.call(&f::help::GetNearestDc {}).await.unwrap();
}
