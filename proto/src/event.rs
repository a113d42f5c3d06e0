//! Everything that happens and is no result: the closed list of events and what each one tells.
//! An event's `event_id` is its AMQP `message_id`, its routing key is `<instance>.<event>`.

use chrono::{DateTime, Utc};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::WIRE_VERSION;
use crate::ids::{ChatId, CommandId, ExternalRef, InstanceId, MethodName, UserId};
use crate::outcome::Status;

/// What an event tells, beside the envelope that all share. One type per kind of event.
pub trait EventData: Serialize + JsonSchema {
    /// The event that this is the data of.
    const KIND: EventKind;
}

/// The body of an event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// Version of this form.
    pub v: u32,
    /// Which event.
    pub event: EventKind,
    /// Unique; also the AMQP `message_id`.
    pub event_id: String,
    /// The account that it happened to.
    pub instance: InstanceId,
    /// When it happened.
    #[serde(with = "crate::time::rfc3339_ms")]
    #[schemars(with = "DateTime<Utc>")]
    pub at: DateTime<Utc>,
    /// The caller's key of the group, where one is bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_ref: Option<ExternalRef>,
    /// The group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chat_id: Option<ChatId>,
    /// The command that it happened in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command_id: Option<CommandId>,
    /// The event's own fields, see its schema.
    pub data: Value,
}

impl Event {
    /// An event of this data's kind. `event_id` must be unique, and the same if it is told again.
    ///
    /// # Errors
    /// Data that can't be written as JSON.
    pub fn new<D: EventData>(
        event_id: impl Into<String>,
        instance: InstanceId,
        at: DateTime<Utc>,
        data: &D,
    ) -> Result<Self, serde_json::Error> {
        Ok(Self {
            v: WIRE_VERSION,
            event: D::KIND,
            event_id: event_id.into(),
            instance,
            at,
            external_ref: None,
            chat_id: None,
            command_id: None,
            data: serde_json::to_value(data)?,
        })
    }

    /// The AMQP `type`.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        self.event.as_str()
    }

    /// The routing key on the exchange of events.
    #[must_use]
    pub fn routing_key(&self, names: &crate::names::Names) -> String {
        names.event_key(&self.instance, self.event)
    }
}

/// One row per event: its variant, its word on the wire, the type of its data.
macro_rules! events {
    ($($(#[$doc:meta])* $kind:ident $word:literal $data:ty;)+) => {
        /// The closed list of events.
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
            JsonSchema,
        )]
        pub enum EventKind {
            $($(#[$doc])* #[serde(rename = $word)] $kind,)+
        }

        impl EventKind {
            /// Every event, in the order of the contract.
            pub const ALL: &[Self] = &[$(Self::$kind,)+];

            /// The word on the wire.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$kind => $word,)+
                }
            }

            /// The schema of this event's `data`.
            #[must_use]
            pub fn data_schema(self, generator: &mut SchemaGenerator) -> Schema {
                match self {
                    $(Self::$kind => generator.subschema_for::<$data>(),)+
                }
            }
        }

        $(impl EventData for $data {
            const KIND: EventKind = EventKind::$kind;
        })+
    };
}

events! {
    /// An account changed its state.
    AccountState "account.state" AccountStateChanged;
    /// A login shows a code to scan.
    LoginQr "account.login.qr" LoginQr;
    /// A login waits for the code that Telegram sent.
    LoginCodeNeeded "account.login.code_needed" LoginCodeNeeded;
    /// A login waits for the account's 2FA password.
    LoginPasswordNeeded "account.login.password_needed" LoginPasswordNeeded;
    /// A login ended without success.
    LoginFailed "account.login.failed" LoginFailed;
    /// A command waits for a limit.
    CommandDelayed "command.delayed" CommandDelayed;
    /// A command's effect can't be established.
    CommandUnknown "command.unknown" CommandUnknown;
    /// A message was put into the dead queue.
    CommandDead "command.dead" CommandDead;
    /// A group was created.
    GroupCreated "group.created" GroupCreated;
    /// A group got another title.
    GroupRenamed "group.renamed" GroupRenamed;
    /// A group was deleted.
    GroupDeleted "group.deleted" GroupDeleted;
    /// Telegram turned a basic group into a supergroup: its id changed.
    GroupMigrated "group.migrated" GroupMigrated;
    /// Somebody joined a group.
    GroupMemberJoined "group.member_joined" MemberJoined;
    /// Somebody left a group or was taken out.
    GroupMemberLeft "group.member_left" MemberLeft;
    /// A reply could not be brought to its `reply_to`.
    ReplyUndeliverable "reply.undeliverable" ReplyUndeliverable;
    /// Telegram or our own budget asked for a wait.
    LimitHit "limit.hit" LimitHit;
    /// A class of calls is paused.
    LimitPaused "limit.paused" LimitPaused;
    /// A class of calls goes on.
    LimitResumed "limit.resumed" LimitResumed;
    /// The account is close to Telegram's limit of groups.
    LimitGroupsNearFull "limit.groups_near_full" GroupsNearFull;
}

/// Where a connected account stands.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum AccountState {
    /// Never logged in.
    New,
    /// A login shows a code to scan.
    AwaitingScan,
    /// A login waits for Telegram's code.
    AwaitingCode,
    /// A login waits for the 2FA password.
    AwaitingPassword,
    /// Its connection is being made.
    Connecting,
    /// Connected and working.
    Online,
    /// Telegram asked for a pause.
    Cooling,
    /// Stopped by an order.
    Stopped,
    /// Telegram ended the login: it must be connected again.
    LoggedOut,
    /// Telegram banned or deleted the account.
    Banned,
    /// Telegram restricts what the account may do.
    Restricted,
    /// It could not be connected.
    Failed,
}

impl AccountState {
    /// Every state, in the order of the contract.
    pub const ALL: [Self; 12] = [
        Self::New,
        Self::AwaitingScan,
        Self::AwaitingCode,
        Self::AwaitingPassword,
        Self::Connecting,
        Self::Online,
        Self::Cooling,
        Self::Stopped,
        Self::LoggedOut,
        Self::Banned,
        Self::Restricted,
        Self::Failed,
    ];

    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::AwaitingScan => "awaiting_scan",
            Self::AwaitingCode => "awaiting_code",
            Self::AwaitingPassword => "awaiting_password",
            Self::Connecting => "connecting",
            Self::Online => "online",
            Self::Cooling => "cooling",
            Self::Stopped => "stopped",
            Self::LoggedOut => "logged_out",
            Self::Banned => "banned",
            Self::Restricted => "restricted",
            Self::Failed => "failed",
        }
    }
}

/// Data of `account.state`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AccountStateChanged {
    /// The state before.
    pub from: AccountState,
    /// The state now.
    pub to: AccountState,
    /// Why: Telegram's name of an error, or one of Queuegram's.
    pub reason: Option<String>,
    /// Until when, where that is known.
    #[serde(with = "crate::time::optional_rfc3339_ms")]
    #[schemars(with = "Option<DateTime<Utc>>")]
    pub until: Option<DateTime<Utc>>,
}

/// Data of `account.login.qr`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoginQr {
    /// Names this login in the orders that answer it.
    pub login_id: String,
    /// The `tg://login?token=…` link to show as a QR code, sealed to the asker.
    pub sealed_url: String,
    /// When it stops working; a new one follows.
    #[serde(with = "crate::time::rfc3339_ms")]
    #[schemars(with = "DateTime<Utc>")]
    pub expires_at: DateTime<Utc>,
}

/// Data of `account.login.code_needed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoginCodeNeeded {
    /// Names this login in the orders that answer it.
    pub login_id: String,
    /// The public key to seal the code to (base64).
    pub seal_key: String,
    /// How Telegram sent the code: `app`, `sms`, `call`, …
    pub hint: Option<String>,
}

/// Data of `account.login.password_needed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoginPasswordNeeded {
    /// Names this login in the orders that answer it.
    pub login_id: String,
    /// The public key to seal the password to (base64).
    pub seal_key: String,
    /// The hint that the account's owner set for the password.
    pub hint: Option<String>,
}

/// Data of `account.login.failed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoginFailed {
    /// Names the login.
    pub login_id: String,
    /// Telegram's name of the error, or one of Queuegram's.
    pub reason: String,
}

/// Data of `command.delayed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CommandDelayed {
    /// The class of calls that it waits for.
    pub class: String,
    /// When it is tried again.
    #[serde(with = "crate::time::rfc3339_ms")]
    #[schemars(with = "DateTime<Utc>")]
    pub retry_at: DateTime<Utc>,
}

/// Data of `command.unknown`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CommandUnknown {
    /// What was asked for.
    pub method: MethodName,
    /// The step that may or may not have happened.
    pub step: Option<String>,
}

/// Data of `command.dead`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CommandDead {
    /// The queue that keeps it.
    pub queue: String,
    /// The `error_code` that it was answered with.
    pub reason: String,
}

/// Data of `group.created`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GroupCreated {
    /// The group's title.
    pub title: String,
}

/// Data of `group.renamed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GroupRenamed {
    /// The new title.
    pub title: String,
}

/// Data of `group.deleted`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GroupDeleted {
    /// The title that it had, where that is known.
    pub title: Option<String>,
}

/// Data of `group.migrated`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GroupMigrated {
    /// The basic group.
    pub from: ChatId,
    /// The supergroup that it became.
    pub to: ChatId,
}

/// Data of `group.member_joined`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MemberJoined {
    /// Who.
    pub user_id: UserId,
    /// The invite link that they came by.
    pub link: Option<String>,
}

/// Data of `group.member_left`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MemberLeft {
    /// Who.
    pub user_id: UserId,
    /// The invite link that they had come by, where that is known.
    pub link: Option<String>,
}

/// Data of `reply.undeliverable`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReplyUndeliverable {
    /// The exchange that it was published to; empty for the default one.
    pub exchange: String,
    /// The routing key, or the queue.
    pub routing_key: String,
    /// How the command had ended.
    pub status: Status,
}

/// Data of `limit.hit`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LimitHit {
    /// The class of calls.
    pub class: String,
    /// Until when.
    #[serde(with = "crate::time::optional_rfc3339_ms")]
    #[schemars(with = "Option<DateTime<Utc>>")]
    pub until: Option<DateTime<Utc>>,
}

/// Data of `limit.paused`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LimitPaused {
    /// The class of calls.
    pub class: String,
    /// Until when.
    #[serde(with = "crate::time::optional_rfc3339_ms")]
    #[schemars(with = "Option<DateTime<Utc>>")]
    pub until: Option<DateTime<Utc>>,
}

/// Data of `limit.resumed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LimitResumed {
    /// The class of calls.
    pub class: String,
    /// Always null; the field is there so that the three limit events read alike.
    #[serde(with = "crate::time::optional_rfc3339_ms")]
    #[schemars(with = "Option<DateTime<Utc>>")]
    pub until: Option<DateTime<Utc>>,
}

/// Data of `limit.groups_near_full`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GroupsNearFull {
    /// How many groups the account is in.
    pub groups: u32,
    /// How many Telegram allows it.
    pub groups_max: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_has_the_contracts_form() {
        let at = crate::time::parse("2026-11-23T06:54:40.123Z").unwrap();
        let data =
            GroupMigrated { from: ChatId::basic(5).unwrap(), to: ChatId::supergroup(6).unwrap() };
        let mut event = Event::new("e-1", "acme".parse().unwrap(), at, &data).unwrap();
        event.external_ref = Some("deal-77".parse().unwrap());
        assert_eq!(
            serde_json::to_string(&event).unwrap(),
            concat!(
                r#"{"v":1,"event":"group.migrated","event_id":"e-1","instance":"acme","#,
                r#""at":"2026-11-23T06:54:40.123Z","external_ref":"deal-77","#,
                r#""data":{"from":-5,"to":-1000000000006}}"#
            )
        );
    }

    #[test]
    fn every_kind_has_its_word_and_a_schema() {
        let mut generator = SchemaGenerator::default();
        for kind in EventKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
            assert!(kind.data_schema(&mut generator).as_object().is_some());
        }
        for state in AccountState::ALL {
            assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
        }
    }
}
