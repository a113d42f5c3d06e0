//! What a test stands on: a vhost with our topology applied, and buses on it.

use std::time::Duration;

use anyhow::Result;
use proto::InstanceId;
use queuegram_bus::{
    AmqpConfig, Bus, Consumption, Delivery, Management, OutMessage, Published, QueueKind, Topology,
};
use queuegram_tests::stage::{patience, shared, vhost::Vhost};

/// Longest wait for anything that should happen at once.
pub const SOON: Duration = Duration::from_secs(20);

/// A vhost and how to reach it.
pub struct Ground {
    pub vhost: Vhost,
    pub config: AmqpConfig,
}

impl Ground {
    /// A vhost with nothing in it.
    pub async fn bare(label: &str) -> Result<Self> {
        let vhost = Vhost::new(shared::servers().await?, label).await?;
        let config = AmqpConfig {
            url: vhost.amqp_url.parse().map_err(anyhow::Error::msg)?,
            management_url: Some(vhost.management_url.parse().map_err(anyhow::Error::msg)?),
            ..AmqpConfig::default()
        };
        Ok(Self { vhost, config })
    }

    /// A vhost with our topology.
    pub async fn new(label: &str) -> Result<Self> {
        Self::with_kind(label, QueueKind::Quorum).await
    }

    /// The same with queues of one kind.
    pub async fn with_kind(label: &str, kind: QueueKind) -> Result<Self> {
        let mut ground = Self::bare(label).await?;
        ground.config.queue_kind = kind;
        ground.topology().await?.apply(&ground.management()?).await?;
        Ok(ground)
    }

    pub async fn bus(&self, name: &str) -> Result<Bus> {
        Ok(Bus::connect(&self.config, name).await?)
    }

    pub fn management(&self) -> Result<Management> {
        Ok(Management::new(&self.config)?)
    }

    pub async fn topology(&self) -> Result<Topology> {
        let version = self.management()?.version().await?;
        let names = proto::Names::new(&self.config.prefix)?;
        Ok(Topology::describe(&names, self.config.queue_kind, version))
    }

    /// `DELETE /api/<path>`, where `{vhost}` stands for this one.
    pub async fn delete(&self, path: &str) -> Result<()> {
        let path = path.replace("{vhost}", &self.vhost.name);
        let url = format!("{}/api/{path}", self.vhost.management_url.trim_end_matches('/'));
        let answer = reqwest::Client::new().delete(url).timeout(SOON).send().await?;
        anyhow::ensure!(answer.status().is_success(), "DELETE {path}: {}", answer.status());
        Ok(())
    }

    /// Ends, from the broker's side, every connection whose name begins so.
    pub async fn kill_connections(&self, name: &str) -> Result<()> {
        // The broker's statistics are a few seconds late, hence the looking.
        patience::until("the connection shows in the management API", SOON, || async {
            let path = "vhosts/{vhost}/connections?columns=name,client_properties.connection_name";
            let all = self.vhost.get(path).await?;
            let mut killed = 0;
            for connection in all.as_array().into_iter().flatten() {
                let given = connection["client_properties"]["connection_name"].as_str();
                if given.is_some_and(|given| given.starts_with(name)) {
                    let id = connection["name"].as_str().unwrap_or_default();
                    self.delete(&format!("connections/{}", id.replace(' ', "%20"))).await?;
                    killed += 1;
                }
            }
            Ok((killed > 0).then_some(()))
        })
        .await
    }
}

pub fn instance(id: &str) -> InstanceId {
    id.parse().unwrap()
}

/// A small JSON message whose body tells which one it is.
pub fn numbered(exchange: &str, key: &str, n: usize) -> OutMessage {
    let mut message = OutMessage::json(exchange, key, n.to_string().into_bytes());
    message.properties.message_id = Some(format!("m-{n}"));
    message
}

pub async fn publish(bus: &Bus, message: OutMessage) -> Result<()> {
    let published = bus.publisher().publish(message.mandatory()).await?;
    anyhow::ensure!(published == Published::Confirmed, "{published:?}");
    Ok(())
}

/// The next delivery, within a bound.
pub async fn next(consumption: &mut Consumption) -> Result<Delivery> {
    Ok(tokio::time::timeout(SOON, consumption.next()).await??)
}

pub fn text(delivery: &Delivery) -> String {
    String::from_utf8(delivery.body.clone()).unwrap()
}

/// Waits until a queue holds this many messages that are ready.
pub async fn until_ready(bus: &Bus, queue: &str, ready: u32) -> Result<()> {
    patience::until(&format!("{queue} holds {ready}"), SOON, || async {
        let depth = bus.queue_depth(queue).await?;
        Ok(depth.is_some_and(|depth| depth.ready == ready).then_some(()))
    })
    .await
}
