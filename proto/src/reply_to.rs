//! Where an answer goes: a queue of the caller's, or a routing key on the exchange for replies.
//! What a caller may name is checked here and only here, since a worker that publishes wherever
//! it is told to would lend its own rights to anybody who can send a command.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::fault::{Fault, code};
use crate::ids::quoted;
use crate::names::Names;

/// The pseudo-queue of direct reply-to; on the wire it carries a token of the broker's behind it.
/// See <https://www.rabbitmq.com/docs/direct-reply-to>.
const DIRECT: &str = "amq.rabbitmq.reply-to";
/// AMQP 0-9-1 short strings, and so names and routing keys, end here.
const SHORT_STRING_BYTES_MAX: usize = 255;

/// Where an answer goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ReplyTo {
    /// A queue, published to over the default exchange; direct reply-to is one of these.
    Queue(String),
    /// A routing key on an exchange.
    Topic(TopicReply),
}

/// A routing key on the exchange for replies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TopicReply {
    /// Always the exchange for replies, `tg.replies`.
    pub exchange: String,
    /// The key that the caller's own queue is bound with.
    pub routing_key: String,
}

impl ReplyTo {
    /// The `reply_to` property: always a queue. An empty one counts as none.
    ///
    /// # Errors
    /// A queue that replies must not go to.
    pub fn from_property(queue: &str, names: &Names) -> Result<Option<Self>, Fault> {
        if queue.is_empty() {
            return Ok(None);
        }
        allowed_queue(queue, names).map(Some)
    }

    /// The body's `reply_to`: a queue, or an exchange and a routing key.
    ///
    /// # Errors
    /// Another form, or a place that replies must not go to.
    pub fn from_body(value: &Value, names: &Names) -> Result<Option<Self>, Fault> {
        match value {
            Value::Null => Ok(None),
            Value::String(queue) if queue.is_empty() => Ok(None),
            Value::String(queue) if queue == DIRECT => Err(invalid(format!(
                "`{DIRECT}` works only as the AMQP property, where the broker adds a token to it"
            ))),
            Value::String(queue) => allowed_queue(queue, names).map(Some),
            Value::Object(fields) => allowed_topic(fields, names).map(Some),
            _ => Err(invalid(EXPECTED.to_owned())),
        }
    }

    /// Whether an operator's list of allowed queues lets it be; an empty list allows any. An entry
    /// that ends in `*` stands for every queue that begins so. Direct reply-to reaches only the
    /// connection that sent the command, and the exchange for replies is the broker's to guard.
    #[must_use]
    pub fn is_listed(&self, queues: &[String]) -> bool {
        let Self::Queue(queue) = self else { return true };
        queues.is_empty()
            || queue.starts_with(DIRECT)
            || queues.iter().any(|entry| match entry.strip_suffix('*') {
                Some(beginning) => queue.starts_with(beginning),
                None => queue == entry,
            })
    }

    /// Whether it is a direct reply-to: a place that lives as long as the asker's channel.
    #[must_use]
    pub fn is_direct(&self) -> bool {
        matches!(self, Self::Queue(queue) if queue.starts_with(DIRECT))
    }

    /// The exchange to publish to; empty for the default one.
    #[must_use]
    pub fn exchange(&self) -> &str {
        match self {
            Self::Queue(_) => "",
            Self::Topic(topic) => &topic.exchange,
        }
    }

    /// The routing key to publish with.
    #[must_use]
    pub fn routing_key(&self) -> &str {
        match self {
            Self::Queue(queue) => queue,
            Self::Topic(topic) => &topic.routing_key,
        }
    }
}

const EXPECTED: &str = "`reply_to` is the name of a queue, or {\"exchange\",\"routing_key\"}";

fn allowed_queue(queue: &str, names: &Names) -> Result<ReplyTo, Fault> {
    check_short_string("reply_to", queue)?;
    if names.is_own(queue) {
        return Err(Fault::forbidden_reply(format!(
            "`reply_to` must not name {}, one of Queuegram's own queues",
            quoted(queue)
        )));
    }
    Ok(ReplyTo::Queue(queue.to_owned()))
}

fn allowed_topic(fields: &Map<String, Value>, names: &Names) -> Result<ReplyTo, Fault> {
    if let Some(other) = fields.keys().find(|k| !matches!(k.as_str(), "exchange" | "routing_key")) {
        return Err(invalid(format!("`reply_to` has no field {}", quoted(other))));
    }
    let text = |name: &str| match fields.get(name) {
        Some(Value::String(text)) if !text.is_empty() => Ok(text.clone()),
        _ => Err(invalid(format!("`reply_to.{name}` is missing or no text"))),
    };
    let (exchange, routing_key) = (text("exchange")?, text("routing_key")?);
    check_short_string("reply_to.routing_key", &routing_key)?;
    if exchange != names.replies() {
        return Err(Fault::forbidden_reply(format!(
            "replies go to the exchange `{}` only; got {}",
            names.replies(),
            quoted(&exchange)
        )));
    }
    Ok(ReplyTo::Topic(TopicReply { exchange, routing_key }))
}

fn check_short_string(field: &str, text: &str) -> Result<(), Fault> {
    if text.len() > SHORT_STRING_BYTES_MAX {
        return Err(invalid(format!(
            "`{field}` has at most {SHORT_STRING_BYTES_MAX} bytes; got {}",
            text.len()
        )));
    }
    if text.chars().any(char::is_control) {
        return Err(invalid(format!("`{field}` has no control characters")));
    }
    Ok(())
}

fn invalid(message: String) -> Fault {
    Fault::invalid(code::REPLY_TO_INVALID, message)
}

impl Fault {
    fn forbidden_reply(message: String) -> Self {
        Self::invalid(code::REPLY_TO_FORBIDDEN, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn body(value: &Value) -> Result<Option<ReplyTo>, String> {
        ReplyTo::from_body(value, &Names::default()).map_err(|fault| fault.code)
    }

    #[test]
    fn a_queue_or_a_key_on_the_reply_exchange() {
        assert_eq!(body(&json!("crm.q")), Ok(Some(ReplyTo::Queue("crm.q".into()))));
        let topic = body(&json!({"exchange":"tg.replies","routing_key":"crm.deal"}));
        let topic = topic.unwrap().unwrap();
        assert_eq!((topic.exchange(), topic.routing_key()), ("tg.replies", "crm.deal"));
        assert_eq!((body(&json!(null)), body(&json!(""))), (Ok(None), Ok(None)));
    }

    #[test]
    fn direct_reply_to_comes_as_a_property_with_its_token() {
        let token = "amq.rabbitmq.reply-to.g1h2AA==.x";
        let names = Names::default();
        assert_eq!(
            ReplyTo::from_property(token, &names).unwrap(),
            Some(ReplyTo::Queue(token.into()))
        );
        assert_eq!(body(&json!(DIRECT)), Err(code::REPLY_TO_INVALID.into()));
        assert_eq!(ReplyTo::from_property("", &names).unwrap(), None);
    }

    #[test]
    fn an_operators_list_bounds_the_queues() {
        let list = ["crm.*".to_owned(), "erp".to_owned()];
        let listed = |queue: &str| ReplyTo::Queue(queue.to_owned()).is_listed(&list);
        assert!(listed("crm.deals") && listed("erp") && listed("amq.rabbitmq.reply-to.token"));
        assert!(!listed("erp.x") && !listed("other"));
        assert!(ReplyTo::Queue("other".to_owned()).is_listed(&[]));
    }

    #[test]
    fn places_that_replies_must_not_go_to() {
        for (value, expected) in [
            (json!("tg.commands.acme"), code::REPLY_TO_FORBIDDEN),
            (json!("tg.dead"), code::REPLY_TO_FORBIDDEN),
            (json!({"exchange":"tg.commands","routing_key":"a.b"}), code::REPLY_TO_FORBIDDEN),
            (json!({"exchange":"","routing_key":"q"}), code::REPLY_TO_INVALID),
            (json!({"exchange":"tg.replies"}), code::REPLY_TO_INVALID),
            (json!({"exchange":"tg.replies","routing_key":"a","x":1}), code::REPLY_TO_INVALID),
            (json!(["q"]), code::REPLY_TO_INVALID),
            (json!("q".repeat(256)), code::REPLY_TO_INVALID),
            (json!("a\u{0}b"), code::REPLY_TO_INVALID),
        ] {
            assert_eq!(body(&value), Err(expected.into()), "{value}");
        }
    }
}
