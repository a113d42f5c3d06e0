//! Adding people to a group and telling the truth about each of them.

use std::collections::{BTreeMap, BTreeSet};

use proto::{Fault, MemberOutcome, MemberStatus, UserId};
use telegram::UserPeer;
use telegram::calls;
use telegram::calls::groups::Missing;

use crate::cx::Cx;
use crate::groups::Group;
use crate::limits::Class;
use crate::links;
use crate::params::OnBlocked;
use crate::people::Person;
use crate::step::Step;
use crate::stop::{Failure, Refusal, Stop, throttled};

/// People in one `channels.inviteToChannel`: small enough that one refusal costs little.
const BATCH: usize = 50;
/// Messages that somebody added to a basic group sees from before (`fwd_limit`), as Telegram's own
/// apps ask for.
const HISTORY_SHOWN: u32 = 100;

/// The code for somebody who turns out to be the account that the command works with.
pub const ACCOUNT_ITSELF: &str = "ACCOUNT_ITSELF";

/// What is known of each person so far, whatever number of times the command names them.
#[derive(Debug, Default)]
pub struct Roll(BTreeMap<UserId, Fate>);

/// How it went for one person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fate {
    /// The outcome; `None` until it is known.
    pub status: Option<MemberStatus>,
    /// Telegram's error, or ours.
    pub error_code: Option<String>,
    /// When it could be tried again.
    pub retry_after_s: Option<u64>,
    /// The link made for somebody who can't be added.
    pub invite_link: Option<String>,
}

impl Fate {
    /// A status with no more to say.
    pub fn of(status: MemberStatus) -> Self {
        Self { status: Some(status), ..Self::default() }
    }

    fn because(status: MemberStatus, code: &str) -> Self {
        Self { error_code: Some(code.to_owned()), ..Self::of(status) }
    }

    /// The fate of somebody whom Telegram lists among `missing_invitees`: that is *not* success.
    pub fn missing(user: &UserPeer, missing: &Missing) -> Self {
        if user.bot {
            // A bot has no privacy: its owner keeps it out of groups.
            Self::because(MemberStatus::BotBlocked, "BOT_GROUPS_BLOCKED")
        } else if missing.premium_would_allow || missing.premium_required_for_pm {
            Self::because(MemberStatus::NeedsPremium, "PREMIUM_REQUIRED")
        } else {
            Self::because(MemberStatus::PrivacyBlocked, "USER_PRIVACY_RESTRICTED")
        }
    }

    /// The fate of somebody about whom Telegram answered with an error; `None` where the error is
    /// about the group or the account, so that nobody else can be added either.
    pub fn refused(refusal: &Refusal) -> Option<Self> {
        let status = refusal.member()?;
        if status.succeeded() {
            return Some(Self::of(match status {
                // Not so before the command, which asked twice: the first time worked.
                MemberStatus::AlreadyMember if refusal.repeated => MemberStatus::Added,
                MemberStatus::NotMember if refusal.repeated => MemberStatus::Removed,
                status => status,
            }));
        }
        Some(Self::because(status, &refusal.name))
    }

    /// Whether the person is where the command wanted them.
    fn is_well(&self) -> bool {
        let well = self.status.is_some_and(MemberStatus::succeeded);
        well && self.error_code.is_none()
    }
}

impl Roll {
    /// Notes how it went for somebody.
    pub fn set(&mut self, user: UserId, fate: Fate) {
        self.0.insert(user, fate);
    }

    /// Notes how it went for somebody about whom nothing is known yet.
    pub fn set_if_open(&mut self, user: UserId, fate: Fate) {
        let known = self.0.entry(user).or_default();
        if known.status.is_none() {
            *known = fate;
        }
    }

    /// Notes that these people, as far as nothing is known of them, were not reached: the command
    /// met `fault` before.
    pub fn set_unreached(&mut self, users: &[UserPeer], fault: &Fault) {
        for user in users {
            self.set_if_open(user.id, Fate::because(MemberStatus::Failed, &fault.code));
        }
    }

    /// Adds a reason to an outcome that stays what it is.
    pub fn remark(&mut self, user: UserId, code: &str, retry_after_s: Option<u64>) {
        let fate = self.0.entry(user).or_default();
        fate.error_code = Some(code.to_owned());
        fate.retry_after_s = retry_after_s;
    }

    /// How it went for somebody.
    pub fn get(&self, user: UserId) -> Option<&Fate> {
        self.0.get(&user).filter(|fate| fate.status.is_some())
    }

    /// Everybody with this status.
    pub fn with(&self, status: MemberStatus) -> Vec<UserId> {
        let of_status =
            |(user, fate): (&UserId, &Fate)| (fate.status == Some(status)).then_some(*user);
        self.0.iter().filter_map(of_status).collect()
    }

    /// Each person's outcome, in the order in which the command names them.
    pub fn outcomes(&self, people: &[Person]) -> Vec<MemberOutcome> {
        people
            .iter()
            .map(|person| match &person.found {
                Err(why) => person.not_found(why),
                Ok(user) => {
                    let fate = self.0.get(&user.id).cloned().unwrap_or_default();
                    let status = fate.status.unwrap_or(MemberStatus::Failed);
                    MemberOutcome {
                        error_code: fate.error_code,
                        retry_after_s: fate.retry_after_s,
                        invite_link: fate.invite_link,
                        ..MemberOutcome::new(&person.input, Some(user.id), status)
                    }
                }
            })
            .collect()
    }

    /// What the answer lacks: the reason of the first person who is not where the command wanted
    /// them.
    pub fn lacking(&self, people: &[Person], field: &str) -> Option<Fault> {
        people.iter().find_map(|person| match &person.found {
            Err(why) => Some(why.fault(field)),
            Ok(user) => {
                let fate = self.0.get(&user.id)?;
                (!fate.is_well()).then(|| fate_fault(fate))
            }
        })
    }
}

fn fate_fault(fate: &Fate) -> Fault {
    let code = fate.error_code.as_deref().unwrap_or("MEMBER_NOT_ADDED");
    match fate.retry_after_s {
        _ if code == ACCOUNT_ITSELF => {
            Fault::invalid(code, "names the account itself, which can't be removed by itself")
        }
        Some(retry_after_s) => throttled(code, retry_after_s),
        None => Refusal { name: code.to_owned(), code: 400, repeated: false }.fault(),
    }
}

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

/// Adds everybody whose fate is still open: first those whom Telegram minds less, each kind in
/// batches that its budget holds.
pub async fn add(
    cx: &mut Cx<'_>,
    group: &Group,
    users: &[UserPeer],
    roll: &mut Roll,
) -> Result<(), Stop> {
    let open: Vec<_> = users.iter().filter(|user| roll.get(user.id).is_none()).cloned().collect();
    if group.peer.is_basic() {
        return add_singly(cx, group, &open, roll).await;
    }
    let strangers = strangers(cx, &open).await?;
    let (strange, known): (Vec<_>, Vec<_>) =
        open.into_iter().partition(|user| strangers.contains(&user.id));
    for (class, people) in [(Class::InviteKnown, known), (Class::Invite, strange)] {
        for batch in people.chunks(BATCH.min(cx.at_once(class))) {
            add_batch(cx, group, class, batch, roll).await?;
        }
    }
    Ok(())
}

/// Who of them are no contacts. It is noted where it decides how they are put together: a command
/// that goes on tomorrow must find the same batches, whoever became a contact since.
async fn strangers(cx: &mut Cx<'_>, users: &[UserPeer]) -> Result<BTreeSet<UserId>, Stop> {
    let strangers = || users.iter().filter(|user| is_stranger(user)).map(|user| user.id).collect();
    if users.len() < 2 {
        return Ok(strangers());
    }
    let step = Step::decisive_read("strangers", Class::Read);
    Ok(cx.step(step, || std::future::ready(Ok(strangers()))).await?)
}

fn is_stranger(user: &UserPeer) -> bool {
    !user.contact && !user.bot
}

fn class_of(user: &UserPeer) -> Class {
    if is_stranger(user) { Class::Invite } else { Class::InviteKnown }
}

/// One call for several people; where Telegram refuses it because of one of them, each singly.
async fn add_batch(
    cx: &mut Cx<'_>,
    group: &Group,
    class: Class,
    batch: &[UserPeer],
    roll: &mut Roll,
) -> Result<(), Stop> {
    let (Some(first), account) = (batch.first(), cx.account()) else { return Ok(()) };
    if batch.len() == 1 {
        return add_singly(cx, group, batch, roll).await;
    }
    let step = Step::repeatable(format!("invite_from:{}", first.id), class).cost(batch.len());
    let new = !cx.has_step(&step.name);
    match cx.step(step, || calls::members::invite(&account, &group.peer, batch)).await {
        Ok(missing) => note_added(cx, roll, batch, &missing, new).await,
        Err(Failure::Refused(refusal)) if Fate::refused(&refusal).is_some() => {
            return add_singly(cx, group, batch, roll).await;
        }
        Err(failure) => throttled_or_stop(failure, batch, roll)?,
    }
    Ok(())
}

async fn add_singly(
    cx: &mut Cx<'_>,
    group: &Group,
    users: &[UserPeer],
    roll: &mut Roll,
) -> Result<(), Stop> {
    let account = cx.account();
    for (position, user) in users.iter().enumerate() {
        let one = std::slice::from_ref(user);
        let step = Step::repeatable(format!("invite:{}", user.id), class_of(user));
        let new = !cx.has_step(&step.name);
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
            Ok(missing) => note_added(cx, roll, one, &missing, new).await,
            Err(Failure::Refused(refusal)) => match Fate::refused(&refusal) {
                Some(fate) => {
                    let blocked = fate.status == Some(MemberStatus::PrivacyBlocked);
                    roll.set(user.id, fate);
                    if new && blocked && is_stranger(user) {
                        Box::pin(cx.invited(0, 1)).await;
                    }
                }
                None => return Err(Failure::Refused(refusal).into()),
            },
            // Asking for the others too would only make the wait longer.
            Err(failure) => return throttled_or_stop(failure, &users[position..], roll),
        }
    }
    Ok(())
}

/// `new` says that it happened now, and not before a crash or a wait: it is counted once.
async fn note_added(
    cx: &mut Cx<'_>,
    roll: &mut Roll,
    users: &[UserPeer],
    missing: &[Missing],
    new: bool,
) {
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
    let strangers = users.iter().filter(|user| is_stranger(user));
    let (blocked, added): (Vec<_>, Vec<_>) = strangers.partition(|user| is_missing(user));
    if new && blocked.len() + added.len() > 0 {
        Box::pin(cx.invited(added.len(), blocked.len())).await;
    }
}

/// A wait that is too long leaves these people `throttled`; anything else ends the command.
pub fn throttled_or_stop(
    failure: Failure,
    users: &[UserPeer],
    roll: &mut Roll,
) -> Result<(), Stop> {
    let Failure::Throttled { retry_after_s, code } = failure else { return Err(failure.into()) };
    for user in users {
        let fate = Fate::because(MemberStatus::Throttled, &code);
        roll.set_if_open(user.id, Fate { retry_after_s: Some(retry_after_s), ..fate });
    }
    Ok(())
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
        if let Some(fate) = roll.0.get_mut(&user) {
            fate.invite_link = Some(link.url);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
