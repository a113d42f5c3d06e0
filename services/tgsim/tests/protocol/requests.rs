//! The order of requests, unknown ones, dropped answers, updates.

use grammers_tl_types::{Serializable, enums, functions as f, types};
use tgsim::wire::message::{constructor, write_container};

use crate::client::{Server, create};

#[tokio::test]
async fn an_unknown_request_is_an_error_and_in_the_journal() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let id = client.send(vec![0x78, 0x56, 0x34, 0x12]).await;
    let error = client.answer(id).await.1.unwrap_err();
    assert_eq!(error, (400, "INPUT_METHOD_INVALID_305419896".to_owned()));
    let entry = server.journal("unknown#12345678");
    assert_eq!(entry, [Some("INPUT_METHOD_INVALID_305419896".to_owned())]);
}

#[tokio::test]
async fn a_request_cut_short_is_an_error() {
    let server = Server::start().await;
    let mut client = server.logged_in("79992000").await;
    let mut body = create("Cut short").to_bytes();
    body.truncate(12);
    let id = client.send(body).await;
    let error = client.answer(id).await.1.unwrap_err();
    assert_eq!(error, (400, "INPUT_REQUEST_INVALID".to_owned()));
}

#[tokio::test]
async fn without_login_a_request_that_needs_one_is_refused() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let error = client.call(&f::updates::GetState {}).await.unwrap_err();
    assert_eq!(error, (401, "AUTH_KEY_UNREGISTERED".to_owned()));
}

#[tokio::test]
async fn a_request_waits_for_the_one_that_it_comes_after() {
    let server = Server::start().await;
    let mut client = server.logged_in("79992001").await;
    server.script(r#"{"match":{"request":"channels.createChannel"},"then":{"delay_ms":300}}"#);
    let first = client.send(create("First").to_bytes()).await;
    let query = f::help::GetNearestDc {};
    let second = client.send(f::InvokeAfterMsg { msg_id: first, query }.to_bytes()).await;
    let ack: types::MsgsAck = client.wait_for().await;
    assert_eq!(ack.msg_ids, [first], "a request that takes its time is acknowledged");
    client.answer(first).await.1.unwrap();
    client.answer(second).await.1.unwrap();
    let order = server.running.hub.with(|sim| {
        let entries = sim.journal.after(0, usize::MAX).into_iter();
        entries
            .filter_map(|e| e.request)
            .skip_while(|r| r != "channels.createChannel")
            .collect::<Vec<_>>()
    });
    assert_eq!(order, ["channels.createChannel", "help.getNearestDc"]);
}

#[tokio::test]
async fn a_request_after_one_that_failed_fails() {
    let server = Server::start().await;
    let mut client = server.logged_in("79992002").await;
    server.script(r#"{"match":{"request":"channels.createChannel"},"then":{"error":[400,"X"]}}"#);
    let (first, second, outer) = (client.next_id(), client.next_id(), client.next_id());
    let failing = create("Fails").to_bytes();
    let query = f::help::GetNearestDc {};
    let after = f::InvokeAfterMsgs { msg_ids: vec![first], query }.to_bytes();
    client
        .send_raw(outer, 104, write_container(&[(first, 101, &failing), (second, 103, &after)]))
        .await;
    assert_eq!(client.answer(first).await.1, Err((400, "X".to_owned())));
    assert_eq!(client.answer(second).await.1, Err((400, "MSG_WAIT_FAILED".to_owned())));
}

#[tokio::test]
async fn an_answer_can_be_dropped_before_and_after_it_is_there() {
    let server = Server::start().await;
    let mut client = server.logged_in("79992003").await;
    server.script(r#"{"match":{"request":"channels.createChannel"},"then":{"delay_ms":200}}"#);
    let slow = client.send(create("Slow").to_bytes()).await;
    let drop = client.send(f::RpcDropAnswer { req_msg_id: slow }.to_bytes()).await;
    let dropped = client.answer(drop).await.1.unwrap();
    assert_eq!(dropped, enums::RpcDropAnswer::RpcAnswerDroppedRunning.to_bytes());
    let quick = client.send(f::help::GetNearestDc {}.to_bytes()).await;
    let (message, _) = client.answer(quick).await;
    let drop = client.send(f::RpcDropAnswer { req_msg_id: quick }.to_bytes()).await;
    let dropped = client.answer(drop).await.1.unwrap();
    let expected: enums::RpcDropAnswer = types::RpcAnswerDropped {
        msg_id: message.msg_id,
        seq_no: message.seq_no,
        bytes: message.body.len() as i32,
    }
    .into();
    assert_eq!(dropped, expected.to_bytes());
    let drop = client.send(f::RpcDropAnswer { req_msg_id: 4 }.to_bytes()).await;
    let dropped = client.answer(drop).await.1.unwrap();
    assert_eq!(dropped, enums::RpcDropAnswer::RpcAnswerUnknown.to_bytes());
}

#[tokio::test]
async fn updates_go_to_those_who_want_them() {
    let server = Server::start().await;
    let mut writer = server.logged_in("79992004").await;
    let user = server.user("79992005");
    let mut reader = server.client().await;
    reader.login(&server, "79992005", user).await;
    let mut quiet = server.client().await;
    quiet.login(&server, "79992005", user).await;
    // The second device goes on in a session that asks only without updates.
    let mut quiet = quiet.again(&server, false).await;
    let query = f::updates::GetState {};
    quiet.call(&f::InvokeWithoutUpdates { query }).await.unwrap();
    let hash = server.running.hub.with(|sim| {
        let writer = *sim.world.phones.get("79992004").unwrap();
        sim.world.access_hash(writer, user)
    });
    let to = types::InputUser { user_id: user.0, access_hash: hash }.into();
    let request =
        f::messages::CreateChat { users: vec![to], title: "News".into(), ttl_period: None };
    writer.call(&request).await.unwrap();
    assert_eq!(writer.updates.len(), 0, "the caller has them in its answer");
    while reader.updates.is_empty() {
        let message = reader.next().await;
        let is_update = constructor(&message.body) == Some(0x74ae4240);
        assert!(is_update, "{:08x?}", constructor(&message.body));
        reader.updates.push(grammers_tl_types::Deserializable::from_bytes(&message.body).unwrap());
    }
    quiet.send(f::Ping { ping_id: 1 }.to_bytes()).await;
    quiet.wait_for::<types::Pong>().await;
    assert!(quiet.updates.is_empty());
}

#[tokio::test]
async fn a_forgotten_password_is_reset_after_a_week() {
    let server = Server::start().await;
    let mut client = server.logged_in("79992010").await;
    assert_eq!(client.refused(&f::account::ResetPassword {}).await, "PASSWORD_EMPTY");
    let password = tgsim::auth::srp::set("forgotten", None);
    let user = server.running.hub.with(|sim| {
        let user = *sim.world.phones.get("79992010").unwrap();
        sim.world.users.get_mut(&user).unwrap().password = Some(password);
        user
    });
    let refused = client.refused(&f::auth::RequestPasswordRecovery {}).await;
    assert_eq!(refused, "PASSWORD_RECOVERY_NA");
    let wait = client.call(&f::account::ResetPassword {}).await.unwrap();
    assert!(matches!(wait, enums::account::ResetPasswordResult::ResetPasswordRequestedWait(_)));
    server.running.hub.with(|sim| sim.world.clock.advance(7 * 24 * 3600));
    let done = client.call(&f::account::ResetPassword {}).await.unwrap();
    assert_eq!(done, enums::account::ResetPasswordResult::ResetPasswordOk);
    server.running.hub.with(|sim| assert!(sim.world.users[&user].password.is_none()));
    assert_eq!(client.refused(&f::account::DeclinePasswordReset {}).await, "RESET_REQUEST_MISSING");
}
