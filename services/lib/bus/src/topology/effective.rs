//! Which policy applies to a thing: of those whose pattern matches and whose keys the thing's kind
//! all knows, the one of highest priority.
//!
//! Worked out here from the list of policies, because the management API tells a queue's policy
//! only with its statistics, seconds late: a check right after applying would find nothing there.
//! Source: <https://www.rabbitmq.com/docs/policies#how-policies-work>.

use regex::Regex;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::policies::Thing;
use crate::config::QueueKind;
use crate::error::BusError;
use crate::management::Management;

/// The policies of a vhost.
pub(crate) struct Effective {
    policies: Vec<(PolicySeen, Option<Regex>)>,
}

/// A policy as the management API tells it.
#[derive(Debug, Deserialize)]
pub(crate) struct PolicySeen {
    pub name: String,
    pub pattern: String,
    #[serde(rename = "apply-to", default = "all")]
    pub apply_to: String,
    #[serde(default)]
    pub priority: i64,
    pub definition: Map<String, Value>,
}

fn all() -> String {
    "all".to_owned()
}

impl Effective {
    /// Reads them.
    pub async fn read(management: &Management) -> Result<Self, BusError> {
        let path = ["policies", management.vhost()];
        let policies: Vec<PolicySeen> = management.get(&path, "").await?.unwrap_or_default();
        Ok(Self::of(policies))
    }

    pub fn of(policies: impl IntoIterator<Item = PolicySeen>) -> Self {
        let compiled = |policy: PolicySeen| {
            let pattern = Regex::new(&policy.pattern);
            if pattern.is_err() {
                // Erlang's expressions know more than ours, such as looking ahead.
                tracing::warn!(
                    policy = policy.name,
                    "cannot read this policy's pattern; ignoring it"
                );
            }
            (policy, pattern.ok())
        };
        let mut policies: Vec<_> = policies.into_iter().map(compiled).collect();
        policies.sort_by_key(|(policy, _)| std::cmp::Reverse(policy.priority));
        Self { policies }
    }

    /// The policy that applies.
    pub fn on(&self, thing: Thing, name: &str) -> Option<&PolicySeen> {
        let matching = self.policies.iter().find(|(policy, pattern)| {
            policy.can_apply_to(thing)
                && pattern.as_ref().is_some_and(|pattern| pattern.is_match(name))
        });
        matching.map(|(policy, _)| policy)
    }
}

impl PolicySeen {
    fn can_apply_to(&self, thing: Thing) -> bool {
        let says = self.apply_to.as_str();
        match thing {
            Thing::Exchange => ["all", "exchanges"].contains(&says),
            Thing::Queue(kind) => {
                // Newer brokers let a policy apply to one kind of queues.
                let (its_name, foreign) = match kind {
                    QueueKind::Quorum => ("quorum_queues", UNKNOWN_TO_QUORUM),
                    QueueKind::Classic => ("classic_queues", UNKNOWN_TO_CLASSIC),
                };
                (["all", "queues"].contains(&says) || says == its_name)
                    && !self.definition.keys().any(|key| foreign.contains(&key.as_str()))
            }
        }
    }
}

/// Keys with which a policy does not apply to a classic queue at all.
const UNKNOWN_TO_CLASSIC: &[&str] = &[
    "dead-letter-strategy",
    "delivery-limit",
    "initial-cluster-size",
    "max-age",
    "stream-max-segment-size-bytes",
    "target-group-size",
];

/// Keys with which a policy does not apply to a quorum queue at all.
const UNKNOWN_TO_QUORUM: &[&str] = &[
    "ha-mode",
    "ha-params",
    "ha-promote-on-failure",
    "ha-promote-on-shutdown",
    "ha-sync-mode",
    "max-age",
    "max-priority",
    "queue-master-locator",
    "queue-mode",
    "stream-max-segment-size-bytes",
];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const QUORUM: Thing = Thing::Queue(QueueKind::Quorum);

    fn policy(name: &str, pattern: &str, apply_to: &str, priority: i64) -> PolicySeen {
        serde_json::from_value(json!({"name": name, "pattern": pattern, "apply-to": apply_to,
            "priority": priority, "definition": {}}))
        .unwrap()
    }

    #[test]
    fn the_highest_priority_that_matches_applies() {
        let policies = Effective::of([
            policy("low", ".*", "all", 0),
            policy("queues", "^tg", "queues", 5),
            policy("exchanges", "^tg", "exchanges", 7),
            policy("elsewhere", "^crm", "all", 9),
            policy("odd", "(?!x)", "all", 99),
        ]);
        let on = |apply_to, name| policies.on(apply_to, name).map(|policy| policy.name.as_str());
        assert_eq!(on(QUORUM, "tg.dead"), Some("queues"));
        assert_eq!(on(Thing::Exchange, "tg.dead"), Some("exchanges"));
        assert_eq!(on(QUORUM, "crm.a"), Some("elsewhere"));
        assert_eq!(on(QUORUM, "other"), Some("low"));
        assert_eq!(Effective::of([]).on(QUORUM, "x").map(|p| &p.name), None);
    }

    #[test]
    fn a_key_that_a_queues_kind_does_not_know_makes_the_policy_none() {
        let with = |name, apply_to, priority, key: &str| {
            let mut policy = policy(name, ".*", apply_to, priority);
            policy.definition.insert(key.to_owned(), json!(1));
            policy
        };
        let policies = Effective::of([
            with("limited", "queues", 9, "delivery-limit"),
            with("mirrored", "all", 8, "ha-mode"),
            with("kind", "classic_queues", 7, "max-length"),
        ]);
        let on = |thing| policies.on(thing, "q").map(|policy| policy.name.as_str());
        assert_eq!(on(QUORUM), Some("limited"));
        assert_eq!(on(Thing::Queue(QueueKind::Classic)), Some("mirrored"));
        assert_eq!(on(Thing::Exchange), Some("mirrored"));
    }
}
