//! The probe: a message for an instance that can't exist. If the broker returns it, commands that
//! it can't route would vanish, because the alternate exchange's policy is missing or overridden.

use proto::Names;

use crate::bus::Bus;
use crate::delivery::Delivery;
use crate::error::BusError;
use crate::publisher::{OutMessage, Published};

/// The AMQP `type` of a probe. Whoever reads the unrouted queues acknowledges such a message and
/// does nothing else.
pub const PROBE_TYPE: &str = "queuegram.probe";

/// An instance id never begins with an underscore.
const PROBE_KEY: &str = "_probe.command.probe";
const PROBE_CONTROL_KEY: &str = "_probe.account.probe";

/// What became of the probes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    /// A command for an unknown instance is kept for an answer.
    pub commands_kept: bool,
    /// So is an order for an instance that nobody owns.
    pub orders_kept: bool,
}

impl Probe {
    /// True if nothing would vanish.
    #[must_use]
    pub fn passed(self) -> bool {
        self.commands_kept && self.orders_kept
    }
}

/// True for a message sent by [`Bus::probe`].
#[must_use]
pub fn is_probe(delivery: &Delivery) -> bool {
    delivery.properties.kind.as_deref() == Some(PROBE_TYPE)
        && [PROBE_KEY, PROBE_CONTROL_KEY].contains(&delivery.routing_key.as_str())
}

impl Bus {
    /// Sends a probe to the commands exchange and one to the control exchange.
    ///
    /// # Errors
    /// Whatever publishing says; [`BusError::Refused`] 404 where an exchange is missing.
    pub async fn probe(&self) -> Result<Probe, BusError> {
        let names: &Names = self.names();
        Ok(Probe {
            commands_kept: self.send_probe(names.commands(), PROBE_KEY).await?,
            orders_kept: self.send_probe(names.control(), PROBE_CONTROL_KEY).await?,
        })
    }

    async fn send_probe(&self, exchange: String, key: &str) -> Result<bool, BusError> {
        let mut message = OutMessage::json(exchange, key, b"{}".to_vec()).mandatory();
        message.persistent = false;
        message.properties.kind = Some(PROBE_TYPE.to_owned());
        message.properties.message_id = Some(uuid::Uuid::now_v7().to_string());
        match self.publisher().publish(message).await? {
            Published::Confirmed => Ok(true),
            Published::Returned { .. } => Ok(false),
        }
    }
}
