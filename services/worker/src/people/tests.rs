//! Whom a command found stays found, however often it goes on.

use std::sync::Arc;

use serde_json::json;
use telegram::session::MemorySink;
use telegram::{Account, Gate, PeerRecord};

use super::*;
use crate::cx::tests::ground::Ground;
use crate::limits::{Ask, Hit};

fn input(written: serde_json::Value) -> MemberInput {
    MemberInput::parse(written).unwrap()
}

fn ann() -> UserPeer {
    UserPeer {
        id: 7.try_into().unwrap(),
        access_hash: 1,
        username: Some("ann".to_owned()),
        first_name: "Ann".to_owned(),
        bot: false,
        bot_blocks_groups: false,
        contact: true,
        is_self: false,
        deleted: false,
    }
}

/// An account that has met these people, and can't ask Telegram for others.
fn account(ground: &Ground, met: &[UserPeer]) -> Account {
    let met = met.iter().cloned().map(PeerRecord::User).collect();
    let telegram = &ground.tenure.shared.telegram;
    telegram.open(None, met, Arc::new(MemorySink::default()), Gate::always())
}

fn ids(people: &[Person]) -> Vec<i64> {
    people.iter().map(|person| person.found.as_ref().unwrap().id.get()).collect()
}

#[tokio::test]
async fn people_are_looked_for_once_in_a_command() {
    let mut ground = Ground::new().await;
    ground.account = account(&ground, &[ann()]);
    let inputs = [input(json!(7)), input(json!("7"))];
    let mut cx = ground.take().await;
    let found = find_all(&mut cx, "members", &inputs, Search::default()).await.unwrap();
    assert_eq!(ids(&found), [7, 7]);

    // Another owner's account may not remember them.
    ground.account = account(&ground, &[]);
    let mut cx = ground.take().await;
    let found = find_all(&mut cx, "members", &inputs, Search::default()).await.unwrap();
    assert_eq!(ids(&found), [7, 7]);
    assert!(found[0].found.as_ref().unwrap().contact, "it decides which budget they draw on");
    let noted = ground.step("people:members").await.unwrap().answer.to_string();
    assert!(!noted.to_lowercase().contains("ann"), "{noted}");
}

#[tokio::test]
async fn who_was_found_before_a_wait_is_not_looked_for_again() {
    let mut ground = Ground::new().await;
    ground.account = account(&ground, &[ann()]);
    let ask = Ask { class: Class::Resolve, cost: std::num::NonZeroU32::MIN, chat: None };
    let hit = Hit { ask, code: "FLOOD_WAIT".to_owned(), wait_s: Some(60) };
    ground.tenure.limiter.hit(&hit).await.unwrap();
    let inputs = [input(json!(7)), input(json!("@somebody_here"))];
    let mut cx = ground.take().await;
    let parked = find_all(&mut cx, "members", &inputs, Search::default()).await;
    assert!(matches!(parked, Err(Stop::Parked(_))), "{parked:?}");

    // Whoever is looked for by number would be looked for in vain now; it comes to the name at once.
    ground.account = account(&ground, &[]);
    let mut cx = ground.take().await;
    let parked = find_all(&mut cx, "members", &inputs, Search::default()).await;
    assert!(matches!(parked, Err(Stop::Parked(_))), "{parked:?}");
    let noted = ground.step("people:members").await.unwrap().answer;
    assert_eq!(noted["Ok"].as_array().map(Vec::len), Some(1), "{noted}");
}
