//! The commands of one seed: several instances, all methods, both kinds of group, repetitions, clashes,
//! deadlines that are too short, cancels. Each group has an `external_ref`, by which every later command
//! names it, so that commands on one group can be sent one after the other without waiting for answers.

mod author;

use self::author::Author;
use super::command::Planned;
use super::dice::Dice;
use super::scale::Scale;

/// People of the simulated world: their usernames, and whether they let themselves be added.
pub const PEOPLE: [(&str, bool); 6] = [
    ("open_ann", true),
    ("open_bob", true),
    ("open_cid", true),
    ("open_dot", true),
    ("shy_eve", false),
    ("shy_fay", false),
];

/// What one seed publishes.
#[derive(Debug, Clone)]
pub struct Workload {
    /// The instances, and what is published for each, in order.
    pub lanes: Vec<(String, Vec<Planned>)>,
}

impl Workload {
    /// Draws one. `cancels`: whether the worker under test knows `command.cancel`.
    #[must_use]
    pub fn draw(dice: &mut Dice, scale: Scale, cancels: bool) -> Self {
        let instances = dice.between(2, 4);
        let commands = 44 / instances;
        let lanes = (0..instances).map(|number| {
            let instance = format!("acme-{}", number + 1);
            let author = Author::new(dice, scale, &instance);
            let plan = author.write(commands, cancels);
            (instance, plan)
        });
        Self { lanes: lanes.collect() }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::faults::command::{Deadline, Role};

    #[test]
    fn a_hundred_seeds_hold_every_method_and_every_role() {
        let mut methods = BTreeSet::new();
        let mut roles = Vec::new();
        for seed in 0..100 {
            let workload = Workload::draw(&mut Dice::new(seed, "workload"), Scale(10), true);
            for planned in workload.lanes.iter().flat_map(|(_, plan)| plan) {
                methods.insert(planned.method);
                roles.push((planned.role, planned.cancel, planned.deadline != Deadline::None));
            }
        }
        assert_eq!(methods.len(), 9, "{methods:?}");
        assert!(roles.contains(&(Role::Repeat, false, false)));
        assert!(roles.contains(&(Role::Clash, false, false)));
        assert!(roles.contains(&(Role::First, true, false)));
        assert!(roles.contains(&(Role::First, false, true)));
    }

    #[test]
    fn every_title_is_given_by_one_command_only() {
        let workload = Workload::draw(&mut Dice::new(3, "workload"), Scale(10), false);
        let mut titles = BTreeSet::new();
        let plan = workload.lanes.iter().flat_map(|(_, plan)| plan);
        for planned in plan.filter(|planned| planned.role != Role::Repeat) {
            if let Some(title) = planned.title() {
                assert!(titles.insert(title.to_owned()), "{title} twice");
            }
        }
    }
}
