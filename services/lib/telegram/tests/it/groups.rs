//! Groups of both kinds: made, renamed, described, looked at, left, deleted, migrated.

use serde_json::json;
use telegram::calls::chats::{self, Standing};
use telegram::calls::{groups, people};
use telegram::limits;
use telegram::{Account, CallError, GroupKind, UserPeer, fault};

use crate::sim::{Person, Sim};

pub async fn met(account: &Account, username: &str) -> UserPeer {
    match people::resolve_username(account, username).await.unwrap() {
        Some(people::Resolved::User(user)) => user,
        other => panic!("{username}: {other:?}"),
    }
}

pub async fn person(sim: &Sim, phone: &str, username: &str) -> Person {
    sim.person(phone, username, json!({"username": username})).await
}

#[tokio::test]
async fn a_supergroup_lives_and_dies() {
    let sim = Sim::start().await;
    let (_, ann) = sim.logged_in("+9996620001", "Ann").await;
    let account = &ann.account;
    let made = groups::create_supergroup(account, "Deal 77", "about it").await.unwrap();
    assert!(made.group.chat_id().get() < -1_000_000_000_000);
    assert_eq!((made.title.as_str(), made.missing.len()), ("Deal 77", 0));
    assert_eq!(account.peers().group(made.group.chat_id()), Some(made.group));

    let info = groups::full(account, &made.group).await.unwrap();
    assert_eq!(info.about, "about it");
    assert_eq!(info.summary.kind, GroupKind::Supergroup);
    assert_eq!(info.summary.standing, Standing::Creator);
    assert_eq!(info.member_count, Some(1));
    assert!(info.summary.can_delete() && info.summary.can_remove() && info.members.is_none());

    groups::edit_title(account, &made.group, "Deal 78").await.unwrap();
    groups::edit_about(account, &made.group, "").await.unwrap();
    let again = groups::edit_title(account, &made.group, "Deal 78").await.unwrap_err();
    assert!(fault::already_so(&again), "{again}");
    let info = groups::full(account, &made.group).await.unwrap();
    assert_eq!((info.summary.title.as_str(), info.about.as_str()), ("Deal 78", ""));
    let found = chats::get(account, &made.group).await.unwrap().unwrap();
    assert_eq!(found.title, "Deal 78");

    groups::delete(account, &made.group).await.unwrap();
    assert!(groups::full(account, &made.group).await.is_err());
    for request in [
        "channels.createChannel",
        "channels.editTitle",
        "messages.editChatAbout",
        "channels.deleteChannel",
    ] {
        assert_eq!(sim.done(request).await.len(), 1, "{request}");
    }
    sim.stop().await;
}

#[tokio::test]
async fn a_basic_group_says_who_is_missing() {
    let sim = Sim::start().await;
    let (_, ann) = sim.logged_in("+9996620001", "Ann").await;
    person(&sim, "+9996620002", "ben_open").await;
    let shy = json!({"username": "cat_shy", "privacy": {"invite": "nobody"}});
    let cat = sim.person("+9996620003", "Cat", shy).await;
    let account = &ann.account;
    let users = [met(account, "ben_open").await, met(account, "cat_shy").await];
    let made = groups::create_basic(account, "Deal", &users).await.unwrap();
    assert!(made.group.is_basic());
    let missing: Vec<i64> = made.missing.iter().map(|missing| missing.user_id.get()).collect();
    assert_eq!(missing, [cat.id]);

    let info = groups::full(account, &made.group).await.unwrap();
    let members = info.members.unwrap();
    assert_eq!((members.len(), info.member_count), (2, Some(2)));
    assert!(members.iter().all(|member| member.is_member() && member.user_id.get() != cat.id));

    groups::edit_title(account, &made.group, "Deal two").await.unwrap();
    assert_eq!(chats::get(account, &made.group).await.unwrap().unwrap().title, "Deal two");
    groups::delete(account, &made.group).await.unwrap();
    assert_eq!(sim.done("messages.deleteChat").await.len(), 1);
    sim.stop().await;
}

#[tokio::test]
async fn a_basic_group_that_migrated_leads_to_its_supergroup() {
    let sim = Sim::start().await;
    let (_, ann) = sim.logged_in("+9996620001", "Ann").await;
    person(&sim, "+9996620002", "ben_open").await;
    let account = &ann.account;
    let ben = met(account, "ben_open").await;
    let old = groups::create_basic(account, "Deal", &[ben]).await.unwrap().group;
    let new = groups::migrate(account, &old).await.unwrap().group;
    assert!(!new.is_basic());
    let summary = chats::get(account, &old).await.unwrap().unwrap();
    assert_eq!(summary.migrated_to.map(|group| group.chat_id()), Some(new.chat_id()));
    assert!(!summary.is_member());
    let known = account.peers().group_record(old.chat_id()).unwrap();
    assert_eq!(known.migrated_to.map(|group| group.chat_id()), Some(new.chat_id()));
    let info = groups::full(account, &new).await.unwrap();
    assert_eq!(info.migrated_from, Some(old.chat_id()));
    sim.stop().await;
}

#[tokio::test]
async fn leaving_ends_the_membership() {
    let sim = Sim::start().await;
    let (_, ann) = sim.logged_in("+9996620001", "Ann").await;
    let ben = person(&sim, "+9996620002", "ben_open").await;
    let ben_account = sim.log_in(&ben).await.account;
    let account = &ann.account;
    let peer = met(account, "ben_open").await;
    let basic = groups::create_basic(account, "Basic", std::slice::from_ref(&peer)).await.unwrap();
    let seen = chats::dialogs(&ben_account, 10, None).await.unwrap();
    assert_eq!(seen.groups.len(), 1);
    groups::leave(&ben_account, &basic.group).await.unwrap();
    let members = groups::full(account, &basic.group).await.unwrap().members.unwrap();
    assert!(members.iter().all(|member| member.user_id != peer.id));
    sim.stop().await;
}

#[tokio::test]
async fn what_telegram_would_refuse_is_not_sent() {
    let sim = Sim::start().await;
    let (_, ann) = sim.logged_in("+9996620001", "Ann").await;
    let long = "x".repeat(limits::TITLE_MAX + 1);
    for title in ["", "   ", long.as_str()] {
        let error = groups::create_supergroup(&ann.account, title, "").await.unwrap_err();
        assert!(matches!(error, CallError::Limit(_)), "{error:?}");
    }
    let about = "x".repeat(3_000_000);
    let error = groups::create_supergroup(&ann.account, "T", &about).await.unwrap_err();
    assert!(matches!(error, CallError::Limit(_)) && !error.outcome_unknown());
    assert!(sim.entries().await.iter().all(|entry| entry["request"] != "channels.createChannel"));
    sim.stop().await;
}

#[tokio::test]
async fn floods_keep_their_seconds_and_their_request() {
    let sim = Sim::start().await;
    let (ann, logged) = sim.logged_in("+9996620001", "Ann").await;
    let matches = json!({"user_id": ann.id, "request": "channels.createChannel"});
    sim.script(json!({"match": matches, "times": 1, "then": {"flood": 300}})).await;
    let error = groups::create_supergroup(&logged.account, "Deal", "").await.unwrap_err();
    assert_eq!(error.flood_wait().map(|flood| flood.wait_s), Some(300));
    assert_eq!(error.rpc().map(|fault| fault.request), Some("channels.createChannel"));
    assert_eq!(fault::of(&error).retry_after_s, Some(300));
    sim.stop().await;
}
