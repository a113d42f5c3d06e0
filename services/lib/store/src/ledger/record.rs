//! A command's record as it is read.

use std::collections::HashMap;
use std::fmt;

use chrono::{DateTime, Utc};
use indexmap::IndexMap;
use proto::{CommandId, MethodName, time};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Decision;
use crate::error::StoreError;

/// The version of the form that is written; those before it are read too. Version 2 was not sealed;
/// version 1 had steps without attempt and note, and no suspects.
pub(super) const VERSION: u32 = 3;

/// What a repetition of a step would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// It only looks.
    Read,
    /// It leaves the same state when it is made twice.
    Repeatable,
    /// Made twice it has two effects.
    Once,
}

/// How far a step got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// It was about to be made; whether it was is not known.
    Started,
    /// It was made and answered.
    Executed,
}

/// How far a command got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordState {
    /// Taken; no step that changes something was started.
    Received,
    /// A step that changes something was started.
    Started,
    /// It has its result.
    Finished,
    /// Its result was told.
    Replied,
}

/// One step.
#[derive(Clone, PartialEq)]
pub struct StepRecord {
    /// How far it got.
    pub state: StepState,
    /// What a repetition would do.
    pub effect: Effect,
    /// The answer that was noted; null while there is none.
    pub answer: Value,
    /// What was noted before the call, for finding out what came of it; null once it is executed.
    pub note: Value,
    /// How often it was started.
    pub attempt: u32,
    /// The epoch in which it was written last. *Started* under the epoch of the lease that is live
    /// means: it is under way, or its owner is about to go on with it.
    pub epoch: u64,
}

/// A step that is about to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct Start {
    /// What a repetition would do.
    pub effect: Effect,
    /// Which attempt it is, from 1.
    pub attempt: u32,
    /// What finding out later whether it happened will need; null for nothing.
    pub note: Value,
}

/// What is known of one command.
#[derive(Clone, PartialEq)]
pub struct Record {
    /// Version of the record's form.
    pub version: u32,
    /// What makes the request the same request.
    pub hash: String,
    /// What was asked for.
    pub method: MethodName,
    /// How far it got.
    pub state: RecordState,
    /// How often it was taken.
    pub attempts: u32,
    /// When it was first received.
    pub received_at: DateTime<Utc>,
    /// The epoch in which it was taken last; 0 where no owner ever took it.
    pub epoch: u64,
    /// It may have been worked on before this record was made: see the module.
    pub suspect: bool,
    /// The steps, in the order in which they were first written.
    pub steps: IndexMap<String, StepRecord>,
    /// The result, as it was written.
    pub result: Option<String>,
    /// When it was cancelled, if it was.
    pub cancelled_at: Option<DateTime<Utc>>,
    /// What a person decided about it, if one did.
    pub decision: Option<Box<Decision>>,
}

impl Record {
    /// Whether a step that changes something was started.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.state == RecordState::Started
            || self.steps.values().any(|step| step.effect != Effect::Read)
    }

    /// Whether it has its result.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        matches!(self.state, RecordState::Finished | RecordState::Replied)
    }

    /// Whether its result was told.
    #[must_use]
    pub fn is_replied(&self) -> bool {
        self.state == RecordState::Replied
    }

    pub(super) fn read(
        id: &CommandId,
        fields: &HashMap<String, String>,
    ) -> Result<Self, StoreError> {
        let what = || format!("the record of {id}");
        let field = |name: &str| {
            let text = fields.get(name).map(String::as_str);
            text.ok_or_else(|| StoreError::corrupt(what(), format!("`{name}` is missing")))
        };
        let bad = |name: &str| StoreError::corrupt(what(), format!("`{name}` makes no sense"));
        let version = field("v")?.parse().map_err(|_| bad("v"))?;
        if version > VERSION {
            return Err(StoreError::Version { what: what(), found: version });
        }
        let mut steps = Vec::new();
        for (name, text) in fields {
            if let Some(step) = name.strip_prefix("s:") {
                let (n, record) = StepRecord::read(text).ok_or_else(|| bad(name))?;
                steps.push((n, step.to_owned(), record));
            }
        }
        steps.sort_by_key(|(n, ..)| *n);
        Ok(Self {
            version,
            hash: field("hash")?.to_owned(),
            method: field("method")?.parse().map_err(|_| bad("method"))?,
            state: RecordState::read(field("state")?).ok_or_else(|| bad("state"))?,
            attempts: field("attempts")?.parse().map_err(|_| bad("attempts"))?,
            received_at: time::parse(field("received")?).map_err(|_| bad("received"))?,
            epoch: field("epoch")?.parse().map_err(|_| bad("epoch"))?,
            suspect: fields.contains_key("suspect"),
            steps: steps.into_iter().map(|(_, name, step)| (name, step)).collect(),
            result: fields.get("result").cloned(),
            cancelled_at: (fields.get("cancel").map(|text| time::parse(text)).transpose())
                .map_err(|_| bad("cancel"))?,
            decision: (fields.get("decision").map(|text| serde_json::from_str(text)).transpose())
                .map_err(|_| bad("decision"))?,
        })
    }
}

impl StepRecord {
    fn read(text: &str) -> Option<(u32, Self)> {
        let mut parts = text.splitn(5, '|');
        let n = parts.next()?.parse().ok()?;
        let state = StepState::read(parts.next()?)?;
        let effect = Effect::read(parts.next()?)?;
        let epoch = parts.next()?.parse().ok()?;
        let (attempt, json) = attempt(parts.next()?);
        let value = match json {
            "" => Value::Null,
            json => serde_json::from_str(json).ok()?,
        };
        let (note, answer) = match state {
            StepState::Started => (value, Value::Null),
            StepState::Executed => (Value::Null, value),
        };
        Some((n, Self { state, effect, answer, note, attempt, epoch }))
    }
}

/// The attempt, and the JSON behind it. Steps of version 1 have no attempt; no JSON begins with
/// digits and a bar, so each step shows by itself which form it has.
fn attempt(text: &str) -> (u32, &str) {
    let attempt = text.split_once('|').and_then(|(n, json)| Some((n.parse().ok()?, json)));
    attempt.unwrap_or((1, text))
}

/// The words in a record, each the same way there and back.
macro_rules! words {
    ($name:ident { $($variant:ident $word:literal,)+ }) => {
        impl $name {
            /// The word in the record.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            fn read(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }
    };
}

words!(Effect { Read "read", Repeatable "repeatable", Once "once", });
words!(StepState { Started "started", Executed "executed", });
words!(RecordState {
    Received "received",
    Started "started",
    Finished "finished",
    Replied "replied",
});

/// Answers and results name people: none of that goes into a log.
impl fmt::Debug for StepRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { effect, state, attempt, epoch, .. } = self;
        write!(f, "{effect:?} {state:?} in {epoch}, attempt {attempt}")
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("method", &self.method)
            .field("state", &self.state)
            .field("attempts", &self.attempts)
            .field("epoch", &self.epoch)
            .field("steps", &self.steps)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(changes: &[(&str, &str)]) -> HashMap<String, String> {
        [
            ("v", "1"),
            ("hash", "h"),
            ("method", "group.create"),
            ("state", "started"),
            ("attempts", "2"),
            ("received", "2026-11-23T07:00:00.000Z"),
            ("epoch", "7"),
            ("s:b", "2|started|once|7|"),
            ("s:a", r#"1|executed|read|6|{"x":"a|b","big":-9223372036854775808}"#),
        ]
        .iter()
        .chain(changes)
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
        .collect()
    }

    fn read(changes: &[(&str, &str)]) -> Result<Record, StoreError> {
        Record::read(&"c-1".parse().unwrap(), &fields(changes))
    }

    #[test]
    fn steps_keep_their_order_and_every_digit() {
        let record = read(&[]).unwrap();
        assert_eq!(record.steps.keys().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(record.steps["a"].answer["big"], i64::MIN);
        assert_eq!(record.steps["a"].answer["x"], "a|b");
        assert!(record.has_begun() && !record.is_finished());
    }

    #[test]
    fn what_makes_no_sense_is_said() {
        for change in [
            ("v", "x"),
            ("state", "x"),
            ("epoch", "-1"),
            ("received", "x"),
            ("s:a", "1|executed|once"),
            ("s:a", "1|executed|once|1|{"),
        ] {
            assert!(matches!(read(&[change]), Err(StoreError::Corrupt { .. })), "{change:?}");
        }
        assert!(matches!(read(&[("v", "4")]), Err(StoreError::Version { found: 4, .. })));
    }

    #[test]
    fn steps_of_both_forms_are_read_in_one_record() {
        let record = read(&[
            ("v", "2"),
            ("suspect", "1"),
            ("s:b", r#"2|started|once|7|3|{"mark":"a|b"}"#),
            ("s:c", "3|executed|once|7|2|1"),
            ("s:d", "4|executed|once|7|1"),
            ("s:e", "5|started|once|7|1|"),
        ]);
        let record = record.unwrap();
        let of = |name: &str| {
            let step = &record.steps[name];
            (step.attempt, step.note.clone(), step.answer.clone())
        };
        assert_eq!(of("b"), (3, serde_json::json!({"mark": "a|b"}), Value::Null));
        assert_eq!(of("c"), (2, Value::Null, 1.into()));
        assert_eq!(of("d"), (1, Value::Null, 1.into()));
        assert_eq!(of("e"), (1, Value::Null, Value::Null));
        assert!(record.suspect && !read(&[]).unwrap().suspect);
    }
}
