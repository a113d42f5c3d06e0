//! What must exist on the broker, as one pure description: [`Topology::describe`]. Applying,
//! printing and checking all read it, so they can't disagree.
//!
//! Exchanges are durable topic exchanges without arguments, because clients such as n8n declare
//! them again, plainly. A queue's arguments are only what can't be changed later. All else is a
//! policy.

mod apply;
mod check;
mod effective;
mod judge;
mod policies;
mod print;
mod roles;

use proto::{InstanceId, Names};
use serde_json::{Map, Value, json};

pub use apply::Change;
pub use check::{Finding, Severity};
pub(crate) use check::{Named, queues_below};
pub use policies::{ApplyTo, Covers, Policy};
pub use roles::Role;

use crate::config::QueueKind;
use crate::management::BrokerVersion;

/// Everything that all instances share. Instance queues come and go with their owners.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topology {
    /// Durable topic exchanges without arguments.
    pub exchanges: Vec<Exchange>,
    /// Durable queues.
    pub queues: Vec<Queue>,
    /// Which messages of which exchange go to which queue.
    pub bindings: Vec<Binding>,
    /// What RabbitMQ does beyond that.
    pub policies: Vec<Policy>,
    /// Who may do what.
    pub roles: Vec<Role>,
    /// How the names of the instances' own queues begin: of their commands, and of their lanes.
    pub(crate) instance_queues: [String; 2],
}

/// A durable topic exchange without arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// Its name.
    pub name: String,
}

/// A durable queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// Its name.
    pub name: String,
    /// Its `x-queue-type`.
    pub kind: QueueKind,
    /// Whether only one consumer at a time gets messages, the others waiting their turn.
    pub single_active: bool,
}

/// A binding of a queue to a topic exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The exchange that messages come from.
    pub exchange: String,
    /// The queue that they go to.
    pub queue: String,
    /// The pattern of their routing keys.
    pub key: String,
}

impl Topology {
    /// The whole description for one prefix, one kind of queue and one release of RabbitMQ.
    #[must_use]
    pub fn describe(names: &Names, kind: QueueKind, broker: BrokerVersion) -> Self {
        let exchange = |name: String| Exchange { name };
        let queue = |name: String| Queue { name, kind, single_active: false };
        let bind = |exchange: String, queue: String, key: &str| Binding {
            exchange,
            queue,
            key: key.to_owned(),
        };
        let mut bindings = vec![
            bind(names.unrouted(), names.unrouted(), "#"),
            bind(names.undelivered(), names.undelivered(), "#"),
            bind(names.control_unowned(), names.control_unowned(), "#"),
        ];
        for key in names.control_shared_bindings() {
            bindings.push(bind(names.control(), names.control_shared(), &key));
        }
        for key in names.notices_bindings() {
            bindings.push(bind(names.events(), names.notices(), &key));
        }
        Self {
            exchanges: vec![
                exchange(names.commands()),
                exchange(names.control()),
                exchange(names.results()),
                exchange(names.events()),
                exchange(names.replies()),
                exchange(names.unrouted()),
                exchange(names.undelivered()),
                exchange(names.control_unowned()),
            ],
            queues: vec![
                queue(names.control_shared()),
                queue(names.control_unowned()),
                queue(names.unrouted()),
                queue(names.undelivered()),
                // In the order of their coming, whichever worker tells them.
                Queue { single_active: true, ..queue(names.notices()) },
                queue(names.dead()),
            ],
            bindings,
            policies: policies::all(names, broker),
            roles: roles::all(names),
            instance_queues: [names.commands(), names.lanes()].map(|above| format!("{above}.")),
        }
    }
}

impl Queue {
    /// The command queue of an instance. One active consumer is the broker's backstop: the lease
    /// decides who consumes.
    #[must_use]
    pub fn of_instance(names: &Names, instance: &InstanceId, kind: QueueKind) -> Self {
        Self { name: names.command_queue(instance), kind, single_active: true }
    }

    /// The queue of one lane of an instance.
    #[must_use]
    pub fn of_lane(names: &Names, instance: &InstanceId, lane: &str, kind: QueueKind) -> Self {
        Self { name: names.lane_queue(instance, lane), kind, single_active: true }
    }

    /// Its arguments, which can never be changed while it exists.
    #[must_use]
    pub fn arguments(&self) -> Map<String, Value> {
        let mut arguments = Map::new();
        arguments.insert("x-queue-type".to_owned(), json!(self.kind.as_str()));
        if self.single_active {
            arguments.insert("x-single-active-consumer".to_owned(), json!(true));
        }
        arguments
    }
}

impl Binding {
    /// What brings an instance's commands to its queue.
    #[must_use]
    pub fn of_instance(names: &Names, instance: &InstanceId) -> Self {
        Self {
            exchange: names.commands(),
            queue: names.command_queue(instance),
            key: names.command_binding(instance),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn topology() -> Topology {
        Topology::describe(&Names::default(), QueueKind::Quorum, BrokerVersion::OLDEST)
    }

    #[test]
    fn every_name_of_the_contract_is_there() {
        let topology = topology();
        let exchanges: BTreeSet<_> = topology.exchanges.iter().map(|e| e.name.as_str()).collect();
        let wanted = [
            "tg.commands",
            "tg.control",
            "tg.control.unowned",
            "tg.events",
            "tg.replies",
            "tg.results",
            "tg.undelivered",
            "tg.unrouted",
        ];
        assert_eq!(exchanges, wanted.into());
        let queues: BTreeSet<_> = topology.queues.iter().map(|q| q.name.as_str()).collect();
        let wanted = [
            "tg.control.shared",
            "tg.control.unowned",
            "tg.dead",
            "tg.notices",
            "tg.undelivered",
            "tg.unrouted",
        ];
        assert_eq!(queues, wanted.into());
        let in_turn = topology.queues.iter().filter(|queue| queue.single_active);
        assert_eq!(in_turn.map(|q| q.name.as_str()).collect::<Vec<_>>(), ["tg.notices"]);
    }

    #[test]
    fn every_binding_joins_what_is_described() {
        let topology = topology();
        for binding in &topology.bindings {
            assert!(topology.exchanges.iter().any(|e| e.name == binding.exchange), "{binding:?}");
            assert!(topology.queues.iter().any(|q| q.name == binding.queue), "{binding:?}");
        }
    }

    #[test]
    fn an_instances_queue_is_what_the_contract_says() {
        let names = Names::new("tg2").unwrap();
        let instance: InstanceId = "acme-sales".parse().unwrap();
        let queue = Queue::of_instance(&names, &instance, QueueKind::Quorum);
        assert_eq!(queue.name, "tg2.commands.acme-sales");
        assert_eq!(
            Value::Object(queue.arguments()),
            json!({"x-queue-type": "quorum", "x-single-active-consumer": true})
        );
        let binding = Binding::of_instance(&names, &instance);
        assert_eq!(
            (binding.exchange.as_str(), binding.key.as_str()),
            ("tg2.commands", "acme-sales.#")
        );
        let topology = Topology::describe(&names, QueueKind::Classic, BrokerVersion::OLDEST);
        assert!(queue.name.starts_with(&topology.instance_queues[0]));
    }

    #[test]
    fn a_lanes_queue_is_what_the_contract_says() {
        let names = Names::default();
        let instance: InstanceId = "acme".parse().unwrap();
        let queue = Queue::of_lane(&names, &instance, "create", QueueKind::Quorum);
        assert_eq!(queue.name, "tg.lanes.acme.create");
        assert!(queue.single_active && queue.name.starts_with(&topology().instance_queues[1]));
    }
}
