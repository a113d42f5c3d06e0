//! A queue of our own that collects what it is sent, and lets a test wait for a message.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use futures_util::StreamExt as _;
use lapin::options::{BasicAckOptions, BasicConsumeOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use serde_json::Value;
use tokio::sync::Notify;

/// How long a test waits for a message that must come.
pub const MESSAGE_BOUND: Duration = Duration::from_secs(60);

/// A message as it arrived.
#[derive(Debug, Clone)]
pub struct Message {
    /// The exchange it was published to; empty for the default one.
    pub exchange: String,
    /// Its routing key.
    pub routing_key: String,
    /// Its properties.
    pub properties: BasicProperties,
    /// Its body.
    pub body: Vec<u8>,
}

impl Message {
    /// The body as JSON; `null` where it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// `correlation_id`, or nothing.
    #[must_use]
    pub fn correlation_id(&self) -> Option<&str> {
        self.properties.correlation_id().as_ref().map(ShortString::as_str)
    }

    /// `message_id`, or nothing.
    #[must_use]
    pub fn message_id(&self) -> Option<&str> {
        self.properties.message_id().as_ref().map(ShortString::as_str)
    }

    /// A header that is a string, or nothing.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        match self.properties.headers().as_ref()?.inner().get(name)? {
            AMQPValue::LongString(value) => Some(value.to_string()),
            AMQPValue::ShortString(value) => Some(value.to_string()),
            _ => None,
        }
    }
}

#[derive(Debug, Default)]
struct Inbox {
    messages: Mutex<Vec<Message>>,
    news: Notify,
}

/// Collects the messages of one queue from its start on.
#[derive(Debug, Clone)]
pub struct Listener {
    queue: String,
    inbox: Arc<Inbox>,
    // Keeps the connection, and with it the exclusive queue, alive.
    _connection: Arc<Connection>,
}

impl Listener {
    /// Collects what `exchange` routes by `pattern` (a topic pattern such as `#`).
    ///
    /// # Errors
    /// When the exchange is not there.
    pub async fn on(amqp_url: &str, exchange: &str, pattern: &str) -> Result<Self> {
        Self::on_all(amqp_url, &[(exchange, pattern)]).await
    }

    /// Collects what each of these exchanges routes by its pattern.
    ///
    /// # Errors
    /// When one is not there.
    pub async fn on_all(amqp_url: &str, bindings: &[(&str, &str)]) -> Result<Self> {
        let (connection, channel) = connect(amqp_url).await?;
        let queue = channel
            .queue_declare("".into(), QueueDeclareOptions::exclusive(), FieldTable::default())
            .await?;
        let name = queue.name().to_string();
        for (exchange, pattern) in bindings {
            channel
                .queue_bind(
                    name.as_str().into(),
                    (*exchange).into(),
                    (*pattern).into(),
                    QueueBindOptions::default(),
                    FieldTable::default(),
                )
                .await
                .with_context(|| format!("binding to {exchange}"))?;
        }
        Self::consume(Arc::new(connection), &channel, &name, false).await
    }

    /// Collects what comes to the queue `name`, which must be there.
    ///
    /// # Errors
    /// When it is not.
    pub async fn on_queue(amqp_url: &str, name: &str) -> Result<Self> {
        let (connection, channel) = connect(amqp_url).await?;
        Self::consume(Arc::new(connection), &channel, name, false).await
    }

    pub(super) async fn consume(
        connection: Arc<Connection>,
        channel: &Channel,
        queue: &str,
        no_ack: bool,
    ) -> Result<Self> {
        let options = BasicConsumeOptions { no_ack, ..BasicConsumeOptions::default() };
        let mut consumer =
            channel.basic_consume(queue.into(), "".into(), options, FieldTable::default()).await?;
        let inbox = Arc::new(Inbox::default());
        let collected = Arc::clone(&inbox);
        tokio::spawn(async move {
            while let Some(Ok(delivery)) = consumer.next().await {
                if !no_ack && delivery.ack(BasicAckOptions::default()).await.is_err() {
                    break;
                }
                let message = Message {
                    exchange: delivery.exchange.to_string(),
                    routing_key: delivery.routing_key.to_string(),
                    properties: delivery.properties.clone(),
                    body: delivery.data.clone(),
                };
                collected.messages.lock().unwrap_or_else(PoisonError::into_inner).push(message);
                collected.news.notify_waiters();
            }
        });
        Ok(Self { queue: queue.to_owned(), inbox, _connection: connection })
    }

    /// The queue's name.
    #[must_use]
    pub fn queue(&self) -> &str {
        &self.queue
    }

    /// Everything so far.
    #[must_use]
    pub fn all(&self) -> Vec<Message> {
        self.inbox.messages.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The first message that `wanted` accepts, waiting for it up to [`MESSAGE_BOUND`].
    ///
    /// # Errors
    /// When none came; the error lists what did come.
    pub async fn wait(&self, what: &str, wanted: impl Fn(&Message) -> bool) -> Result<Message> {
        let found = self.wait_many(what, 1, wanted).await?;
        found.into_iter().next().context("no message")
    }

    /// At least `count` messages that `wanted` accepts.
    ///
    /// # Errors
    /// As [`Listener::wait`].
    pub async fn wait_many(
        &self,
        what: &str,
        count: usize,
        wanted: impl Fn(&Message) -> bool,
    ) -> Result<Vec<Message>> {
        let search = async {
            loop {
                let news = self.inbox.news.notified();
                tokio::pin!(news);
                // Registered before looking, so that nothing can arrive unnoticed in between.
                news.as_mut().enable();
                let found: Vec<Message> = self.all().into_iter().filter(&wanted).collect();
                if found.len() >= count {
                    return found;
                }
                news.await;
            }
        };
        tokio::time::timeout(MESSAGE_BOUND, search).await.map_err(|_| {
            let seen = self.all();
            let bodies: Vec<String> = seen
                .iter()
                .map(|message| {
                    format!("{} {}", message.routing_key, String::from_utf8_lossy(&message.body))
                })
                .collect();
            anyhow!("{what}: not in {MESSAGE_BOUND:?}; what came instead:\n{}", bodies.join("\n"))
        })
    }
}

/// A connection and a channel of it, within a bound.
///
/// # Errors
/// When the broker refuses or does not answer.
pub async fn connect(amqp_url: &str) -> Result<(Connection, Channel)> {
    let properties = ConnectionProperties::default().with_connection_name("queuegram-tests".into());
    let connect = Connection::connect(amqp_url, properties);
    let connection = tokio::time::timeout(Duration::from_secs(30), connect)
        .await
        .context("the broker did not answer")??;
    let channel = connection.create_channel().await?;
    Ok((connection, channel))
}
