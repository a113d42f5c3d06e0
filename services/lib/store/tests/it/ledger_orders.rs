//! What people ask of the ledger: taking a command back, looking through many, deciding about one.

use chrono::{DateTime, TimeDelta, Utc};
use deadpool_redis::redis::cmd;
use proto::{CommandId, MethodName};
use queuegram_store::{
    Cancelled, Claim, Decision, Effect, Lease, Ledger, Record, RecordState, Resolved, Start,
    StoreError,
};
use serde_json::Value;

use crate::corner::{Corner, acme};

struct Desk {
    corner: Corner,
    ledger: Ledger,
    lease: Lease,
    id: CommandId,
}

impl Desk {
    async fn new() -> Self {
        let corner = Corner::new().await;
        let (ledger, lease) =
            (Ledger::new(&corner.vault().await, &corner.redis), corner.lease().await);
        Self { corner, ledger, lease, id: "deal-77:create".parse().unwrap() }
    }

    async fn claim(&self, id: &CommandId) -> Claim {
        self.ledger.claim(&self.lease, id, &method(), "hash", at(), false).await.unwrap()
    }

    async fn start(&self) -> Result<(), StoreError> {
        let start = Start { effect: Effect::Once, attempt: 1, note: Value::Null };
        self.ledger.step_started(&self.lease, &self.id, "create", &start).await
    }

    async fn finish(&self, result: &str) -> Result<(), StoreError> {
        self.ledger.finish(&self.lease, &self.id, result).await
    }

    async fn cancel(&self) -> Cancelled {
        self.ledger.cancel(&acme(), &self.id, at()).await.unwrap()
    }

    async fn resolve(&self, done: bool) -> Resolved {
        let decision = decision(done);
        let result = Some(r#"{"status":"done"}"#);
        self.ledger.resolve(&acme(), &self.id, &decision, result).await.unwrap()
    }

    async fn resolve_beside(&self, done: bool) -> Resolved {
        self.ledger.resolve(&acme(), &self.id, &decision(done), None).await.unwrap()
    }

    async fn record(&self) -> Record {
        self.ledger.get(&acme(), &self.id).await.unwrap().unwrap()
    }
}

fn method() -> MethodName {
    "group.create".parse().unwrap()
}

fn at() -> DateTime<Utc> {
    proto::time::parse("2026-11-23T07:00:00.123Z").unwrap()
}

fn decision(done: bool) -> Decision {
    let note = Some("it is there, \"Deal 77\"".to_owned());
    Decision { done, chat_id: None, note, by: Some("ann".to_owned()), at: at() }
}

#[tokio::test]
async fn a_cancelled_command_takes_no_step_and_no_other_result() {
    let desk = Desk::new().await;
    desk.claim(&desk.id).await;
    let Cancelled::Marked(record) = desk.cancel().await else { panic!("not marked") };
    assert_eq!((record.cancelled_at, record.state), (Some(at()), RecordState::Received));
    let read = desk.ledger.step_executed(&desk.lease, &desk.id, "look", Effect::Read, &Value::Null);
    read.await.unwrap();
    assert!(matches!(desk.start().await, Err(StoreError::Cancelled)));
    assert!(matches!(desk.finish("{}").await, Err(StoreError::Cancelled)));

    let cancelled = r#"{"status":"failed"}"#;
    desk.ledger.finish_cancelled(&desk.lease, &desk.id, cancelled).await.unwrap();
    desk.ledger.finish_cancelled(&desk.lease, &desk.id, cancelled).await.unwrap();
    let other = desk.ledger.finish_cancelled(&desk.lease, &desk.id, "{}").await;
    assert!(matches!(other, Err(StoreError::OutOfOrder(_))));
    let Claim::Done(record) = desk.claim(&desk.id).await else { panic!("not done") };
    assert_eq!(record.result.as_deref(), Some(cancelled));
    assert!(matches!(desk.cancel().await, Cancelled::Late(_)), "it has its result");
}

#[tokio::test]
async fn a_mark_waits_for_its_command_and_is_no_record_meanwhile() {
    let desk = Desk::new().await;
    assert_eq!(desk.cancel().await, Cancelled::Awaited);
    assert_eq!(desk.cancel().await, Cancelled::Awaited);
    assert_eq!(desk.ledger.get(&acme(), &desk.id).await.unwrap(), None);
    assert_eq!(desk.ledger.cancelled_at(&acme(), &desk.id).await.unwrap(), Some(at()));
    let ttl_s: u64 = desk.corner.query(cmd("TTL").arg(desk.corner.key("cmd:deal-77:create"))).await;
    assert!((7 * 86_400 - 60..=7 * 86_400).contains(&ttl_s), "{ttl_s}");
    let Claim::Fresh(record) = desk.claim(&desk.id).await else { panic!("not fresh") };
    assert_eq!(record.cancelled_at, Some(at()));
    assert!(matches!(desk.start().await, Err(StoreError::Cancelled)));
}

#[tokio::test]
async fn what_was_begun_is_not_cancelled() {
    let desk = Desk::new().await;
    desk.claim(&desk.id).await;
    desk.start().await.unwrap();
    let Cancelled::Late(record) = desk.cancel().await else { panic!("not late") };
    assert!(record.has_begun() && record.cancelled_at.is_none());
    desk.finish("{}").await.unwrap();
    let Cancelled::Late(record) = desk.cancel().await else { panic!("not late") };
    assert_eq!(record.result.as_deref(), Some("{}"));
}

#[tokio::test]
async fn a_cancelled_command_is_settled_by_its_owner_alone() {
    let desk = Desk::new().await;
    desk.claim(&desk.id).await;
    desk.cancel().await;
    desk.corner.usurp(&desk.lease).await;
    let outcome = desk.ledger.finish_cancelled(&desk.lease, &desk.id, "{}").await;
    assert!(matches!(outcome, Err(StoreError::Fenced)));
}

#[tokio::test]
async fn every_command_of_an_instance_is_on_some_page() {
    let desk = Desk::new().await;
    let ids: Vec<CommandId> = (0..57).map(|n| format!("c:{n}").parse().unwrap()).collect();
    for id in &ids {
        desk.claim(id).await;
    }
    desk.cancel().await;
    let other = desk.corner.leases.try_acquire(&"other".parse().unwrap(), "w-1").await.unwrap();
    desk.ledger.claim(&other.unwrap(), &ids[0], &method(), "hash", at(), false).await.unwrap();

    let (mut found, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let page = desk.ledger.list(&acme(), cursor.as_deref(), 10, |_, _| true).await.unwrap();
        let page = page.unwrap();
        assert!(page.records.len() <= 10);
        found.extend(page.records.into_iter().map(|(id, _)| id));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    found.sort();
    let mut all = ids;
    all.sort();
    assert_eq!(found, all, "without the mark that waits, without the other instance's");
    assert_eq!(desk.ledger.list(&acme(), Some("no cursor"), 10, |_, _| true).await.unwrap(), None);
}

#[tokio::test]
async fn a_list_shows_what_is_wanted() {
    let desk = Desk::new().await;
    desk.claim(&desk.id).await;
    desk.start().await.unwrap();
    desk.claim(&"idle".parse().unwrap()).await;
    let started = |_: &CommandId, record: &Record| record.state == RecordState::Started;
    let page = desk.ledger.list(&acme(), None, 10, started).await.unwrap().unwrap();
    let ids: Vec<_> = page.records.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!((ids, page.next), (vec!["deal-77:create"], None));
    let young = |_: &CommandId, record: &Record| record.received_at > at() + TimeDelta::seconds(1);
    let page = desk.ledger.list(&acme(), None, 10, young).await.unwrap().unwrap();
    assert_eq!(page.records, []);
}

#[tokio::test]
async fn a_decision_is_the_result_only_of_what_has_none_and_nobody_has_in_hand() {
    let desk = Desk::new().await;
    assert_eq!(desk.resolve(true).await, Resolved::Missing);
    desk.claim(&desk.id).await;
    assert_eq!(desk.resolve(true).await, Resolved::NotBegun);
    desk.start().await.unwrap();
    assert_eq!(desk.resolve(true).await, Resolved::InHand);
    assert_eq!(desk.resolve_beside(true).await, Resolved::Changed);
    assert_eq!(desk.record().await.decision, None);

    desk.corner.leases.release(&desk.lease).await.unwrap();
    assert_eq!(desk.resolve(true).await, Resolved::Recorded);
    let record = desk.record().await;
    assert_eq!(
        (record.state, &record.decision),
        (RecordState::Finished, &Some(decision(true).into()))
    );
    assert_eq!(record.result.as_deref(), Some(r#"{"status":"done"}"#));
}

#[tokio::test]
async fn a_result_stays_and_the_decision_stands_beside_it() {
    let desk = Desk::new().await;
    desk.claim(&desk.id).await;
    desk.start().await.unwrap();
    desk.finish(r#"{"status":"unknown"}"#).await.unwrap();
    assert_eq!(desk.resolve(true).await, Resolved::Changed);
    for done in [true, false] {
        let Resolved::Beside(record) = desk.resolve_beside(done).await else {
            panic!("not beside")
        };
        assert_eq!(record.result.as_deref(), Some(r#"{"status":"unknown"}"#));
        assert_eq!(record.decision, Some(decision(done).into()));
    }
}
