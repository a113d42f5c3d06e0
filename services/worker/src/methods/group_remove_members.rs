//! `group.remove_members`: takes people and bots out of a group.

use proto::fault::code;
use proto::{ChatId, Fault, MemberOutcome, MemberStatus};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use telegram::UserPeer;
use telegram::calls;

use crate::cx::Cx;
use crate::groups::Group;
use crate::limits::Class;
use crate::members::{self, Fate, Roll, throttled_or_stop};
use crate::method::{Done, Example, Method};
use crate::params::Members;
use crate::people::{self, Search};
use crate::step::Step;
use crate::stop::{Failure, Stop};

/// Takes people and bots out of a group. Without `ban` they can come back by a link they know.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupRemoveMembers {
    /// The group; may be left out where `external_ref` names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chat_id: Option<ChatId>,
    /// Who is taken out.
    pub members: Members,
    /// Whether they are kept out for good. Supergroups only: basic groups have no ban list.
    #[serde(default, deserialize_with = "proto::loose::boolean")]
    pub ban: bool,
}

/// What came of it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Removed {
    /// The outcome of each of `members`, in their order.
    pub members: Vec<RemovedMember>,
}

/// What came of it for one person.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RemovedMember {
    /// The outcome.
    #[serde(flatten)]
    pub outcome: MemberOutcome,
    /// Whether a link that they may know still lets them in; null where that can't be told.
    pub can_rejoin: Option<bool>,
}

impl Method for GroupRemoveMembers {
    type Output = Removed;

    const CLASSES: &'static [Class] = &[Class::Admin, Class::Read, Class::Resolve];

    fn example() -> Example {
        Example {
            params: json!({ "members": ["@client"] }),
            result: json!({ "members": [{
                "input": "@client", "user_id": 5_000_000_001_i64, "status": "removed",
                "error_code": null, "retry_after_s": null, "invite_link": null,
                "can_rejoin": true,
            }] }),
        }
    }

    async fn call(self, cx: &mut Cx<'_>) -> Result<Done<Removed>, Stop> {
        let group = cx.group(self.chat_id).await?;
        if self.ban && group.peer.is_basic() {
            return Err(Stop::Fault(Fault::invalid(
                code::BAN_NEEDS_SUPERGROUP,
                "params.ban: a basic group has no ban list",
            )));
        }
        let search = Search { group: Some(&group.peer), ..Search::default() };
        let people = people::find_all(cx, "members", self.members.as_slice(), search).await?;
        let mut roll = Roll::default();
        let users = members::distinct(&people);
        let stopped = match remove_all(cx, &group, &users, self.ban, &mut roll).await {
            Ok(()) => None,
            // Some were removed: everybody's outcome is worth telling.
            Err(Stop::Fault(fault)) if cx.effects() > 0 => {
                roll.set_unreached(&users, &fault);
                Some(fault)
            }
            Err(stop) => return Err(stop),
        };

        let link_works = match stopped {
            None => link_works(cx, &group, self.ban, &roll).await?,
            Some(_) => None,
        };
        let rejoin = |outcome: MemberOutcome| RemovedMember {
            can_rejoin: match outcome.status {
                MemberStatus::Removed | MemberStatus::NotMember => link_works,
                _ => None,
            },
            outcome,
        };
        let lacking = stopped.or_else(|| roll.lacking(&people, "members"));
        let members = roll.outcomes(&people).into_iter().map(rejoin).collect();
        Ok(Done::in_chat(group.chat_id, Removed { members }).lacking(lacking))
    }
}

async fn remove_all(
    cx: &mut Cx<'_>,
    group: &Group,
    users: &[UserPeer],
    ban: bool,
    roll: &mut Roll,
) -> Result<(), Stop> {
    for (position, user) in users.iter().enumerate() {
        match remove(cx, group, user, ban).await {
            Ok(fate) => roll.set(user.id, fate),
            // Asking for the others too would only make the wait longer.
            Err(failure) => return throttled_or_stop(failure, &users[position..], roll),
        }
    }
    Ok(())
}

async fn remove(
    cx: &mut Cx<'_>,
    group: &Group,
    user: &UserPeer,
    ban: bool,
) -> Result<Fate, Failure> {
    if user.is_self {
        let fate = Fate::of(MemberStatus::Failed);
        return Ok(Fate { error_code: Some(members::ACCOUNT_ITSELF.to_owned()), ..fate });
    }
    let removed = if group.peer.is_basic() {
        remove_from_basic(cx, group, user).await
    } else {
        remove_from_supergroup(cx, group, user, ban).await
    };
    match removed {
        Err(Failure::Refused(refusal)) => match Fate::refused(&refusal) {
            Some(fate) => Ok(fate),
            None => Err(Failure::Refused(refusal)),
        },
        removed => removed,
    }
}

async fn remove_from_basic(
    cx: &mut Cx<'_>,
    group: &Group,
    user: &UserPeer,
) -> Result<Fate, Failure> {
    let account = cx.account();
    let step = Step::repeatable(format!("remove:{}", user.id), Class::Admin);
    cx.step(step, || calls::members::remove_from_basic(&account, &group.peer, user, false)).await?;
    Ok(Fate::of(MemberStatus::Removed))
}

/// Telegram has no "remove" for supergroups: one bans, and lets the ban go where it isn't meant to
/// last. Somebody who is not in the group is banned only if that is what was asked for.
async fn remove_from_supergroup(
    cx: &mut Cx<'_>,
    group: &Group,
    user: &UserPeer,
    ban: bool,
) -> Result<Fate, Failure> {
    let account = cx.account();
    let looked = Step::decisive_read(format!("participant:{}", user.id), Class::Read);
    let participant =
        cx.step(looked, || calls::members::participant(&account, &group.peer, user)).await?;
    let inside = participant.is_some_and(|participant| participant.is_member());
    if !inside && !ban {
        return Ok(Fate::of(MemberStatus::NotMember));
    }
    let step = Step::repeatable(format!("ban:{}", user.id), Class::Admin);
    cx.step(step, || calls::members::ban(&account, &group.peer, user, None)).await?;
    if !ban {
        let step = Step::repeatable(format!("unban:{}", user.id), Class::Admin);
        cx.step(step, || calls::members::unban(&account, &group.peer, user)).await?;
    }
    Ok(Fate::of(MemberStatus::Removed))
}

/// Whether the group has a link that lets people in without anybody's doing; banned people it
/// doesn't. Unknown where the account may not see the links.
async fn link_works(
    cx: &mut Cx<'_>,
    group: &Group,
    ban: bool,
    roll: &Roll,
) -> Result<Option<bool>, Stop> {
    let gone = [MemberStatus::Removed, MemberStatus::NotMember];
    if gone.into_iter().all(|status| roll.with(status).is_empty()) {
        return Ok(None);
    }
    if ban {
        return Ok(Some(false));
    }
    let account = cx.account();
    let step = Step::read("primary_link", Class::Read);
    match cx.step(step, || calls::groups::full(&account, &group.peer)).await {
        Ok(full) => Ok(Some(full.primary_link.is_some())),
        Err(Failure::Refused(_) | Failure::Throttled { .. }) => Ok(None),
        Err(Failure::Stop(stop)) => Err(stop),
    }
}
