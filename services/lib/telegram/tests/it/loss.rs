//! Connections that break, stall, or can't be made: what is known about the call, and that the account recovers.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use telegram::calls::{groups, myself};
use telegram::error::CallError;
use telegram::link::Connectivity;
use telegram::session::MemorySink;
use telegram::{AccountVerdict, Gate, Telegram, TelegramConfig, verdict};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::sim::Sim;

fn cut(request: &str, moment: &str) -> serde_json::Value {
    json!({"match": {"request": request}, "times": 1, "then": {"cut": moment}})
}

#[tokio::test]
async fn a_call_that_was_lost_is_never_repeated_and_its_outcome_is_unknown() {
    let sim = Sim::start().await;
    let (_, logged) = sim.logged_in("+9996620001", "Ann").await;
    for (moment, effects) in [("before", 0), ("after", 1)] {
        sim.script(cut("channels.createChannel", moment)).await;
        let error = groups::create_supergroup(&logged.account, "Deal", "").await.unwrap_err();
        assert!(matches!(error, CallError::Lost(_)), "{error:?}");
        assert!(error.outcome_unknown());
        let made: Vec<_> = sim
            .done("channels.createChannel")
            .await
            .into_iter()
            .filter(|entry| !entry["effect"].is_null())
            .collect();
        assert_eq!(made.len(), effects, "cut {moment} it was executed");
        // The next call makes a new connection by itself.
        myself::me(&logged.account).await.unwrap();
    }
    sim.stop().await;
}

#[tokio::test]
async fn a_call_without_an_answer_ends_in_time_and_others_go_on() {
    let sim = Sim::start().await;
    let quick = TelegramConfig { call_timeout_s: 1, ..sim.config() };
    let ann = sim.plain("+9996620001", "Ann").await;
    let logged = sim.log_in_as(&ann, &Telegram::new(quick).unwrap()).await;
    let slow = json!({"match": {"request": "channels.createChannel"}, "times": 1, "then": {"delay_ms": 4000}});
    sim.script(slow).await;
    let error = groups::create_supergroup(&logged.account, "Slow", "").await.unwrap_err();
    assert!(matches!(error, CallError::TimedOut) && error.outcome_unknown(), "{error:?}");
    myself::me(&logged.account).await.unwrap();
    sim.stop().await;
}

#[tokio::test]
async fn a_peer_that_hears_nothing_is_given_up_and_replaced() {
    let sim = Sim::start().await;
    let quick = TelegramConfig { call_timeout_s: 1, connect_timeout_s: 1, ..sim.config() };
    let ann = sim.plain("+9996620001", "Ann").await;
    let logged = sim.log_in_as(&ann, &Telegram::new(quick).unwrap()).await;
    let deaf =
        json!({"match": {"request": "users.getUsers"}, "times": 1, "then": {"half_open": true}});
    sim.script(deaf).await;
    let error = myself::me(&logged.account).await.unwrap_err();
    assert!(matches!(error, CallError::TimedOut), "{error:?}");
    // The ping before this one finds the connection dead, and it is sent on another one.
    groups::create_supergroup(&logged.account, "Deal", "").await.unwrap();
    assert_eq!(sim.done("channels.createChannel").await.len(), 1);
    sim.stop().await;
}

#[tokio::test]
async fn while_telegram_is_down_nothing_is_sent_and_afterwards_it_goes_on() {
    let first = Sim::start().await;
    let (_, logged) = first.logged_in("+9996620001", "Ann").await;
    let address = first.address();
    first.stop().await;
    for _ in 0..3 {
        let error = myself::me(&logged.account).await.unwrap_err();
        // The first may still have gone out on the old socket.
        assert!(matches!(error, CallError::NotSent(_) | CallError::Lost(_)), "{error:?}");
    }
    // Another server at the same place that never saw our key: the login is gone, and says so, and the key is kept.
    let before = logged.account.record();
    let second = Sim::with(|options| options.listen = address).await;
    let error = myself::me(&logged.account).await.unwrap_err();
    assert!(matches!(error, CallError::KeyUnknown), "{error:?}");
    assert_eq!(verdict::verdict(&error), AccountVerdict::KEY_UNKNOWN);
    assert_eq!(logged.account.record().dcs[0].auth_key, before.dcs[0].auth_key);
    second.stop().await;
}

#[tokio::test]
async fn an_idle_connection_that_ends_is_noticed() {
    let sim = Sim::start().await;
    let (_, logged) = sim.logged_in("+9996620001", "Ann").await;
    let mut connectivity = logged.account.connectivity();
    assert_eq!(*connectivity.borrow_and_update(), Connectivity::Up);
    sim.stop().await;
    let down = connectivity.wait_for(|now| *now == Connectivity::Down);
    assert!(tokio::time::timeout(Duration::from_secs(5), down).await.is_ok());
}

#[tokio::test]
async fn many_calls_at_once_are_all_answered() {
    let sim = Sim::start().await;
    let narrow = TelegramConfig { in_flight_max: 2, ..sim.config() };
    let ann = sim.plain("+9996620001", "Ann").await;
    let logged = sim.log_in_as(&ann, &Telegram::new(narrow).unwrap()).await;
    let mut calls = JoinSet::new();
    for _ in 0..100 {
        let account = logged.account.clone();
        calls.spawn(async move { myself::update_mark(&account).await });
    }
    while let Some(answer) = calls.join_next().await {
        answer.unwrap().unwrap();
    }
    // One by the login, a hundred by us.
    assert_eq!(sim.done("updates.getState").await.len(), 101);
    sim.stop().await;
}

#[tokio::test]
async fn closing_ends_the_calls_under_way() {
    let sim = Sim::start().await;
    let (_, logged) = sim.logged_in("+9996620001", "Ann").await;
    let slow = json!({"match": {"request": "channels.createChannel"}, "times": 1, "then": {"delay_ms": 4000}});
    sim.script(slow).await;
    // Polled in this order: the call is on its way when the account is closed.
    let call = groups::create_supergroup(&logged.account, "Deal", "");
    let (call, closed) = tokio::join!(call, logged.account.close());
    closed.unwrap();
    assert!(matches!(call, Err(CallError::Lost(_))), "{call:?}");
    assert!(matches!(myself::me(&logged.account).await, Err(CallError::Closed)));
    assert_eq!(*logged.account.connectivity().borrow(), Connectivity::Closed);
    sim.stop().await;
}

/// A server that takes connections and never says a word; gives each connection out.
async fn mute_server() -> (SocketAddr, mpsc::UnboundedReceiver<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (taken, connections) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if taken.send(stream).is_err() {
                break;
            }
        }
    });
    (address, connections)
}

/// Returns when the other side has closed.
async fn ended(mut stream: TcpStream) {
    let mut heard = Vec::new();
    let end = stream.read_to_end(&mut heard);
    // An abrupt end is one too.
    let _ = tokio::time::timeout(Duration::from_secs(5), end).await.unwrap();
}

#[tokio::test]
async fn no_socket_outlives_a_failed_attempt_or_a_closed_account() {
    let sim = Sim::start().await;
    let (_, logged) = sim.logged_in("+9996620001", "Ann").await;
    logged.account.close().await.unwrap();
    let (address, mut connections) = mute_server().await;
    let mut config = TelegramConfig { connect_timeout_s: 1, ..sim.config() };
    config.server.as_mut().unwrap().address = address;
    let record = logged.account.record();
    let account =
        Telegram::new(config).unwrap().open(Some(record), Vec::new(), logged.sink, Gate::always());

    let error = account.connect().await.unwrap_err();
    assert!(matches!(error, CallError::NotSent(_)), "{error:?}");
    ended(connections.recv().await.unwrap()).await;

    let closing = async {
        let stream = connections.recv().await.unwrap();
        account.close().await.unwrap();
        stream
    };
    let (error, stream) = tokio::join!(account.connect(), closing);
    assert!(matches!(error, Err(CallError::Closed)), "{error:?}");
    ended(stream).await;
    sim.stop().await;
}

#[tokio::test]
async fn a_server_with_another_key_is_not_trusted() {
    let (sim, other) = (Sim::start().await, Sim::with_own_key().await);
    let mut config = sim.config();
    if let (Some(server), Some(elsewhere)) = (&mut config.server, other.config().server) {
        server.public_key = elsewhere.public_key;
    }
    let account = Telegram::new(config).unwrap().open(
        None,
        Vec::new(),
        Arc::new(MemorySink::default()),
        Gate::always(),
    );
    let error = account.connect().await.unwrap_err();
    assert!(matches!(&error, CallError::NotSent(why) if why.contains("RSA key")), "{error}");
    sim.stop().await;
    other.stop().await;
}
