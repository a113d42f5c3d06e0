//! Writes the plan of one instance: what it asks for depends on what it has asked for before.

use std::time::Duration;

use serde_json::{Value, json};

use super::PEOPLE;
use crate::faults::command::{Deadline, Planned, Role};
use crate::faults::dice::Dice;
use crate::faults::scale::Scale;

/// A group of the plan.
struct Group {
    name: String,
    basic: bool,
    /// Who was put in and not yet taken out, as far as the plan goes.
    members: Vec<&'static str>,
    deleted: bool,
}

/// The writer.
pub struct Author<'a> {
    dice: &'a mut Dice,
    scale: Scale,
    instance: String,
    count: usize,
    groups: Vec<Group>,
    plan: Vec<Planned>,
}

/// Writes one more publication, or some other where that one makes no sense now.
type Next<'a> = fn(&mut Author<'a>);

impl<'a> Author<'a> {
    /// A plan that nothing was written to yet.
    pub fn new(dice: &'a mut Dice, scale: Scale, instance: &str) -> Self {
        let (groups, plan) = (Vec::new(), Vec::new());
        Self { dice, scale, instance: instance.to_owned(), count: 0, groups, plan }
    }

    /// So many publications, some of them cancelled again.
    pub fn write(mut self, commands: u64, cancels: bool) -> Vec<Planned> {
        self.create();
        for _ in 1..commands {
            let next = *self.dice.weighted(&Self::KINDS);
            next(&mut self);
        }
        if cancels {
            self.cancel_some();
        }
        self.plan
    }

    /// What comes next, out of a hundred.
    const KINDS: [(u64, Next<'a>); 11] = [
        (16, Self::create),
        (30, Self::rename),
        (12, Self::add),
        (8, Self::remove),
        (10, Self::link),
        (4, |author| author.on_group("group.revoke_invite_link", json!({}))),
        (4, Self::delete),
        (4, |author| author.free("user.common_groups", json!({ "user": "@open_ann" }))),
        (2, |author| author.free("account.get", json!({}))),
        (6, |author| author.again(Role::Repeat)),
        (4, |author| author.again(Role::Clash)),
    ];

    fn create(&mut self) {
        let basic = self.dice.percent(40);
        let name = format!("{}:group-{}", self.instance, self.groups.len() + 1);
        let mut members = self.people(2);
        if basic && !members.contains(&"open_ann") {
            // Telegram makes no basic group without somebody else in it.
            members.push("open_ann");
        }
        let id = self.id("create");
        let params = json!({
            "title": id,
            "kind": if basic { "basic" } else { "supergroup" },
            "members": named(&members),
            "about": if self.dice.percent(20) { json!("made by the matrix") } else { Value::Null },
            "invite_link": self.dice.percent(30),
            "on_blocked": if self.dice.percent(30) { "invite_link" } else { "report" },
        });
        members.retain(|name| name.starts_with("open"));
        self.groups.push(Group { name: name.clone(), basic, members, deleted: false });
        self.publish(id, "group.create", params, Some(name));
    }

    fn rename(&mut self) {
        let id = self.id("rename");
        let Some(group) = self.group() else { return self.create() };
        let group = self.groups[group].name.clone();
        self.publish(id.clone(), "group.rename", json!({ "title": id }), Some(group));
    }

    fn add(&mut self) {
        let Some(at) = self.group() else { return self.create() };
        let mut people = self.people(2);
        people.push("open_dot");
        people.dedup();
        let group = &mut self.groups[at];
        group.members.extend(people.iter().filter(|name| name.starts_with("open")));
        group.members.sort_unstable();
        group.members.dedup();
        let name = group.name.clone();
        let on_blocked = if self.dice.percent(40) { "invite_link" } else { "report" };
        let params = json!({ "members": named(&people), "on_blocked": on_blocked });
        let id = self.id("add");
        self.publish(id, "group.add_members", params, Some(name));
    }

    fn remove(&mut self) {
        let Some(at) = self.group() else { return self.create() };
        let Some(person) = self.groups[at].members.pop() else { return self.add() };
        let ban = !self.groups[at].basic && self.dice.percent(30);
        let name = self.groups[at].name.clone();
        let params = json!({ "members": named(&[person]), "ban": ban });
        let id = self.id("remove");
        self.publish(id, "group.remove_members", params, Some(name));
    }

    fn link(&mut self) {
        let Some(at) = self.group() else { return self.create() };
        let name = self.groups[at].name.clone();
        let id = self.id("link");
        let params = match self.dice.percent(70) {
            true => json!({ "usage_limit": 7, "title": id }),
            false => json!({}),
        };
        self.publish(id, "group.get_invite_link", params, Some(name));
    }

    fn delete(&mut self) {
        let Some(at) = self.group() else { return self.create() };
        self.groups[at].deleted = true;
        self.on("group.delete", json!({}), at);
    }

    fn on_group(&mut self, method: &'static str, params: Value) {
        match self.group() {
            Some(at) => self.on(method, params, at),
            None => self.create(),
        }
    }

    fn on(&mut self, method: &'static str, params: Value, at: usize) {
        let name = self.groups[at].name.clone();
        let id = self.id(method.rsplit('.').next().unwrap_or(method));
        self.publish(id, method, params, Some(name));
    }

    fn free(&mut self, method: &'static str, params: Value) {
        let id = self.id(method.rsplit('.').next().unwrap_or(method));
        self.publish(id, method, params, None);
    }

    /// One of the earlier ones once more, as it was or with another title.
    fn again(&mut self, role: Role) {
        let fits = |planned: &&Planned| {
            planned.role == Role::First && (role == Role::Repeat || planned.title().is_some())
        };
        let earlier: Vec<Planned> = self.plan.iter().filter(fits).cloned().collect();
        if earlier.is_empty() {
            return self.rename();
        }
        let mut planned = self.dice.one_of(&earlier).clone();
        (planned.role, planned.deadline) = (role, Deadline::None);
        planned.pause = self.pause();
        if role == Role::Clash {
            self.count += 1;
            planned.params["title"] = json!(format!("{}:clash-{}", planned.id, self.count));
        }
        self.plan.push(planned);
    }

    fn publish(&mut self, id: String, method: &'static str, params: Value, group: Option<String>) {
        let too_short = self.dice.percent(7);
        let time = self.dice.millis(1, 1_500) / self.scale.0.max(1) * 4;
        let deadline = match (too_short, self.dice.percent(50)) {
            (false, _) => Deadline::None,
            (true, true) => Deadline::Body(time),
            (true, false) => Deadline::Expiration(time),
        };
        let (pause, instance) = (self.pause(), self.instance.clone());
        let (role, cancel) = (Role::First, false);
        self.plan.push(Planned {
            id,
            instance,
            method,
            params,
            group,
            role,
            deadline,
            pause,
            cancel,
        });
    }

    /// Cancels are drawn last: without them the rest of the plan is the same.
    fn cancel_some(&mut self) {
        for planned in &mut self.plan {
            planned.cancel = planned.role == Role::First && self.dice.percent(5);
        }
    }

    /// Short enough that commands queue up, and with longer ones so that some come into the quiet.
    fn pause(&mut self) -> Duration {
        let most = if self.dice.percent(25) { 20_000 } else { 4_000 };
        self.dice.millis(0, most) / self.scale.0.max(1)
    }

    fn id(&mut self, verb: &str) -> String {
        self.count += 1;
        format!("{}-{:02}-{verb}", self.instance, self.count)
    }

    fn group(&mut self) -> Option<usize> {
        let live: Vec<usize> =
            (0..self.groups.len()).filter(|at| !self.groups[*at].deleted).collect();
        (!live.is_empty()).then(|| *self.dice.one_of(&live))
    }

    fn people(&mut self, most: u64) -> Vec<&'static str> {
        let mut people: Vec<&str> =
            (0..self.dice.between(0, most)).map(|_| self.dice.one_of(&PEOPLE).0).collect();
        people.sort_unstable();
        people.dedup();
        people
    }
}

fn named(people: &[&str]) -> Vec<String> {
    people.iter().map(|name| format!("@{name}")).collect()
}
