use chrono::{DateTime, Utc};
use deadpool_redis::redis::cmd;
use proto::{InstanceId, MethodName};
use queuegram_store::{Pause, PauseBook, PauseScope, Pauses, StoreError};

use crate::corner::{Corner, acme};

fn at() -> DateTime<Utc> {
    proto::time::parse("2026-11-23T07:00:00.123Z").unwrap()
}

fn pause(reason: &str) -> Pause {
    Pause { since: at(), by: Some("ann".to_owned()), reason: Some(reason.to_owned()) }
}

fn other() -> InstanceId {
    "other".parse().unwrap()
}

fn method(name: &str) -> MethodName {
    name.parse().unwrap()
}

fn own() -> PauseScope {
    PauseScope::Instance(acme())
}

#[tokio::test]
async fn an_instance_is_paused_as_a_whole_or_by_method() {
    let corner = Corner::new().await;
    let pauses = Pauses::new(&corner.redis);
    let (create, rename) = (method("group.create"), method("group.rename"));
    assert!(pauses.load().await.unwrap().is_empty());

    let methods = [create.clone()];
    let book = pauses.pause(&own(), &methods, &pause("audit")).await.unwrap();
    assert!(book.holds(&acme(), &create) && !book.holds(&acme(), &rename));
    assert!(!book.stops(&acme()) && !book.holds(&other(), &create));

    let book = pauses.pause(&own(), &[], &pause("abuse")).await.unwrap();
    assert!(book.stops(&acme()) && book.holds(&acme(), &rename) && !book.stops(&other()));
    let over: Vec<_> = book.over(&acme()).map(|(_, method, _)| method.cloned()).collect();
    assert_eq!(over, [None, Some(create.clone())]);
    assert_eq!(pauses.load().await.unwrap(), book);

    let book = pauses.resume(&own(), &[create]).await.unwrap();
    assert!(book.stops(&acme()), "the other pause stays");
    let book = pauses.resume(&own(), &[]).await.unwrap();
    assert!(book.is_empty());
}

#[tokio::test]
async fn a_pause_of_all_holds_beside_those_of_single_ones() {
    let corner = Corner::new().await;
    let pauses = Pauses::new(&corner.redis);
    pauses.pause(&own(), &[method("group.create")], &pause("one")).await.unwrap();
    let book = pauses.pause(&PauseScope::All, &[], &pause("all")).await.unwrap();
    assert!(book.stops(&acme()) && book.stops(&other()));
    let book = pauses.resume(&own(), &[]).await.unwrap();
    assert!(book.stops(&acme()), "an instance's resuming does not end the pause of all");
    pauses.pause(&own(), &[], &pause("one")).await.unwrap();
    let book = pauses.resume(&PauseScope::All, &[]).await.unwrap();
    assert!(book.stops(&acme()) && !book.stops(&other()), "nor the other way round");
}

#[tokio::test]
async fn every_change_has_another_version() {
    let corner = Corner::new().await;
    let pauses = Pauses::new(&corner.redis);
    assert_eq!(pauses.version().await.unwrap(), None);
    let first = pauses.pause(&own(), &[], &pause("a")).await.unwrap();
    assert_eq!(pauses.version().await.unwrap().as_deref(), first.version());
    let second = pauses.resume(&own(), &[]).await.unwrap();
    assert!(second.version().is_some() && second.version() != first.version());
}

#[tokio::test]
async fn what_redis_lost_is_noted_again_by_who_remembers_it() {
    let corner = Corner::new().await;
    let pauses = Pauses::new(&corner.redis);
    assert!(!pauses.restore(&PauseBook::default()).await.unwrap(), "nothing to remember");
    let book = pauses.pause(&own(), &[], &pause("abuse")).await.unwrap();
    assert!(!pauses.restore(&book).await.unwrap(), "it is all there");
    let key = format!("{}:pauses", corner.config.prefix);
    corner.query::<u8>(cmd("DEL").arg(&key)).await;
    assert!(pauses.restore(&book).await.unwrap());
    assert_eq!(pauses.load().await.unwrap(), book);
}

#[tokio::test]
async fn a_pause_that_makes_no_sense_is_said() {
    let corner = Corner::new().await;
    let pauses = Pauses::new(&corner.redis);
    let key = format!("{}:pauses", corner.config.prefix);
    corner.query::<u8>(cmd("HSET").arg(&key).arg("nonsense").arg("{}")).await;
    assert!(matches!(pauses.load().await, Err(StoreError::Corrupt { .. })));
}
