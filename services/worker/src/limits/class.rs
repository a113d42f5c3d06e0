//! The classes of Telegram calls. Calls of one class share a budget and a gate.

use proto::MethodName;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a Telegram call does to an account's standing: calls of one class share a budget.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Making groups. Real flood waits reach four hours.
    Create,
    /// Adding people who are no contacts; counted per person. Real flood waits reach 21 hours.
    Invite,
    /// Adding bots and contacts, which Telegram minds less; counted per person.
    InviteKnown,
    /// Making, changing and revoking invite links.
    Link,
    /// Renaming, removing, promoting, deleting: changes that an admin makes in an own group.
    Admin,
    /// Finding people by name or phone, and the address book.
    Resolve,
    /// Everything that only looks.
    Read,
}

impl Class {
    /// What is said of a word that is no class.
    pub fn unknown() -> String {
        format!("is no class; they are {}", Self::ALL.map(Self::name).join(", "))
    }

    /// Every class, in the order of the documentation.
    pub const ALL: [Self; 7] = [
        Self::Create,
        Self::Invite,
        Self::InviteKnown,
        Self::Link,
        Self::Admin,
        Self::Resolve,
        Self::Read,
    ];

    /// The class of that word.
    pub fn read(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == word)
    }

    /// What a pause of the class is named by, beside those of methods.
    pub fn pause_name(self) -> Option<MethodName> {
        format!("class.{}", self.name()).parse().ok()
    }

    /// The class's word in settings and on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Invite => "invite",
            Self::InviteKnown => "invite_known",
            Self::Link => "link",
            Self::Admin => "admin",
            Self::Resolve => "resolve",
            Self::Read => "read",
        }
    }
}

impl std::fmt::Display for Class {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
