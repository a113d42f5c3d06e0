//! When an account's risky calls are stopped until a person says otherwise: Telegram bans accounts
//! that go on after its warnings.

use std::collections::VecDeque;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::Class;
use super::gates::{PEER_FLOOD, USER_RESTRICTED};

/// `PEER_FLOOD`s within [`WEEK`] that are one too many.
const PEER_FLOODS: usize = 2;
const WEEK: TimeDelta = TimeDelta::days(7);
/// The strangers invited last of whom is counted how many their privacy kept out, …
const INVITED: usize = 20;
/// … and how many of these are too many: such a list was not made by people who know each other.
const BLOCKED: usize = 15;

/// What is counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Circuit {
    peer_floods: Vec<DateTime<Utc>>,
    /// Of each stranger invited lately, whether their privacy kept them out.
    blocked: VecDeque<bool>,
    /// What tripped, until the pause that follows is noted: so no crash in between loses it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tripped: Option<Cause>,
}

/// What was one warning too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Cause {
    Restricted,
    PeerFloods,
    Privacy,
}

/// Why calls are stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trip {
    /// Which.
    pub classes: &'static [Class],
    /// Why, in a sentence for people.
    pub reason: &'static str,
}

const INVITES: &[Class] = &[Class::Invite, Class::InviteKnown];
const GROUPS: &[Class] = &[Class::Create, Class::Invite, Class::InviteKnown];

impl Cause {
    fn trip(self) -> Trip {
        let (classes, reason) = match self {
            Self::Restricted => {
                (GROUPS, "Telegram restricted the account: it was reported as a spammer")
            }
            Self::PeerFloods => {
                (INVITES, "Telegram answered PEER_FLOOD for the second time in a week")
            }
            Self::Privacy => {
                (INVITES, "privacy settings kept most of the strangers out who were invited last")
            }
        };
        Trip { classes, reason }
    }
}

impl Circuit {
    /// Telegram told of a limit.
    pub fn hit(&mut self, code: &str, now: DateTime<Utc>) {
        match code {
            USER_RESTRICTED => self.tripped = Some(Cause::Restricted),
            PEER_FLOOD => {
                self.peer_floods.retain(|past| now - *past < WEEK);
                self.peer_floods.push(now);
                if self.peer_floods.len() >= PEER_FLOODS {
                    self.peer_floods.clear();
                    self.tripped.get_or_insert(Cause::PeerFloods);
                }
            }
            _ => {}
        }
    }

    /// Strangers were invited: so many came in, so many their privacy kept out.
    pub fn invited(&mut self, added: usize, blocked: usize) {
        // Only the last ones are looked at, however many there were.
        let (added, blocked) = (added.min(INVITED), blocked.min(INVITED));
        let outcomes = std::iter::repeat_n(false, added).chain(std::iter::repeat_n(true, blocked));
        self.blocked.extend(outcomes);
        let surplus = self.blocked.len().saturating_sub(INVITED);
        self.blocked.drain(..surplus);
        if self.blocked.iter().filter(|blocked| **blocked).count() >= BLOCKED {
            self.blocked.clear();
            self.tripped.get_or_insert(Cause::Privacy);
        }
    }

    /// What has tripped and is not noted as a pause yet.
    pub fn tripped(&self) -> Option<Trip> {
        self.tripped.map(Cause::trip)
    }

    /// The pause is noted; all is counted anew.
    pub fn noted(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_peer_flood_in_a_week_is_one_too_many() {
        let (mut circuit, start) = (Circuit::default(), DateTime::UNIX_EPOCH);
        let hit_on = |circuit: &mut Circuit, code, day| {
            circuit.hit(code, start + TimeDelta::days(day));
            circuit.tripped()
        };
        assert_eq!(hit_on(&mut circuit, PEER_FLOOD, 0), None);
        assert_eq!(hit_on(&mut circuit, PEER_FLOOD, 8), None);
        let trip = hit_on(&mut circuit, PEER_FLOOD, 9).unwrap();
        assert_eq!(trip.classes, INVITES);
        assert_eq!(hit_on(&mut circuit, PEER_FLOOD, 9), Some(trip), "until it is noted");
        circuit.noted();
        assert_eq!(hit_on(&mut circuit, PEER_FLOOD, 10), None);
        assert_eq!(hit_on(&mut circuit, "FLOOD_WAIT", 10), None);
    }

    #[test]
    fn a_restriction_stops_the_making_of_groups_too() {
        let mut circuit = Circuit::default();
        circuit.hit(USER_RESTRICTED, DateTime::UNIX_EPOCH);
        assert!(circuit.tripped().unwrap().classes.contains(&Class::Create));
    }

    #[test]
    fn a_list_of_people_who_want_none_of_it_is_stopped() {
        let mut circuit = Circuit::default();
        for (added, blocked) in [(30, 14), (10, 0), (0, 10)] {
            circuit.invited(added, blocked);
            assert_eq!(circuit.tripped(), None, "{added} came in, {blocked} did not");
        }
        circuit.invited(0, 5);
        assert!(circuit.tripped().is_some());
        circuit.noted();
        circuit.invited(0, 14);
        assert_eq!(circuit.tripped(), None, "counted anew");
        circuit.invited(0, usize::MAX);
        assert!(circuit.tripped().is_some());
    }
}
