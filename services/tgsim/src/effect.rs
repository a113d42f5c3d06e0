//! What a request changed, as the journal tells it.
//!
//! The journal is the oracle of tests: an effect stands there only if the world really changed. Ids of groups are in
//! Bot API form (`-…` basic, `-100…` super), so that they compare with what callers of the service get.
use serde::Serialize;
use serde_json::Value;

/// One change. `kind` is the tag, e.g. `{"kind":"chat.created","chat_id":-4001,"title":"Deal","members":[5001]}`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind")]
#[expect(
    missing_docs,
    reason = "the fields say what they are: ids in Bot API form, unix seconds, full links"
)]
pub enum Effect {
    /// A basic group or supergroup exists now. `members` includes the creator.
    #[serde(rename = "chat.created")]
    ChatCreated { chat_id: i64, group: GroupKind, title: String, members: Vec<i64> },
    /// New title.
    #[serde(rename = "chat.renamed")]
    ChatRenamed { chat_id: i64, title: String },
    /// New description.
    #[serde(rename = "chat.about_edited")]
    ChatAboutEdited { chat_id: i64, about: String },
    /// Gone for everybody.
    #[serde(rename = "chat.deleted")]
    ChatDeleted { chat_id: i64 },
    /// A basic group became a supergroup.
    #[serde(rename = "chat.migrated")]
    ChatMigrated { chat_id: i64, to_chat_id: i64 },
    /// What plain members may not do was changed.
    #[serde(rename = "chat.default_rights_edited")]
    ChatDefaultRightsEdited { chat_id: i64, forbidden: Vec<&'static str> },
    /// Some other setting of a group.
    #[serde(rename = "chat.setting_edited")]
    ChatSettingEdited { chat_id: i64, setting: &'static str, value: Value },
    /// Somebody was added by somebody.
    #[serde(rename = "chat.member_added")]
    MemberAdded { chat_id: i64, user_id: i64, by: i64 },
    /// Somebody could not be added: told to the caller in `missing_invitees`; nothing changed.
    #[serde(rename = "chat.member_missing")]
    MemberMissing { chat_id: i64, user_id: i64 },
    /// Somebody came in by a link, a public name or an approved request.
    #[serde(rename = "chat.member_joined")]
    MemberJoined { chat_id: i64, user_id: i64, link: Option<String>, approved_by: Option<i64> },
    /// Somebody was taken out (and may come back).
    #[serde(rename = "chat.member_removed")]
    MemberRemoved { chat_id: i64, user_id: i64, by: i64 },
    /// Somebody left.
    #[serde(rename = "chat.member_left")]
    MemberLeft { chat_id: i64, user_id: i64 },
    /// Banned: out, and can't come back until the date (0 = for ever).
    #[serde(rename = "chat.member_banned")]
    MemberBanned { chat_id: i64, user_id: i64, by: i64, until_date: i32 },
    /// Ban or restriction lifted.
    #[serde(rename = "chat.member_unbanned")]
    MemberUnbanned { chat_id: i64, user_id: i64, by: i64 },
    /// Still a member, but with less rights.
    #[serde(rename = "chat.member_restricted")]
    MemberRestricted {
        chat_id: i64,
        user_id: i64,
        by: i64,
        until_date: i32,
        forbidden: Vec<&'static str>,
    },
    /// Made an admin, or its rights changed.
    #[serde(rename = "chat.admin_set")]
    AdminSet { chat_id: i64, user_id: i64, by: i64, rights: Vec<&'static str>, rank: String },
    /// No longer an admin.
    #[serde(rename = "chat.admin_removed")]
    AdminRemoved { chat_id: i64, user_id: i64, by: i64 },
    /// The group has another owner.
    #[serde(rename = "chat.owner_changed")]
    OwnerChanged { chat_id: i64, user_id: i64, by: i64 },
    /// Somebody asked to be let in.
    #[serde(rename = "chat.join_requested")]
    JoinRequested { chat_id: i64, user_id: i64, link: Option<String> },
    /// A request was declined (an approved one is a `chat.member_joined`).
    #[serde(rename = "chat.join_declined")]
    JoinDeclined { chat_id: i64, user_id: i64, by: i64 },
    /// A link was made.
    #[serde(rename = "link.created")]
    LinkCreated {
        chat_id: i64,
        link: String,
        by: i64,
        permanent: bool,
        expire_date: Option<i32>,
        usage_limit: Option<i32>,
        request_needed: bool,
        title: String,
    },
    /// A link was changed.
    #[serde(rename = "link.edited")]
    LinkEdited {
        chat_id: i64,
        link: String,
        expire_date: Option<i32>,
        usage_limit: Option<i32>,
        request_needed: bool,
        title: String,
    },
    /// A link no longer works.
    #[serde(rename = "link.revoked")]
    LinkRevoked { chat_id: i64, link: String },
    /// A revoked link was removed from the list.
    #[serde(rename = "link.deleted")]
    LinkDeleted { chat_id: i64, link: String },
    /// A message was sent. The text never stands in the journal, only its length.
    #[serde(rename = "message.sent")]
    MessageSent { chat_id: i64, message_id: i32, random_id: String, chars: usize },
    /// A message was edited.
    #[serde(rename = "message.edited")]
    MessageEdited { chat_id: i64, message_id: i32, chars: usize },
    /// A message was pinned or unpinned.
    #[serde(rename = "message.pinned")]
    MessagePinned { chat_id: i64, message_id: i32, pinned: bool },
    /// Messages vanished, for the caller or for everybody.
    #[serde(rename = "message.deleted")]
    MessagesDeleted { chat_id: Option<i64>, message_ids: Vec<i32>, for_everyone: bool },
    /// A whole conversation was cleared.
    #[serde(rename = "history.deleted")]
    HistoryDeleted { chat_id: i64, max_id: i32, for_everyone: bool },
    /// Read up to there.
    #[serde(rename = "history.read")]
    HistoryRead { chat_id: i64, max_id: i32 },
    /// Pinned or unpinned, marked unread or not.
    #[serde(rename = "dialog.edited")]
    DialogEdited { chat_id: i64, pinned: bool, unread_mark: bool },
    /// Somebody stands in the address book now.
    #[serde(rename = "contact.added")]
    ContactAdded { user_id: i64 },
    /// Somebody no longer stands there.
    #[serde(rename = "contact.deleted")]
    ContactDeleted { user_id: i64 },
    /// A number that has no account was saved.
    #[serde(rename = "contact.saved")]
    ContactSaved { count: usize },
    /// Blocked or not.
    #[serde(rename = "peer.blocked")]
    PeerBlocked { chat_id: i64, blocked: bool },
    /// New username of the account or a group (`None`: removed).
    #[serde(rename = "username.set")]
    UsernameSet { chat_id: i64, username: Option<String> },
    /// Name or bio of the account.
    #[serde(rename = "profile.edited")]
    ProfileEdited { user_id: i64 },
    /// Privacy of the account.
    #[serde(rename = "privacy.set")]
    PrivacySet { key: &'static str },
    /// The account is gone.
    #[serde(rename = "account.deleted")]
    AccountDeleted { user_id: i64 },
}

/// The two kinds of group, and the broadcast channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum GroupKind {
    /// `chat`.
    Basic,
    /// `channel` with `megagroup`.
    Supergroup,
    /// `channel` with `broadcast`.
    Broadcast,
}

impl From<Effect> for Value {
    fn from(effect: Effect) -> Self {
        // Plain data with string keys always serialises; null would show in the journal at once.
        serde_json::to_value(effect).unwrap_or(Value::Null)
    }
}
