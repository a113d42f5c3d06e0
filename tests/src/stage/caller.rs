//! An ordinary AMQP client: publishes commands with confirms, reads replies from its own queue.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Confirmation, Connection};
use serde_json::{Value, json};

pub use super::listener::Message;
use super::listener::{Listener, connect};

const PUBLISH_BOUND: Duration = Duration::from_secs(30);
const DIRECT_REPLY_TO: &str = "amq.rabbitmq.reply-to";

/// A client with one connection and one place for replies.
#[derive(Debug)]
pub struct Caller {
    channel: Channel,
    replies: Listener,
    connection: Arc<Connection>,
}

/// A queue at one moment; the management API tells the same, but seconds later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueLook {
    /// Messages that nobody has been given.
    pub ready: u32,
    /// Consumers, active or waiting.
    pub consumers: u32,
}

impl Caller {
    /// One whose replies come to an exclusive queue.
    ///
    /// # Errors
    /// When the broker refuses.
    pub async fn connect(amqp_url: &str) -> Result<Self> {
        let (connection, channel) = connect(amqp_url).await?;
        let queue = channel
            .queue_declare("".into(), QueueDeclareOptions::exclusive(), FieldTable::default())
            .await?;
        let name = queue.name().to_string();
        Self::with_replies(connection, channel, &name, false).await
    }

    /// One whose replies come by RabbitMQ's direct reply-to.
    ///
    /// # Errors
    /// When the broker refuses.
    pub async fn connect_direct(amqp_url: &str) -> Result<Self> {
        let (connection, channel) = connect(amqp_url).await?;
        Self::with_replies(connection, channel, DIRECT_REPLY_TO, true).await
    }

    async fn with_replies(
        connection: Connection,
        channel: Channel,
        queue: &str,
        no_ack: bool,
    ) -> Result<Self> {
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        let connection = Arc::new(connection);
        let replies = Listener::consume(Arc::clone(&connection), &channel, queue, no_ack).await?;
        Ok(Self { channel, replies, connection })
    }

    /// What to put in `reply_to`.
    #[must_use]
    pub fn reply_to(&self) -> &str {
        self.replies.queue()
    }

    /// Every reply so far, and waiting for more.
    #[must_use]
    pub fn replies(&self) -> &Listener {
        &self.replies
    }

    /// Publishes one message and waits for the broker's confirm.
    ///
    /// # Errors
    /// When it is not confirmed, or no queue takes it.
    pub async fn publish(
        &self,
        exchange: &str,
        routing_key: &str,
        properties: BasicProperties,
        body: &[u8],
    ) -> Result<()> {
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let publish = async {
            self.channel
                .basic_publish(exchange.into(), routing_key.into(), options, body, properties)
                .await?
                .await
        };
        let confirmation = tokio::time::timeout(PUBLISH_BOUND, publish)
            .await
            .context("no confirm from the broker")??;
        match confirmation {
            Confirmation::Ack(None) => Ok(()),
            Confirmation::Ack(Some(_)) => bail!("no queue takes {exchange} {routing_key}"),
            other => bail!("the broker did not take the message: {other:?}"),
        }
    }

    /// Publishes a command in the plainest style: all in the body but `reply_to`.
    ///
    /// # Errors
    /// As [`Caller::publish`].
    pub async fn send(&self, instance: &str, id: &str, method: &str, params: &Value) -> Result<()> {
        let body = json!({ "id": id, "method": method, "instance": instance, "params": params });
        self.send_body(instance, method, &body).await
    }

    /// Publishes a ready body to the instance's key, asking for a reply.
    ///
    /// # Errors
    /// As [`Caller::publish`].
    pub async fn send_body(&self, instance: &str, method: &str, body: &Value) -> Result<()> {
        let key = format!("{instance}.{method}");
        let body = serde_json::to_vec(body)?;
        self.publish("tg.commands", &key, self.properties(), &body).await
    }

    /// Properties that ask for a reply here, and nothing else.
    #[must_use]
    pub fn properties(&self) -> BasicProperties {
        BasicProperties::default()
            .with_content_type("application/json".into())
            .with_reply_to(self.reply_to().into())
    }

    /// The reply whose body says `id`.
    ///
    /// # Errors
    /// When none comes.
    pub async fn reply(&self, id: &str) -> Result<Message> {
        let what = format!("the reply to {id}");
        self.replies.wait(&what, |message| message.json()["id"] == id).await
    }

    /// Sends a command and gives its reply's body.
    ///
    /// # Errors
    /// When it can't be sent or no reply comes.
    pub async fn call(
        &self,
        instance: &str,
        id: &str,
        method: &str,
        params: Value,
    ) -> Result<Value> {
        self.send(instance, id, method, &params).await?;
        let reply = self.reply(id).await?;
        ensure!(
            reply
                .properties
                .content_type()
                .as_ref()
                .is_some_and(|t| t.as_str() == "application/json")
        );
        Ok(reply.json())
    }

    /// Sends an `account.*` or `command.*` order on `tg.control` and gives the final answer's body.
    ///
    /// # Errors
    /// When it can't be sent or no answer comes.
    pub async fn control(
        &self,
        instance: &str,
        id: &str,
        method: &str,
        params: Value,
    ) -> Result<Value> {
        let body = json!({ "id": id, "method": method, "instance": instance, "params": params });
        let key = format!("{instance}.{method}");
        let body = serde_json::to_vec(&body)?;
        self.publish("tg.control", &key, self.properties(), &body).await?;
        Ok(self.reply(id).await?.json())
    }

    /// What a queue holds at this moment.
    ///
    /// # Errors
    /// When there is no such queue.
    pub async fn look(&self, queue: &str) -> Result<QueueLook> {
        // A channel of its own: the broker closes it where there is no such queue.
        let channel = self.channel().await?;
        let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        let found = channel.queue_declare(queue.into(), options, FieldTable::default()).await?;
        let look = QueueLook { ready: found.message_count(), consumers: found.consumer_count() };
        channel.close(200, "looked".into()).await?;
        Ok(look)
    }

    /// A new channel of the same connection.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn channel(&self) -> Result<Channel> {
        Ok(self.connection.create_channel().await?)
    }
}
