//! What holds for commands about a group as a whole: the same address and rights for every method,
//! and what each method has of its own.

use serde_json::{Value, json};

use super::axes::Kind;
use super::ground::{
    Address, End, Ground, Group, LATER, LATER_S, NOBODY, created_with_several, deleted, furnished,
    made, member, missing, removed, statuses,
};

/// Makes a value of the ground.
pub type Make = fn(&Ground) -> Value;
/// Makes the effects of ground and reply.
pub type Effects = fn(&Ground, &Value) -> Vec<Value>;

/// A method's ordinary work, which every address and right is tried with.
#[derive(Debug, Clone, Copy)]
pub struct Work {
    pub method: &'static str,
    /// What Telegram is asked, for supergroups and for basic groups.
    pub requests: [&'static str; 2],
    pub params: Make,
    pub result: Make,
    pub effects: Effects,
}

/// Something that one method has of its own.
#[derive(Debug, Clone, Copy)]
pub struct Own {
    pub method: &'static str,
    pub condition: &'static str,
    pub kinds: &'static [Kind],
    pub group: Group,
    pub address: Address,
    /// `done`, or `error_kind` and `error_code`.
    pub end: End,
    pub params: Make,
    /// Fields of `result` that matter, by JSON pointer.
    pub result: Make,
    pub effects: Effects,
}

const ADD: &str = "group.add_members";
const CREATE: &str = "group.create";
const DELETE: &str = "group.delete";
const GET: &str = "group.get_invite_link";
const REMOVE: &str = "group.remove_members";
const RENAME: &str = "group.rename";
const REVOKE: &str = "group.revoke_invite_link";

/// Every method's ordinary work.
pub const WORKS: &[Work] = &[
    Work {
        method: RENAME,
        requests: ["channels.editTitle", "messages.editChatTitle"],
        params: |_| json!({ "title": "Renamed" }),
        result: |_| json!({ "title": "Renamed" }),
        effects: |g, _| {
            vec![json!({ "kind": "chat.renamed", "chat_id": g.chat_id, "title": "Renamed" })]
        },
    },
    Work {
        method: GET,
        requests: ["messages.exportChatInvite"; 2],
        params: |_| json!({ "title": "For Ann" }),
        result: |_| json!({ "title": "For Ann", "primary": false }),
        effects: |g, reply| made(g, reply, &json!({ "title": "For Ann" })),
    },
    Work {
        method: REVOKE,
        requests: ["messages.editExportedChatInvite"; 2],
        params: |_| json!({}),
        result: |g| json!({ "link": g.primary }),
        effects: |g, reply| {
            vec![
                json!({ "kind": "link.revoked", "chat_id": g.chat_id, "link": g.primary }),
                json!({
                    "kind": "link.created", "chat_id": g.chat_id, "permanent": true,
                    "link": reply["result"]["new_link"],
                }),
            ]
        },
    },
    Work {
        method: DELETE,
        requests: ["channels.deleteChannel", "messages.deleteChat"],
        params: |g| json!({ "confirm_title": g.title }),
        result: |_| json!({}),
        effects: deleted,
    },
    Work {
        method: ADD,
        requests: ["channels.inviteToChannel", "messages.addChatUser"],
        params: |g| json!({ "members": [g.stranger.0] }),
        result: |_| json!({}),
        effects: |g, _| vec![member(g, "chat.member_added", g.stranger.1)],
    },
    Work {
        method: REMOVE,
        requests: ["channels.editBanned", "messages.deleteChatUser"],
        params: |g| json!({ "members": [g.helper.0] }),
        result: |_| json!({}),
        effects: removed,
    },
];

const BOTH: &[Kind] = &Kind::ALL;
const BASIC: &[Kind] = &[Kind::Basic];
const SUPER: &[Kind] = &[Kind::Supergroup];
const WRONG: End = Err(("invalid", "PARAMS_INVALID"));

const fn own(method: &'static str, condition: &'static str, params: Make) -> Own {
    let (group, address, end) = (Group::Own, Address::ChatId, Ok(()));
    let (kinds, result, effects) = (BOTH, (|_| json!({})) as Make, (|_, _| vec![]) as Effects);
    Own { method, condition, kinds, group, address, end, params, result, effects }
}

impl Own {
    const fn of(self, kinds: &'static [Kind], group: Group) -> Self {
        Self { kinds, group, ..self }
    }

    const fn by(self, address: Address) -> Self {
        Self { address, ..self }
    }

    const fn ends(self, end: End) -> Self {
        Self { end, ..self }
    }

    const fn does(self, result: Make, effects: Effects) -> Self {
        Self { result, effects, ..self }
    }
}

/// What each method has of its own.
#[rustfmt::skip]
pub const OWN: &[Own] = &[
    own(RENAME, "the title it has", |g| json!({ "title": g.title })),
    own(RENAME, "an empty title", |_| json!({ "title": " " })).ends(WRONG),
    own(RENAME, "129 characters", |_| json!({ "title": "ж".repeat(129) })).ends(WRONG),
    own(GET, "no condition: the primary one", |_| json!({}))
        .does(|g| json!({ "link": g.primary, "primary": true }), |_, _| vec![]),
    own(GET, "expires_at", |_| json!({ "expires_at": LATER }))
        .does(|_| json!({ "expires_at": LATER }), |g, r| made(g, r, &json!({ "expire_date": LATER_S }))),
    own(GET, "usage_limit", |_| json!({ "usage_limit": 3 }))
        .does(|_| json!({ "usage_limit": 3 }), |g, r| made(g, r, &json!({ "usage_limit": 3 }))),
    own(GET, "approval", |_| json!({ "approval": true }))
        .does(|_| json!({ "approval": true }), |g, r| made(g, r, &json!({ "request_needed": true }))),
    own(GET, "title, expires_at and usage_limit", |_| json!({ "title": "a", "usage_limit": 1, "expires_at": LATER }))
        .does(
            |_| json!({ "title": "a", "usage_limit": 1, "expires_at": LATER, "approval": false, "primary": false }),
            |g, r| made(g, r, &json!({ "title": "a", "usage_limit": 1, "expire_date": LATER_S })),
        ),
    own(GET, "title, expires_at and approval", |_| json!({ "title": "a", "approval": true, "expires_at": LATER }))
        .does(
            |_| json!({ "title": "a", "usage_limit": null, "expires_at": LATER, "approval": true }),
            |g, r| made(g, r, &json!({ "title": "a", "request_needed": true, "expire_date": LATER_S })),
        ),
    own(GET, "approval with usage_limit", |_| json!({ "approval": true, "usage_limit": 1 })).ends(WRONG),
    own(GET, "expires_at in the past", |_| json!({ "expires_at": "2020-01-01T00:00:00Z" })).ends(WRONG),
    own(GET, "usage_limit 0", |_| json!({ "usage_limit": 0 })).ends(WRONG),
    own(REVOKE, "another link", |g| json!({ "link": g.other })).does(
        |g| json!({ "link": g.other, "new_link": null }),
        |g, _| vec![json!({ "kind": "link.revoked", "chat_id": g.chat_id, "link": g.other })],
    ),
    own(REVOKE, "a link of another group", |g| json!({ "link": g.elsewhere }))
        .ends(Err(("invalid", "INVITE_HASH_EXPIRED"))),
    own(REVOKE, "no link at all", |_| json!({ "link": "https://t.me/somebody" })).ends(WRONG),
    own(DELETE, "without confirm_title", |_| json!({})).does(|_| json!({}), deleted),
    own(DELETE, "a wrong confirm_title", |_| json!({ "confirm_title": "Another" }))
        .ends(Err(("invalid", "CONFIRM_TITLE_MISMATCH"))),
    own(DELETE, "made by hand, without confirm_title", |_| json!({}))
        .of(BOTH, Group::ByHand).ends(Err(("invalid", "CONFIRM_TITLE_REQUIRED"))),
    own(DELETE, "made by hand, a wrong confirm_title", |_| json!({ "confirm_title": "Another" }))
        .of(BOTH, Group::ByHand).ends(Err(("invalid", "CONFIRM_TITLE_MISMATCH"))),
    own(DELETE, "made by hand, its confirm_title", |g| json!({ "confirm_title": g.title }))
        .of(BOTH, Group::ByHand).does(|_| json!({}), deleted),
    own(DELETE, "somebody else's, without confirm_title", |_| json!({}))
        .of(BOTH, Group::Foreign).ends(Err(("invalid", "CONFIRM_TITLE_REQUIRED"))),
    own(REMOVE, "ban", |g| json!({ "members": [g.helper.0], "ban": true }))
        .of(BASIC, Group::Own).ends(Err(("invalid", "BAN_NEEDS_SUPERGROUP"))),
    own(REMOVE, "ban of somebody outside", |g| json!({ "members": [g.stranger.0], "ban": true }))
        .of(SUPER, Group::Own)
        .does(|_| json!({}), |g, _| vec![member(g, "chat.member_banned", g.stranger.1)]),
    own(CREATE, "nobody else in it", |_| json!({ "title": "Deal", "kind": "basic" }))
        .of(BASIC, Group::Unknown).ends(Err(("invalid", "USERS_TOO_FEW"))),
    own(CREATE, "an empty title", |g| json!({ "title": "", "kind": g.kind })).of(BOTH, Group::Unknown).ends(WRONG),
    own(CREATE, "with an admin, about and invite_link", |g| json!({
        "title": "Deal", "kind": g.kind, "admins": [g.stranger.0], "about": "Of a deal", "invite_link": true,
    })).of(BOTH, Group::Unknown).does(|_| json!({ "title": "Deal", "existing": false }), furnished),
    own(CREATE, "a bound external_ref", |g| json!({ "title": "Another", "kind": g.kind })).by(Address::Ref)
        .does(|g| json!({ "existing": true, "title": g.title, "members": [] }), |_, _| vec![]),
    own(CREATE, "several people at once", |g| json!({
        "title": "Deal", "kind": g.kind, "members": [NOBODY, g.private.0, g.stranger.0, g.stranger.1.to_string()],
    })).of(BOTH, Group::Unknown).ends(Err(("invalid", "USERNAME_NOT_OCCUPIED"))).does(
        |_| statuses(&["not_found", "privacy_blocked", "added", "added"]),
        created_with_several,
    ),
    own(ADD, "several people at once", |g| json!({
        "members": [g.private.0, g.stranger.0, g.helper.0, NOBODY, g.stranger.1],
    })).ends(Err(("forbidden", "USER_PRIVACY_RESTRICTED"))).does(
        |_| statuses(&["privacy_blocked", "added", "already_member", "not_found", "added"]),
        |g, _| vec![missing(&json!(g.chat_id), g), member(g, "chat.member_added", g.stranger.1)],
    ),
    own(REMOVE, "several people at once", |g| json!({ "members": [g.stranger.0, g.helper.0, NOBODY, g.name] }))
        .ends(Err(("invalid", "USERNAME_NOT_OCCUPIED"))).does(
            |_| statuses(&["not_member", "removed", "not_found", "failed"]),
            removed,
        ),
    own("user.common_groups", "the account itself", |g| json!({ "user": g.name })).of(BOTH, Group::Unknown).ends(WRONG),
];
