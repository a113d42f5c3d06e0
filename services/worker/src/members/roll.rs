//! What is known of each person whom a command adds or removes.

use std::collections::BTreeMap;

use proto::{Fault, MemberOutcome, MemberStatus, UserId};
use telegram::UserPeer;
use telegram::calls::groups::Missing;

use crate::people::Person;
use crate::stop::{Failure, Refusal, Stop, throttled};

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

    /// Notes the link made for somebody.
    pub fn give_link(&mut self, user: UserId, link: String) {
        self.0.entry(user).or_default().invite_link = Some(link);
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

#[cfg(test)]
mod tests;
