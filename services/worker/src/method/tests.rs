//! Which budgets each method draws on, as seen at tgsim.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;

use serde_json::json;

use super::*;
use crate::cx::tests::ground::Ground;
use crate::cx::tests::sandbox::Sandbox;
use crate::limits::{Ask, Budget, LimitsConfig};
use crate::methods;

/// More calls than any command here makes.
const PLENTY: NonZeroU32 = NonZeroU32::new(1_000).unwrap();

/// Budgets that hold much and are filled up again only in days: what was drawn shows.
fn gauge() -> LimitsConfig {
    let budget = Budget { every_s: 86_400.0, burst: PLENTY, per_day: None };
    let budgets = Class::ALL.into_iter().map(|class| (class, budget)).collect();
    LimitsConfig { budgets, ..LimitsConfig::default() }
}

async fn drawn(ground: &Ground) -> BTreeSet<Class> {
    let mut drawn = BTreeSet::new();
    for class in Class::ALL {
        let all = Ask { class, cost: PLENTY, chat: None };
        if ground.tenure.limiter.ask(all).await.unwrap().is_err() {
            drawn.insert(class);
        }
    }
    drawn
}

/// Carries a command out; the classes it drew on, and the group that it was about.
async fn carry_out(
    sandbox: &Sandbox,
    entry: &Entry,
    params: &Value,
) -> (BTreeSet<Class>, Option<ChatId>) {
    let mut ground = sandbox.ground().await;
    ground.limit(&gauge());
    let chat_id = match ground.carry_out(entry.name, params).await {
        Ok(done) => {
            assert_eq!(done.lacking, None, "{}: {}", entry.name, done.result);
            done.chat_id
        }
        // The account is of no instance that is stored.
        Err(Stop::Fault(fault)) if fault.code == code::INSTANCE_NOT_FOUND => None,
        Err(stop) => panic!("{}: {stop:?}", entry.name),
    };
    (drawn(&ground).await, chat_id)
}

#[tokio::test]
async fn a_method_draws_on_no_class_that_it_does_not_list_and_on_its_first() {
    let sandbox = Sandbox::open().await;
    sandbox.person(1, "client", json!({})).await;
    sandbox.person(2, "colleague", json!({})).await;
    sandbox.person(3, "helper_bot", json!({ "bot": true })).await;
    sandbox.person(4, "hidden", json!({ "privacy": { "invite": "nobody" } })).await;
    sandbox.person(5, "late_one", json!({})).await;
    let create = json!({
        "title": "Deal 77", "about": "x", "members": ["@client", "@helper_bot"],
        "admins": ["@colleague"], "invite_link": true,
    });
    let mut seen = BTreeMap::new();
    let entry = |name: &str| methods::find(name).unwrap();
    let (classes, chat_id) = carry_out(&sandbox, entry("group.create"), &create).await;
    seen.insert("group.create", classes);
    let chat_id = chat_id.unwrap();
    for (name, params) in [
        ("account.get", json!({})),
        ("group.add_members", json!({ "chat_id": chat_id, "members": ["@late_one"] })),
        ("user.common_groups", json!({ "user": "@client" })),
        ("group.get_invite_link", json!({ "chat_id": chat_id, "usage_limit": 1 })),
        ("group.revoke_invite_link", json!({ "chat_id": chat_id })),
        ("group.rename", json!({ "chat_id": chat_id, "title": "Deal 78" })),
        ("group.remove_members", json!({ "chat_id": chat_id, "members": ["@client"] })),
        ("group.delete", json!({ "chat_id": chat_id, "confirm_title": "Deal 78" })),
    ] {
        seen.insert(name, carry_out(&sandbox, entry(name), &params).await.0);
    }
    for entry in methods::all() {
        let (drawn, listed) = (&seen[entry.name], entry.classes);
        assert!(drawn.iter().all(|class| listed.contains(class)), "{}: {drawn:?}", entry.name);
        assert!(drawn.contains(&listed[0]), "{}: {drawn:?}", entry.name);
        let once: BTreeSet<_> = listed.iter().collect();
        assert_eq!(once.len(), listed.len(), "{}", entry.name);
    }
}
