//! The methods that name no member: renaming, links, deleting, in groups of both kinds.

use serde_json::{Value, json};

use super::cell::{At, Cell, Happened, KINDS};
use super::troupe::Troupe;
use crate::expect::{count, holds};

pub async fn play(troupe: &Troupe<'_>, cells: &mut Vec<Cell>) {
    for kind in KINDS {
        let chat = troupe.group(kind).await;
        let group = json!({ "chat_id": chat });

        let (reply, happened) =
            troupe.call("group.rename", json!({ "chat_id": chat, "title": "New title" })).await;
        let renamed = json!({ "kind": "chat.renamed", "chat_id": chat, "title": "New title" });
        cells.push(cell("group.rename", kind, "done", &reply, &happened, &[renamed]));

        let (reply, happened) = troupe.call("group.get_invite_link", group.clone()).await;
        let primary = reply["result"]["link"].clone();
        let made =
            json!({ "kind": "link.created", "chat_id": chat, "link": primary, "permanent": true });
        cells.push(cell("group.get_invite_link", kind, "primary link", &reply, &happened, &[made]));

        for (outcome, condition, effect) in [
            ("usage_limit", json!({ "usage_limit": 3 }), json!({ "usage_limit": 3 })),
            ("approval", json!({ "approval": true }), json!({ "request_needed": true })),
            ("title", json!({ "title": "For Anna" }), json!({ "title": "For Anna" })),
            (
                "expires_at",
                json!({ "expires_at": "2030-01-01T00:00:00Z" }),
                json!({ "expire_date": 1_893_456_000 }),
            ),
        ] {
            let params = merged(&group, &condition);
            let (reply, happened) = troupe.call("group.get_invite_link", params).await;
            let made = merged(
                &json!({
                    "kind": "link.created", "chat_id": chat, "link": reply["result"]["link"],
                    "permanent": false,
                }),
                &effect,
            );
            cells.push(cell("group.get_invite_link", kind, outcome, &reply, &happened, &[made]));
        }

        let (extra, _) =
            troupe.call("group.get_invite_link", merged(&group, &json!({ "title": "x" }))).await;
        let link = extra["result"]["link"].clone();
        let (reply, happened) =
            troupe.call("group.revoke_invite_link", merged(&group, &json!({ "link": link }))).await;
        let revoked = json!({ "kind": "link.revoked", "chat_id": chat, "link": link });
        cells.push(cell(
            "group.revoke_invite_link",
            kind,
            "a given link",
            &reply,
            &happened,
            &[revoked],
        ));

        let (reply, happened) = troupe.call("group.revoke_invite_link", group.clone()).await;
        let revoked = json!({ "kind": "link.revoked", "chat_id": chat, "link": primary });
        let made =
            json!({ "kind": "link.created", "chat_id": chat, "link": reply["result"]["new_link"] });
        cells.push(cell(
            "group.revoke_invite_link",
            kind,
            "primary link",
            &reply,
            &happened,
            &[revoked, made],
        ));

        let (reply, happened) = troupe.call("group.delete", group).await;
        let deleted = json!({ "kind": "chat.deleted", "chat_id": chat });
        cells.push(cell("group.delete", kind, "done", &reply, &happened, &[deleted]));
    }
}

/// Done, with each of these effects exactly once.
fn cell(
    method: &'static str,
    kind: &'static str,
    outcome: &'static str,
    reply: &Value,
    happened: &Happened,
    wanted: &[Value],
) -> Cell {
    let at = At { method, kind, form: "-", who: "-", outcome };
    let lacking: Vec<&Value> =
        wanted.iter().filter(|effect| count(&happened.effects, effect) != 1).collect();
    let right = lacking.is_empty() && holds(reply, &json!({ "status": "done", "ok": true }));
    let kinds: Vec<&str> = wanted.iter().filter_map(|effect| effect["kind"].as_str()).collect();
    let problem = match right {
        true => String::new(),
        false => format!("lacking {lacking:?}: {reply} after {happened:?}"),
    };
    at.cell(kinds.join(", "), problem)
}

fn merged(one: &Value, other: &Value) -> Value {
    let mut merged = one.clone();
    merged.as_object_mut().unwrap().extend(other.as_object().unwrap().clone());
    merged
}
