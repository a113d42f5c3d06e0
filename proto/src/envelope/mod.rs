//! Reading a delivery: from bytes and properties to a [`Command`], or to a [`Rejected`] that keeps
//! what could be salvaged, so that one clear error can be answered.
//!
//! The body is the author's, the properties may be a framework's. Every rule of which wins, and
//! of what is an error, is here; nothing in here ever panics, whatever was sent.

mod fields;
mod properties;
mod rejected;
mod route;
mod strict_json;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use crate::command::{ApiKey, Command, Correlation};
use crate::fault::{Fault, code};
use crate::hint::{SLIP_MAX, nearest};
use crate::ids::{CommandId, InstanceId, quoted};
use crate::names::Names;
use crate::reply_to::ReplyTo;

pub use fields::FIELDS;
pub use properties::Properties;
pub use rejected::{Rejected, fingerprint};

use fields::{Envelope, text_field};

/// The most bytes of a body.
pub const BODY_BYTES_MAX: usize = 256 * 1024;
/// Most bytes of an order's body: one can hold all that the vault has of an instance.
pub const ORDER_BYTES_MAX: usize = 4 * 1024 * 1024;
/// The most levels of nesting; the root is the first one.
pub const DEPTH_MAX: usize = 32;
/// How long a command lives where nothing says so: 24 hours.
pub const DEADLINE_DEFAULT_S: u64 = 24 * 60 * 60;

/// What one process knows when it reads deliveries; the same for all of them.
#[derive(Debug, Clone)]
pub struct Rules {
    /// The names on the broker.
    pub names: Names,
    /// The names of the methods that exist here.
    pub methods: Vec<&'static str>,
    /// How long a command lives where nothing says so.
    pub default_deadline_s: u64,
    /// The queues that callers may name in `reply_to`; none listed means any but our own. An entry
    /// that ends in `*` stands for every queue that begins so. Direct reply-to is always allowed.
    pub reply_queues: Vec<String>,
}

impl Rules {
    /// Rules with the contract's defaults.
    #[must_use]
    pub fn new(names: Names, methods: &[&'static str]) -> Self {
        Self {
            names,
            methods: methods.to_vec(),
            default_deadline_s: DEADLINE_DEFAULT_S,
            reply_queues: Vec::new(),
        }
    }
}

/// One delivery, as it came from the broker.
#[derive(Clone, Copy)]
pub struct Incoming<'a> {
    /// The body's bytes.
    pub body: &'a [u8],
    /// The AMQP properties.
    pub properties: &'a Properties,
    /// The exchange that it was published to; empty for the default one.
    pub exchange: &'a str,
    /// The routing key that it was published with.
    pub routing_key: &'a str,
    /// The instance whose queue it was taken from, where it was taken from one.
    pub queue_instance: Option<&'a InstanceId>,
    /// Whether the broker says that it delivered this before.
    pub redelivered: bool,
    /// When it reached us.
    pub received_at: DateTime<Utc>,
    /// What this process knows.
    pub rules: &'a Rules,
}

/// Reads one delivery.
///
/// # Errors
/// What is wrong with it, and all of it that could be read nevertheless.
pub fn decode(incoming: Incoming<'_>) -> Result<Command, Box<Rejected>> {
    read(&incoming).map_err(|fault| Box::new(Rejected::salvage(fault, &incoming)))
}

fn read(incoming: &Incoming<'_>) -> Result<Command, Fault> {
    let Incoming { properties, rules, received_at, .. } = *incoming;
    properties.check_content_type()?;
    let is_order = incoming.exchange == rules.names.control();
    let bytes_max = if is_order { ORDER_BYTES_MAX } else { BODY_BYTES_MAX };
    let body = strict_json::object(incoming.body, bytes_max)?;
    let id = command_id(body.get("id"), properties, &body)?;
    let Envelope { fields, params } = Envelope::split(body)?;
    if text_field(&fields, "callback_url")?.is_some_and(|url| !url.is_empty()) {
        return Err(callbacks_unavailable());
    }
    let instance = route::instance(incoming, &fields)?;
    let method = route::method(incoming, &fields)?;
    Ok(Command {
        id,
        method,
        instance,
        params,
        correlation: Correlation {
            property: properties.correlation_id.clone().filter(|id| !id.is_empty()),
            body: fields::correlation_id(&fields)?,
        },
        reply_to: reply_to(incoming, fields.get("reply_to"))?,
        deadline: properties::deadline(
            text_field(&fields, "deadline")?.as_deref(),
            properties,
            received_at,
            rules.default_deadline_s,
        )?,
        external_ref: fields::external_ref(&fields)?,
        on_flood: fields::on_flood(&fields)?,
        api_key: text_field(&fields, "api_key")?.map(ApiKey::new),
        traceparent: properties.valid_traceparent(),
        received_at,
        redelivered: incoming.redelivered,
        user_id: properties.user_id.clone(),
    })
}

/// The body's id, else the property's: a framework may have set its own `message_id`.
fn command_id(
    body_id: Option<&Value>,
    properties: &Properties,
    body: &Map<String, Value>,
) -> Result<CommandId, Fault> {
    let invalid = |why: String| Fault::malformed(code::ID_INVALID, why);
    let text = match body_id {
        Some(Value::String(id)) => id.as_str(),
        None | Some(Value::Null) => match properties.message_id.as_deref() {
            Some(id) if !id.is_empty() => id,
            _ => return Err(id_missing(body)),
        },
        // A number would lose digits on its way through JavaScript, and two ids become one.
        Some(other) => {
            return Err(invalid(format!("`id` must be a string; got {}", fields::type_of(other))));
        }
    };
    text.parse().map_err(|error: crate::ids::IdError| invalid(format!("`id`: {error}")))
}

fn id_missing(body: &Map<String, Value>) -> Fault {
    let slip = body.keys().find(|name| nearest(name, ["id"], SLIP_MAX).is_some());
    let hint = slip.map(|name| format!(" (there is {}: is that it?)", quoted(name)));
    Fault::malformed(
        code::ID_MISSING,
        format!(
            "a command needs an `id` in its body, or the property `message_id`{}",
            hint.unwrap_or_default()
        ),
    )
}

/// The property wins, yet what the body says must be sound as well.
fn reply_to(incoming: &Incoming<'_>, in_body: Option<&Value>) -> Result<Option<ReplyTo>, Fault> {
    let names = &incoming.rules.names;
    let property = incoming.properties.reply_to.as_deref().unwrap_or_default();
    let from_property = ReplyTo::from_property(property, names)?;
    let from_body = ReplyTo::from_body(in_body.unwrap_or(&Value::Null), names)?;
    let chosen = from_property.or(from_body);
    match &chosen {
        Some(place) if !place.is_listed(&incoming.rules.reply_queues) => Err(Fault::invalid(
            code::REPLY_TO_FORBIDDEN,
            format!("replies to {} are not allowed here", quoted(place.routing_key())),
        )),
        _ => Ok(chosen),
    }
}

fn callbacks_unavailable() -> Fault {
    Fault::invalid(
        code::CALLBACKS_UNAVAILABLE,
        "`callback_url` needs a gateway, and none runs here: use `reply_to`, or read the exchange \
         of results",
    )
}
