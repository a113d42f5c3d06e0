//! The axes of the table: what is asked for, of which kind of group, how the person is named, and
//! what comes of it.

use serde_json::{Value, json};

/// A method that is about people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Create,
    Add,
    Remove,
    Ban,
    Common,
}

/// A kind of group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Supergroup,
    Basic,
}

/// A way of naming somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Number,
    NumericString,
    Username,
    Link,
    Phone,
    /// `+phone` with `import_contacts`.
    ImportedPhone,
    Instance,
    /// A bot, by its username.
    Bot,
}

/// What comes of it: every word for a member, and the two ends of a question about somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Added,
    AlreadyMember,
    Removed,
    NotMember,
    PrivacyReported,
    PrivacyHelped,
    NeedsPremium,
    NotFound,
    TooManyGroups,
    BotBlocked,
    Throttled,
    Failed,
    Listed,
    NothingShared,
}

impl Method {
    pub const ALL: [Self; 5] = [Self::Create, Self::Add, Self::Remove, Self::Ban, Self::Common];

    /// On the wire.
    pub fn wire(self) -> &'static str {
        match self {
            Self::Create => "group.create",
            Self::Add => "group.add_members",
            Self::Remove | Self::Ban => "group.remove_members",
            Self::Common => "user.common_groups",
        }
    }

    /// In the table.
    pub fn shown(self) -> &'static str {
        match self {
            Self::Ban => "group.remove_members ban",
            other => other.wire(),
        }
    }

    /// The request to Telegram that does the work, for faults on order.
    pub fn request(self, kind: Kind) -> &'static str {
        match (self, kind) {
            (Self::Create, Kind::Basic) => "messages.createChat",
            (Self::Create | Self::Add, Kind::Supergroup) => "channels.inviteToChannel",
            (Self::Add, Kind::Basic) => "messages.addChatUser",
            (Self::Remove | Self::Ban, Kind::Supergroup) => "channels.editBanned",
            (Self::Remove | Self::Ban, Kind::Basic) => "messages.deleteChatUser",
            (Self::Common, _) => "messages.getCommonChats",
        }
    }
}

impl Kind {
    pub const ALL: [Self; 2] = [Self::Supergroup, Self::Basic];

    /// On the wire and in the table.
    pub fn word(self) -> &'static str {
        match self {
            Self::Supergroup => "supergroup",
            Self::Basic => "basic",
        }
    }
}

impl Form {
    pub const ALL: [Self; 8] = [
        Self::Number,
        Self::NumericString,
        Self::Username,
        Self::Link,
        Self::Phone,
        Self::ImportedPhone,
        Self::Instance,
        Self::Bot,
    ];

    /// The column's heading.
    pub fn shown(self) -> &'static str {
        match self {
            Self::Number => "123",
            Self::NumericString => "\"123\"",
            Self::Username => "@name",
            Self::Link => "t.me/",
            Self::Phone => "+phone",
            Self::ImportedPhone => "import",
            Self::Instance => "instance",
            Self::Bot => "@bot",
        }
    }

    /// What a caller writes for somebody who has all of these.
    pub fn write(self, id: i64, name: &str, phone: &str, instance: &str) -> Value {
        match self {
            Self::Number => json!(id),
            Self::NumericString => json!(id.to_string()),
            Self::Username | Self::Bot => json!(format!("@{name}")),
            Self::Link => json!(format!("https://t.me/{name}")),
            Self::Phone | Self::ImportedPhone => json!(phone),
            Self::Instance => json!({ "instance": instance }),
        }
    }

    /// What `error_code` says where there is nobody of this name.
    pub fn code_for_nobody(self) -> &'static str {
        match self {
            Self::Number | Self::NumericString => "PEER_ID_UNKNOWN",
            Self::Username | Self::Link | Self::Bot => "USERNAME_NOT_OCCUPIED",
            Self::Phone | Self::ImportedPhone => "PHONE_NOT_OCCUPIED",
            Self::Instance => "INSTANCE_NOT_FOUND",
        }
    }
}

impl Outcome {
    pub const ALL: [Self; 14] = [
        Self::Added,
        Self::AlreadyMember,
        Self::Removed,
        Self::NotMember,
        Self::PrivacyReported,
        Self::PrivacyHelped,
        Self::NeedsPremium,
        Self::NotFound,
        Self::TooManyGroups,
        Self::BotBlocked,
        Self::Throttled,
        Self::Failed,
        Self::Listed,
        Self::NothingShared,
    ];

    /// In the table.
    pub fn shown(self) -> &'static str {
        match self {
            Self::PrivacyReported => "privacy_blocked, report",
            Self::PrivacyHelped => "privacy_blocked, invite_link",
            Self::Listed => "group listed",
            Self::NothingShared => "no group shared",
            other => other.status(),
        }
    }

    /// The member's `status`; for a question, nothing that could stand there.
    pub fn status(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::AlreadyMember => "already_member",
            Self::Removed => "removed",
            Self::NotMember => "not_member",
            Self::PrivacyReported | Self::PrivacyHelped => "privacy_blocked",
            Self::NeedsPremium => "needs_premium",
            Self::NotFound => "not_found",
            Self::TooManyGroups => "too_many_groups",
            Self::BotBlocked => "bot_blocked",
            Self::Throttled => "throttled",
            Self::Failed => "failed",
            Self::Listed | Self::NothingShared => "-",
        }
    }

    /// Whether the caller got what they asked for.
    pub fn is_well(self) -> bool {
        use Outcome as O;
        matches!(
            self,
            O::Added | O::AlreadyMember | O::Removed | O::NotMember | O::Listed | O::NothingShared
        )
    }
}
