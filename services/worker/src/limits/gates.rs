//! What Telegram's answers shut, and until when. A gate is shut for a class of calls, or for a chat
//! in slow mode; a shorter wait never opens one early.

use chrono::{DateTime, TimeDelta, Utc};
use proto::ChatId;
use proto::event::AccountState;
use serde::{Deserialize, Serialize};

use super::{Class, Hit, Lane};

/// Longest that a gate stays shut: what an absurd wait is cut to.
const SHUT_MAX: TimeDelta = TimeDelta::days(366);
/// How long what tells no time keeps its classes shut.
const UNTOLD: TimeDelta = TimeDelta::days(1);
/// What opens sooner is not worth a word about the account as a whole.
const MOMENT: TimeDelta = TimeDelta::seconds(60);
/// Telegram counts whole seconds, and its clock is not ours.
const MARGIN: TimeDelta = TimeDelta::seconds(1);

/// What Telegram calls an account that has put too many strangers into groups, or written to them.
pub const PEER_FLOOD: &str = "PEER_FLOOD";
/// What it calls one that was reported so often that it may not make or fill groups for a while.
pub const USER_RESTRICTED: &str = "USER_RESTRICTED";
/// What it answers where it froze the account: nothing but looking goes on, until its owner appeals.
const FROZEN: [&str; 2] = ["FROZEN_METHOD_INVALID", "FROZEN_PARTICIPANT_MISSING"];
const SLOWMODE_WAIT: &str = "SLOWMODE_WAIT";

/// Whether Telegram says by this that it froze the account.
pub fn is_frozen(code: &str) -> bool {
    FROZEN.contains(&code)
}

/// Whether what shut a gate restricts the account as a whole, rather than asks it to wait.
pub fn is_restriction(code: &str) -> bool {
    telegram::verdict::of_name(code).state == Some(AccountState::Restricted)
}

/// A gate that is shut.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    /// Until when.
    pub opens: DateTime<Utc>,
    /// What shut it.
    pub code: String,
}

/// The gates of one account; those that have opened are forgotten.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gates(Vec<(String, Gate)>);

impl Gates {
    /// Shuts what a limit says.
    pub fn shut(&mut self, hit: &Hit, now: DateTime<Utc>) -> Gate {
        let told =
            hit.wait_s.and_then(|seconds| TimeDelta::try_seconds(i64::try_from(seconds).ok()?));
        let wait = match hit.wait_s {
            Some(_) => told.map_or(SHUT_MAX, |told| (told + MARGIN).min(SHUT_MAX)),
            None => UNTOLD,
        };
        let gate = Gate { opens: now + wait, code: hit.code.clone() };
        self.0.retain(|(_, gate)| gate.opens > now);
        for lane in lanes_of(hit) {
            let name = lane.to_string();
            match self.0.iter_mut().find(|(shut, _)| *shut == name) {
                Some((_, shut)) if shut.opens >= gate.opens => {}
                Some((_, shut)) => *shut = gate.clone(),
                None => self.0.push((name, gate.clone())),
            }
        }
        gate
    }

    /// Whether it is known already: told again by a call that was under way when it was told first.
    pub fn know(&self, hit: &Hit, now: DateTime<Utc>) -> bool {
        let shut = |lane| self.of(lane, now).is_some_and(|gate| gate.code == hit.code);
        lanes_of(hit).into_iter().all(shut)
    }

    /// The gates of whole classes that stay shut for longer than a moment.
    pub fn lasting(&self, now: DateTime<Utc>) -> impl Iterator<Item = &Gate> {
        self.0.iter().filter_map(move |(name, gate)| match name.parse() {
            Ok(Lane::Class(_)) if gate.opens - now >= MOMENT => Some(gate),
            _ => None,
        })
    }

    /// The chats that are shut, and until when.
    pub fn chats(&self, now: DateTime<Utc>) -> impl Iterator<Item = (ChatId, DateTime<Utc>)> {
        self.0.iter().filter_map(move |(name, gate)| match name.parse() {
            Ok(Lane::Slow(chat)) if gate.opens > now => Some((chat, gate.opens)),
            _ => None,
        })
    }

    /// The gate of a lane, where it is shut.
    pub fn of(&self, lane: Lane, now: DateTime<Utc>) -> Option<&Gate> {
        let name = lane.to_string();
        self.0.iter().find(|(shut, gate)| *shut == name && gate.opens > now).map(|(_, gate)| gate)
    }
}

/// What a limit shuts: the class that met it, and those that are the same to Telegram.
pub fn lanes_of(hit: &Hit) -> Vec<Lane> {
    if hit.code == SLOWMODE_WAIT
        && let Some(chat) = hit.ask.chat
    {
        return vec![Lane::Slow(chat)];
    }
    // A frozen account may look: the call that met it may have been a look.
    if is_frozen(&hit.code) {
        let stopped = [Class::Create, Class::Invite, Class::InviteKnown, Class::Link, Class::Admin];
        return stopped.into_iter().map(Lane::Class).collect();
    }
    let invites = [Class::Invite, Class::InviteKnown];
    let mut classes = vec![hit.ask.class];
    match hit.code.as_str() {
        PEER_FLOOD => classes.extend(invites),
        USER_RESTRICTED => classes.extend([Class::Create, Class::Invite, Class::InviteKnown]),
        // Both are one request.
        _ if invites.contains(&hit.ask.class) => classes.extend(invites),
        _ => {}
    }
    classes.sort_unstable();
    classes.dedup();
    classes.into_iter().map(Lane::Class).collect()
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;
    use crate::limits::Ask;

    fn hit(class: Class, code: &str, wait_s: Option<u64>) -> Hit {
        let chat = ChatId::try_from(-1_001_234).ok();
        Hit { ask: Ask { class, cost: NonZeroU32::MIN, chat }, code: code.to_owned(), wait_s }
    }

    fn now() -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(10_000)
    }

    #[test]
    fn each_limit_shuts_what_it_is_about() {
        let classes = |class, code| {
            let lanes = lanes_of(&hit(class, code, Some(1)));
            lanes.into_iter().map(|lane| lane.to_string()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(classes(Class::Link, "FLOOD_WAIT"), "link");
        assert_eq!(classes(Class::Invite, "FLOOD_WAIT"), "invite invite_known");
        assert_eq!(classes(Class::Create, "PEER_FLOOD"), "create invite invite_known");
        assert_eq!(classes(Class::Invite, "USER_RESTRICTED"), "create invite invite_known");
        assert_eq!(classes(Class::Admin, "SLOWMODE_WAIT"), "slow.-1001234");
    }

    #[test]
    fn a_shorter_wait_does_not_open_a_gate_early() {
        let (mut gates, lane) = (Gates::default(), Lane::Class(Class::Link));
        gates.shut(&hit(Class::Link, "FLOOD_WAIT", Some(3_600)), now());
        gates.shut(&hit(Class::Link, "OTHER_WAIT", Some(5)), now());
        let gate = gates.of(lane, now()).unwrap();
        assert_eq!(
            (gate.code.as_str(), gate.opens),
            ("FLOOD_WAIT", now() + TimeDelta::seconds(3_601))
        );
        assert_eq!(gates.of(lane, gate.opens), None);
        assert_eq!(gates.of(Lane::Class(Class::Read), now()), None);
    }

    #[test]
    fn what_tells_no_time_lasts_a_day_and_an_absurd_wait_a_year() {
        let mut gates = Gates::default();
        let day = gates.shut(&hit(Class::Invite, PEER_FLOOD, None), now());
        assert_eq!(day.opens - now(), UNTOLD);
        let year = gates.shut(&hit(Class::Link, "FLOOD_WAIT", Some(u64::MAX)), now());
        assert_eq!(year.opens - now(), SHUT_MAX);
    }
}
