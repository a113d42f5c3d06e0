//! One AMQP client that has thousands of questions open at once.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use futures_util::StreamExt as _;
use lapin::options::{
    BasicConsumeOptions, BasicPublishOptions, ConfirmSelectOptions, QueueBindOptions,
    QueueDeclareOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::time::timeout;

/// Longest wait for any answer; a takeover takes its time.
const BOUND: Duration = Duration::from_secs(180);

type Waiting = Arc<Mutex<HashMap<String, oneshot::Sender<Value>>>>;

/// Sends orders and commands, and knows who waits for which answer.
#[derive(Debug, Clone)]
pub struct Desk {
    channel: Channel,
    reply_to: String,
    waiting: Waiting,
    next: Arc<AtomicU64>,
    _connection: Arc<Connection>,
}

impl Desk {
    /// A client whose one queue gets the replies and the events that ask for a login code.
    ///
    /// # Errors
    /// When the broker refuses.
    pub async fn open(amqp_url: &str) -> Result<Self> {
        let connection = Connection::connect(amqp_url, ConnectionProperties::default()).await?;
        let channel = connection.create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        let exclusive = QueueDeclareOptions::exclusive();
        let queue = channel.queue_declare("".into(), exclusive, FieldTable::default()).await?;
        let name = queue.name().clone();
        let (key, options) = ("*.account.login.code_needed", QueueBindOptions::default());
        let table = FieldTable::default();
        channel.queue_bind(name.clone(), "tg.events".into(), key.into(), options, table).await?;
        let options = BasicConsumeOptions { no_ack: true, ..BasicConsumeOptions::default() };
        let table = FieldTable::default();
        let mut consumer = channel.basic_consume(name.clone(), "".into(), options, table).await?;
        let waiting = Waiting::default();
        let desk = Self {
            channel,
            reply_to: name.to_string(),
            waiting: waiting.clone(),
            next: Arc::default(),
            _connection: Arc::new(connection),
        };
        tokio::spawn(async move {
            while let Some(Ok(delivery)) = consumer.next().await {
                let Ok(body) = serde_json::from_slice::<Value>(&delivery.data) else { continue };
                let instance = body["instance"].as_str().unwrap_or_default();
                let name = match body["id"].as_str() {
                    Some(id) => id.to_owned(),
                    None => code_of(instance),
                };
                let asker = lock(&waiting).remove(&name);
                if let Some(asker) = asker {
                    let _gone = asker.send(body);
                }
            }
        });
        Ok(desk)
    }

    /// An order on `tg.control`; its answer must be `done`.
    ///
    /// # Errors
    /// When it is not, or none comes.
    pub async fn order(&self, instance: &str, method: &str, params: Value) -> Result<Value> {
        let answer = self.ask("tg.control", instance, method, params).await?;
        ensure!(answer["status"] == "done", "{method} of {instance}: {answer}");
        Ok(answer)
    }

    /// A command; its answer must be `done`.
    ///
    /// # Errors
    /// When it is not, or none comes.
    pub async fn command(&self, instance: &str, method: &str, params: Value) -> Result<Value> {
        let answer = self.ask("tg.commands", instance, method, params).await?;
        ensure!(answer["status"] == "done", "{method} of {instance}: {answer}");
        Ok(answer)
    }

    /// Waits for the event that asks for an instance's login code; to be called before it can come.
    pub fn code_needed(&self, instance: &str) -> impl Future<Output = Result<Value>> + use<> {
        let coming = self.expect(code_of(instance));
        let what = format!("the question for the code of {instance}");
        async move { timeout(BOUND, coming).await.context(what.clone())?.context(what) }
    }

    async fn ask(
        &self,
        exchange: &str,
        instance: &str,
        method: &str,
        params: Value,
    ) -> Result<Value> {
        let id = format!("desk-{}", self.next.fetch_add(1, Ordering::Relaxed));
        let coming = self.expect(id.clone());
        let body = json!({ "id": id, "method": method, "instance": instance, "params": params });
        let properties = BasicProperties::default()
            .with_content_type("application/json".into())
            .with_reply_to(self.reply_to.as_str().into());
        let key = format!("{instance}.{method}");
        let body = serde_json::to_vec(&body)?;
        let options = BasicPublishOptions::default();
        self.channel
            .basic_publish(exchange.into(), key.as_str().into(), options, &body, properties)
            .await?
            .await?;
        let what = format!("the answer to {method} of {instance}");
        timeout(BOUND, coming).await.context(what.clone())?.context(what)
    }

    fn expect(&self, name: String) -> oneshot::Receiver<Value> {
        let (asker, coming) = oneshot::channel();
        lock(&self.waiting).insert(name, asker);
        coming
    }
}

fn code_of(instance: &str) -> String {
    format!("code of {instance}")
}

fn lock(waiting: &Waiting) -> std::sync::MutexGuard<'_, HashMap<String, oneshot::Sender<Value>>> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}
