//! One publication of a command as the workload plans it.

use std::time::Duration;

use serde_json::{Map, Value, json};

/// What a publication is in its command's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The first one with this id.
    First,
    /// The same once more.
    Repeat,
    /// The same id with other params: a conflict.
    Clash,
}

/// Until when a command may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deadline {
    /// A day.
    None,
    /// So long after it is published, said in its body.
    Body(Duration),
    /// The same as AMQP's `expiration`.
    Expiration(Duration),
}

/// One publication.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// The command's id. Its titles are the id too, so that an effect tells whose it is.
    pub id: String,
    /// The instance.
    pub instance: String,
    /// The method.
    pub method: &'static str,
    /// Its params.
    pub params: Value,
    /// The group's `external_ref`: every group is addressed by its own.
    pub group: Option<String>,
    /// First, repeated or clashing.
    pub role: Role,
    /// Its deadline.
    pub deadline: Deadline,
    /// How long after the one before it is published.
    pub pause: Duration,
    /// Whether `command.cancel` is sent right after it.
    pub cancel: bool,
}

impl Planned {
    /// The body, with the deadline counted from `now`.
    #[must_use]
    pub fn body(&self, correlation: &str, deadline: Option<String>) -> Value {
        let mut body = Map::new();
        body.insert("id".to_owned(), json!(self.id));
        body.insert("method".to_owned(), json!(self.method));
        body.insert("instance".to_owned(), json!(self.instance));
        body.insert("params".to_owned(), self.params.clone());
        body.insert("correlation_id".to_owned(), json!(correlation));
        if let Some(group) = &self.group {
            body.insert("external_ref".to_owned(), json!(group));
        }
        if let Some(deadline) = deadline {
            body.insert("deadline".to_owned(), json!(deadline));
        }
        Value::Object(body)
    }

    /// The one title that this command gives, if it gives one.
    #[must_use]
    pub fn title(&self) -> Option<&str> {
        self.params["title"].as_str()
    }
}
