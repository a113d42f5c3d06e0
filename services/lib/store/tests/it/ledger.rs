use chrono::{DateTime, Utc};
use deadpool_redis::redis::cmd;
use proto::{CommandId, MethodName};
use queuegram_store::{
    ANSWER_BYTES_MAX, Claim, Effect, Lease, Ledger, RESULT_BYTES_MAX, Record, RecordState, Settled,
    Start, StepState, StoreError,
};
use serde_json::{Value, json};

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

    async fn claim(&self) -> Claim {
        self.claim_as(&self.lease, "hash").await.unwrap()
    }

    async fn claim_as(&self, lease: &Lease, hash: &str) -> Result<Claim, StoreError> {
        self.ledger.claim(lease, &self.id, &method(), hash, at(), false).await
    }

    async fn record(&self) -> Record {
        self.ledger.get(&acme(), &self.id).await.unwrap().unwrap()
    }

    async fn started(&self, name: &str, effect: Effect) -> Result<(), StoreError> {
        self.start(name, &Start { effect, attempt: 1, note: Value::Null }).await
    }

    async fn start(&self, name: &str, start: &Start) -> Result<(), StoreError> {
        self.ledger.step_started(&self.lease, &self.id, name, start).await
    }

    async fn executed(&self, name: &str, answer: &Value) -> Result<(), StoreError> {
        self.ledger.step_executed(&self.lease, &self.id, name, Effect::Once, answer).await
    }

    async fn settle(&self, hash: &str, result: &str) -> Settled {
        let (acme, method) = (acme(), method());
        self.ledger.settle_unowned(&acme, &self.id, &method, hash, at(), result).await.unwrap()
    }
}

fn method() -> MethodName {
    "group.create".parse().unwrap()
}

fn at() -> DateTime<Utc> {
    proto::time::parse("2026-11-23T07:00:00.123Z").unwrap()
}

fn out_of_order<T>(outcome: Result<T, StoreError>) -> bool {
    matches!(outcome, Err(StoreError::OutOfOrder(_)))
}

#[tokio::test]
async fn a_command_goes_its_way_once() {
    let desk = Desk::new().await;
    let Claim::Fresh(record) = desk.claim().await else { panic!("not fresh") };
    assert_eq!((record.attempts, record.received_at, record.has_begun()), (1, at(), false));
    let answer = json!({"access_hash": i64::MIN, "empty": [], "nested": {"a|b": "ж"}});
    desk.executed("resolve", &Value::Null).await.unwrap();
    desk.started("create", Effect::Once).await.unwrap();
    desk.executed("create", &answer).await.unwrap();
    desk.started("invite", Effect::Repeatable).await.unwrap();

    let record = desk.record().await;
    assert_eq!(record.steps.keys().collect::<Vec<_>>(), ["resolve", "create", "invite"]);
    assert_eq!(record.steps["create"].answer, answer);
    assert_eq!(record.steps["create"].epoch, desk.lease.epoch);
    assert_eq!(record.steps["invite"].state, StepState::Started);
    assert_eq!((record.state, record.has_begun()), (RecordState::Started, true));

    let result = r#"{ "spaces are kept":  [1.50, "ж"] }"#;
    desk.ledger.finish(&desk.lease, &desk.id, result).await.unwrap();
    assert_eq!(desk.record().await.state, RecordState::Finished);
    desk.ledger.replied(&desk.lease, &desk.id).await.unwrap();
    desk.ledger.replied(&desk.lease, &desk.id).await.unwrap();
    let Claim::Done(record) = desk.claim().await else { panic!("not done") };
    assert_eq!(record.result.as_deref(), Some(result));
    assert!(record.is_replied() && record.steps.is_empty());
}

#[tokio::test]
async fn a_crash_leaves_what_is_needed_to_go_on() {
    let desk = Desk::new().await;
    desk.claim().await;
    desk.started("create", Effect::Once).await.unwrap();
    let next = desk.corner.usurp(&desk.lease).await;
    let Claim::Resumed(record) = desk.claim_as(&next, "hash").await.unwrap() else {
        panic!("not resumed")
    };
    assert_eq!((record.attempts, record.epoch), (2, next.epoch));
    assert_eq!(record.steps["create"].epoch, desk.lease.epoch);
    assert_eq!(record.steps["create"].effect, Effect::Once);
}

#[tokio::test]
async fn a_former_owner_is_fenced_everywhere() {
    let desk = Desk::new().await;
    desk.claim().await;
    desk.corner.usurp(&desk.lease).await;
    let before = desk.record().await;
    let (ledger, lease, id) = (&desk.ledger, &desk.lease, &desk.id);
    for outcome in [
        desk.claim_as(lease, "hash").await.map(|_| ()),
        desk.started("create", Effect::Once).await,
        desk.executed("create", &Value::Null).await,
        ledger.finish(lease, id, "{}").await,
        ledger.replied(lease, id).await,
    ] {
        assert!(matches!(outcome, Err(StoreError::Fenced)), "{outcome:?}");
    }
    assert_eq!(desk.record().await, before);
}

#[tokio::test]
async fn one_that_lost_its_epoch_with_all_of_redis_is_fenced_too() {
    let desk = Desk::new().await;
    desk.corner.query::<u8>(cmd("DEL").arg(desk.corner.key("epoch"))).await;
    assert!(matches!(desk.claim_as(&desk.lease, "hash").await, Err(StoreError::Fenced)));
}

#[tokio::test]
async fn the_same_id_for_something_else_is_a_conflict() {
    let desk = Desk::new().await;
    desk.claim().await;
    let before = desk.record().await;
    assert_eq!(desk.claim_as(&desk.lease, "other").await.unwrap(), Claim::Conflict);
    assert_eq!(desk.settle("other", "{}").await, Settled::Conflict);
    assert_eq!(desk.record().await, before);
}

#[tokio::test]
async fn writes_out_of_order_are_refused() {
    let desk = Desk::new().await;
    desk.claim().await;
    assert!(out_of_order(desk.ledger.replied(&desk.lease, &desk.id).await));
    desk.executed("create", &json!(1)).await.unwrap();
    assert!(out_of_order(desk.started("create", Effect::Once).await));
    desk.ledger.finish(&desk.lease, &desk.id, "{}").await.unwrap();
    desk.ledger.finish(&desk.lease, &desk.id, "{}").await.unwrap();
    assert!(out_of_order(desk.ledger.finish(&desk.lease, &desk.id, "[]").await));
    assert!(out_of_order(desk.executed("late", &Value::Null).await));
    assert_eq!(desk.record().await.result.as_deref(), Some("{}"));
}

#[tokio::test]
async fn a_record_that_vanished_under_its_owner_is_told_apart() {
    let desk = Desk::new().await;
    desk.claim().await;
    desk.corner.query::<u8>(cmd("DEL").arg(desk.corner.key("cmd:deal-77:create"))).await;
    for outcome in [
        desk.started("create", Effect::Once).await,
        desk.executed("create", &Value::Null).await,
        desk.ledger.finish(&desk.lease, &desk.id, "{}").await,
        desk.ledger.replied(&desk.lease, &desk.id).await,
    ] {
        assert!(matches!(outcome, Err(StoreError::Vanished)), "{outcome:?}");
    }
}

#[tokio::test]
async fn a_started_step_keeps_its_note_and_counts_its_attempts() {
    let desk = Desk::new().await;
    desk.claim().await;
    let note = json!({"mark": {"pts": 7}, "big": i64::MIN});
    for attempt in [1, 2] {
        let start = Start { effect: Effect::Once, attempt, note: note.clone() };
        desk.start("create", &start).await.unwrap();
    }
    let step = desk.record().await.steps["create"].clone();
    assert_eq!((step.attempt, &step.note, &step.answer), (2, &note, &Value::Null));
    desk.executed("create", &json!({"Ok": 1})).await.unwrap();
    let step = desk.record().await.steps["create"].clone();
    assert_eq!((step.attempt, step.note, step.answer), (2, Value::Null, json!({"Ok": 1})));
}

#[tokio::test]
async fn a_record_of_the_release_before_is_gone_on_with() {
    let desk = Desk::new().await;
    desk.claim().await;
    let key = desk.corner.key("cmd:deal-77:create");
    let mut old = cmd("HSET");
    old.arg(&key).arg("v").arg(2).arg("state").arg("started").arg("steps").arg(1);
    // In the clear, as it was then.
    let note = r#"{"a":"b|~c"}"#;
    old.arg("s:create").arg(format!("1|started|once|{}|1|{note}", desk.lease.epoch));
    desk.corner.query::<u8>(&old).await;
    let Claim::Resumed(record) = desk.claim().await else { panic!("not resumed") };
    assert_eq!((record.version, &record.steps["create"].note), (2, &json!({ "a": "b|~c" })));
    desk.executed("create", &json!({"Ok": 1})).await.unwrap();
    let record = desk.record().await;
    assert_eq!((record.version, record.steps.len()), (3, 1));
    assert_eq!(record.steps["create"].state, StepState::Executed);
}

#[tokio::test]
async fn a_suspect_counts_as_begun_and_stays_one() {
    let desk = Desk::new().await;
    let claim = async |suspect| {
        desk.ledger.claim(&desk.lease, &desk.id, &method(), "hash", at(), suspect).await.unwrap()
    };
    let Claim::Fresh(record) = claim(true).await else { panic!("not fresh") };
    assert!(record.suspect && record.has_begun());
    let Claim::Resumed(record) = claim(false).await else { panic!("not resumed") };
    assert!(record.suspect);
    let Settled::Known(record) = desk.settle("hash", "{}").await else { panic!("settled") };
    assert!(record.result.is_none());
}

#[tokio::test]
async fn a_record_that_is_there_proves_what_happened() {
    let desk = Desk::new().await;
    desk.claim().await;
    let claim = desk.ledger.claim(&desk.lease, &desk.id, &method(), "hash", at(), true).await;
    let Ok(Claim::Resumed(record)) = claim else { panic!("{claim:?}") };
    assert!(!record.suspect && !record.has_begun());
}

#[tokio::test]
async fn what_is_kept_is_bounded_in_size_and_time() {
    let desk = Desk::new().await;
    desk.claim().await;
    let large = |bytes: usize| Value::String("x".repeat(bytes));
    let too_large = desk.executed("a", &large(ANSWER_BYTES_MAX)).await;
    assert!(matches!(too_large, Err(StoreError::TooLarge { .. })));
    desk.executed("a", &large(ANSWER_BYTES_MAX - 2)).await.unwrap();
    let result = "x".repeat(RESULT_BYTES_MAX + 1);
    let too_large = desk.ledger.finish(&desk.lease, &desk.id, &result).await;
    assert!(matches!(too_large, Err(StoreError::TooLarge { .. })));
    let key = desk.corner.key("cmd:deal-77:create");
    let ttl_s: u64 = desk.corner.query(cmd("TTL").arg(&key)).await;
    assert!((7 * 86_400 - 60..=7 * 86_400).contains(&ttl_s), "{ttl_s}");
}

#[tokio::test]
async fn a_command_may_not_have_steps_without_end() {
    let desk = Desk::new().await;
    desk.claim().await;
    let key = desk.corner.key("cmd:deal-77:create");
    desk.corner.query::<u8>(cmd("HSET").arg(&key).arg("steps").arg(1_000)).await;
    let outcome = desk.started("one-more", Effect::Once).await;
    assert!(matches!(outcome, Err(StoreError::TooLarge { .. })));
}

#[tokio::test]
async fn a_command_that_no_owner_saw_gets_its_result() {
    let desk = Desk::new().await;
    assert_eq!(desk.settle("hash", r#"{"a":1}"#).await, Settled::Recorded);
    let Settled::Known(record) = desk.settle("hash", r#"{"a":2}"#).await else { panic!() };
    assert_eq!((record.result.as_deref(), record.attempts), (Some(r#"{"a":1}"#), 0));
    assert!(matches!(desk.claim().await, Claim::Done(_)));
}

#[tokio::test]
async fn one_that_was_taken_but_never_begun_can_still_be_settled() {
    let desk = Desk::new().await;
    desk.claim().await;
    assert_eq!(desk.settle("hash", "{}").await, Settled::Recorded);
    assert!(out_of_order(desk.started("create", Effect::Once).await), "its owner is told");
    assert!(matches!(desk.claim().await, Claim::Done(_)));
}

#[tokio::test]
async fn one_that_was_begun_is_settled_only_where_its_owner_is_gone() {
    let desk = Desk::new().await;
    desk.claim().await;
    desk.started("create", Effect::Once).await.unwrap();
    let Settled::Known(record) = desk.settle("hash", "{}").await else { panic!() };
    assert!(record.result.is_none() && record.has_begun());
    let abandoned = async || {
        desk.ledger.settle_abandoned(&acme(), &desk.id, r#"{"status":"unknown"}"#).await.unwrap()
    };
    assert!(!abandoned().await, "the owner is at it");
    desk.corner.leases.release(&desk.lease).await.unwrap();
    assert!(abandoned().await);
    assert!(!abandoned().await, "once");
    let result = desk.record().await.result;
    assert_eq!(result.as_deref(), Some(r#"{"status":"unknown"}"#));
}

#[tokio::test]
async fn a_record_of_a_later_release_is_not_guessed_at() {
    let desk = Desk::new().await;
    desk.claim().await;
    let key = desk.corner.key("cmd:deal-77:create");
    desk.corner.query::<u8>(cmd("HSET").arg(&key).arg("v").arg(99)).await;
    let outcome = desk.claim_as(&desk.lease, "hash").await;
    assert!(matches!(outcome, Err(StoreError::Version { found: 99, .. })), "{outcome:?}");
}

#[tokio::test]
async fn a_removed_instance_leaves_no_command_behind() {
    let desk = Desk::new().await;
    desk.claim().await;
    desk.ledger.forget(&desk.lease).await.unwrap();
    assert_eq!(desk.ledger.get(&acme(), &desk.id).await.unwrap(), None);
    assert!(matches!(desk.claim().await, Claim::Fresh(_)));
}

#[tokio::test]
async fn what_a_record_says_of_people_is_sealed_and_reads_as_before() {
    const SECRET: &str = "+996612345678";
    let desk = Desk::new().await;
    desk.claim().await;
    let start = Start { effect: Effect::Once, attempt: 1, note: json!({ "phone": SECRET }) };
    desk.start("create", &start).await.unwrap();
    assert_eq!(desk.record().await.steps["create"].note, start.note);
    desk.executed("create", &json!([SECRET])).await.unwrap();
    assert_eq!(desk.record().await.steps["create"].answer, json!([SECRET]));
    let result = format!(r#"{{"input":"{SECRET}"}}"#);
    desk.ledger.finish(&desk.lease, &desk.id, &result).await.unwrap();
    desk.ledger.finish(&desk.lease, &desk.id, &result).await.unwrap();
    let other = desk.ledger.finish(&desk.lease, &desk.id, "{}").await;
    assert!(matches!(other, Err(StoreError::OutOfOrder(_))), "{other:?}");
    assert_eq!(desk.record().await.result.as_deref(), Some(result.as_str()));

    let key = desk.corner.key("cmd:deal-77:create");
    let stored: Vec<String> = desk.corner.query(cmd("HGETALL").arg(&key)).await;
    assert!(stored.len() > 10 && !stored.iter().any(|field| field.contains("6612345678")));
    // Sealed for its place: it opens nowhere else.
    let sealed: String = desk.corner.query(cmd("HGET").arg(&key).arg("result")).await;
    let _: i64 = desk.corner.query(cmd("HSET").arg(&key).arg("decision").arg(&sealed)).await;
    let moved = desk.ledger.get(&acme(), &desk.id).await;
    assert!(matches!(moved, Err(StoreError::Corrupt { .. })), "{moved:?}");
}
