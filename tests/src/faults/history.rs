//! What one seed leaves behind, as plain data: what was published, what was answered, what changed in the
//! simulated Telegram, what the ledger knows, what lies in queues. The oracles judge this and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use lapin::BasicProperties;
use serde_json::Value;

use super::command::{Planned, Role};

/// One publication that the broker confirmed.
#[derive(Debug, Clone, PartialEq)]
pub struct Sent {
    /// What was published.
    pub planned: Planned,
    /// Its correlation id, new for each publication.
    pub correlation: String,
    /// When, from the beginning of the workload.
    pub at: Duration,
    /// How often it was published until it was confirmed: beyond 1 it may be there twice.
    pub tries: u32,
}

/// Where an answer was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Via {
    /// On `tg.results`.
    Results,
    /// On the queue in `reply_to`.
    Reply,
}

/// One answer as it arrived.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// Where.
    pub via: Via,
    /// Its `message_id`: readers drop repetitions by it.
    pub message_id: String,
    /// Its correlation id.
    pub correlation: String,
    /// Its body.
    pub body: Value,
}

impl Told {
    /// From a message; what is no JSON has a null body, which no oracle accepts.
    #[must_use]
    pub fn read(via: Via, properties: &BasicProperties, body: &[u8]) -> Self {
        let text = |word: &Option<lapin::types::ShortString>| {
            word.as_ref().map(|word| word.as_str().to_owned()).unwrap_or_default()
        };
        Self {
            via,
            message_id: text(properties.message_id()),
            correlation: text(properties.correlation_id()),
            body: serde_json::from_slice(body).unwrap_or(Value::Null),
        }
    }

    /// Whether it is the outcome that the ledger keeps for its command, and no answer apart.
    #[must_use]
    pub fn is_outcome(&self) -> bool {
        self.message_id.ends_with(":result")
    }

    /// Whether it answers an order about a command. Orders are in no ledger.
    fn is_of_order(&self) -> bool {
        self.body["method"].as_str().is_some_and(|method| method.starts_with("command."))
    }

    /// The body without what is the asker's own; and of what is not recorded, and made again for each asker
    /// and after each crash, without its times: answers apart, and those to orders.
    #[must_use]
    pub fn essence(&self) -> Value {
        let mut body = self.body.clone();
        let own: &[&str] = match self.is_outcome() && !self.is_of_order() {
            true => &["correlation_id"],
            false => &["correlation_id", "received_at", "finished_at"],
        };
        if let Some(fields) = body.as_object_mut() {
            own.iter().for_each(|field| drop(fields.remove(*field)));
        }
        if self.is_of_order()
            && let Some(result) = body["result"].as_object_mut()
        {
            // How its command stands: asked again after a crash, it may have got further.
            ["state", "status"].iter().for_each(|field| drop(result.remove(*field)));
        }
        body
    }
}

/// A connected account and the login that it had when the workload began.
#[derive(Debug, Clone, PartialEq)]
pub struct Login {
    /// Its instance.
    pub instance: String,
    /// Who it is.
    pub user: i64,
    /// Its auth key's id.
    pub key: String,
    /// Whether it answered at the end.
    pub serves: bool,
}

/// All of it.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// Publications, per instance in their order.
    pub sent: Vec<Sent>,
    /// Answers, in the order in which they came.
    pub told: Vec<Told>,
    /// tgsim's journal since the workload began.
    pub journal: Vec<Value>,
    /// `command.get` of every command at the end: its `result` field.
    pub records: BTreeMap<String, Value>,
    /// The accounts.
    pub logins: Vec<Login>,
    /// Messages left in queues of Queuegram's own, after every worker has ended.
    pub queues: BTreeMap<String, u64>,
    /// Lease keys left in Redis, after every worker has ended.
    pub leases: Vec<String>,
    /// Workers that did not end well when asked to.
    pub bad_ends: Vec<String>,
    /// Whether Redis lost data: what was taken before may be taken for new.
    pub ledger_lost: bool,
    /// Faults that were played, each of which may have lost an answer; Telegram's limits are none.
    pub interruptions: usize,
    /// Accounts that the script moved to another data centre, where they have another key.
    pub migrated: BTreeSet<i64>,
}

/// Whether a queue is a lane of parked commands.
#[must_use]
pub fn is_lane(queue: &str) -> bool {
    queue.starts_with("tg.lanes.")
}

/// A promise that was broken, with what shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// `L`, `E`, `R`, `O`, `S`, `F`, or `left` for what was left behind.
    pub law: &'static str,
    /// What happened.
    pub what: String,
}

impl Breach {
    /// One.
    #[must_use]
    pub fn new(law: &'static str, what: String) -> Self {
        Self { law, what }
    }
}

impl History {
    /// The commands: the first publication of each id.
    pub fn commands(&self) -> impl Iterator<Item = &Sent> {
        self.sent.iter().filter(|sent| sent.planned.role == Role::First)
    }

    /// The outcomes that were told of a command, repetitions included.
    pub fn outcomes<'a>(&'a self, id: &str) -> impl Iterator<Item = &'a Told> + use<'a> {
        let id = id.to_owned();
        self.told.iter().filter(move |told| told.is_outcome() && told.body["id"] == id)
    }

    /// The status that a command's outcome has; empty where none was told.
    #[must_use]
    pub fn status(&self, id: &str) -> &str {
        self.outcomes(id).last().and_then(|told| told.body["status"].as_str()).unwrap_or_default()
    }

    /// Whether an id was published more than once, or perhaps was.
    #[must_use]
    pub fn is_repeated(&self, id: &str) -> bool {
        let of_id = self.sent.iter().filter(|sent| sent.planned.id == id);
        of_id.map(|sent| sent.tries).sum::<u32>() > 1
    }

    /// The journal's lines about calls that were told to wait.
    pub fn waits(&self) -> impl Iterator<Item = &Value> {
        self.journal.iter().filter(|entry| entry["fault"]["limit"].is_string())
    }

    /// What changed in the simulated Telegram, one by one, with the number of the journal's line.
    pub fn effects(&self) -> impl Iterator<Item = (u64, &Value)> {
        self.journal.iter().flat_map(|entry| {
            let n = entry["n"].as_u64().unwrap_or_default();
            let effects: Vec<&Value> = match &entry["effect"] {
                Value::Null => Vec::new(),
                Value::Array(list) => list.iter().collect(),
                one => vec![one],
            };
            effects.into_iter().map(move |effect| (n, effect))
        })
    }

    /// Effects of one kind whose field has this value.
    pub fn effects_where<'a>(
        &'a self,
        kind: &'a str,
        field: &'a str,
        value: impl Into<Value>,
    ) -> impl Iterator<Item = (u64, &'a Value)> {
        let value = value.into();
        self.effects().filter(move |(_, effect)| effect["kind"] == kind && effect[field] == value)
    }

    /// The group that the command created which this `external_ref` names, by the journal.
    #[must_use]
    pub fn chat_of(&self, group: &str) -> Option<i64> {
        self.chats_of(group).into_iter().next()
    }

    /// Whether a chat is the group that this `external_ref` names. Where the ledger was lost, a creation
    /// that was published again may have made one more.
    #[must_use]
    pub fn is_chat_of(&self, chat: i64, group: Option<&str>) -> bool {
        group.is_some_and(|group| self.chats_of(group).contains(&chat))
    }

    fn chats_of(&self, group: &str) -> Vec<i64> {
        let creators = self.sent.iter().filter(|sent| {
            sent.planned.method == "group.create" && sent.planned.group.as_deref() == Some(group)
        });
        let titles = creators.filter_map(|sent| sent.planned.title());
        let made = titles.flat_map(|title| self.effects_where("chat.created", "title", title));
        made.filter_map(|(_, effect)| effect["chat_id"].as_i64()).collect()
    }
}
