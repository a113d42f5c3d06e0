//! The connection to the broker, as every command of this program opens it.

use bus::{Bus, OutMessage, Published};
use proto::Properties;

use crate::{exit::Failure, order::myself, settings::Settings};

/// What the management UI shows as the connections' name.
const NAME: &str = "queuegram command line";

/// Connects, or says why not.
pub async fn connect(settings: &Settings) -> Result<Bus, Failure> {
    Ok(Bus::connect(&settings.amqp, NAME).await?)
}

/// A question to be published: where to, what, and under which id the answer will come back.
pub struct Question {
    /// The exchange.
    pub exchange: String,
    /// The routing key, `<instance>.<method>`.
    pub routing_key: String,
    /// The message's id, which is also its correlation id.
    pub id: String,
    /// The AMQP `type`: the method.
    pub method: String,
    /// Where the answer goes; none where nobody waits.
    pub reply_to: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

/// Publishes a question and makes sure that some queue has it.
pub async fn publish(bus: &Bus, question: Question) -> Result<(), Failure> {
    let what = format!("{} ({})", question.method, question.routing_key);
    let mut message = OutMessage::json(question.exchange, question.routing_key, question.body);
    message.mandatory = true;
    message.properties = Properties {
        content_type: Some(String::from("application/json")),
        message_id: Some(question.id.clone()),
        correlation_id: Some(question.id),
        reply_to: question.reply_to,
        kind: Some(question.method),
        timestamp: u64::try_from(chrono::Utc::now().timestamp()).ok(),
        app_id: Some(String::from("queuegram-ctl")),
        ..Properties::default()
    };
    // For the audit log. Only the broker's own user is vouched for.
    message.headers.extend(myself().map(|by| (String::from("x-queuegram-by"), by)));
    match bus.publisher().publish(message).await? {
        Published::Confirmed => Ok(()),
        Published::Returned { code, text } => {
            Err(Failure::Unrouted { what, reason: format!("{code} {text}") })
        }
    }
}
