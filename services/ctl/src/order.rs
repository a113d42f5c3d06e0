//! Orders on the control exchange: asked like a command, answered like one.

use std::time::{Duration, Instant};

use bus::{Bus, CallQueue};
use chrono::{DateTime, TimeDelta, Utc};
use proto::fault::code;
use proto::{CommandBody, CommandId, CommandResult, InstanceId, MethodName, Status};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::{
    broker::{Question, publish},
    exit::{Done, Failure},
    screen::Screen,
};

/// How long a worker may take to answer an order that needs no person.
pub const ORDER_TIMEOUT: Duration = Duration::from_secs(30);

/// The pause before an order is given again that nobody could follow yet.
const BUSY_PAUSE: Duration = Duration::from_secs(1);

/// Asks orders over one reply queue.
pub struct Orders {
    bus: Bus,
    replies: CallQueue,
}

impl Orders {
    /// Opens the reply queue.
    pub async fn open(bus: Bus) -> Result<Self, Failure> {
        let replies = bus.call_queue().await?;
        Ok(Self { bus, replies })
    }

    /// Publishes an order and returns the id under which its answer will come. `within` is its deadline too: an order
    /// whose asker is gone must not be executed when a worker comes back.
    pub async fn send(
        &self,
        instance: &InstanceId,
        method: &str,
        params: &impl Serialize,
        within: Duration,
    ) -> Result<String, Failure> {
        let params = match serde_json::to_value(params)? {
            Value::Object(params) => params,
            _ => Map::new(),
        };
        let id = new_id();
        let body = CommandBody {
            id: Some(command_id(&id)?),
            method: Some(method_name(method)?),
            params,
            deadline: Some(deadline(within)?),
            ..CommandBody::default()
        };
        let names = self.bus.names();
        let question = Question {
            exchange: names.control(),
            routing_key: names.command_key(instance, &method_name(method)?),
            id: id.clone(),
            method: method.to_owned(),
            reply_to: Some(self.replies.reply_to().to_owned()),
            body: serde_json::to_vec(&body)?,
        };
        publish(&self.bus, question).await?;
        Ok(id)
    }

    /// Waits for the answer to an order; none when the time is over.
    pub async fn answer(
        &mut self,
        id: &str,
        within: Duration,
    ) -> Result<Option<CommandResult>, Failure> {
        let Some(reply) = self.replies.wait_for(id, within).await? else { return Ok(None) };
        Ok(Some(serde_json::from_slice(&reply.body)?))
    }

    /// Publishes an order and waits for its answer. It is asked again for as long as no worker may take the instance:
    /// an owner is just gone, or Redis lost its data, which is over after a lease and a grace.
    pub async fn ask(
        &mut self,
        instance: &InstanceId,
        method: &str,
        params: &impl Serialize,
        within: Duration,
    ) -> Result<CommandResult, Failure> {
        let until = Instant::now() + within;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let id = self.send(instance, method, params, left).await?;
            let answer = self.answer(&id, left).await?.ok_or_else(|| Failure::NoAnswer {
                what: method.to_owned(),
                waited: humantime::format_duration(within).to_string(),
                hint: String::from("is a worker running? `queuegram doctor` tells"),
            })?;
            let is_busy = answer.error_code.as_deref() == Some(code::INSTANCE_BUSY);
            if !is_busy || until.saturating_duration_since(Instant::now()) < 2 * BUSY_PAUSE {
                return Ok(answer);
            }
            tokio::time::sleep(BUSY_PAUSE).await;
        }
    }
}

/// Reads the result of an order that was done; prints the error of one that was not.
pub fn read_done<T: DeserializeOwned>(
    answer: &CommandResult,
    screen: Screen,
) -> Result<Result<T, Done>, Failure> {
    if answer.status == Status::Done {
        return Ok(Ok(serde_json::from_value(answer.result.clone())?));
    }
    screen.put(answer, || crate::answer::words_of(answer));
    Ok(Err(Done::Answered(answer.status)))
}

/// Who gives an order, as far as this machine knows: the broker's own word for it comes first.
#[must_use]
pub fn myself() -> Option<String> {
    let named = ["USER", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok());
    named.filter(|name| !name.is_empty() && name.chars().count() <= 128)
}

/// A new id; the first characters say where it comes from.
#[must_use]
pub fn new_id() -> String {
    format!("cli-{}", uuid::Uuid::now_v7())
}

/// A span of time as people write it: `90s`, `2m`, `1h 30m`.
pub fn span(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text)
        .map_err(|_| "a span of time is wanted, such as 90s, 2m or 1h".to_owned())
}

/// An id as the contract wants it.
pub fn command_id(text: &str) -> Result<CommandId, Failure> {
    text.parse().map_err(|error: proto::ids::IdError| Failure::Usage(error.to_string()))
}

/// A method's name as the contract wants it.
pub fn method_name(text: &str) -> Result<MethodName, Failure> {
    text.parse().map_err(|error: proto::ids::IdError| Failure::Usage(error.to_string()))
}

/// The point in time after which nobody waits any more.
pub fn deadline(within: Duration) -> Result<DateTime<Utc>, Failure> {
    let at =
        TimeDelta::from_std(within).ok().and_then(|within| Utc::now().checked_add_signed(within));
    at.ok_or_else(|| Failure::Usage(String::from("that time is too long")))
}
