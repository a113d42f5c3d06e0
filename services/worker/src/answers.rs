//! Telling the outside: results to the asker and to `tg.results`, events to `tg.events`, and what
//! nobody could make sense of to `tg.dead`. Everything is published with confirms.

use std::collections::BTreeMap;
use std::time::Duration;

use bus::{Backoff, BusError, Delivery, OutMessage, Published, Publisher};
use chassis::Clock;
use chrono::{DateTime, Utc};
use proto::envelope::Rejected;
use proto::event::{CommandDead, EventData, ReplyUndeliverable};
use proto::{
    Command, CommandResult, Correlation, ErrorKind, Event, Fault, InstanceId, Names, Properties,
    ReplyTo,
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::redact::without_api_keys;

/// The pauses before something is published again.
const PAUSES: Backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(10));

/// How often in a row a queue may not answer before that is told.
const UNHEARD_MAX: u32 = 3;

/// Whether a queue took a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It has it.
    Yes,
    /// It does not exist, or is full.
    No,
    /// It was sent a few times, and nobody said what became of it.
    Unheard,
}

/// Publishes what the worker has to tell; cheap to clone.
#[derive(Clone)]
pub struct Answers {
    publisher: Publisher,
    names: Names,
    clock: Clock,
}

/// A result and where it goes.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The result.
    pub result: CommandResult,
    /// Names this answer: the same each time it is told, so that readers can drop repetitions.
    pub message_id: String,
    /// What to echo.
    pub correlation: Correlation,
    /// The asker's own place, if it named one.
    pub reply_to: Option<ReplyTo>,
    /// Whether it goes to `tg.results` too. A repetition for a second asker does not.
    pub to_results: bool,
}

impl Answer {
    /// The outcome of a command, for everybody whom it concerns.
    pub fn outcome(result: CommandResult, command: &Command) -> Self {
        Self {
            message_id: result.message_id(),
            result,
            correlation: command.correlation.clone(),
            reply_to: command.reply_to.clone(),
            to_results: true,
        }
    }

    /// The outcome of a command that has it already, for one more asker. `told` is whether it went
    /// to `tg.results`; an asker that names no place of its own reads there.
    pub fn again(result: CommandResult, command: &Command, told: bool) -> Self {
        let answer = Self::outcome(result.for_asker(&command.correlation), command);
        Self { to_results: !told || command.reply_to.is_none(), ..answer }
    }

    /// An answer that is not the outcome of the id's command: the id stays free for it, or belongs
    /// to another one. `hash` tells it apart from other such answers.
    pub fn apart(command: &Command, fault: Fault, hash: &str, now: DateTime<Utc>) -> Self {
        let result = CommandResult::of(command, fault.into(), 0, now);
        Self { message_id: result.message_id_apart(hash), ..Self::outcome(result, command) }
    }

    /// The answer to what is no command.
    fn refusal(rejected: &Rejected, now: DateTime<Utc>) -> Self {
        let result = CommandResult::of_rejected(rejected, now);
        Self {
            message_id: result.message_id_apart(&rejected.fingerprint),
            result,
            correlation: rejected.correlation.clone(),
            reply_to: rejected.reply_to.clone(),
            to_results: true,
        }
    }
}

/// The worker is going down before the answer could be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("going down before the answer was told")]
pub struct Untold;

impl Answers {
    /// Publishes by this publisher.
    pub fn new(publisher: Publisher, names: Names, clock: Clock) -> Self {
        Self { publisher, names, clock }
    }

    /// Tells a result to everybody whom it concerns, and comes back when the broker has it. While
    /// the broker can't be reached it tries again, until `stopping`.
    ///
    /// # Errors
    /// [`Untold`] where the worker is going down first: then the delivery must go back.
    pub async fn give(&self, answer: &Answer, stopping: &CancellationToken) -> Result<(), Untold> {
        let to_asker = async {
            let Some(reply_to) = &answer.reply_to else { return Ok(()) };
            let message = self.message(answer, reply_to.exchange(), reply_to.routing_key());
            // The broker returns what is mandatory and goes to a direct reply-to, although it
            // delivers it (https://www.rabbitmq.com/docs/direct-reply-to).
            let message = OutMessage { mandatory: !reply_to.is_direct(), ..message };
            if !self.publish(message, stopping).await? {
                self.undeliverable(answer, reply_to).await;
            }
            Ok(())
        };
        let to_results = async {
            if answer.to_results {
                let key = answer.result.routing_key(&self.names);
                let message = self.message(answer, &self.names.results(), &key);
                self.publish(message, stopping).await?;
            }
            Ok(())
        };
        tokio::try_join!(to_asker, to_results).map(drop)
    }

    /// Tells an event. One that can't be published now is logged: it holds nothing that isn't in a
    /// result or in `account.get` too.
    pub async fn tell<D: EventData>(
        &self,
        event_id: String,
        instance: &InstanceId,
        data: &D,
        about: impl FnOnce(Event) -> Event,
    ) {
        let event = match Event::new(event_id, instance.clone(), self.clock.now(), data) {
            Ok(event) => about(event),
            Err(error) => {
                tracing::error!(%error, event = D::KIND.as_str(), "an event has no JSON form");
                return;
            }
        };
        let message = OutMessage {
            exchange: self.names.events(),
            routing_key: event.routing_key(&self.names),
            properties: Properties {
                message_id: Some(event.event_id.clone()),
                kind: Some(event.type_name().to_owned()),
                ..self.properties()
            },
            ..json_message(&event)
        };
        if let Err(error) = self.publisher.publish(message).await {
            tracing::warn!(%error, event = D::KIND.as_str(), "an event was not told");
        }
    }

    /// An id for an event that is not part of a command.
    pub fn event_id() -> String {
        Uuid::now_v7().to_string()
    }

    /// Keeps a copy of a delivery in `tg.dead` for people to look at, with the reason, and says so:
    /// `command.dead`, where it is known whose command `id` it was.
    ///
    /// # Errors
    /// [`Untold`] as for [`Answers::give`].
    pub async fn bury(
        &self,
        delivery: &Delivery,
        fault: &Fault,
        instance: Option<&InstanceId>,
        id: Option<&str>,
        stopping: &CancellationToken,
    ) -> Result<(), Untold> {
        let headers = BTreeMap::from([
            ("x-queuegram-reason".to_owned(), fault.code.clone()),
            ("x-queuegram-error".to_owned(), fault.message.clone()),
            ("x-queuegram-exchange".to_owned(), delivery.exchange.clone()),
            ("x-queuegram-routing-key".to_owned(), delivery.routing_key.clone()),
            ("x-queuegram-queue".to_owned(), delivery.queue.to_string()),
            ("x-queuegram-at".to_owned(), proto::time::format(self.clock.now())),
        ]);
        // Neither user nor expiration go along: the broker would refuse the one and act on the other.
        let properties =
            Properties { user_id: None, expiration: None, ..delivery.properties.clone() };
        let message = OutMessage {
            exchange: String::new(),
            routing_key: self.names.dead(),
            properties,
            headers,
            body: without_api_keys(&delivery.body),
            mandatory: false,
            persistent: true,
        };
        self.publish(message, stopping).await?;
        if let Some(instance) = instance {
            // The same each time it is buried, as after a crash before it was settled.
            let event_id = match id {
                Some(id) => format!("{instance}:{id}:dead:{}", fault.code),
                None => Self::event_id(),
            };
            let data = CommandDead { queue: self.names.dead(), reason: fault.code.clone() };
            let command_id = id.and_then(|id| id.parse().ok());
            self.tell(event_id, instance, &data, |event| Event { command_id, ..event }).await;
        }
        Ok(())
    }

    /// Answers what is no command, once; what could not even be read is kept in `tg.dead` as well.
    ///
    /// # Errors
    /// [`Untold`] as for [`Answers::give`].
    pub async fn refuse(
        &self,
        delivery: &Delivery,
        rejected: &Rejected,
        stopping: &CancellationToken,
    ) -> Result<(), Untold> {
        tracing::info!(
            error.code = rejected.fault.code,
            error.message = rejected.fault.message,
            exchange = delivery.exchange,
            routing_key = delivery.routing_key,
            "not a command"
        );
        if matches!(rejected.fault.kind, ErrorKind::Malformed | ErrorKind::Internal) {
            let (instance, id) = (rejected.instance.as_ref(), rejected.id.as_deref());
            self.bury(delivery, &rejected.fault, instance, id, stopping).await?;
        }
        self.give(&Answer::refusal(rejected, self.clock.now()), stopping).await
    }

    /// Publishes a command for one queue, and says whether that took it.
    ///
    /// # Errors
    /// [`Untold`] as for [`Answers::give`].
    pub async fn pass_on(
        &self,
        message: OutMessage,
        stopping: &CancellationToken,
    ) -> Result<Taken, Untold> {
        self.try_publish(message, UNHEARD_MAX, stopping).await
    }

    /// Publishes until the broker has answered. False where no queue took it, or one was full.
    async fn publish(
        &self,
        message: OutMessage,
        stopping: &CancellationToken,
    ) -> Result<bool, Untold> {
        let taken = self.try_publish(message, u32::MAX, stopping).await?;
        Ok(taken == Taken::Yes)
    }

    async fn try_publish(
        &self,
        message: OutMessage,
        unheard_max: u32,
        stopping: &CancellationToken,
    ) -> Result<Taken, Untold> {
        let (mut backoff, mut unheard) = (PAUSES, 0);
        loop {
            match self.publisher.publish(message.clone()).await {
                Ok(Published::Confirmed) => return Ok(Taken::Yes),
                Ok(Published::Returned { .. }) => return Ok(Taken::No),
                Err(error @ (BusError::Nacked | BusError::Unencodable { .. })) => {
                    tracing::warn!(%error, exchange = message.exchange, "not taken by the broker");
                    return Ok(Taken::No);
                }
                Err(error) => {
                    tracing::warn!(%error, "publishing failed; trying again with the same id");
                    unheard = if error.nothing_sent() { 0 } else { unheard + 1 };
                    if unheard >= unheard_max {
                        return Ok(Taken::Unheard);
                    }
                }
            }
            if !backoff.wait(stopping).await {
                return Err(Untold);
            }
        }
    }

    async fn undeliverable(&self, answer: &Answer, reply_to: &ReplyTo) {
        tracing::warn!(
            message.id = answer.message_id,
            exchange = reply_to.exchange(),
            routing_key = reply_to.routing_key(),
            "the reply found no queue that takes it"
        );
        let Some(instance) = &answer.result.instance else { return };
        let data = ReplyUndeliverable {
            exchange: reply_to.exchange().to_owned(),
            routing_key: reply_to.routing_key().to_owned(),
            status: answer.result.status,
        };
        let event_id = format!("{}:undeliverable", answer.message_id);
        self.tell(event_id, instance, &data, |event| Event {
            chat_id: answer.result.chat_id,
            command_id: answer.result.id.as_deref().and_then(|id| id.parse().ok()),
            ..event
        })
        .await;
    }

    fn message(&self, answer: &Answer, exchange: &str, routing_key: &str) -> OutMessage {
        OutMessage {
            exchange: exchange.to_owned(),
            routing_key: routing_key.to_owned(),
            properties: Properties {
                message_id: Some(answer.message_id.clone()),
                correlation_id: answer.correlation.for_property().map(str::to_owned),
                kind: Some(answer.result.type_name().to_owned()),
                ..self.properties()
            },
            ..json_message(&answer.result)
        }
    }

    fn properties(&self) -> Properties {
        Properties {
            content_type: Some("application/json".to_owned()),
            timestamp: u64::try_from(self.clock.now().timestamp()).ok(),
            app_id: Some("queuegram".to_owned()),
            traceparent: chassis::trace::current_traceparent(),
            ..Properties::default()
        }
    }
}

fn json_message(body: &impl serde::Serialize) -> OutMessage {
    OutMessage {
        exchange: String::new(),
        routing_key: String::new(),
        properties: Properties::default(),
        headers: BTreeMap::new(),
        // The bodies are our own types, with text keys only: they always have a JSON form.
        body: serde_json::to_vec(body).unwrap_or_default(),
        mandatory: false,
        persistent: true,
    }
}
