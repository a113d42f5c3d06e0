//! `group.add_members`: puts people and bots into a group.

use proto::{ChatId, MemberOutcome, MemberStatus};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use telegram::UserPeer;

use crate::contract::examples;
use crate::cx::Cx;
use crate::groups::Group;
use crate::limits::Class;
use crate::members::{self, Fate, Roll};
use crate::method::{Done, Example, Method};
use crate::params::{Members, OnBlocked};
use crate::people::{self, Search};
use crate::stop::Stop;

/// Puts people and bots into a group. Who is in already is left alone.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupAddMembers {
    /// The group; may be left out where `external_ref` names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chat_id: Option<ChatId>,
    /// Who is put in.
    pub members: Members,
    /// What to do for people whom their privacy settings keep out.
    #[serde(default)]
    pub on_blocked: OnBlocked,
    /// Whether unknown phone numbers may be put into the account's address book.
    #[serde(default, deserialize_with = "proto::loose::boolean")]
    pub import_contacts: bool,
}

/// What came of it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Added {
    /// The outcome of each of `members`, in their order.
    pub members: Vec<MemberOutcome>,
}

impl Method for GroupAddMembers {
    type Output = Added;

    const CLASSES: &'static [Class] =
        &[Class::Invite, Class::InviteKnown, Class::Read, Class::Resolve, Class::Link];

    fn example() -> Example {
        Example {
            params: json!({ "members": ["@client"] }),
            result: json!({
                "members": [examples::member(json!("@client"), 5_000_000_001, "added")],
            }),
        }
    }

    async fn call(self, cx: &mut Cx<'_>) -> Result<Done<Added>, Stop> {
        let group = cx.group(self.chat_id).await?;
        let search = Search { group: Some(&group.peer), import_contacts: self.import_contacts };
        let people = people::find_all(cx, "members", self.members.as_slice(), search).await?;
        let users = members::distinct(&people);

        let mut roll = Roll::default();
        for user in members::inside(cx, &group, &users).await? {
            roll.set(user, Fate::of(MemberStatus::AlreadyMember));
        }
        let lacking = match self.add(cx, &group, &users, &mut roll).await {
            Ok(()) => roll.lacking(&people, "members"),
            // Some were asked for: everybody's outcome is worth telling.
            Err(Stop::Fault(fault)) if cx.has_begun() => {
                roll.set_unreached(&users, &fault);
                Some(fault)
            }
            Err(stop) => return Err(stop),
        };
        Ok(Done::in_chat(group.chat_id, Added { members: roll.outcomes(&people) }).lacking(lacking))
    }
}

impl GroupAddMembers {
    async fn add(
        &self,
        cx: &mut Cx<'_>,
        group: &Group,
        users: &[UserPeer],
        roll: &mut Roll,
    ) -> Result<(), Stop> {
        members::add(cx, group, users, roll).await?;
        members::help_blocked(cx, group, self.on_blocked, roll).await
    }
}
