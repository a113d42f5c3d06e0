//! What is known of an account's groups, and what follows from it.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use proto::ErrorKind;
use serde_json::json;

use super::keep::{count_if_due, next_count};
use super::*;
use crate::cx::tests::ground::Ground;
use crate::cx::tests::sandbox::Sandbox;

fn groups(used: u32, most: u32, counted_at: DateTime<Utc>) -> GroupsUsed {
    GroupsUsed { used, most, counted_at }
}

async fn counted(ground: &Ground, used: u32, most: u32) {
    let Tenure { shared, lease, .. } = &ground.tenure;
    let groups = groups(used, most, shared.clock.now());
    shared.fullness.count(lease, &groups).await.unwrap();
}

async fn known(ground: &Ground) -> Option<(u32, u32)> {
    let groups = view(&ground.tenure.shared, &ground.tenure.instance).await.unwrap();
    groups.map(|groups| (groups.used, groups.most))
}

fn supergroup() -> ChatId {
    (-1_001_234_567_890).try_into().unwrap()
}

fn fault(stop: Stop) -> Fault {
    match stop {
        Stop::Fault(fault) => fault,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_account_that_was_never_counted_has_room() {
    let ground = Ground::new().await;
    assert!(ground.take().await.has_room().await.is_ok());
}

#[tokio::test]
async fn who_is_at_the_limit_is_told_so_until_there_is_room_again() {
    let ground = Ground::new().await;
    counted(&ground, 499, 500).await;
    let cx = ground.take().await;
    assert!(cx.has_room().await.is_ok());
    cx.joined(supergroup()).await.unwrap();
    let fault = fault(cx.has_room().await.unwrap_err());
    assert_eq!((fault.kind, fault.code.as_str()), (ErrorKind::Forbidden, code::ACCOUNT_FULL));
    assert!(fault.message.contains("500"), "{}", fault.message);
    cx.left(supergroup()).await.unwrap();
    assert!(cx.has_room().await.is_ok());
}

#[tokio::test]
async fn basic_groups_take_no_room() {
    let ground = Ground::new().await;
    counted(&ground, 7, 500).await;
    let cx = ground.take().await;
    cx.joined(ChatId::basic(5).unwrap()).await.unwrap();
    assert_eq!(known(&ground).await, Some((7, 500)));
}

#[tokio::test]
async fn telegrams_word_is_believed_and_checked_soon() {
    let ground = Ground::new().await;
    counted(&ground, 480, 500).await;
    let fault = fault(ground.take().await.met_full().await);
    assert_eq!((fault.kind, fault.code.as_str()), (ErrorKind::Forbidden, code::ACCOUNT_FULL));
    assert_eq!(known(&ground).await, Some((500, 500)));
    // Whoever keeps the count is woken, also where it was busy just then.
    ground.tenure.filled.notified().await;
}

#[test]
fn a_count_is_good_for_a_day_and_a_full_one_for_minutes() {
    let at = DateTime::UNIX_EPOCH;
    assert_eq!(next_count(&groups(499, 500, at)), at + TimeDelta::hours(24));
    assert_eq!(next_count(&groups(500, 500, at)), at + TimeDelta::minutes(10));
    assert_eq!(next_count(&groups(700, 500, at)), at + TimeDelta::minutes(10));
}

#[tokio::test]
async fn a_count_that_is_good_is_not_made_again_whoever_made_it() {
    let ground = Ground::new().await;
    counted(&ground, 7, 500).await;
    let at = ground.tenure.shared.clock.now();
    ground.pass(3_600);
    // Nobody plays Telegram here: a count would fail.
    let next = count_if_due(&ground.tenure, &ground.account).await.unwrap();
    assert_eq!(next, at + TimeDelta::hours(24));
}

#[tokio::test]
async fn the_keeper_ends_with_the_tenure() {
    let ground = Ground::new().await;
    counted(&ground, 7, 500).await;
    let tenure = Arc::new(ground.tenure);
    let keeping = tokio::spawn(keep(tenure.clone()));
    tenure.stopping.cancel();
    keeping.await.unwrap();
}

#[tokio::test]
async fn channels_and_supergroups_are_counted_and_what_commands_make_and_delete_is_kept_up() {
    let sandbox = Sandbox::open().await;
    sandbox.person(1, "client", json!({})).await;
    let mut ground = sandbox.ground().await;
    let due = count_if_due(&ground.tenure, &ground.account).await.unwrap();
    assert_eq!(due, ground.tenure.shared.clock.now() + TimeDelta::hours(24));
    assert_eq!(known(&ground).await, Some((0, 500)));

    let create = json!({ "title": "Deal 77" });
    let made = ground.carry_out("group.create", &create).await.unwrap().chat_id;
    assert_eq!(known(&ground).await, Some((1, 500)));
    let basic = json!({ "title": "Deal 78", "kind": "basic", "members": ["@client"] });
    ground.carry_out("group.create", &basic).await.unwrap();
    assert_eq!(known(&ground).await, Some((1, 500)));
    ground.pass(86_400);
    count_if_due(&ground.tenure, &ground.account).await.unwrap();
    assert_eq!(known(&ground).await, Some((1, 500)), "what was kept up is what is there");

    let delete = json!({ "chat_id": made, "confirm_title": "Deal 77" });
    ground.carry_out("group.delete", &delete).await.unwrap();
    assert_eq!(known(&ground).await, Some((0, 500)));
}

#[tokio::test]
async fn a_full_account_asks_telegram_for_no_group_and_one_that_telegram_calls_full_is_kept_so() {
    let sandbox = Sandbox::open().await;
    sandbox.person(1, "client", json!({})).await;
    let mut ground = sandbox.ground().await;
    counted(&ground, 450, 500).await;
    let too_much = json!({
        "match": { "request": "channels.createChannel" }, "times": 1,
        "then": { "error": [400, "CHANNELS_TOO_MUCH"] },
    });
    sandbox.tgsim.script(&too_much).await.unwrap();
    let create = json!({ "title": "Deal 77", "members": ["@client"] });
    let refused = fault(ground.carry_out("group.create", &create).await.unwrap_err());
    assert_eq!((refused.kind, refused.code.as_str()), (ErrorKind::Forbidden, code::ACCOUNT_FULL));
    assert_eq!(known(&ground).await, Some((500, 500)));

    let mark = sandbox.tgsim.mark().await.unwrap();
    let refused = fault(ground.carry_out("group.create", &create).await.unwrap_err());
    assert_eq!((refused.kind, refused.code.as_str()), (ErrorKind::Forbidden, code::ACCOUNT_FULL));
    assert_eq!(sandbox.tgsim.requests_after(mark).await.unwrap(), [""; 0]);
    // Basic groups take no room.
    let basic = json!({ "title": "Deal 78", "kind": "basic", "members": ["@client"] });
    ground.carry_out("group.create", &basic).await.unwrap();

    ground.pass(600);
    count_if_due(&ground.tenure, &ground.account).await.unwrap();
    assert_eq!(known(&ground).await, Some((0, 500)));
    ground.carry_out("group.create", &create).await.unwrap();
}
