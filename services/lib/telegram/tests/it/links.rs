//! Invite links, of both kinds of group.

use chrono::{TimeDelta, Utc};
use telegram::calls::groups;
use telegram::calls::links::{self, InvitePreview, LinkEdit, LinkOptions};
use telegram::{Account, CallError, GroupPeer};

use crate::groups::{met, person};
use crate::sim::Sim;

async fn both_kinds(sim: &Sim) -> (Account, [GroupPeer; 2]) {
    let (_, logged) = sim.logged_in("+9996620001", "Ann").await;
    person(sim, "+9996620002", "ben_open").await;
    let ben = met(&logged.account, "ben_open").await;
    let supergroup = groups::create_supergroup(&logged.account, "S", "").await.unwrap().group;
    let basic = groups::create_basic(&logged.account, "B", &[ben]).await.unwrap().group;
    (logged.account, [supergroup, basic])
}

#[tokio::test]
async fn a_link_keeps_its_terms() {
    let sim = Sim::start().await;
    let (account, both) = both_kinds(&sim).await;
    for group in &both {
        let expires_at = Utc::now() + TimeDelta::days(2);
        let options = LinkOptions {
            expires_at: Some(expires_at),
            usage_limit: Some(3),
            approval: false,
            title: Some("for Ben".to_owned()),
        };
        let link = links::export(&account, group, &options).await.unwrap();
        assert!(!link.primary && link.works(Utc::now()));
        assert_eq!(link.expires_at.map(|at| at.timestamp()), Some(expires_at.timestamp()));
        assert_eq!((link.usage_limit, link.usage), (Some(3), 0));
        assert_eq!(link.title.as_deref(), Some("for Ben"));

        let edit = LinkEdit {
            usage_limit: Some(None),
            approval: Some(true),
            title: Some(String::new()),
            ..LinkEdit::default()
        };
        let link = links::edit(&account, group, &link.url, &edit).await.unwrap();
        assert_eq!((link.usage_limit, link.approval, link.title.clone()), (None, true, None));
        assert_eq!(links::get(&account, group, &link.url).await.unwrap(), link);
    }
    sim.stop().await;
}

#[tokio::test]
async fn revoking_the_primary_link_makes_another() {
    let sim = Sim::start().await;
    let (account, both) = both_kinds(&sim).await;
    for group in &both {
        let extra = LinkOptions { title: Some("x".to_owned()), ..LinkOptions::default() };
        let extra = links::export(&account, group, &extra).await.unwrap();
        let listed = links::list(&account, group, None, false, None, 50).await.unwrap();
        let primary = match listed.links.iter().find(|link| link.primary) {
            Some(primary) => primary.clone(),
            None => groups::full(&account, group).await.unwrap().primary_link.unwrap(),
        };
        let revoked = links::revoke(&account, group, &primary.url).await.unwrap();
        let new = revoked.new_link.unwrap();
        assert!(revoked.link.revoked && new.primary && new.url != primary.url);
        let full = groups::full(&account, group).await.unwrap();
        assert_eq!(full.primary_link.map(|link| link.url), Some(new.url));

        let revoked = links::revoke(&account, group, &extra.url).await.unwrap();
        assert!(revoked.link.revoked && revoked.new_link.is_none());
        let gone = links::list(&account, group, None, true, None, 50).await.unwrap();
        assert!(gone.links.iter().any(|link| link.url == extra.url));
        links::delete(&account, group, &extra.url).await.unwrap();
        links::delete_revoked(&account, group, None).await.unwrap();
        let gone = links::list(&account, group, None, true, None, 50).await.unwrap();
        assert!(gone.links.is_empty());
    }
    sim.stop().await;
}

#[tokio::test]
async fn behind_a_link_is_its_group() {
    let sim = Sim::start().await;
    let (account, [group, _]) = both_kinds(&sim).await;
    let dan = sim.plain("+9996620005", "Dan").await;
    let dan = sim.log_in(&dan).await.account;
    let options = LinkOptions { approval: true, ..LinkOptions::default() };
    let link = links::export(&account, &group, &options).await.unwrap();
    let hash = links::hash_of(&link.url).unwrap();
    let outside = links::check(&dan, hash).await.unwrap();
    assert!(
        matches!(&outside, InvitePreview::Outside { title, approval: true, .. } if title == "S"),
        "{outside:?}"
    );
    let inside = links::check(&account, hash).await.unwrap();
    assert!(
        matches!(&inside, InvitePreview::Member(seen) if seen.group.chat_id() == group.chat_id()),
        "{inside:?}"
    );
    links::revoke(&account, &group, &link.url).await.unwrap();
    let error = links::check(&dan, hash).await.unwrap_err();
    assert!(error.is("INVITE_HASH_EXPIRED"), "{error}");
    sim.stop().await;
}

#[tokio::test]
async fn impossible_terms_are_not_sent() {
    let sim = Sim::start().await;
    let (account, [group, _]) = both_kinds(&sim).await;
    let wrong = [
        LinkOptions { usage_limit: Some(0), ..LinkOptions::default() },
        LinkOptions { usage_limit: Some(2), approval: true, ..LinkOptions::default() },
        LinkOptions { expires_at: Some(Utc::now()), ..LinkOptions::default() },
        LinkOptions { title: Some("x".repeat(33)), ..LinkOptions::default() },
    ];
    for options in wrong {
        let error = links::export(&account, &group, &options).await.unwrap_err();
        assert!(matches!(error, CallError::Limit(_)), "{error:?}");
    }
    assert!(sim.done("messages.exportChatInvite").await.is_empty());
    sim.stop().await;
}
