//! Who plays in the table, and how commands are sent and followed in the journal.

use queuegram_tests::stage::{Person, Scene};
use serde_json::{Value, json};

use super::cell::Happened;
use crate::expect::done;

/// The account that carries out everything.
pub const INSTANCE: &str = "acme-sales";
/// Another connected account, for the form `{"instance": …}`.
pub const COLLEAGUE: &str = "acme-support";

/// A connected account and the scene around it.
#[derive(Clone)]
pub struct Troupe<'a> {
    pub scene: &'a Scene,
    pub colleague: Person,
    instance: String,
}

impl<'a> Troupe<'a> {
    pub async fn enter(scene: &'a Scene) -> Self {
        scene.connect(INSTANCE).await.unwrap();
        let details = json!({ "first_name": "Colleague", "username": "acme_colleague" });
        let colleague = scene.connect_as(COLLEAGUE, details, None).await.unwrap();
        Self { scene, colleague, instance: INSTANCE.to_owned() }
    }

    /// The same with an account of its own, for a cell after which an account can't go on: the gate
    /// that a flood wait shuts stays shut for as long as Telegram said.
    pub async fn apart(&self) -> Self {
        let instance = format!("apart-{}", unique());
        self.scene.connect(&instance).await.unwrap();
        Self { scene: self.scene, colleague: self.colleague.clone(), instance }
    }

    /// Somebody new with a username.
    pub async fn person(&self, mut details: Value) -> Person {
        details["username"] = json!(format!("person_{}", unique()));
        self.scene.person(details).await.unwrap()
    }

    /// Somebody new: a person, or a bot.
    pub async fn somebody(&self, who: &str) -> Person {
        self.person(json!({ "first_name": "Somebody", "bot": who == "bot" })).await
    }

    /// Lets the account meet somebody, so that a bare number is enough from now on.
    pub async fn meet(&self, person: &Person) {
        self.call("user.common_groups", json!({ "user": name(person) })).await;
    }

    /// A new group of that kind with somebody in it.
    pub async fn group(&self, kind: &str) -> i64 {
        let filler = self.somebody("person").await;
        let params = json!({ "title": "A group", "kind": kind, "members": [name(&filler)] });
        done(&self.call("group.create", params).await.0)
    }

    /// Sends a command; its reply, and what the journal says happened meanwhile.
    pub async fn call(&self, method: &str, params: Value) -> (Value, Happened) {
        let tgsim = &self.scene.tgsim;
        let mark = tgsim.mark().await.unwrap();
        let id = unique();
        let reply = self.scene.caller.call(&self.instance, &id, method, params).await.unwrap();
        let entries = tgsim.journal_after(mark).await.unwrap();
        let refused = entries
            .iter()
            .filter_map(|entry| {
                Some(format!("{}: {}", entry["request"].as_str()?, entry["error"].as_str()?))
            })
            .collect();
        let requests = tgsim.requests_after(mark).await.unwrap();
        (reply, Happened { effects: tgsim.effects_after(mark).await.unwrap(), refused, requests })
    }

    /// Makes Telegram answer the next `request` with this fault.
    pub async fn script(&self, request: &str, then: Value) {
        let rule = json!({ "match": { "request": request }, "times": 1, "then": then });
        self.scene.tgsim.script(&rule).await.unwrap();
    }
}

fn unique() -> String {
    uuid::Uuid::new_v4().simple().to_string()[..12].to_owned()
}

/// `@username`
pub fn name(person: &Person) -> String {
    format!("@{}", person.username.as_ref().unwrap())
}
