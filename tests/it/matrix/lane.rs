//! One account with its group, on which cells are run one after the other; lanes run side by side.
//!
//! What a lane's commands did is what the journal says of its account's requests.

use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result, ensure};
use queuegram_tests::stage::{Caller, Person, Scene, patience};
use serde_json::{Value, json};

use super::axes::Kind;

/// A connected account.
#[derive(Debug)]
pub struct Connected {
    pub instance: String,
    pub person: Person,
}

impl Connected {
    /// Connects a new person; `details` are as tgsim takes them.
    pub async fn new(scene: &Scene, instance: &str, mut details: Value) -> Result<Self> {
        details["first_name"] = json!("Manager");
        details["username"] = json!(a_name());
        let person = scene.connect_as(instance, details, None).await?;
        Ok(Self { instance: instance.to_owned(), person })
    }

    pub fn name(&self) -> &str {
        self.person.username.as_deref().unwrap_or_default()
    }
}

/// What came of one command.
#[derive(Debug)]
pub struct Played {
    pub reply: Value,
    /// What the account's requests changed, in order.
    pub effects: Vec<Value>,
    /// How many faults on order they met.
    pub faults: usize,
}

/// An account, another one that is named as an instance, and a group of the first.
#[derive(Debug)]
pub struct Lane<'a> {
    pub scene: &'a Scene,
    pub kind: Kind,
    pub me: Connected,
    pub partner: Connected,
    /// Shared by all lanes: nobody without Premium may write to it or add it.
    pub premium: &'a Connected,
    /// Somebody who is not the point.
    pub helper: Person,
    pub group: i64,
    pub title: String,
    pub link: String,
    caller: Caller,
    count: AtomicUsize,
}

impl<'a> Lane<'a> {
    /// Connects the accounts and makes the group, by commands.
    pub async fn open(
        scene: &'a Scene,
        premium: &'a Connected,
        label: &str,
        kind: Kind,
    ) -> Result<Self> {
        let me = format!("{label}-{}", kind.word());
        let partner = format!("{me}-partner");
        let (me, partner, helper, caller) = tokio::try_join!(
            Connected::new(scene, &me, json!({})),
            Connected::new(scene, &partner, json!({})),
            scene.person(json!({ "username": a_name() })),
            Caller::connect(&scene.vhost.amqp_url),
        )?;
        let count = AtomicUsize::new(0);
        let (title, link) = (format!("The group of {}", me.instance), String::new());
        let lane = Self {
            scene,
            kind,
            me,
            partner,
            premium,
            helper,
            group: 0,
            title,
            link,
            caller,
            count,
        };
        let group = lane.make(&lane.title).await?;
        let link = lane.done("group.get_invite_link", json!({ "chat_id": group })).await?;
        let link = link["result"]["link"].as_str().context("no link")?.to_owned();
        Ok(Self { group, link, ..lane })
    }

    /// Makes a further group by a command.
    pub async fn make(&self, title: &str) -> Result<i64> {
        let members = json!([format!("@{}", self.helper.username.as_deref().unwrap_or_default())]);
        let params = json!({ "title": title, "kind": self.kind.word(), "members": members });
        let made = self.done("group.create", params).await?;
        made["chat_id"].as_i64().with_context(|| format!("no chat_id in {made}"))
    }

    /// A command that lays the ground: it must be done.
    pub async fn done(&self, method: &str, params: Value) -> Result<Value> {
        let body = json!({ "params": params });
        let reply = self.play(method, body).await?.reply;
        ensure!(reply["status"] == "done", "{method} as preparation: {reply}");
        Ok(reply)
    }

    /// Sends a command, waits for its reply, and reads what the journal says of it.
    pub async fn play(&self, method: &str, mut body: Value) -> Result<Played> {
        let id = format!("cell-{}", self.count.fetch_add(1, Ordering::Relaxed));
        body["id"] = json!(id);
        let mark = self.mark().await?;
        self.caller.send_body(&self.me.instance, method, &body).await?;
        let reply = self.caller.reply(&id).await?.json();
        let entries = self.scene.tgsim.journal_after(mark).await?;
        let mine =
            entries.iter().filter(|e| e["kind"] == "request" && e["user_id"] == self.me.person.id);
        let (mut effects, mut faults) = (Vec::new(), 0);
        for entry in mine {
            faults += usize::from(!entry["fault"].is_null());
            let changed = match &entry["effect"] {
                Value::Null => continue,
                Value::Array(several) => several.clone(),
                one => vec![one.clone()],
            };
            effects.extend(changed.into_iter().filter(|effect| !by_looking(entry, effect, &reply)));
        }
        Ok(Played { reply, effects, faults })
    }

    /// Waits until no gate is shut any more: what is refused at a gate meets no fault.
    pub async fn until_open(&self) -> Result<()> {
        patience::until("every gate is open", patience::USUAL, || async {
            let id = format!("gates-{}", self.count.fetch_add(1, Ordering::Relaxed));
            let instance = &self.me.instance;
            let told = self.caller.control(instance, &id, "account.limits", json!({})).await?;
            let classes = told["result"]["classes"].as_array().context("no classes")?;
            Ok(classes.iter().all(|class| class["closed"] == false).then_some(()))
        })
        .await
    }

    /// Makes the account's next request of this name fail.
    pub async fn fault(&self, request: &str, then: Value) -> Result<()> {
        let only = json!({ "user_id": self.me.person.id, "request": request });
        let rule = json!({ "match": only, "times": 1, "then": then });
        self.scene.tgsim.script(&rule).await
    }

    /// What the account does on another device, or somebody else on theirs.
    pub async fn act(&self, who: i64, what: &str, body: Value) -> Result<Value> {
        self.scene.tgsim.post(&format!("/users/{who}/{what}"), &body).await
    }

    async fn mark(&self) -> Result<u64> {
        // Nothing lies behind the highest number; the answer tells the last one all the same.
        let page = self.scene.tgsim.get(&format!("/journal?after={}&limit=1", u32::MAX)).await?;
        page["last"].as_u64().context("no last entry")
    }
}

/// Telegram makes an admin's primary link when they first look at a group. Somebody unknown is looked
/// for in other groups too, and their links are not what the command did.
fn by_looking(entry: &Value, effect: &Value, reply: &Value) -> bool {
    let looks = ["messages.getFullChat", "channels.getFullChannel"];
    looks.iter().any(|look| entry["request"] == *look)
        && effect["kind"] == "link.created"
        && effect["permanent"] == true
        && effect["chat_id"] != reply["chat_id"]
}

/// A username that nobody else has.
pub fn a_name() -> String {
    format!("u{}", &uuid::Uuid::new_v4().simple().to_string()[..16])
}
