//! What a cell about a group is made of, and the effects that several cells share.

use serde_json::{Value, json};

/// The group that a cell is about; each gets a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Made by a command.
    Own,
    /// Made by the account on another device: nothing of ours.
    ByHand,
    /// Made by somebody else; the account is a member without rights.
    Foreign,
    /// The same, and the account has left it.
    Left,
    /// There is none.
    Unknown,
}

/// How the command names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Address {
    ChatId,
    /// `external_ref` alone, bound when the group was made.
    Ref,
    /// Both; the ref is free until then.
    Adopting,
    /// Both; the ref is another group's.
    Mismatch,
    /// A free ref alone.
    Unbound,
}

/// `done`, or `error_kind` and `error_code`.
pub type End = Result<(), (&'static str, &'static str)>;

/// The addresses and rights that every method is tried with.
#[rustfmt::skip]
pub const ADDRESSES: &[(&str, Group, Address, End)] = &[
    ("by chat_id", Group::Own, Address::ChatId, Ok(())),
    ("by external_ref", Group::Own, Address::Ref, Ok(())),
    ("both: adopted", Group::ByHand, Address::Adopting, Ok(())),
    ("both, of two groups", Group::Own, Address::Mismatch, Err(("invalid", "EXTERNAL_REF_MISMATCH"))),
    ("a free external_ref", Group::Own, Address::Unbound, Err(("invalid", "EXTERNAL_REF_UNBOUND"))),
    ("an unknown group", Group::Unknown, Address::ChatId, Err(("invalid", "CHAT_NOT_FOUND"))),
    ("a group it has left", Group::Left, Address::ChatId, Err(("invalid", "CHAT_NOT_FOUND"))),
    ("not an admin", Group::Foreign, Address::ChatId, Err(("forbidden", "CHAT_ADMIN_REQUIRED"))),
];

/// What a cell's params, reply and effects are made of.
#[derive(Debug, Clone, Default)]
pub struct Ground {
    pub me: i64,
    pub name: String,
    pub kind: &'static str,
    pub chat_id: i64,
    pub title: String,
    /// The group's primary link.
    pub primary: String,
    /// Another link of the group.
    pub other: String,
    /// A link of another group.
    pub elsewhere: String,
    /// A member's name and number.
    pub helper: (String, i64),
    /// The same of somebody outside.
    pub stranger: (String, i64),
    /// The same of somebody outside who lets nobody add them.
    pub private: (String, i64),
    pub external_ref: String,
}

/// A username that nobody has.
pub const NOBODY: &str = "@nobody_has_this_name";
pub const LATER: &str = "2035-01-01T00:00:00Z";
pub const LATER_S: i64 = 2_051_222_400;

pub fn deleted(g: &Ground, _: &Value) -> Vec<Value> {
    vec![json!({ "kind": "chat.deleted", "chat_id": g.chat_id })]
}

pub fn removed(g: &Ground, _: &Value) -> Vec<Value> {
    let kinds: &[&str] = match g.kind {
        "basic" => &["chat.member_removed"],
        // Telegram has no "remove" for supergroups.
        _ => &["chat.member_banned", "chat.member_unbanned"],
    };
    kinds.iter().map(|kind| member(g, kind, g.helper.1)).collect()
}

/// Somebody who could not be added.
pub fn missing(chat: &Value, g: &Ground) -> Value {
    json!({ "kind": "chat.member_missing", "chat_id": chat, "user_id": g.private.1 })
}

/// The members' outcomes, in the order in which the command names them.
pub fn statuses(statuses: &[&str]) -> Value {
    let pointer = |(at, status)| (format!("members/{at}/status"), json!(status));
    Value::Object(statuses.iter().enumerate().map(pointer).collect())
}

pub fn created_with_several(g: &Ground, reply: &Value) -> Vec<Value> {
    let (chat, added) = (&reply["chat_id"], g.stranger.1);
    let made =
        |members: Value| json!({ "kind": "chat.created", "chat_id": chat, "members": members });
    match g.kind {
        "basic" => vec![made(json!([g.me, added])), missing(chat, g)],
        _ => {
            let joined = json!({ "kind": "chat.member_added", "chat_id": chat, "user_id": added });
            vec![made(json!([g.me])), joined, missing(chat, g)]
        }
    }
}

pub fn member(g: &Ground, kind: &str, user_id: i64) -> Value {
    json!({ "kind": kind, "chat_id": g.chat_id, "user_id": user_id, "by": g.me })
}

/// A new link with these conditions and no others. It is made with a marker for a title, which then
/// gives way to the asked one.
pub fn made(g: &Ground, reply: &Value, conditions: &Value) -> Vec<Value> {
    let mut edited = json!({
        "kind": "link.edited", "chat_id": g.chat_id, "link": reply["result"]["link"], "title": "",
        "usage_limit": null, "expire_date": null, "request_needed": false,
    });
    for (key, value) in conditions.as_object().unwrap() {
        edited[key] = value.clone();
    }
    let mut made = edited.clone();
    made["kind"] = json!("link.created");
    made["by"] = json!(g.me);
    made["permanent"] = json!(false);
    made.as_object_mut().unwrap().remove("title");
    vec![made, edited]
}

pub fn furnished(g: &Ground, reply: &Value) -> Vec<Value> {
    let (chat, admin, basic) = (&reply["chat_id"], g.stranger.1, g.kind == "basic");
    let members = if basic { json!([g.me, admin]) } else { json!([g.me]) };
    let then = if basic {
        json!({ "kind": "chat.about_edited", "chat_id": chat, "about": "Of a deal" })
    } else {
        json!({ "kind": "chat.member_added", "chat_id": chat, "user_id": admin })
    };
    let link = &reply["result"]["link"];
    vec![
        json!({ "kind": "chat.created", "chat_id": chat, "group": g.kind, "members": members }),
        then,
        json!({ "kind": "chat.admin_set", "chat_id": chat, "user_id": admin, "by": g.me }),
        json!({ "kind": "link.created", "chat_id": chat, "link": link, "permanent": true }),
    ]
}
