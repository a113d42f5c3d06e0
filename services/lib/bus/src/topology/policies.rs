//! The policies. RabbitMQ applies exactly one policy to a queue or an exchange, the one of highest
//! priority whose pattern matches, so ours never overlap and outrank a usual catch-all.

use proto::Names;
use serde_json::{Map, Value, json};

use crate::management::BrokerVersion;

/// Above the 0 and 1 that people give their own policies.
const PRIORITY: i32 = 100;
/// What a queue holds at most. A full one refuses messages; confirms tell their publisher.
const MAX_LENGTH: u32 = 100_000;
const MAX_BYTES: u64 = 1 << 30;
/// How often a message is handed out before it counts as poison. RabbitMQ 4's default.
const DELIVERY_LIMIT: u32 = 20;
/// No delivery is held for long; one that is belongs to a worker that hangs.
const CONSUMER_TIMEOUT_MS: u64 = 3_600_000;
/// The first release that takes a consumer timeout in a policy.
const CONSUMER_TIMEOUT_SINCE: BrokerVersion = BrokerVersion { major: 3, minor: 12 };

/// A RabbitMQ policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Its name.
    pub name: String,
    /// The names it applies to.
    pub covers: Covers,
    /// What it applies to.
    pub apply_to: ApplyTo,
    /// Of the policies that match, the highest applies.
    pub priority: i32,
    /// What it says.
    pub definition: Map<String, Value>,
}

/// What a policy applies to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApplyTo {
    /// Exchanges.
    Exchanges,
    /// Queues of every kind.
    Queues,
}

/// Names that a policy covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Covers {
    /// Just these.
    Names(Vec<String>),
    /// All that begin so.
    Prefix(String),
}

impl Covers {
    fn one(name: String) -> Self {
        Self::Names(vec![name])
    }
}

impl ApplyTo {
    /// RabbitMQ's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exchanges => "exchanges",
            Self::Queues => "queues",
        }
    }
}

impl Policy {
    /// The policy of a durable reply queue: what its consumer refuses goes to its dead-letter
    /// queue, through the default exchange.
    #[must_use]
    pub fn of_reply_queue(queue: &str, dead_letters: &str, broker: BrokerVersion) -> Self {
        let mut definition = bounds();
        definition.extend(dead_letters_to("", Some(dead_letters)));
        definition.extend(patience(broker));
        let name = format!("queuegram-reply-{queue}");
        policy(name, Covers::one(queue.to_owned()), ApplyTo::Queues, definition)
    }

    /// Whether it covers a name.
    #[must_use]
    pub fn covers(&self, name: &str) -> bool {
        match &self.covers {
            Covers::Names(names) => names.iter().any(|covered| covered == name),
            Covers::Prefix(prefix) => name.starts_with(prefix),
        }
    }

    /// The same as a regular expression, which is how RabbitMQ wants it.
    #[must_use]
    pub fn pattern(&self) -> String {
        match &self.covers {
            Covers::Names(names) if names.len() == 1 => format!("^{}$", escaped(&names[0])),
            Covers::Names(names) => {
                let names: Vec<String> = names.iter().map(|name| escaped(name)).collect();
                format!("^({})$", names.join("|"))
            }
            Covers::Prefix(prefix) => format!("^{}", escaped(prefix)),
        }
    }

    /// The policy as the management API takes it.
    pub(crate) fn body(&self) -> Value {
        json!({
            "pattern": self.pattern(),
            "apply-to": self.apply_to.as_str(),
            "priority": self.priority,
            "definition": self.definition,
        })
    }
}

/// All policies of a topology.
pub(crate) fn all(names: &Names, broker: BrokerVersion) -> Vec<Policy> {
    let named = |what: &str| format!("{}-{what}", names.prefix());
    let otherwise = |exchange: String| {
        Map::from_iter([("alternate-exchange".to_owned(), json!(exchange))])
    };
    let queue = |what: &str, covers: Covers, extra: Vec<Map<String, Value>>| {
        let definition = extra.into_iter().flatten().collect();
        policy(named(what), covers, ApplyTo::Queues, definition)
    };
    let service = Covers::Names(vec![
        names.control_shared(),
        names.control_unowned(),
        names.unrouted(),
        names.undelivered(),
    ]);
    vec![
        policy(
            named("unrouted"),
            Covers::one(names.commands()),
            ApplyTo::Exchanges,
            otherwise(names.unrouted()),
        ),
        policy(
            named("unowned"),
            Covers::one(names.control()),
            ApplyTo::Exchanges,
            otherwise(names.control_unowned()),
        ),
        queue(
            "commands",
            Covers::Prefix(format!("{}.", names.commands())),
            vec![bounds(), dead_letters_to(&names.undelivered(), None), patience(broker)],
        ),
        // What nobody can settle here must not go round for ever, nor be dropped, which is what
        // RabbitMQ 4 does at its own delivery limit.
        queue(
            "service",
            service,
            vec![bounds(), dead_letters_to("", Some(&names.dead())), patience(broker)],
        ),
        // For people to look at: the newest are worth more than the oldest.
        queue(
            "dead",
            Covers::one(names.dead()),
            vec![Map::from_iter([
                ("max-length".to_owned(), json!(MAX_LENGTH)),
                ("max-length-bytes".to_owned(), json!(MAX_BYTES)),
                ("overflow".to_owned(), json!("drop-head")),
            ])],
        ),
    ]
}

fn policy(
    name: String,
    covers: Covers,
    apply_to: ApplyTo,
    definition: Map<String, Value>,
) -> Policy {
    Policy { name, covers, apply_to, priority: PRIORITY, definition }
}

/// At-least-once needs `reject-publish`; it is the strategy that doesn't lose a dead letter whose
/// target is away. Classic queues ignore it.
fn dead_letters_to(exchange: &str, routing_key: Option<&str>) -> Map<String, Value> {
    let mut definition = Map::from_iter([
        ("dead-letter-exchange".to_owned(), json!(exchange)),
        ("dead-letter-strategy".to_owned(), json!("at-least-once")),
        ("delivery-limit".to_owned(), json!(DELIVERY_LIMIT)),
    ]);
    if let Some(key) = routing_key {
        definition.insert("dead-letter-routing-key".to_owned(), json!(key));
    }
    definition
}

fn bounds() -> Map<String, Value> {
    Map::from_iter([
        ("max-length".to_owned(), json!(MAX_LENGTH)),
        ("max-length-bytes".to_owned(), json!(MAX_BYTES)),
        ("overflow".to_owned(), json!("reject-publish")),
    ])
}

/// A policy with a key that the broker doesn't know is refused as a whole.
fn patience(broker: BrokerVersion) -> Map<String, Value> {
    if broker < CONSUMER_TIMEOUT_SINCE {
        return Map::new();
    }
    Map::from_iter([("consumer-timeout".to_owned(), json!(CONSUMER_TIMEOUT_MS))])
}

/// A name as a regular expression that matches just it. Names are mostly dots and word characters,
/// but reply queues are named by others.
pub(crate) fn escaped(name: &str) -> String {
    let mut pattern = String::with_capacity(name.len() + 8);
    for character in name.chars() {
        if character.is_ascii_punctuation() && !matches!(character, '_' | '-') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern
}

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::*;

    fn winners<'a>(policies: &'a [Policy], apply_to: ApplyTo, name: &str) -> Vec<&'a str> {
        policies
            .iter()
            .filter(|policy| policy.apply_to == apply_to)
            .filter(|policy| {
                let matches = Regex::new(&policy.pattern()).unwrap().is_match(name);
                assert_eq!(matches, policy.covers(name), "{policy:?} {name}");
                matches
            })
            .map(|policy| policy.name.as_str())
            .collect()
    }

    /// Thing × name → the one policy that applies.
    #[test]
    fn each_name_has_its_one_policy() {
        let policies = all(&Names::default(), BrokerVersion::OLDEST);
        let queues = [
            ("tg.commands.acme", &["tg-commands"][..]),
            ("tg.commands.a_b-c", &["tg-commands"]),
            ("tg.control.shared", &["tg-service"]),
            ("tg.control.unowned", &["tg-service"]),
            ("tg.unrouted", &["tg-service"]),
            ("tg.undelivered", &["tg-service"]),
            ("tg.dead", &["tg-dead"]),
            ("tg.control.worker-1", &[]),
            ("tgxcommands.acme", &[]),
            ("tgxdead", &[]),
            ("my.tg.commands.acme", &[]),
            ("tg.deadline", &[]),
            ("crm.replies", &[]),
        ];
        for (name, expected) in queues {
            assert_eq!(winners(&policies, ApplyTo::Queues, name), expected, "queue {name}");
        }
        let exchanges = [
            ("tg.commands", &["tg-unrouted"][..]),
            ("tg.control", &["tg-unowned"]),
            ("tg.control.unowned", &[]),
            ("tg.results", &[]),
            ("tg.unrouted", &[]),
            ("tgXcommands", &[]),
        ];
        for (name, expected) in exchanges {
            assert_eq!(winners(&policies, ApplyTo::Exchanges, name), expected, "exchange {name}");
        }
    }

    #[test]
    fn dead_letters_are_never_lost_silently() {
        for policy in all(&Names::default(), BrokerVersion::OLDEST) {
            let says = |key: &str| policy.definition.get(key).and_then(Value::as_str);
            if policy.definition.contains_key("dead-letter-exchange") {
                assert_eq!(says("dead-letter-strategy"), Some("at-least-once"), "{policy:?}");
                assert_eq!(says("overflow"), Some("reject-publish"), "{policy:?}");
            }
        }
    }

    #[test]
    fn newer_keys_are_only_for_brokers_that_know_them() {
        let timed = |major, minor| {
            all(&Names::default(), BrokerVersion { major, minor })
                .iter()
                .filter(|policy| policy.definition.contains_key("consumer-timeout"))
                .count()
        };
        assert_eq!((timed(3, 10), timed(3, 11)), (0, 0));
        assert_eq!((timed(3, 12), timed(4, 2)), (2, 2));
    }

    #[test]
    fn a_reply_queues_policy_matches_only_it() {
        for name in ["crm.replies", "a+b(c)[d]", "crm$^|x", "ünï.cødé"] {
            let dead = format!("{name}.dead");
            let policy = Policy::of_reply_queue(name, &dead, BrokerVersion::OLDEST);
            let pattern = Regex::new(&policy.pattern()).unwrap();
            assert!(pattern.is_match(name), "{policy:?}");
            assert!(!pattern.is_match(&dead), "{policy:?}");
            assert!(!pattern.is_match("crmxreplies"), "{policy:?}");
        }
    }
}
