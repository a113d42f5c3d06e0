//! The eight commands of the demo: what is sent, and what reply and effects must follow.

use anyhow::Result;
use queuegram_tests::stage::{Person, Scene};
use serde_json::{Value, json};

use crate::checks::Check;
use crate::play::Chat;

/// The people of the simulated world who play a part.
#[derive(Debug, Clone)]
pub struct Cast {
    /// Lets anybody add her.
    anna: Person,
    /// Lets nobody add him.
    boris: Person,
    /// Known by his phone number only.
    oleg: Person,
    /// A bot.
    bot: Person,
}

impl Cast {
    /// Lets them register.
    pub async fn join(scene: &Scene) -> Result<Self> {
        let nobody = json!({ "first_name": "Boris", "username": "boris_private", "privacy": { "invite": "nobody" } });
        Ok(Self {
            anna: scene.person(json!({ "first_name": "Anna", "username": "anna_client" })).await?,
            boris: scene.person(nobody).await?,
            oleg: scene.person(json!({ "first_name": "Oleg" })).await?,
            bot: scene
                .person(
                    json!({ "first_name": "Deal bot", "username": "acme_deal_bot", "bot": true }),
                )
                .await?,
        })
    }

    /// One line about them.
    pub fn describe(&self) -> String {
        format!(
            "@anna_client ({}), @boris_private ({}, lets nobody add him), {} ({}), @acme_deal_bot ({})",
            self.anna.id, self.boris.id, self.oleg.phone, self.oleg.id, self.bot.id
        )
    }
}

type Params = Box<dyn Fn(&Chat) -> Value + Send + Sync>;
type Judge = Box<dyn Fn(&Value, &[Value], &mut Chat) -> Vec<Check> + Send + Sync>;

/// One command.
pub struct Step {
    /// Its method.
    pub method: &'static str,
    /// Its params, given what earlier replies told.
    pub params: Params,
    /// Judges reply and effects, and keeps what later commands need.
    pub check: Judge,
}

impl Step {
    fn new(
        method: &'static str,
        params: impl Fn(&Chat) -> Value + Send + Sync + 'static,
        check: impl Fn(&Value, &[Value], &mut Chat) -> Vec<Check> + Send + Sync + 'static,
    ) -> Self {
        Self { method, params: Box::new(params), check: Box::new(check) }
    }

    /// Its idempotency key, by the convention business key, colon, step.
    pub fn id(&self) -> String {
        format!("deal-77:{}", self.method)
    }
}

/// The eight, in the order of a deal's life.
pub fn steps(cast: &Cast) -> Vec<Step> {
    let (anna, boris, oleg, bot) = (cast.anna.id, cast.boris.id, cast.oleg.id, cast.bot.id);
    let phone = cast.oleg.phone.clone();
    vec![
        Step::new(
            "group.create",
            |_| json!({ "title": "Deal 77", "members": ["@anna_client", "@acme_deal_bot"], "invite_link": true }),
            move |reply, effects, chat| {
                chat.id = reply["chat_id"].clone();
                chat.link = reply["result"]["link"].clone();
                vec![
                    status(reply, "done"),
                    same(
                        "chat_id is a supergroup's",
                        chat.id.as_i64().is_some_and(|id| id < -1_000_000_000_000),
                        true,
                    ),
                    same(
                        "a join link",
                        chat.link.as_str().is_some_and(|link| link.starts_with("https://t.me/+")),
                        true,
                    ),
                    same("members", members(reply), json!([[anna, "added"], [bot, "added"]])),
                    changed(
                        effects,
                        &json!({ "kind": "chat.created", "chat_id": chat.id, "title": "Deal 77" }),
                    ),
                    changed(
                        effects,
                        &json!({ "kind": "chat.member_added", "chat_id": chat.id, "user_id": anna }),
                    ),
                    changed(
                        effects,
                        &json!({ "kind": "chat.member_added", "chat_id": chat.id, "user_id": bot }),
                    ),
                ]
            },
        ),
        Step::new(
            "group.rename",
            |_| json!({ "title": "Deal 77: signed" }),
            |reply, effects, chat| {
                vec![
                    status(reply, "done"),
                    same(
                        "chat_id, found by external_ref",
                        reply["chat_id"].clone(),
                        chat.id.clone(),
                    ),
                    changed(
                        effects,
                        &json!({ "kind": "chat.renamed", "chat_id": chat.id, "title": "Deal 77: signed" }),
                    ),
                ]
            },
        ),
        Step::new(
            "group.add_members",
            move |chat| json!({ "chat_id": chat.id, "members": ["@boris_private", phone], "on_blocked": "invite_link" }),
            move |reply, effects, chat| {
                let links: Vec<bool> = list(&reply["result"]["members"])
                    .iter()
                    .map(|m| m["invite_link"].is_string())
                    .collect();
                vec![
                    status(reply, "partial"),
                    same(
                        "members",
                        members(reply),
                        json!([[boris, "privacy_blocked"], [oleg, "added"]]),
                    ),
                    same("a link for the one who can't be added", links, vec![true, false]),
                    changed(
                        effects,
                        &json!({ "kind": "chat.member_added", "chat_id": chat.id, "user_id": oleg }),
                    ),
                    same(
                        "Boris is not added",
                        any(effects, &json!({ "kind": "chat.member_added", "user_id": boris })),
                        false,
                    ),
                ]
            },
        ),
        Step::new(
            "group.get_invite_link",
            |chat| json!({ "chat_id": chat.id, "usage_limit": 5, "title": "For Anna's colleagues" }),
            |reply, effects, chat| {
                let link = &reply["result"]["link"];
                vec![
                    status(reply, "done"),
                    same("a link of its own", link.is_string() && *link != chat.link, true),
                    same("five uses", reply["result"]["usage_limit"].clone(), json!(5)),
                    changed(
                        effects,
                        &json!({ "kind": "link.created", "chat_id": chat.id, "link": link, "usage_limit": 5 }),
                    ),
                ]
            },
        ),
        Step::new(
            "user.common_groups",
            |_| json!({ "user": "@anna_client" }),
            |reply, effects, chat| {
                let groups = list(&reply["result"]["groups"]);
                let ids: Vec<Value> = groups.iter().map(|group| group["chat_id"].clone()).collect();
                let refs: Vec<Value> =
                    groups.iter().map(|group| group["external_ref"].clone()).collect();
                vec![
                    status(reply, "done"),
                    same("one group", ids, vec![chat.id.clone()]),
                    same("its deal", refs, vec![json!("deal-77")]),
                    same("effects of a question", effects.len(), 0),
                ]
            },
        ),
        Step::new(
            "group.revoke_invite_link",
            |chat| json!({ "chat_id": chat.id }),
            |reply, effects, chat| {
                let old = std::mem::replace(&mut chat.link, reply["result"]["new_link"].clone());
                vec![
                    status(reply, "done"),
                    same("the primary link", reply["result"]["link"].clone(), old.clone()),
                    same("a new one", chat.link.is_string() && chat.link != old, true),
                    changed(
                        effects,
                        &json!({ "kind": "link.revoked", "chat_id": chat.id, "link": old }),
                    ),
                ]
            },
        ),
        Step::new(
            "group.remove_members",
            move |chat| json!({ "chat_id": chat.id, "members": [anna.to_string()] }),
            move |reply, effects, chat| {
                vec![
                    status(reply, "done"),
                    same("members", members(reply), json!([[anna, "removed"]])),
                    same(
                        "Anna is out",
                        any(effects, &json!({ "chat_id": chat.id, "user_id": anna })),
                        true,
                    ),
                ]
            },
        ),
        Step::new(
            "group.delete",
            |chat| json!({ "chat_id": chat.id }),
            |reply, effects, chat| {
                vec![
                    status(reply, "done"),
                    changed(effects, &json!({ "kind": "chat.deleted", "chat_id": chat.id })),
                ]
            },
        ),
    ]
}

fn status(reply: &Value, wanted: &str) -> Check {
    same("status", reply["status"].clone(), json!(wanted))
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, got: T, wanted: T) -> Check {
    (got == wanted, format!("{what}: wanted {wanted:?}, got {got:?}"))
}

/// Exactly one effect has these fields.
fn changed(effects: &[Value], wanted: &Value) -> Check {
    let count = effects.iter().filter(|effect| holds(effect, wanted)).count();
    (count == 1, format!("one effect {wanted}: got {count} among {effects:?}"))
}

fn any(effects: &[Value], wanted: &Value) -> bool {
    effects.iter().any(|effect| holds(effect, wanted))
}

/// Whether `value` has every field of `wanted`.
fn holds(value: &Value, wanted: &Value) -> bool {
    wanted.as_object().is_some_and(|fields| fields.iter().all(|(key, field)| value[key] == *field))
}

/// `[[user_id, status], …]` of a reply's members.
fn members(reply: &Value) -> Value {
    list(&reply["result"]["members"]).iter().map(|m| json!([m["user_id"], m["status"]])).collect()
}

fn list(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}
