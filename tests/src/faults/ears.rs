//! Hears every answer: a durable queue bound to all of `tg.results`, and the durable queue that commands
//! name in `reply_to`. Read all the time; after a broken connection, read on.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use futures_util::StreamExt as _;
use lapin::options::{BasicAckOptions, BasicConsumeOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use tokio::task::AbortHandle;

use super::history::{Told, Via};
use crate::stage::listener::connect;

/// The queue that every command names in `reply_to`.
pub const REPLIES: &str = "matrix.replies";
const RESULTS: &str = "matrix.results";
const PAUSE: Duration = Duration::from_millis(150);

/// Listens until dropped.
#[derive(Debug)]
pub struct Ears {
    heard: Arc<Mutex<Vec<Told>>>,
    tasks: Vec<AbortHandle>,
}

impl Ears {
    /// Makes the queues and begins to listen.
    ///
    /// # Errors
    /// When the broker refuses.
    pub async fn open(amqp_url: &str) -> Result<Self> {
        let (_connection, channel) = connect(amqp_url).await?;
        for queue in [REPLIES, RESULTS] {
            let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
            channel.queue_declare(queue.into(), durable, FieldTable::default()).await?;
        }
        let (options, table) = (QueueBindOptions::default(), FieldTable::default());
        channel.queue_bind(RESULTS.into(), "tg.results".into(), "#".into(), options, table).await?;
        let heard = Arc::new(Mutex::new(Vec::new()));
        let tasks = [(REPLIES, Via::Reply), (RESULTS, Via::Results)].map(|(queue, via)| {
            tokio::spawn(listen(amqp_url.to_owned(), queue, via, heard.clone())).abort_handle()
        });
        Ok(Self { heard, tasks: tasks.into() })
    }

    /// Everything so far.
    #[must_use]
    pub fn heard(&self) -> Vec<Told> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Ears {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

async fn listen(amqp_url: String, queue: &str, via: Via, heard: Arc<Mutex<Vec<Told>>>) {
    loop {
        // A connection that ends is no matter here: what was not acknowledged comes again, and the same
        // message heard twice is still one distinct message.
        let _ended = listen_once(&amqp_url, queue, via, &heard).await;
        tokio::time::sleep(PAUSE).await;
    }
}

async fn listen_once(
    amqp_url: &str,
    queue: &str,
    via: Via,
    heard: &Mutex<Vec<Told>>,
) -> Result<()> {
    let (_connection, channel) = connect(amqp_url).await?;
    let (options, table) = (BasicConsumeOptions::default(), FieldTable::default());
    let mut consumer = channel.basic_consume(queue.into(), "".into(), options, table).await?;
    while let Some(delivery) = consumer.next().await {
        let delivery = delivery?;
        let told = Told::read(via, &delivery.properties, &delivery.data);
        heard.lock().unwrap_or_else(PoisonError::into_inner).push(told);
        delivery.ack(BasicAckOptions::default()).await?;
    }
    Ok(())
}
