//! What is known of an account's groups, and what follows from it.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use proto::ErrorKind;
use queuegram_tests::stage::patience;
use serde_json::json;

use super::*;
use crate::cx::tests::ground::Ground;
use crate::cx::tests::sandbox::Sandbox;

fn counted(ground: &Ground, used: u32, most: u32) {
    ground.tenure.limiter.count_groups(used, most);
}

fn known(ground: &Ground) -> Option<(u32, u32)> {
    ground.tenure.limiter.groups().map(|groups| (groups.used, groups.most))
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
    assert!(ground.take().await.has_room().is_ok());
}

#[tokio::test]
async fn who_is_at_the_limit_is_told_so_until_there_is_room_again() {
    let ground = Ground::new().await;
    counted(&ground, 499, 500);
    let cx = ground.take().await;
    assert!(cx.has_room().is_ok());
    cx.groups_changed(supergroup(), true).await;
    let fault = fault(cx.has_room().unwrap_err());
    assert_eq!((fault.kind, fault.code.as_str()), (ErrorKind::Forbidden, code::ACCOUNT_FULL));
    assert!(fault.message.contains("500"), "{}", fault.message);
    cx.groups_changed(supergroup(), false).await;
    assert!(cx.has_room().is_ok());
}

#[tokio::test]
async fn basic_groups_take_no_room() {
    let ground = Ground::new().await;
    counted(&ground, 7, 500);
    let cx = ground.take().await;
    cx.groups_changed(ChatId::basic(5).unwrap(), true).await;
    assert_eq!(known(&ground), Some((7, 500)));
}

#[tokio::test]
async fn telegrams_word_is_believed_and_checked_soon() {
    let ground = Ground::new().await;
    counted(&ground, 480, 500);
    let fault = fault(ground.take().await.met_full().await);
    assert_eq!((fault.kind, fault.code.as_str()), (ErrorKind::Forbidden, code::ACCOUNT_FULL));
    assert_eq!(known(&ground), Some((500, 500)));
    // Whoever keeps the count is woken, also where it was busy just then.
    ground.tenure.filled.notified().await;
}

#[tokio::test]
async fn what_telegram_says_counts_also_where_nothing_was_counted() {
    let ground = Ground::new().await;
    ground.take().await.met_full().await;
    assert_eq!(known(&ground), Some((500, 500)));
    assert!(ground.take().await.has_room().is_err());
}

#[tokio::test]
async fn a_full_account_is_counted_again_within_minutes_and_not_only_the_next_day() {
    let sandbox = Sandbox::open().await;
    let mut ground = sandbox.ground().await;
    ground.tenure.account = Ok(ground.account.clone());
    counted(&ground, 7, 500);
    let (clock, tenure) = (ground.clock.clone(), Arc::new(ground.tenure));
    let keeping = tokio::spawn(keep(tenure.clone()));
    // With one thread it comes to wait for tomorrow before this goes on. Then Telegram says that the
    // account is full.
    tokio::task::yield_now().await;
    tenure.limiter.fill_groups(500);
    tenure.filled.notify_one();
    clock.advance(TimeDelta::minutes(10));
    let counted = || async {
        let groups = tenure.limiter.groups().unwrap();
        Ok((groups.used == 0).then_some(()))
    };
    patience::until("the groups were counted", Duration::from_secs(60), counted).await.unwrap();
    tenure.stopping.cancel();
    keeping.await.unwrap();
}

#[tokio::test]
async fn the_keeper_ends_with_the_tenure() {
    let ground = Ground::new().await;
    counted(&ground, 7, 500);
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
    count(&ground.tenure, &ground.account).await.unwrap();
    assert_eq!(known(&ground), Some((0, 500)));

    let create = json!({ "title": "Deal 77" });
    let made = ground.carry_out("group.create", &create).await.unwrap().chat_id;
    assert_eq!(known(&ground), Some((1, 500)));
    let basic = json!({ "title": "Deal 78", "kind": "basic", "members": ["@client"] });
    ground.carry_out("group.create", &basic).await.unwrap();
    assert_eq!(known(&ground), Some((1, 500)));
    count(&ground.tenure, &ground.account).await.unwrap();
    assert_eq!(known(&ground), Some((1, 500)), "what was kept up is what is there");

    let delete = json!({ "chat_id": made, "confirm_title": "Deal 77" });
    ground.carry_out("group.delete", &delete).await.unwrap();
    assert_eq!(known(&ground), Some((0, 500)));
}

#[tokio::test]
async fn a_full_account_asks_telegram_for_no_group_and_one_that_telegram_calls_full_is_kept_so() {
    let sandbox = Sandbox::open().await;
    sandbox.person(1, "client", json!({})).await;
    let mut ground = sandbox.ground().await;
    counted(&ground, 450, 500);
    let too_much = json!({
        "match": { "request": "channels.createChannel" }, "times": 1,
        "then": { "error": [400, "CHANNELS_TOO_MUCH"] },
    });
    sandbox.tgsim.script(&too_much).await.unwrap();
    let create = json!({ "title": "Deal 77", "members": ["@client"] });
    let refused = fault(ground.carry_out("group.create", &create).await.unwrap_err());
    assert_eq!((refused.kind, refused.code.as_str()), (ErrorKind::Forbidden, code::ACCOUNT_FULL));
    assert_eq!(known(&ground), Some((500, 500)));

    let mark = sandbox.tgsim.mark().await.unwrap();
    let refused = fault(ground.carry_out("group.create", &create).await.unwrap_err());
    assert_eq!((refused.kind, refused.code.as_str()), (ErrorKind::Forbidden, code::ACCOUNT_FULL));
    assert_eq!(sandbox.tgsim.requests_after(mark).await.unwrap(), [""; 0]);
    // Basic groups take no room.
    let basic = json!({ "title": "Deal 78", "kind": "basic", "members": ["@client"] });
    ground.carry_out("group.create", &basic).await.unwrap();

    count(&ground.tenure, &ground.account).await.unwrap();
    assert_eq!(known(&ground), Some((0, 500)));
    ground.carry_out("group.create", &create).await.unwrap();
}
