//! Judging what was found on the broker against what is described; no I/O.

use serde_json::{Map, Value};

use super::check::{APPLY, ExchangeSeen, Finding, QueueSeen, Severity};
use super::effective::Effective;
use super::policies::{PRIORITY, Thing};
use super::{Policy, Queue};

pub(super) fn judge_exchange(
    name: &str,
    seen: Option<ExchangeSeen>,
    wanted: Option<&Policy>,
    policies: &Effective,
) -> Vec<Finding> {
    let subject = format!("exchange {name}");
    let Some(seen) = seen else { return vec![Finding::missing(subject)] };
    let mut findings = Vec::new();
    if seen.kind != "topic" || !seen.durable || !seen.arguments.is_empty() {
        findings.push(Finding {
            severity: Severity::Problem,
            subject: subject.clone(),
            what: format!(
                "is a {} exchange{}{}; ours are durable topic exchanges without arguments, and \
                 clients that declare them so are refused",
                seen.kind,
                if seen.durable { "" } else { ", not durable" },
                if seen.arguments.is_empty() { "" } else { ", with arguments" },
            ),
            remedy: "delete it and run `queuegram topology apply`".to_owned(),
        });
    }
    findings.extend(judge_policy(&subject, Thing::Exchange, wanted, policies));
    findings
}

pub(super) fn judge_queue(
    queue: &Queue,
    seen: &QueueSeen,
    wanted: Option<&Policy>,
    policies: &Effective,
) -> Vec<Finding> {
    let subject = format!("queue {}", queue.name);
    let mut findings = Vec::new();
    if !seen.durable {
        findings.push(Finding {
            severity: Severity::Problem,
            subject: subject.clone(),
            what: "is not durable: a restart of the broker loses it".to_owned(),
            remedy: "empty it, delete it, and let it be declared again".to_owned(),
        });
    }
    let wanted_arguments = queue.arguments();
    for (name, value) in &wanted_arguments {
        // A queue declared without a type has the vhost's default, which is classic.
        let found = seen.arguments.get(name).cloned().unwrap_or(Value::Null);
        if found == *value {
            continue;
        }
        let is_kind = name == "x-queue-type";
        findings.push(Finding {
            severity: if is_kind { Severity::Warning } else { Severity::Problem },
            subject: subject.clone(),
            what: format!("has {name} = {found}, wanted is {value}"),
            remedy: if is_kind {
                "set amqp.queue_kind to it, or empty and delete the queue to have it declared \
                 again"
            } else {
                "empty it, delete it, and let it be declared again"
            }
            .to_owned(),
        });
    }
    findings.extend(judge_policy(&subject, seen.thing(), wanted, policies));
    findings
}

/// The policy that applies may be another than ours, as long as it says the same.
fn judge_policy(
    subject: &str,
    thing: Thing,
    wanted: Option<&Policy>,
    policies: &Effective,
) -> Vec<Finding> {
    let Some(wanted) = wanted else { return Vec::new() };
    let (_, name) = subject.split_once(' ').unwrap_or_default();
    let applied = policies.on(thing, name);
    let nothing = Map::new();
    let definition = applied.map_or(&nothing, |policy| &policy.definition);
    let applied = applied.map(|policy| policy.name.as_str());
    let differing: Vec<&str> = wanted
        .definition
        .iter()
        .filter(|(key, value)| definition.get(*key) != Some(value))
        .map(|(key, _)| key.as_str())
        .collect();
    if differing.is_empty() {
        return Vec::new();
    }
    // Bounds are a matter of taste; where messages go is not.
    let loses = differing.iter().any(|key| {
        ["alternate-exchange", "dead-letter-exchange", "dead-letter-routing-key"].contains(key)
    });
    let keys = differing.join(", ");
    let (what, remedy) = match applied {
        None => (format!("has no policy: it lacks {keys}"), APPLY.to_owned()),
        Some(name) if name == wanted.name => {
            (format!("has the policy {name}, which differs in {keys}"), APPLY.to_owned())
        }
        Some(name) => (
            format!("has the policy {name} instead of {}: it lacks {keys}", wanted.name),
            format!(
                "lower the priority of {name} below {PRIORITY}, or give it the same definition; then {APPLY}"
            ),
        ),
    };
    let severity = if loses { Severity::Problem } else { Severity::Warning };
    vec![Finding { severity, subject: subject.to_owned(), what, remedy }]
}

#[cfg(test)]
mod tests {
    use proto::Names;
    use serde_json::json;

    use super::super::Topology;
    use super::super::effective::PolicySeen;
    use super::*;
    use crate::config::QueueKind;
    use crate::management::BrokerVersion;

    const QUORUM: Thing = Thing::Queue(QueueKind::Quorum);
    const CLASSIC: Thing = Thing::Queue(QueueKind::Classic);

    fn topology() -> Topology {
        Topology::describe(&Names::default(), QueueKind::Quorum, BrokerVersion::OLDEST)
    }

    fn in_force(topology: &Topology) -> Effective {
        Effective::of(topology.policies.iter().map(|policy| seen(policy, &policy.name)))
    }

    fn seen(policy: &Policy, name: &str) -> PolicySeen {
        let mut body = policy.body();
        body["name"] = json!(name);
        serde_json::from_value(body).unwrap()
    }

    fn exchange() -> Option<ExchangeSeen> {
        Some(ExchangeSeen { kind: "topic".to_owned(), durable: true, arguments: Map::new() })
    }

    #[test]
    fn every_name_finds_the_policy_made_for_it() {
        let topology = topology();
        for (apply_to, name, policy) in [
            (Thing::Exchange, "tg.commands", Some("tg-unrouted")),
            (Thing::Exchange, "tg.control", Some("tg-unowned")),
            (Thing::Exchange, "tg.results", None),
            (QUORUM, "tg.commands.acme", Some("tg-commands")),
            (CLASSIC, "tg.commands.acme", Some("tg-commands-classic")),
            (QUORUM, "tg.lanes.acme.invite", Some("tg-lanes")),
            (CLASSIC, "tg.lanes.acme.invite", Some("tg-lanes-classic")),
            (QUORUM, "tg.unrouted", Some("tg-unroutable")),
            (QUORUM, "tg.dead", Some("tg-dead")),
            (QUORUM, "crm.replies", None),
        ] {
            let found = topology.policy_of(apply_to, name).map(|policy| policy.name.as_str());
            assert_eq!(found, policy, "{name}");
        }
    }

    /// What the broker has → how many findings, and how bad.
    #[test]
    fn a_missing_or_overridden_policy_is_a_problem() {
        let topology = topology();
        let wanted = topology.policy_of(Thing::Exchange, "tg.commands").unwrap();
        let judge = |policies: Vec<PolicySeen>| {
            let policies = Effective::of(policies);
            judge_exchange("tg.commands", exchange(), Some(wanted), &policies)
        };
        assert_eq!(judge(vec![seen(wanted, &wanted.name)]), []);

        let absent = judge(Vec::new());
        assert!(absent[0].what.contains("no policy") && absent[0].severity == Severity::Problem);

        let everything: PolicySeen = serde_json::from_value(json!({"name": "everything",
            "pattern": ".*", "apply-to": "all", "priority": 500, "definition": {}}))
        .unwrap();
        let found = judge(vec![seen(wanted, &wanted.name), everything]);
        assert!(found[0].what.contains("instead of tg-unrouted"), "{found:?}");
        assert!(found[0].remedy.contains("priority of everything below 100"), "{found:?}");

        assert_eq!(judge(vec![seen(wanted, "theirs")]), []);
    }

    #[test]
    fn other_bounds_are_only_a_warning() {
        let topology = topology();
        let service = topology.policies.iter().find(|policy| policy.name == "tg-service").unwrap();
        let mut other = service.clone();
        other.definition.insert("max-length".to_owned(), json!(7));
        let policies = Effective::of([seen(&other, "tg-service")]);
        let queue = &topology.queues[0];
        let seen =
            QueueSeen { name: queue.name.clone(), durable: true, arguments: queue.arguments() };
        let wanted = topology.policy_of(QUORUM, &queue.name);
        let found = judge_queue(queue, &seen, wanted, &policies);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].severity, Severity::Warning);
        assert!(found[0].what.contains("differs in max-length"), "{found:?}");
    }

    #[test]
    fn a_queue_without_single_active_consumer_is_a_problem() {
        let topology = topology();
        let name = "tg.commands.acme".to_owned();
        let queue = Queue { name: name.clone(), kind: QueueKind::Quorum, single_active: true };
        let arguments = Map::from_iter([("x-queue-type".to_owned(), json!("classic"))]);
        let seen = QueueSeen { name, durable: true, arguments };
        let wanted = topology.policy_of(QUORUM, &queue.name);
        let found = judge_queue(&queue, &seen, wanted, &in_force(&topology));
        let by_argument = |name: &str| found.iter().find(|f| f.what.contains(name)).unwrap();
        assert_eq!(by_argument("x-single-active-consumer").severity, Severity::Problem);
        assert_eq!(by_argument("x-queue-type").severity, Severity::Warning);
    }

    #[test]
    fn an_exchange_of_another_kind_is_a_problem() {
        let odd = ExchangeSeen { kind: "fanout".to_owned(), durable: false, arguments: Map::new() };
        let none = Effective::of([]);
        let found = judge_exchange("tg.results", Some(odd), None, &none);
        assert!(found[0].what.contains("fanout exchange, not durable"), "{found:?}");
        assert_eq!(judge_exchange("tg.results", None, None, &none)[0].what, "is missing");
    }
}
