//! What a shut gate keeps from Telegram, as Telegram sees it.

use std::time::Duration;

use chassis::BootInstant;
use serde_json::{Value, json};
use telegram::calls::{groups, myself};
use telegram::error::CallError;
use telegram::{Gate, verdict};

use crate::sim::Sim;

#[tokio::test]
async fn nothing_arrives_any_more_once_the_gate_is_shut() {
    let sim = Sim::start().await;
    let (_, logged) = sim.logged_in("+9996620001", "Ann").await;
    let record = logged.account.record();
    logged.account.close().await.unwrap();
    let gate = Gate::always();
    let account = sim.telegram().open(Some(record), Vec::new(), logged.sink, gate.clone());
    myself::me(&account).await.unwrap();
    let mark = sim.entries().await.len();
    gate.shut();
    sim.entry(mark, "connection_closed").await;
    assert!(matches!(myself::me(&account).await, Err(CallError::Closed)));
    assert!(matches!(account.connect().await, Err(CallError::Closed)));
    let later = sim.entries().await.split_off(mark);
    let kinds: Vec<_> = later.iter().map(|entry| entry["kind"].clone()).collect();
    assert_eq!(kinds, ["connection_closed"]);
    sim.stop().await;
}

#[tokio::test]
async fn a_deadline_cuts_without_anybody_calling() {
    let sim = Sim::start().await;
    let (_, logged) = sim.logged_in("+9996620001", "Ann").await;
    let record = logged.account.record();
    logged.account.close().await.unwrap();
    let gate = Gate::until(BootInstant::now() + Duration::from_secs(3));
    let account = sim.telegram().open(Some(record), Vec::new(), logged.sink, gate);
    account.connect().await.unwrap();
    let mark = sim.entries().await.len();
    sim.entry(mark, "connection_closed").await;
    assert!(matches!(myself::me(&account).await, Err(CallError::Closed)));
    sim.stop().await;
}

#[tokio::test]
async fn a_call_under_way_when_the_gate_shuts_is_nobodys_failure() {
    let sim = Sim::start().await;
    let (_, logged) = sim.logged_in("+9996620001", "Ann").await;
    let record = logged.account.record();
    logged.account.close().await.unwrap();
    let gate = Gate::always();
    let account = sim.telegram().open(Some(record), Vec::new(), logged.sink, gate.clone());
    account.connect().await.unwrap();
    let slow = json!({"match": {"request": "channels.createChannel"}, "then": {"delay_ms": 4000}});
    sim.script(slow).await;
    // Polled in this order: the call is on its way when the gate is shut.
    let call = groups::create_supergroup(&account, "Deal", "");
    let (call, ()) = tokio::join!(call, async { gate.shut() });
    assert!(matches!(call, Err(CallError::Closed)), "{call:?}");
    sim.stop().await;
}

/// How often connections were opened and keys were made.
fn opened(entries: &[Value]) -> (usize, usize) {
    let count = |kind: &str| entries.iter().filter(|entry| entry["kind"] == kind).count();
    (count("connection_opened"), count("key_made"))
}

#[tokio::test]
async fn a_key_that_telegram_does_not_know_for_a_moment_is_asked_for_once_more() {
    let sim = Sim::start().await;
    let (_, logged) = sim.logged_in("+9996620001", "Ann").await;
    let key = logged.account.record().dcs[0].auth_key.clone();
    let mark = sim.entries().await.len();

    // The first ends the connection that is there, the second meets the next one, the third is let be.
    sim.script(json!({"times": 2, "then": {"transport": -404}})).await;
    let error = myself::me(&logged.account).await.unwrap_err();
    assert!(matches!(error, CallError::Lost(_)), "{error:?}");
    myself::me(&logged.account).await.unwrap();
    assert_eq!(opened(&sim.entries().await.split_off(mark)), (2, 0));

    // Twice on new connections: that is the end of the login, and yet the key is kept.
    sim.script(json!({"times": 3, "then": {"transport": -404}})).await;
    myself::me(&logged.account).await.unwrap_err();
    let error = myself::me(&logged.account).await.unwrap_err();
    assert!(matches!(error, CallError::KeyUnknown), "{error:?}");
    assert!(verdict::verdict(&error).ends_session());
    assert_eq!(opened(&sim.entries().await.split_off(mark)), (4, 0));
    assert_eq!(logged.account.record().dcs[0].auth_key, key);
    myself::me(&logged.account).await.unwrap();
    sim.stop().await;
}
