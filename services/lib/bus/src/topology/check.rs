//! Comparing the broker with the topology, for `queuegram doctor`. A finding says what is wrong
//! with what, what that leads to, and what helps.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::effective::Effective;
use super::judge::{judge_exchange, judge_queue};
use super::policies::Thing;
use super::{Binding, Policy, Queue, Topology};
use crate::config::QueueKind;
use crate::error::BusError;
use crate::management::Management;

/// How many command queues, and how many lanes, are looked at.
const MAX_INSTANCE_QUEUES: usize = 500;

/// Something on the broker that is not as described.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// Kind and name of the thing.
    pub subject: String,
    /// What is wrong and what it leads to.
    pub what: String,
    /// What helps.
    pub remedy: String,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// It works, though not as well as described.
    Warning,
    /// Commands can be lost, or remain unanswered.
    Problem,
}

/// What judging a queue takes.
const SEEN: &str = "name,durable,arguments";

pub(super) const APPLY: &str = "run `queuegram topology apply`";

#[derive(Deserialize)]
pub(super) struct ExchangeSeen {
    #[serde(rename = "type")]
    pub kind: String,
    pub durable: bool,
    #[serde(default)]
    pub arguments: Map<String, Value>,
}

#[derive(Deserialize)]
pub(super) struct QueueSeen {
    pub name: String,
    pub durable: bool,
    #[serde(default)]
    pub arguments: Map<String, Value>,
}

#[derive(Deserialize)]
struct BindingSeen {
    source: String,
    destination: String,
    destination_type: String,
    routing_key: String,
}

#[derive(Deserialize)]
struct Page<T> {
    items: Vec<T>,
}

impl Topology {
    /// Compares the broker with the description. No findings: everything is as it should be.
    ///
    /// # Errors
    /// [`BusError::Management`] if the broker can't be asked.
    pub async fn check(&self, management: &Management) -> Result<Vec<Finding>, BusError> {
        let vhost = management.vhost();
        let policies = Effective::read(management).await?;
        let mut findings = Vec::new();
        for exchange in &self.exchanges {
            let seen = management.get(&["exchanges", vhost, &exchange.name], "").await?;
            let wanted = self.policy_of(Thing::Exchange, &exchange.name);
            findings.extend(judge_exchange(&exchange.name, seen, wanted, &policies));
        }
        for queue in &self.queues {
            let seen: Option<QueueSeen> =
                management.get(&["queues", vhost, &queue.name], "").await?;
            let subject = format!("queue {}", queue.name);
            match seen {
                None => findings.push(Finding::missing(subject)),
                Some(seen) => {
                    let wanted = self.policy_of(seen.thing(), &queue.name);
                    findings.extend(judge_queue(queue, &seen, wanted, &policies));
                }
            }
        }
        let mut of_instances = Vec::new();
        for prefix in &self.instance_queues {
            of_instances.extend(queues_below::<QueueSeen>(management, prefix, SEEN).await?);
        }
        for seen in of_instances {
            // Which kind it has is its owner's choice of the day it was made.
            let kind = self.queues.first().map(|queue| queue.kind).unwrap_or_default();
            let queue = Queue { name: seen.name.clone(), kind, single_active: true };
            let wanted = self.policy_of(seen.thing(), &queue.name);
            findings.extend(judge_queue(&queue, &seen, wanted, &policies));
        }
        let known = self.bindings_of(management).await?;
        for binding in self.bindings.iter().filter(|binding| !known.contains(binding)) {
            let Binding { exchange, queue, key } = binding;
            findings.push(Finding::missing(format!("binding {exchange} -> {queue} ({key})")));
        }
        Ok(findings)
    }

    /// The bindings of the described exchanges to queues, as the broker has them.
    pub(super) async fn bindings_of(
        &self,
        management: &Management,
    ) -> Result<Vec<Binding>, BusError> {
        let vhost = management.vhost();
        let mut exchanges: Vec<&str> =
            self.bindings.iter().map(|binding| binding.exchange.as_str()).collect();
        exchanges.dedup();
        let mut known = Vec::new();
        for exchange in exchanges {
            let path = ["exchanges", vhost, exchange, "bindings", "source"];
            let seen: Vec<BindingSeen> = management.get(&path, "").await?.unwrap_or_default();
            known.extend(seen.into_iter().filter(|seen| seen.destination_type == "queue").map(
                |seen| Binding {
                    exchange: seen.source,
                    queue: seen.destination,
                    key: seen.routing_key,
                },
            ));
        }
        Ok(known)
    }

    /// The policy that should apply to a name.
    pub(super) fn policy_of(&self, thing: Thing, name: &str) -> Option<&Policy> {
        self.policies.iter().find(|policy| policy.is_for(thing, name))
    }
}

/// What is known of a queue, whatever was asked about it.
pub(crate) trait Named {
    /// The queue's name.
    fn name(&self) -> &str;
}

impl Named for QueueSeen {
    fn name(&self) -> &str {
        &self.name
    }
}

/// The queues whose names begin so, a bounded number of them, with these columns.
pub(crate) async fn queues_below<T: Named + DeserializeOwned + Send + 'static>(
    management: &Management,
    prefix: &str,
    columns: &str,
) -> Result<Vec<T>, BusError> {
    let query = format!(
        "?page=1&page_size={MAX_INSTANCE_QUEUES}&name={prefix}&use_regex=false&columns={columns}"
    );
    let page: Option<Page<T>> = management.get(&["queues", management.vhost()], &query).await?;
    let found = page.map(|page| page.items).unwrap_or_default();
    // The API looks for the text anywhere in a name.
    Ok(found.into_iter().filter(|seen| seen.name().starts_with(prefix)).collect())
}

impl QueueSeen {
    /// The kind it really has, which can be another than the one wanted. A queue declared without
    /// one has the vhost's default, which is classic unless somebody changed it.
    pub fn thing(&self) -> Thing {
        let kind = self.arguments.get("x-queue-type").and_then(Value::as_str);
        Thing::Queue(match kind {
            Some("quorum") => QueueKind::Quorum,
            _ => QueueKind::Classic,
        })
    }
}

impl Finding {
    pub(super) fn missing(subject: String) -> Self {
        let what = "is missing".to_owned();
        Self { severity: Severity::Problem, subject, what, remedy: APPLY.to_owned() }
    }
}
