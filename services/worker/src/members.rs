//! Adding people to a group and telling the truth about each of them.
//!
//! Telegram counts strangers (no contacts of the account's, and no bots) far more strictly than the
//! others, so they are asked for apart, under a class of their own. Those whom it minds less come
//! first: a command that has to wait for its strangers has brought in everybody else by then.

mod batches;
mod inside;
mod roll;

use std::collections::BTreeSet;

use proto::MemberStatus;
use telegram::UserPeer;
use telegram::calls;
use telegram::calls::groups::Missing;

use self::batches::{Kind, Sizes};
pub use self::inside::inside;
pub use self::roll::{ACCOUNT_ITSELF, Fate, Roll, throttled_or_stop};
use crate::cx::Cx;
use crate::groups::Group;
use crate::links;
use crate::params::OnBlocked;
use crate::people::Person;
use crate::step::Step;
use crate::stop::{Failure, Stop};

/// Messages that somebody added to a basic group sees from before (`fwd_limit`), as Telegram's own
/// apps ask for.
const HISTORY_SHOWN: u32 = 100;

/// The people of a command who were found, each once.
pub fn distinct(people: &[Person]) -> Vec<UserPeer> {
    let mut seen = BTreeSet::new();
    people
        .iter()
        .filter_map(|person| person.found.as_ref().ok())
        .filter(|user| seen.insert(user.id))
        .cloned()
        .collect()
}

/// Adds everybody whose fate is still open. A limit that can't be waited for ends it for those of
/// one kind only: each kind has its own.
pub async fn add(
    cx: &mut Cx<'_>,
    group: &Group,
    users: &[UserPeer],
    roll: &mut Roll,
) -> Result<(), Stop> {
    let open: Vec<_> = users.iter().filter(|user| roll.get(user.id).is_none()).cloned().collect();
    let sizes = Sizes::of(cx, group, &open).await?;
    for kind in [Kind::Known, Kind::Stranger] {
        let users: Vec<_> = open.iter().filter(|user| Kind::of(user) == kind).cloned().collect();
        add_kind(cx, group, kind, &users, sizes.of_kind(kind), roll).await?;
    }
    Ok(())
}

async fn add_kind(
    cx: &mut Cx<'_>,
    group: &Group,
    kind: Kind,
    users: &[UserPeer],
    size: usize,
    roll: &mut Roll,
) -> Result<(), Stop> {
    for (number, batch) in users.chunks(size).enumerate() {
        if let Err(failure) = add_batch(cx, group, kind, batch, roll).await {
            // Asking for the others too would only make the wait longer.
            return throttled_or_stop(failure, &users[number * size..], roll);
        }
    }
    Ok(())
}

/// One call for several people; where Telegram refuses it because of one of them, each singly.
async fn add_batch(
    cx: &mut Cx<'_>,
    group: &Group,
    kind: Kind,
    batch: &[UserPeer],
    roll: &mut Roll,
) -> Result<(), Failure> {
    let account = cx.account();
    let [first, _, ..] = batch else { return add_singly(cx, group, kind, batch, roll).await };
    let step = Step::repeatable(format!("invite_from:{}", first.id), kind.class());
    let is_new = !cx.has_step(&step.name);
    match cx
        .step(step.cost(batch.len()), || calls::members::invite(&account, &group.peer, batch))
        .await
    {
        Ok(missing) => {
            note_added(cx, roll, batch, &missing);
            if is_new {
                note_invited(cx, kind, batch.len(), missing.len()).await;
            }
        }
        Err(Failure::Refused(refusal)) if Fate::refused(&refusal).is_some() => {
            return add_singly(cx, group, kind, batch, roll).await;
        }
        Err(failure) => return Err(failure),
    }
    Ok(())
}

async fn add_singly(
    cx: &mut Cx<'_>,
    group: &Group,
    kind: Kind,
    users: &[UserPeer],
    roll: &mut Roll,
) -> Result<(), Failure> {
    let account = cx.account();
    for user in users {
        let one = std::slice::from_ref(user);
        let step = Step::repeatable(format!("invite:{}", user.id), kind.class());
        let is_new = !cx.has_step(&step.name);
        let added = cx
            .step(step, || async {
                if group.peer.is_basic() {
                    calls::members::add_to_basic(&account, &group.peer, user, HISTORY_SHOWN).await
                } else {
                    calls::members::invite(&account, &group.peer, one).await
                }
            })
            .await;
        match added {
            Ok(missing) => note_added(cx, roll, one, &missing),
            Err(Failure::Refused(refusal)) => match Fate::refused(&refusal) {
                Some(fate) => roll.set(user.id, fate),
                None => return Err(Failure::Refused(refusal)),
            },
            Err(failure) => return Err(failure),
        }
        match roll.get(user.id).and_then(|fate| fate.status) {
            Some(MemberStatus::Added) if is_new => note_invited(cx, kind, 1, 0).await,
            Some(MemberStatus::PrivacyBlocked) if is_new => note_invited(cx, kind, 1, 1).await,
            _ => {}
        }
    }
    Ok(())
}

fn note_added(cx: &mut Cx<'_>, roll: &mut Roll, users: &[UserPeer], missing: &[Missing]) {
    let is_missing = |user: &UserPeer| missing.iter().any(|missing| missing.user_id == user.id);
    if users.iter().all(is_missing) {
        cx.came_to_nothing();
    }
    for user in users {
        let fate = missing
            .iter()
            .find(|missing| missing.user_id == user.id)
            .map_or_else(|| Fate::of(MemberStatus::Added), |one| Fate::missing(user, one));
        roll.set(user.id, fate);
    }
}

/// Tells the limits what came of an invite that was not made before a crash or a wait: too many
/// strangers who want none are a warning.
async fn note_invited(cx: &Cx<'_>, kind: Kind, asked: usize, blocked: usize) {
    if kind == Kind::Stranger {
        cx.invited(asked.saturating_sub(blocked), blocked).await;
    }
}

/// Gives everybody whom privacy keeps out a link of their own, if the command asks for that.
pub async fn help_blocked(
    cx: &mut Cx<'_>,
    group: &Group,
    on_blocked: OnBlocked,
    roll: &mut Roll,
) -> Result<(), Stop> {
    if on_blocked == OnBlocked::Report {
        return Ok(());
    }
    for user in roll.with(MemberStatus::PrivacyBlocked) {
        let link = links::single_use(cx, group, user.get()).await?;
        roll.give_link(user, link.url);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
