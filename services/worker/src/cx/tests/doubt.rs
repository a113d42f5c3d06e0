//! What becomes of a step that must not be made twice, where its answer is not known.

use std::sync::Mutex;

use serde_json::{Value, json};

use super::*;
use crate::reconcile::Evidence;

/// A Telegram that shows this, look for look; looked at once more it fails the test.
struct Seen(Mutex<Vec<Evidence<u64>>>, Mutex<bool>);

impl Seen {
    fn new(looks: impl IntoIterator<Item = Evidence<u64>>) -> Self {
        let mut looks: Vec<_> = looks.into_iter().collect();
        looks.reverse();
        Self(Mutex::new(looks), Mutex::new(false))
    }

    fn all_used(&self) -> bool {
        self.0.lock().unwrap().is_empty()
    }
}

impl Trace for Seen {
    type Answer = u64;

    async fn note(&self, _: &mut Cx<'_>) -> Result<Value, Failure> {
        let before = std::mem::replace(&mut *self.1.lock().unwrap(), true);
        assert!(!before, "the first note covers every attempt");
        Ok(json!("noted"))
    }

    async fn look(&self, cx: &mut Cx<'_>, note: &Value) -> Result<Evidence<u64>, Failure> {
        assert_eq!(*note, if cx.is_suspect() { Value::Null } else { json!("noted") });
        Ok(self.0.lock().unwrap().pop().expect("looked once too often"))
    }
}

fn absent() -> Evidence<u64> {
    Evidence { found: Vec::new(), gap: None }
}

impl Script {
    async fn run_traced(&self, cx: &mut Cx<'_>, seen: &Seen) -> Result<u64, Failure> {
        let call = || {
            self.1.set(self.1.get() + 1);
            std::future::ready(self.0.borrow_mut().pop().expect("asked once too often"))
        };
        cx.durable(once(), seen, call, |_| std::future::ready(Ok(()))).await
    }
}

/// A ground on which a worker died in the step, at this attempt.
async fn crashed(attempt: u32) -> Ground {
    let ground = Ground::new().await;
    drop(ground.take().await);
    ground.crash_at("create", Effect::Once, attempt).await;
    ground
}

#[tokio::test]
async fn the_one_that_is_found_is_taken_for_the_answer() {
    let ground = crashed(1).await;
    let (mut cx, script) = (ground.take().await, Script::new([]));
    let seen = Seen::new([Evidence::proof(7)]);
    assert_eq!(script.run_traced(&mut cx, &seen).await.unwrap(), 7);
    assert_eq!((script.calls(), cx.effects()), (0, 1));
    assert_eq!(ground.step("create").await.unwrap().state, StepState::Executed);

    let (mut again, seen) = (ground.take().await, Seen::new([]));
    assert_eq!(script.run_traced(&mut again, &seen).await.unwrap(), 7);
}

#[tokio::test]
async fn what_shows_late_is_found_at_the_second_look() {
    let ground = crashed(1).await;
    let (mut cx, script) = (ground.take().await, Script::new([]));
    let seen = Seen::new([absent(), Evidence::proof(7)]);
    assert_eq!(script.run_traced(&mut cx, &seen).await.unwrap(), 7);
    assert_eq!(script.calls(), 0);
}

#[tokio::test]
async fn what_is_provably_absent_is_made_again() {
    let ground = crashed(1).await;
    let (mut cx, script) = (ground.take().await, Script::new([Ok(8)]));
    let seen = Seen::new([absent(), absent()]);
    assert_eq!(script.run_traced(&mut cx, &seen).await.unwrap(), 8);
    assert_eq!((script.calls(), ground.step("create").await.unwrap().attempt), (1, 2));
    assert!(seen.all_used());
}

#[tokio::test]
async fn it_is_made_three_times_at_most() {
    let ground = crashed(3).await;
    let (mut cx, script) = (ground.take().await, Script::new([]));
    let answer = script.run_traced(&mut cx, &Seen::new([absent(), absent()])).await;
    assert!(is_uncertain(&answer), "{answer:?}");

    let ground = Ground::new().await;
    let (mut cx, script) =
        (ground.take().await, Script::new([Err(lost()), Err(lost()), Err(lost())]));
    let answer = script.run_traced(&mut cx, &Seen::new((0..6).map(|_| absent()))).await;
    assert!(is_uncertain(&answer), "{answer:?}");
    assert_eq!((script.calls(), ground.step("create").await.unwrap().attempt), (3, 3));
}

#[tokio::test]
async fn a_lost_answer_is_looked_for_while_the_worker_lives() {
    let ground = Ground::new().await;
    let (mut cx, script) = (ground.take().await, Script::new([Err(lost())]));
    assert_eq!(script.run_traced(&mut cx, &Seen::new([Evidence::proof(7)])).await.unwrap(), 7);
    assert_eq!((script.calls(), cx.effects()), (1, 1));

    let ground = Ground::new().await;
    let (mut cx, script) = (ground.take().await, Script::new([Err(lost()), Ok(8)]));
    assert_eq!(script.run_traced(&mut cx, &Seen::new([absent(), absent()])).await.unwrap(), 8);
    assert_eq!(script.calls(), 2);
}

#[tokio::test]
async fn what_can_not_be_told_is_left_to_people() {
    for evidence in [
        Evidence { found: vec![7, 8], gap: None },
        Evidence { found: vec![7], gap: Some("a gap") },
        Evidence::none("a gap"),
    ] {
        let ground = crashed(1).await;
        let (mut cx, script) = (ground.take().await, Script::new([]));
        let answer = script.run_traced(&mut cx, &Seen::new([evidence])).await;
        assert!(is_uncertain(&answer), "{answer:?}");
        assert_eq!((script.calls(), cx.effects()), (0, 0));
    }
}

#[tokio::test]
async fn a_suspect_is_looked_for_before_it_is_made() {
    let ground = Ground::new().await;
    let (mut cx, script) = (ground.take_as(true).await, Script::new([]));
    assert_eq!(script.run_traced(&mut cx, &Seen::new([Evidence::proof(7)])).await.unwrap(), 7);
    assert_eq!(ground.step("create").await.unwrap().state, StepState::Executed);

    let ground = Ground::new().await;
    let (mut cx, script) = (ground.take_as(true).await, Script::new([Ok(8)]));
    assert!(cx.has_begun());
    assert_eq!(script.run_traced(&mut cx, &Seen::new([absent()])).await.unwrap(), 8);
    assert_eq!((script.calls(), ground.step("create").await.unwrap().attempt), (1, 1));
}

#[tokio::test]
async fn a_suspects_repeatable_step_simply_runs_and_says_so() {
    let ground = Ground::new().await;
    let mut cx = ground.take_as(true).await;
    let refused = Script::new([Err(rpc(400, "USER_ALREADY_PARTICIPANT"))]);
    let answer = refused.run(&mut cx, repeatable()).await;
    assert!(matches!(answer, Err(Failure::Refused(refusal)) if refusal.repeated));
}

#[tokio::test]
async fn past_the_deadline_nothing_absent_is_made() {
    let ground = crashed(1).await;
    let mut cx = ground.take().await;
    ground.pass(HOUR_S);
    let seen = Seen::new([absent(), absent()]);
    let answer = Script::new([]).run_traced(&mut cx, &seen).await;
    assert_eq!(fault(answer.unwrap_err()).kind, ErrorKind::Expired);

    // What of a suspect can't be looked for is not made late either.
    let ground = Ground::new().await;
    let mut cx = ground.take_as(true).await;
    ground.pass(HOUR_S);
    let answer = Script::new([]).run(&mut cx, repeatable()).await;
    assert!(is_uncertain(&answer), "{answer:?}");
}

#[tokio::test]
async fn a_record_that_vanishes_sends_the_command_back_and_makes_it_a_suspect() {
    let ground = Ground::new().await;
    let mut cx = ground.take().await;
    let shared = &ground.tenure.shared;
    assert_eq!(shared.losses.since(DateTime::UNIX_EPOCH), DateTime::UNIX_EPOCH);
    let answer = cx
        .step(repeatable(), || async {
            shared.ledger.forget(&ground.tenure.lease).await.unwrap();
            Ok(1_u64)
        })
        .await;
    assert!(is_abandoned(&answer), "{answer:?}");
    assert_eq!(shared.losses.since(DateTime::UNIX_EPOCH), cx.now());
}
