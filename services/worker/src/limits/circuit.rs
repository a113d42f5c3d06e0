//! When an account's risky calls are stopped until a person says otherwise: Telegram bans accounts
//! that go on after its warnings.

use std::collections::VecDeque;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::gates::{PEER_FLOOD, USER_RESTRICTED};
use super::{Class, Hit};

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

impl Circuit {
    /// Telegram told of a limit.
    pub fn hit(&mut self, hit: &Hit, now: DateTime<Utc>) -> Option<Trip> {
        match hit.code.as_str() {
            USER_RESTRICTED => Some(Trip {
                classes: GROUPS,
                reason: "Telegram restricted the account: it was reported as a spammer",
            }),
            PEER_FLOOD => {
                self.peer_floods.retain(|past| now - *past < WEEK);
                self.peer_floods.push(now);
                (self.peer_floods.len() >= PEER_FLOODS).then(|| {
                    self.peer_floods.clear();
                    Trip {
                        classes: INVITES,
                        reason: "Telegram answered PEER_FLOOD for the second time in a week",
                    }
                })
            }
            _ => None,
        }
    }

    /// Strangers were invited: so many came in, so many their privacy kept out.
    pub fn invited(&mut self, added: usize, blocked: usize) -> Option<Trip> {
        let outcomes = std::iter::repeat_n(false, added).chain(std::iter::repeat_n(true, blocked));
        self.blocked.extend(outcomes);
        let surplus = self.blocked.len().saturating_sub(INVITED);
        self.blocked.drain(..surplus);
        let refused = self.blocked.iter().filter(|blocked| **blocked).count();
        (refused >= BLOCKED).then(|| {
            self.blocked.clear();
            Trip {
                classes: INVITES,
                reason: "privacy settings kept most of the strangers out who were invited last",
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;
    use crate::limits::Ask;

    fn hit(code: &str) -> Hit {
        let ask = Ask { class: Class::Invite, cost: NonZeroU32::MIN, chat: None };
        Hit { ask, code: code.to_owned(), wait_s: None }
    }

    #[test]
    fn the_second_peer_flood_in_a_week_is_one_too_many() {
        let (mut circuit, start) = (Circuit::default(), DateTime::UNIX_EPOCH);
        assert_eq!(circuit.hit(&hit(PEER_FLOOD), start), None);
        assert_eq!(circuit.hit(&hit(PEER_FLOOD), start + TimeDelta::days(8)), None);
        let trip = circuit.hit(&hit(PEER_FLOOD), start + TimeDelta::days(9)).unwrap();
        assert_eq!(trip.classes, INVITES);
        assert_eq!(circuit.hit(&hit(PEER_FLOOD), start + TimeDelta::days(10)), None);
        assert_eq!(circuit.hit(&hit("FLOOD_WAIT"), start), None);
    }

    #[test]
    fn a_restriction_stops_the_making_of_groups_too() {
        let trip = Circuit::default().hit(&hit(USER_RESTRICTED), DateTime::UNIX_EPOCH).unwrap();
        assert!(trip.classes.contains(&Class::Create));
    }

    #[test]
    fn a_list_of_people_who_want_none_of_it_is_stopped() {
        let mut circuit = Circuit::default();
        assert_eq!(circuit.invited(30, 14), None);
        assert_eq!(circuit.invited(10, 0), None, "ten more came in");
        assert_eq!(circuit.invited(0, 10), None);
        assert!(circuit.invited(0, 5).is_some());
        assert_eq!(circuit.invited(0, 14), None, "counted anew after it was told");
    }
}
