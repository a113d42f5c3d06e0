//! Everything that happens and is no result: the closed list of events and what each one tells.
//! An event's `event_id` is its AMQP `message_id`, its routing key is `<instance>.<event>`.

mod account_state;
mod data;

use chrono::{DateTime, Utc};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::WIRE_VERSION;
use crate::ids::{ChatId, CommandId, ExternalRef, InstanceId};

pub use account_state::AccountState;
pub use data::*;

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
    /// A person decided what came of a command whose effect was unknown.
    CommandResolved "command.resolved" ResolvedByHand;
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
