//! Publishes one instance's commands in their order, each confirmed before the next one is sent. A
//! publication that was not confirmed is sent again, with the same id and correlation: it may be there
//! twice, which is what idempotency is for.

use std::time::Duration;

use anyhow::{Result, bail, ensure};
use chrono::{SecondsFormat, Utc};
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::{BasicProperties, Channel, Confirmation, Connection};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

use super::command::{Deadline, Planned};
use super::ears::REPLIES;
use super::history::Sent;
use crate::stage::listener::connect;

/// How long one publication may take before it is sent again.
const CONFIRM_BOUND: Duration = Duration::from_secs(6);
const PAUSE: Duration = Duration::from_millis(150);
/// How long a command is published again and again before the run is given up.
const GIVE_UP: Duration = Duration::from_secs(180);

/// A publisher straight to the broker; it connects anew whenever it must.
pub struct Voice {
    amqp_url: String,
    line: Option<(Connection, Channel)>,
    began: Instant,
}

impl Voice {
    /// One that speaks to this vhost; times in its records count from `began`.
    #[must_use]
    pub fn new(amqp_url: &str, began: Instant) -> Self {
        Self { amqp_url: amqp_url.to_owned(), line: None, began }
    }

    /// Publishes a plan, with its pauses.
    ///
    /// # Errors
    /// When the broker does not confirm a command for minutes.
    pub async fn speak(mut self, plan: Vec<Planned>) -> Result<Vec<Sent>> {
        let mut sent = Vec::new();
        for (number, planned) in plan.into_iter().enumerate() {
            tokio::time::sleep(planned.pause).await;
            let correlation = format!("{}#{number}", planned.id);
            let cancel = planned.cancel;
            let (instance, id) = (planned.instance.clone(), planned.id.clone());
            sent.push(self.say(planned, correlation).await?);
            if cancel {
                self.cancel(&instance, &id).await?;
            }
        }
        Ok(sent)
    }

    async fn say(&mut self, planned: Planned, correlation: String) -> Result<Sent> {
        let at = self.began.elapsed();
        let key = format!("{}.{}", planned.instance, planned.method);
        let deadline = match planned.deadline {
            Deadline::Body(time) => {
                Some((Utc::now() + time).to_rfc3339_opts(SecondsFormat::Millis, true))
            }
            _ => None,
        };
        let body = planned.body(&correlation, deadline);
        let mut properties = properties().with_reply_to(REPLIES.into());
        if let Deadline::Expiration(time) = planned.deadline {
            properties = properties.with_expiration(time.as_millis().max(1).to_string().into());
        }
        let tries = self.insist("tg.commands", &key, properties, &body).await?;
        Ok(Sent { planned, correlation, at, tries })
    }

    /// Asks for a command's cancellation. Nobody waits for the answer: it may come too late.
    async fn cancel(&mut self, instance: &str, id: &str) -> Result<()> {
        let body = json!({
            "id": format!("cancel:{id}"), "method": "command.cancel", "instance": instance,
            "params": { "id": id },
        });
        let key = format!("{instance}.command.cancel");
        self.insist("tg.control", &key, properties(), &body).await.map(|_| ())
    }

    /// Publishes until the broker confirms; how often that took.
    async fn insist(
        &mut self,
        exchange: &str,
        key: &str,
        properties: BasicProperties,
        body: &Value,
    ) -> Result<u32> {
        let (body, began) = (serde_json::to_vec(body)?, Instant::now());
        let mut tries = 0;
        loop {
            tries += 1;
            match self.publish(exchange, key, properties.clone(), &body).await {
                Ok(()) => return Ok(tries),
                Err(error) => {
                    self.line = None;
                    ensure!(began.elapsed() < GIVE_UP, "{key} was never confirmed: {error:#}");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    async fn publish(
        &mut self,
        exchange: &str,
        key: &str,
        properties: BasicProperties,
        body: &[u8],
    ) -> Result<()> {
        if self.line.is_none() {
            let (connection, channel) = timeout(CONFIRM_BOUND, connect(&self.amqp_url)).await??;
            channel.confirm_select(ConfirmSelectOptions::default()).await?;
            self.line = Some((connection, channel));
        }
        let Some((_, channel)) = &self.line else { bail!("no channel") };
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let publish = async {
            channel
                .basic_publish(exchange.into(), key.into(), options, body, properties)
                .await?
                .await
        };
        match timeout(CONFIRM_BOUND, publish).await?? {
            Confirmation::Ack(None) => Ok(()),
            other => bail!("the broker did not take {key}: {other:?}"),
        }
    }
}

fn properties() -> BasicProperties {
    BasicProperties::default()
        .with_content_type("application/json".into())
        .with_delivery_mode(2)
        .with_timestamp(Utc::now().timestamp().unsigned_abs())
}
