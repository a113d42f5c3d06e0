//! Every outcome that a member can have, in groups of both kinds.

use queuegram_tests::stage::Person;
use serde_json::{Value, json};

use super::cell::{At, Cell, KINDS};
use super::troupe::{Troupe, name};
use crate::expect::holds;

/// The outcomes of adding; `added` has its cells among the forms.
const ADDING: [&str; 8] = [
    "already_member",
    "privacy_blocked",
    "needs_premium",
    "not_found",
    "too_many_groups",
    "bot_blocked",
    "throttled",
    "failed",
];
/// The outcomes of removing; `removed` has its cells among the forms.
const REMOVING: [&str; 4] = ["not_member", "not_found", "throttled", "failed"];

pub async fn play(troupe: &Troupe<'_>, cells: &mut Vec<Cell>) {
    for kind in KINDS {
        for outcome in ADDING {
            cells.push(create(&account(troupe, outcome).await, kind, outcome).await);
            cells.push(add(&account(troupe, outcome).await, kind, outcome).await);
        }
        for outcome in REMOVING {
            cells.push(remove(&account(troupe, outcome).await, kind, outcome).await);
        }
    }
    cells.push(nobody_in_common(troupe).await);
}

/// The account for a cell: one of its own where it can't go on afterwards.
async fn account<'a>(troupe: &Troupe<'a>, outcome: &str) -> Troupe<'a> {
    if outcome == "throttled" { troupe.apart().await } else { troupe.clone() }
}

fn at(method: &'static str, kind: &'static str, outcome: &'static str) -> At {
    let who = if outcome == "bot_blocked" { "bot" } else { "person" };
    At { method, kind, form: "@name", who, outcome }
}

/// Somebody who will have that outcome, apart from what a script adds.
async fn fated(troupe: &Troupe<'_>, outcome: &str) -> Person {
    let details = match outcome {
        "privacy_blocked" => json!({ "first_name": "P", "privacy": { "invite": "nobody" } }),
        "needs_premium" => json!({
            "first_name": "N", "privacy": { "invite": "nobody" }, "new_chats_require_premium": true,
        }),
        "bot_blocked" => json!({ "first_name": "B", "bot": true, "bot_joins_groups": false }),
        _ => json!({ "first_name": "S" }),
    };
    let mut person = troupe.person(details).await;
    if outcome == "not_found" {
        person.username = Some("nobody_has_this_name".to_owned());
    }
    person
}

/// What Telegram's call for adding is scripted to say, where the world itself can't bring it about.
fn scripted(outcome: &str) -> Option<Value> {
    match outcome {
        "too_many_groups" => Some(json!({ "error": [400, "USER_CHANNELS_TOO_MUCH"] })),
        "throttled" => Some(json!({ "flood": 3000 })),
        "failed" => Some(json!({ "error": [400, "USER_KICKED"] })),
        _ => None,
    }
}

async fn create(troupe: &Troupe<'_>, kind: &'static str, outcome: &'static str) -> Cell {
    let at = at("group.create", kind, outcome);
    if outcome == "already_member" {
        return at.impossible("nobody is in a group that is only being made");
    }
    let basic = kind == "basic";
    if basic && scripted(outcome).is_some() {
        return at
            .impossible("one call makes the group with everybody: it is done or refused whole");
    }
    let person = fated(troupe, outcome).await;
    // Telegram makes a basic group only with somebody in it.
    let filler = troupe.somebody("person").await;
    let members = match basic {
        true => json!([name(&filler), name(&person)]),
        false => json!([name(&person)]),
    };
    if let Some(fault) = scripted(outcome) {
        troupe.script("channels.inviteToChannel", fault).await;
    }
    let params = json!({ "title": "By outcome", "kind": kind, "members": members });
    let (reply, happened) = troupe.call("group.create", params).await;
    at.member(&reply, usize::from(basic), person.id, &happened)
}

async fn add(troupe: &Troupe<'_>, kind: &'static str, outcome: &'static str) -> Cell {
    let chat = troupe.group(kind).await;
    let person = fated(troupe, outcome).await;
    let params = json!({ "chat_id": chat, "members": [name(&person)] });
    if outcome == "already_member" {
        troupe.call("group.add_members", params.clone()).await;
    }
    if let Some(fault) = scripted(outcome) {
        let request = match kind {
            "basic" => "messages.addChatUser",
            _ => "channels.inviteToChannel",
        };
        troupe.script(request, fault).await;
    }
    let (reply, happened) = troupe.call("group.add_members", params).await;
    at("group.add_members", kind, outcome).member(&reply, 0, person.id, &happened)
}

async fn remove(troupe: &Troupe<'_>, kind: &'static str, outcome: &'static str) -> Cell {
    let chat = troupe.group(kind).await;
    let person = fated(troupe, outcome).await;
    let params = json!({ "chat_id": chat, "members": [name(&person)] });
    if matches!(outcome, "throttled" | "failed") {
        troupe.call("group.add_members", params.clone()).await;
        let request = match kind {
            "basic" => "messages.deleteChatUser",
            _ => "channels.editBanned",
        };
        let fault = match outcome {
            "failed" => json!({ "error": [400, "USER_ADMIN_INVALID"] }),
            _ => json!({ "flood": 3000 }),
        };
        troupe.script(request, fault).await;
    }
    let (reply, happened) = troupe.call("group.remove_members", params).await;
    at("group.remove_members", kind, outcome).member(&reply, 0, person.id, &happened)
}

/// A question about somebody whom nobody knows is the command's own fault.
async fn nobody_in_common(troupe: &Troupe<'_>) -> Cell {
    let at = At { kind: "-", ..at("user.common_groups", "-", "not_found") };
    let (reply, happened) =
        troupe.call("user.common_groups", json!({ "user": "@nobody_has_this_name" })).await;
    let wanted = json!({
        "status": "failed", "error_kind": "invalid", "error_code": "USERNAME_NOT_OCCUPIED",
    });
    let problem = match holds(&reply, &wanted) && happened.effects.is_empty() {
        true => String::new(),
        false => format!("{reply} after {happened:?}"),
    };
    at.cell(happened.refused.first().cloned().unwrap_or_default(), problem)
}
