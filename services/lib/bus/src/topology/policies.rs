//! The policies. RabbitMQ applies exactly one to a queue or an exchange: of those whose pattern
//! matches, and all of whose keys the thing's kind knows, the one of highest priority. A policy
//! with a single key too many is no policy at all for that queue, silently; hence one for quorum
//! queues and, below it, one for classic queues, which lack what only quorum queues can.
//!
//! Ours never overlap otherwise, and outrank a usual catch-all.

use proto::Names;
use serde_json::{Map, Value, json};

use crate::config::QueueKind;
use crate::management::BrokerVersion;

/// Above the 0 and 1 that people give their own policies.
pub(super) const PRIORITY: i32 = 100;
/// Where both match, a quorum queue takes this one; a classic queue can't.
const QUORUM_PRIORITY: i32 = PRIORITY + 1;
/// What a queue holds at most. A full one refuses messages; confirms tell their publisher.
const MAX_LENGTH: u32 = 100_000;
const MAX_BYTES: u64 = 1 << 30;
/// How often a message is handed out again before the broker itself sets it aside. That is the last
/// resort, for what can't even be read: workers answer poison after three attempts. It must lie far
/// above what a healthy command can reach, since giving back in order, a rolling restart and each
/// loss of a connection count as well, up to RabbitMQ 4.2 at least; its default, 20, is a few
/// minutes on a bad network.
const DELIVERY_LIMIT: u32 = 100;
/// For what is looked at again and again and must stay: no limit. RabbitMQ 4 has one of its own, 20,
/// and drops what reaches it; its word for "none", -1, is refused by older ones.
const NO_DELIVERY_LIMIT: u32 = 1_000_000_000;
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

/// What a policy is meant for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApplyTo {
    /// Exchanges.
    Exchanges,
    /// Queues of one kind. To RabbitMQ it is a policy for queues; its keys, or the policy above
    /// it, keep it from the other kind.
    Only(QueueKind),
}

/// What a policy can apply to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Thing {
    Exchange,
    Queue(QueueKind),
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
            Self::Only(_) => "queues",
        }
    }
}

impl Policy {
    /// The policies of a durable reply queue: what its consumer refuses goes to its dead-letter
    /// queue, through the default exchange.
    #[must_use]
    pub fn of_reply_queue(queue: &str, dead_letters: &str, broker: BrokerVersion) -> [Self; 2] {
        let name = format!("queuegram-reply-{queue}");
        let target = DeadLetters { exchange: String::new(), key: Some(dead_letters.to_owned()) };
        of_queues(&name, &Covers::one(queue.to_owned()), &target, broker)
    }

    /// Whether it is meant for this thing.
    pub(crate) fn is_for(&self, thing: Thing, name: &str) -> bool {
        let fits = match (self.apply_to, thing) {
            (ApplyTo::Exchanges, Thing::Exchange) => true,
            (ApplyTo::Only(only), Thing::Queue(kind)) => only == kind,
            _ => false,
        };
        fits && self.covers(name)
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
    let exchange = |what: &str, of: String, otherwise: String| Policy {
        name: named(what),
        covers: Covers::one(of),
        apply_to: ApplyTo::Exchanges,
        priority: PRIORITY,
        definition: Map::from_iter([("alternate-exchange".to_owned(), json!(otherwise))]),
    };
    let commands = Covers::Prefix(format!("{}.", names.commands()));
    // What runs out of time before anybody could route it is a command still, and is answered.
    let unrouted = Covers::one(names.unrouted());
    let undelivered = DeadLetters { exchange: names.undelivered(), key: None };
    let service =
        Covers::Names(vec![names.control_shared(), names.control_unowned(), names.undelivered()]);
    // What nobody can settle there must not go round for ever, nor be dropped, which is what
    // RabbitMQ 4 does at a delivery limit of its own.
    let dead = DeadLetters { exchange: String::new(), key: Some(names.dead()) };
    let mut policies = vec![
        exchange("unrouted", names.commands(), names.unrouted()),
        exchange("unowned", names.control(), names.control_unowned()),
    ];
    policies.extend(of_queues(&named("commands"), &commands, &undelivered, broker));
    let lanes = Covers::Prefix(format!("{}.", names.lanes()));
    policies.extend(of_lanes(of_queues(&named("lanes"), &lanes, &undelivered, broker)));
    policies.extend(of_queues(&named("unroutable"), &unrouted, &undelivered, broker));
    policies.extend(of_queues(&named("service"), &service, &dead, broker));
    policies.extend(of_news(&named("dead"), &Covers::one(names.dead())));
    policies.extend(of_news(&named("notices"), &Covers::one(names.notices())));
    policies
}

/// A queue whose newest are worth more than its oldest, and that must never refuse one: an event that goes
/// there is told to others too.
fn of_news(name: &str, covers: &Covers) -> [Policy; 2] {
    let mut classic = bounds();
    classic.insert("overflow".to_owned(), json!("drop-head"));
    let mut quorum = classic.clone();
    quorum.insert("delivery-limit".to_owned(), json!(NO_DELIVERY_LIMIT));
    by_kind(name, covers, quorum, classic)
}

/// Where a queue's dead letters go.
struct DeadLetters {
    exchange: String,
    /// None: the key they came with.
    key: Option<String>,
}

/// Bounds and dead-lettering for queues of both kinds.
fn of_queues(
    name: &str,
    covers: &Covers,
    dead_letters: &DeadLetters,
    broker: BrokerVersion,
) -> [Policy; 2] {
    let mut both = bounds();
    both.insert("dead-letter-exchange".to_owned(), json!(dead_letters.exchange));
    if let Some(key) = &dead_letters.key {
        both.insert("dead-letter-routing-key".to_owned(), json!(key));
    }
    let mut quorum = both.clone();
    // Doesn't lose a dead letter whose target is away; needs `overflow: reject-publish`.
    quorum.insert("dead-letter-strategy".to_owned(), json!("at-least-once"));
    quorum.insert("delivery-limit".to_owned(), json!(DELIVERY_LIMIT));
    quorum.extend(patience(broker));
    by_kind(name, covers, quorum, both)
}

/// A lane's head is handed out and given back each time its limit is still shut: that says nothing
/// about it. Poison is found by the ledger, which counts attempts.
fn of_lanes(mut policies: [Policy; 2]) -> [Policy; 2] {
    for policy in &mut policies {
        if let Some(limit) = policy.definition.get_mut("delivery-limit") {
            *limit = json!(NO_DELIVERY_LIMIT);
        }
    }
    policies
}

fn by_kind(
    name: &str,
    covers: &Covers,
    quorum: Map<String, Value>,
    classic: Map<String, Value>,
) -> [Policy; 2] {
    let policy = |name: String, kind, priority, definition| Policy {
        name,
        covers: covers.clone(),
        apply_to: ApplyTo::Only(kind),
        priority,
        definition,
    };
    [
        policy(name.to_owned(), QueueKind::Quorum, QUORUM_PRIORITY, quorum),
        policy(format!("{name}-classic"), QueueKind::Classic, PRIORITY, classic),
    ]
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

    const QUORUM: Thing = Thing::Queue(QueueKind::Quorum);
    const CLASSIC: Thing = Thing::Queue(QueueKind::Classic);

    /// The policies meant for a thing, each as its pattern says it too.
    fn meant<'a>(policies: &'a [Policy], thing: Thing, name: &str) -> Vec<&'a str> {
        for policy in policies {
            let matches = Regex::new(&policy.pattern()).unwrap().is_match(name);
            assert_eq!(matches, policy.covers(name), "{policy:?} {name}");
        }
        let meant = policies.iter().filter(|policy| policy.is_for(thing, name));
        meant.map(|policy| policy.name.as_str()).collect()
    }

    /// Name × kind of thing → the one policy that is meant for it.
    #[test]
    fn each_name_has_its_one_policy() {
        let policies = all(&Names::default(), BrokerVersion::OLDEST);
        for (name, quorum, classic) in [
            ("tg.commands.acme", &["tg-commands"][..], &["tg-commands-classic"][..]),
            ("tg.commands.a_b-c", &["tg-commands"], &["tg-commands-classic"]),
            ("tg.lanes.acme.create", &["tg-lanes"], &["tg-lanes-classic"]),
            ("tg.lanes.acme.slow.-100123", &["tg-lanes"], &["tg-lanes-classic"]),
            ("tg.lanes", &[], &[]),
            ("tg.control.shared", &["tg-service"], &["tg-service-classic"]),
            ("tg.control.unowned", &["tg-service"], &["tg-service-classic"]),
            ("tg.unrouted", &["tg-unroutable"], &["tg-unroutable-classic"]),
            ("tg.undelivered", &["tg-service"], &["tg-service-classic"]),
            ("tg.dead", &["tg-dead"], &["tg-dead-classic"]),
            ("tg.notices", &["tg-notices"], &["tg-notices-classic"]),
            ("tg.control.worker-1", &[], &[]),
            ("tgxcommands.acme", &[], &[]),
            ("tgxdead", &[], &[]),
            ("my.tg.commands.acme", &[], &[]),
            ("tg.deadline", &[], &[]),
            ("crm.replies", &[], &[]),
        ] {
            assert_eq!(meant(&policies, QUORUM, name), quorum, "quorum queue {name}");
            assert_eq!(meant(&policies, CLASSIC, name), classic, "classic queue {name}");
        }
        for (name, expected) in [
            ("tg.commands", &["tg-unrouted"][..]),
            ("tg.control", &["tg-unowned"]),
            ("tg.control.unowned", &[]),
            ("tg.results", &[]),
            ("tg.unrouted", &[]),
            ("tgXcommands", &[]),
        ] {
            assert_eq!(meant(&policies, Thing::Exchange, name), expected, "exchange {name}");
        }
    }

    #[test]
    fn dead_letters_of_quorum_queues_are_never_lost_silently() {
        let policies = all(&Names::default(), BrokerVersion::OLDEST);
        let quorum =
            policies.iter().filter(|policy| policy.apply_to == ApplyTo::Only(QueueKind::Quorum));
        for policy in quorum {
            if ["tg-dead", "tg-notices"].contains(&policy.name.as_str()) {
                assert!(!policy.definition.contains_key("dead-letter-exchange"));
                continue;
            }
            let says = |key: &str| policy.definition.get(key).and_then(Value::as_str);
            assert_eq!(says("dead-letter-strategy"), Some("at-least-once"), "{policy:?}");
            assert_eq!(says("overflow"), Some("reject-publish"), "{policy:?}");
            assert_eq!(policy.priority, QUORUM_PRIORITY);
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
        assert_eq!((timed(3, 12), timed(4, 2)), (4, 4));
    }

    #[test]
    fn a_lane_may_be_looked_at_any_number_of_times_and_loses_nothing() {
        let policies = all(&Names::default(), BrokerVersion { major: 4, minor: 2 });
        let of =
            |name: &str| &policies.iter().find(|policy| policy.name == name).unwrap().definition;
        let (lanes, commands) = (of("tg-lanes"), of("tg-commands"));
        assert_eq!(lanes["delivery-limit"], json!(NO_DELIVERY_LIMIT));
        for key in commands.keys().filter(|key| *key != "delivery-limit") {
            assert_eq!(lanes.get(key), commands.get(key), "{key}");
        }
        assert_eq!(of("tg-lanes-classic"), of("tg-commands-classic"));
    }

    #[test]
    fn a_reply_queues_policy_matches_only_it() {
        for name in ["crm.replies", "a+b(c)[d]", "crm$^|x", "ünï.cødé"] {
            let dead = format!("{name}.dead");
            for policy in Policy::of_reply_queue(name, &dead, BrokerVersion::OLDEST) {
                let pattern = Regex::new(&policy.pattern()).unwrap();
                assert!(pattern.is_match(name), "{policy:?}");
                assert!(!pattern.is_match(&dead), "{policy:?}");
                assert!(!pattern.is_match("crmxreplies"), "{policy:?}");
            }
        }
    }
}
