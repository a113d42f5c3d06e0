//! Who of some people is in a group already: no invite is wasted on them.

use std::collections::BTreeSet;

use proto::UserId;
use telegram::UserPeer;
use telegram::calls;
use telegram::calls::members::Filter;

use crate::cx::Cx;
use crate::groups::Group;
use crate::limits::Class;
use crate::step::Step;
use crate::stop::{Failure, Refusal, Stop};

/// Under which name a command keeps the answer.
const NOTE: &str = "inside";
/// Up to so many people are asked for one by one; for more the group's list is read first.
const SINGLY_MAX: usize = 2;
/// People to a page of a supergroup's list, which is the most (`channels.getParticipants`).
const PAGE: u32 = 200;
/// Most pages that are read of it.
const PAGES_MAX: u32 = 5;

/// Who of `users` is in the group. The answer is kept, since after a crash or a wait those added
/// before it would otherwise count as members from before the command.
pub async fn inside(
    cx: &mut Cx<'_>,
    group: &Group,
    users: &[UserPeer],
) -> Result<BTreeSet<UserId>, Stop> {
    if let Some(noted) = cx.recall(NOTE)? {
        return Ok(noted);
    }
    let members = match group.peer.is_basic() {
        true => of_basic(cx, group).await?,
        false => of_supergroup(cx, group, users).await?,
    };
    let inside = users.iter().map(|user| user.id).filter(|id| members.contains(id)).collect();
    cx.remember(NOTE, &inside).await?;
    Ok(inside)
}

async fn of_basic(cx: &mut Cx<'_>, group: &Group) -> Result<BTreeSet<UserId>, Stop> {
    let account = cx.account();
    let step = Step::read("members", Class::Read);
    let full = cx.step(step, || calls::groups::full(&account, &group.peer)).await?;
    Ok(full.members.into_iter().flatten().map(|member| member.user_id).collect())
}

async fn of_supergroup(
    cx: &mut Cx<'_>,
    group: &Group,
    users: &[UserPeer],
) -> Result<BTreeSet<UserId>, Stop> {
    let account = cx.account();
    let (mut members, complete) = listed(cx, group, users.len()).await?;
    for user in users {
        if complete || members.contains(&user.id) {
            continue;
        }
        let step = Step::read(format!("participant:{}", user.id), Class::Read);
        let participant =
            cx.step(step, || calls::members::participant(&account, &group.peer, user)).await?;
        if participant.is_some_and(|participant| participant.is_member()) {
            members.insert(user.id);
        }
    }
    Ok(members)
}

/// Those whom the group's list shows, and whether that is everybody: as many pages as are cheaper
/// than asking for `asked` people one by one. A list that is hidden shows nobody.
async fn listed(
    cx: &mut Cx<'_>,
    group: &Group,
    asked: usize,
) -> Result<(BTreeSet<UserId>, bool), Stop> {
    let (account, mut members) = (cx.account(), BTreeSet::new());
    if asked <= SINGLY_MAX {
        return Ok((members, false));
    }
    let mut offset = 0;
    for page in 1..=PAGES_MAX {
        let step = Step::read("members", Class::Read);
        let recent = Filter::Recent;
        let read = || calls::members::participants(&account, &group.peer, &recent, offset, PAGE);
        let list = match cx.step(step, read).await {
            Ok(list) => list,
            Err(Failure::Refused(refusal)) if is_hidden(&refusal) => break,
            Err(failure) => return Err(failure.into()),
        };
        let shown = list.participants.iter().filter(|one| one.is_member());
        members.extend(shown.map(|one| one.user_id));
        offset += u32::try_from(list.participants.len()).unwrap_or(PAGE);
        if offset >= list.count {
            return Ok((members, true));
        }
        let left = (list.count - offset).div_ceil(PAGE);
        let is_cheaper = usize::try_from(left).is_ok_and(|left| left < asked);
        if list.participants.is_empty() || page + left > PAGES_MAX || !is_cheaper {
            break;
        }
    }
    Ok((members, false))
}

fn is_hidden(refusal: &Refusal) -> bool {
    refusal.is("CHAT_ADMIN_REQUIRED")
}
