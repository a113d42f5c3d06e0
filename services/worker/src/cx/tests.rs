//! What a step promises, with a real ledger and a Telegram that the tests play.

mod doubt;
pub(crate) mod ground;
pub(crate) mod sandbox;

use std::cell::{Cell, RefCell};

use proto::{ErrorKind, Fault};
use telegram::verdict::of_name;
use telegram::{AccountVerdict, RpcFault};

use self::ground::Ground;
use super::*;
use crate::limits::Class;
use crate::stop::Stop;

const HOUR_S: i64 = 3_600;

fn once() -> Step {
    Step::once("create", Class::Create)
}

fn repeatable() -> Step {
    Step::repeatable("rename", Class::Admin)
}

fn rpc(code: i32, name: &str) -> CallError {
    CallError::Rpc(RpcFault::new(code, name, ""))
}

fn lost() -> CallError {
    CallError::Lost("cut".to_owned())
}

/// A Telegram that gives these answers, one after the other; asked once more it fails the test.
struct Script(RefCell<Vec<Result<u64, CallError>>>, Cell<usize>);

impl Script {
    fn new(answers: impl IntoIterator<Item = Result<u64, CallError>>) -> Self {
        let mut answers: Vec<_> = answers.into_iter().collect();
        answers.reverse();
        Self(RefCell::new(answers), Cell::new(0))
    }

    fn calls(&self) -> usize {
        self.1.get()
    }

    async fn run(&self, cx: &mut Cx<'_>, step: Step) -> Result<u64, Failure> {
        cx.step(step, || {
            self.1.set(self.1.get() + 1);
            std::future::ready(self.0.borrow_mut().pop().expect("asked once too often"))
        })
        .await
    }
}

fn fault(failure: Failure) -> Fault {
    match failure {
        Failure::Stop(Stop::Fault(fault)) => fault,
        other => panic!("{other:?}"),
    }
}

fn is_uncertain(answer: &Result<u64, Failure>) -> bool {
    matches!(answer, Err(Failure::Stop(Stop::Uncertain(_))))
}

fn is_abandoned(answer: &Result<u64, Failure>) -> bool {
    matches!(answer, Err(Failure::Stop(Stop::Abandoned(_))))
}

#[tokio::test]
async fn a_recorded_answer_is_given_again_without_a_call() {
    let ground = Ground::new().await;
    let big = u64::MAX;
    let made = Script::new([Ok(big)]).run(&mut ground.take().await, once()).await;
    assert_eq!(made.unwrap(), big);

    let mut after_crash = ground.take().await;
    assert_eq!((after_crash.effects(), after_crash.has_begun()), (1, true));
    let script = Script::new([]);
    assert_eq!(script.run(&mut after_crash, once()).await.unwrap(), big);
    assert_eq!(script.calls(), 0);
    assert_eq!(after_crash.effects(), 1);
}

#[tokio::test]
async fn what_leaves_nothing_to_look_for_is_uncertain_after_a_crash() {
    let ground = Ground::new().await;
    drop(ground.take().await);
    ground.crash_in("create", Effect::Once).await;

    let (mut cx, script) = (ground.take().await, Script::new([]));
    let answer = script.run(&mut cx, once()).await;
    assert!(is_uncertain(&answer), "{answer:?}");
    assert_eq!(script.calls(), 0);
    assert_eq!((cx.effects(), cx.has_begun()), (0, true));
}

#[tokio::test]
async fn what_may_be_made_twice_is_made_again_after_a_crash() {
    let ground = Ground::new().await;
    drop(ground.take().await);
    ground.crash_in("rename", Effect::Repeatable).await;

    let (mut cx, script) = (ground.take().await, Script::new([Ok(1)]));
    assert_eq!(script.run(&mut cx, repeatable()).await.unwrap(), 1);
    assert_eq!(ground.step("rename").await.unwrap().state, StepState::Executed);
}

#[tokio::test]
async fn a_refusal_stands_in_the_ledger() {
    let ground = Ground::new().await;
    let mut cx = ground.take().await;
    let refused = Script::new([Err(rpc(400, "CHAT_ADMIN_REQUIRED"))]);
    let answer = refused.run(&mut cx, once()).await;
    assert!(matches!(answer, Err(Failure::Refused(refusal)) if !refusal.repeated));
    assert_eq!(cx.effects(), 0);

    let mut after_crash = ground.take().await;
    assert_eq!(after_crash.effects(), 0);
    let again = Script::new([]).run(&mut after_crash, once()).await;
    assert!(matches!(again, Err(Failure::Refused(refusal)) if refusal.is("CHAT_ADMIN_REQUIRED")));
}

fn is_parked(answer: &Result<u64, Failure>, for_s: i64, ground: &Ground) -> bool {
    let now = ground.tenure.shared.clock.now();
    matches!(answer, Err(Failure::Stop(Stop::Parked(not_yet)))
        if not_yet.opens.is_some_and(|opens| (for_s..=for_s + 1).contains(&(opens - now).num_seconds())))
}

#[tokio::test]
async fn a_flood_wait_shuts_the_gate_of_its_class() {
    let ground = Ground::new().await;
    let mut cx = ground.take().await;
    let script = Script::new([Err(rpc(420, "FLOOD_WAIT_30"))]);
    let answer = script.run(&mut cx, once()).await;
    assert!(is_parked(&answer, 30, &ground), "{answer:?}");
    assert!(!cx.has_begun());

    let next = Step::once("second", Class::Create);
    let answer = Script::new([]).run(&mut cx, next).await;
    assert!(is_parked(&answer, 30, &ground), "{answer:?}");
    assert!(Script::new([Ok(1)]).run(&mut cx, repeatable()).await.is_ok());
}

#[tokio::test]
async fn what_a_flood_wait_held_back_was_not_begun() {
    let ground = Ground::new().await;
    let script = Script::new([Err(rpc(420, "FLOOD_WAIT_30"))]);
    assert!(script.run(&mut ground.take().await, once()).await.is_err());
    assert!(ground.step("create").await.is_none());
    ground.pass(60);
    let mut later = ground.take().await;
    assert!(!later.has_begun());
    assert_eq!(Script::new([Ok(1)]).run(&mut later, once()).await.unwrap(), 1);
}

#[tokio::test]
async fn a_wait_past_the_deadline_is_told_at_once() {
    let ground = Ground::new().await;
    let script = Script::new([Err(rpc(420, "FLOOD_WAIT_7200"))]);
    let answer = script.run(&mut ground.take().await, once()).await;
    let Err(Failure::Throttled { retry_after_s, code }) = answer else { panic!("{answer:?}") };
    assert!((7_200..=7_201).contains(&retry_after_s));
    assert_eq!(code, "FLOOD_WAIT");
}

#[tokio::test]
async fn a_peer_flood_shuts_the_gate_for_longer_than_an_hour() {
    let ground = Ground::new().await;
    let script = Script::new([Err(rpc(400, "PEER_FLOOD"))]);
    let answer = script.run(&mut ground.take().await, once()).await;
    assert!(matches!(answer, Err(Failure::Throttled { retry_after_s: 3_600.., .. })), "{answer:?}");
}

#[tokio::test]
async fn a_lost_answer_to_what_leaves_nothing_to_look_for_is_uncertain() {
    for error in [lost(), CallError::TimedOut, rpc(500, "RPC_CALL_FAIL")] {
        let ground = Ground::new().await;
        let (mut cx, script) = (ground.take().await, Script::new([Err(error)]));
        let answer = script.run(&mut cx, once()).await;
        assert!(is_uncertain(&answer), "{answer:?}");
        assert_eq!(script.calls(), 1);
        assert_eq!(ground.step("create").await.unwrap().state, StepState::Started);
    }
}

#[tokio::test]
async fn a_lost_answer_to_what_may_be_made_twice_is_asked_for_again() {
    let ground = Ground::new().await;
    let (mut cx, script) = (ground.take().await, Script::new([Err(lost()), Err(lost()), Ok(1)]));
    assert_eq!(script.run(&mut cx, repeatable()).await.unwrap(), 1);
    assert_eq!(cx.effects(), 1);

    let ground = Ground::new().await;
    let script = Script::new([Err(lost()), Err(lost()), Err(lost())]);
    let answer = script.run(&mut ground.take().await, repeatable()).await;
    assert!(is_uncertain(&answer), "{answer:?}");
}

#[tokio::test]
async fn a_look_that_stays_without_answer_changed_nothing() {
    let ground = Ground::new().await;
    let mut cx = ground.take().await;
    let script = Script::new([Err(lost()), Err(lost()), Err(lost())]);
    let answer = script.run(&mut cx, Step::read("look", Class::Read)).await;
    assert_eq!(fault(answer.unwrap_err()).kind, ErrorKind::Unavailable);
    assert!(!cx.has_begun());
}

#[tokio::test]
async fn a_refusal_after_a_lost_answer_says_so() {
    let ground = Ground::new().await;
    let script = Script::new([Err(lost()), Err(rpc(400, "USER_ALREADY_PARTICIPANT"))]);
    let answer = script.run(&mut ground.take().await, repeatable()).await;
    assert!(matches!(answer, Err(Failure::Refused(refusal)) if refusal.repeated));

    // After a crash in between, too, and it is still known after the next one.
    let ground = Ground::new().await;
    drop(ground.take().await);
    ground.crash_in("rename", Effect::Repeatable).await;
    let script = Script::new([Err(rpc(400, "USER_ALREADY_PARTICIPANT"))]);
    let answer = script.run(&mut ground.take().await, repeatable()).await;
    assert!(matches!(answer, Err(Failure::Refused(refusal)) if refusal.repeated));
    let again = Script::new([]).run(&mut ground.take().await, repeatable()).await;
    assert!(matches!(again, Err(Failure::Refused(refusal)) if refusal.repeated));
}

#[tokio::test]
async fn what_never_left_is_sent_until_the_deadline() {
    let ground = Ground::new().await;
    let not_sent = || Err(CallError::NotSent("no route".to_owned()));
    let script = Script::new([not_sent(), Ok(1)]);
    assert_eq!(script.run(&mut ground.take().await, once()).await.unwrap(), 1);

    let ground = Ground::new().await;
    let mut cx = ground.take().await;
    let answer = cx
        .step(once(), || {
            ground.pass(HOUR_S);
            std::future::ready(Err::<u64, _>(CallError::NotSent("no route".to_owned())))
        })
        .await;
    // Not even begun at Telegram: the caller may send the same under a new id.
    assert_eq!(fault(answer.unwrap_err()).kind, ErrorKind::Unavailable);
    assert_eq!(cx.effects(), 0);
}

#[tokio::test]
async fn the_deadline_holds_back_only_what_has_not_begun() {
    let ground = Ground::new().await;
    let mut cx = ground.take().await;
    ground.pass(HOUR_S);
    let answer = Script::new([]).run(&mut cx, once()).await;
    assert_eq!(fault(answer.unwrap_err()).kind, ErrorKind::Expired);

    let ground = Ground::new().await;
    let mut cx = ground.take().await;
    assert!(Script::new([Ok(1)]).run(&mut cx, once()).await.is_ok());
    ground.pass(HOUR_S);
    assert!(Script::new([Ok(2)]).run(&mut cx, repeatable()).await.is_ok());
    let mut after_crash = ground.take().await;
    let last = Step::repeatable("last", Class::Admin);
    assert!(Script::new([Ok(3)]).run(&mut after_crash, last).await.is_ok());
}

#[tokio::test]
async fn what_must_be_kept_is_kept_before_the_step_counts_as_executed() {
    let ground = Ground::new().await;
    let mut cx = ground.take().await;
    let seen = RefCell::new(Vec::new());
    let (ground_ref, seen_ref) = (&ground, &seen);
    let keep = |made: &u64| {
        let made = *made;
        async move {
            let step = ground_ref.step("create").await.unwrap();
            seen_ref.borrow_mut().push((made, step.state));
            Ok(())
        }
    };
    cx.durable(once(), &Untraced::default(), || std::future::ready(Ok(7_u64)), keep).await.unwrap();
    assert_eq!(*seen.borrow(), [(7, StepState::Started)]);
    assert_eq!(ground.step("create").await.unwrap().state, StepState::Executed);
}

#[tokio::test]
async fn what_happened_counts_also_where_a_store_refuses_it() {
    let ground = Ground::new().await;
    let mut cx = ground.take().await;
    let keep = |_: &u64| {
        std::future::ready(Err(StoreError::Refused { store: "vault", why: "full".to_owned() }))
    };
    let answer =
        cx.durable(once(), &Untraced::default(), || std::future::ready(Ok(7_u64)), keep).await;
    assert_eq!(fault(answer.unwrap_err()).kind, ErrorKind::Internal);
    assert_eq!(cx.effects(), 1);
}

#[tokio::test]
async fn who_lost_the_instance_sends_nothing_and_answers_nothing() {
    let ground = Ground::new().await;
    let mut cx = ground.take().await;
    ground.usurp().await;
    let script = Script::new([]);
    let answer = script.run(&mut cx, once()).await;
    assert!(is_abandoned(&answer), "{answer:?}");
    assert_eq!(script.calls(), 0);
}

#[tokio::test]
async fn who_loses_the_instance_during_a_call_answers_nothing() {
    let ground = Ground::new().await;
    let mut cx = ground.take().await;
    let answer = cx
        .step(repeatable(), || async {
            ground.usurp().await;
            Ok(1_u64)
        })
        .await;
    assert!(is_abandoned(&answer), "{answer:?}");
}

#[tokio::test]
async fn a_worker_going_down_does_not_try_again() {
    let ground = Ground::new().await;
    let mut cx = ground.take().await;
    ground.tenure.stopping.cancel();
    let script = Script::new([Err(lost())]);
    let answer = script.run(&mut cx, repeatable()).await;
    assert!(is_abandoned(&answer), "{answer:?}");
}

#[tokio::test]
async fn the_end_of_a_login_is_reported_to_the_owner() {
    for (error, verdict) in [
        (rpc(401, "AUTH_KEY_UNREGISTERED"), of_name("AUTH_KEY_UNREGISTERED")),
        (rpc(406, "AUTH_KEY_DUPLICATED"), of_name("AUTH_KEY_DUPLICATED")),
        (rpc(400, "API_ID_INVALID"), of_name("API_ID_INVALID")),
        (CallError::KeyUnknown, AccountVerdict::KEY_UNKNOWN),
    ] {
        let ground = Ground::new().await;
        let answer = Script::new([Err(error)]).run(&mut ground.take().await, once()).await;
        assert_eq!(fault(answer.unwrap_err()).kind, ErrorKind::Detached);
        assert_eq!(*ground.tenure.verdict.borrow(), Some(verdict));
    }
}

#[tokio::test]
async fn looks_leave_no_trace_unless_they_decide_something() {
    let ground = Ground::new().await;
    let mut cx = ground.take().await;
    let look = Step::read("look", Class::Read);
    assert!(Script::new([Ok(1)]).run(&mut cx, look).await.is_ok());
    assert!(ground.step("look").await.is_none());

    let decisive = || Step::decisive_read("decide", Class::Read);
    assert!(Script::new([Ok(1)]).run(&mut cx, decisive()).await.is_ok());
    assert!(!cx.has_begun());
    let mut after_crash = ground.take().await;
    assert_eq!(Script::new([]).run(&mut after_crash, decisive()).await.unwrap(), 1);
    assert_eq!(after_crash.effects(), 0);
}

#[tokio::test]
async fn what_a_command_noted_for_itself_is_there_after_it_was_parked_and_can_be_replaced() {
    let ground = Ground::new().await;
    let mut cx = ground.take().await;
    assert_eq!(cx.recall::<Vec<u64>>("plan").unwrap(), None);
    cx.remember("plan", &[u64::MAX]).await.unwrap();
    assert_eq!((cx.effects(), cx.has_begun()), (0, false));
    let parking = Script::new([Err(rpc(420, "FLOOD_WAIT_30"))]);
    assert!(parking.run(&mut cx, once()).await.is_err());

    let cx = ground.take().await;
    assert_eq!(cx.recall("plan").unwrap(), Some([u64::MAX]));
    cx.remember("plan", &[1_u64, 2]).await.unwrap();
    let cx = ground.take().await;
    assert_eq!(cx.recall("plan").unwrap(), Some([1_u64, 2]));
    assert_eq!((cx.effects(), cx.has_begun()), (0, false));
}

#[tokio::test]
async fn a_command_went_past_a_step_once_anything_was_noted_after_it() {
    let ground = Ground::new().await;
    let mut cx = ground.take().await;
    assert!(Script::new([Ok(1)]).run(&mut cx, once()).await.is_ok());
    let mut cx = ground.take().await;
    assert!(!cx.went_past("create") && !cx.went_past("rename"));
    assert!(Script::new([Ok(1)]).run(&mut cx, repeatable()).await.is_ok());
    let cx = ground.take().await;
    assert!(cx.went_past("create") && !cx.went_past("rename"));
}

#[tokio::test]
async fn an_invite_that_puts_nobody_in_is_no_effect() {
    let ground = Ground::new().await;
    let mut cx = ground.take().await;
    Script::new([Ok(0)]).run(&mut cx, repeatable()).await.unwrap();
    cx.came_to_nothing();
    assert_eq!((cx.effects(), cx.has_begun()), (0, true));
}
