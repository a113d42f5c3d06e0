//! The `[amqp]` section of the configuration, shared by every program that talks to RabbitMQ.
//!
//! URLs carry credentials, so they are held in [`BrokerUrl`], whose `Debug`, `Display` and
//! serialised form show everything but the password.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use lapin::uri::AMQPUri;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use url::Url;

use crate::error::BusError;

/// Shortest of the times that an operation may be given, in seconds.
const TIMEOUT_S_MIN: f64 = 0.1;
/// Longest of them.
const TIMEOUT_S_MAX: f64 = 600.0;
/// AMQP's channel numbers have 16 bits.
const CHANNELS_MAX: usize = 65_535;

/// The `[amqp]` section. Every field has a default that fits a broker on this machine.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct AmqpConfig {
    /// `amqp://` or `amqps://` address with user, password and vhost. Without a path, or with the
    /// path `/`, the vhost is `/`.
    pub url: BrokerUrl,
    /// `http://` or `https://` address of the management API. Without credentials of its own it is
    /// used with those of `url`; absent, it is the host of `url` at port 15672 (15671 with TLS).
    pub management_url: Option<BrokerUrl>,
    /// First word of every exchange and queue that is ours.
    pub prefix: String,
    /// Kind of the queues that are declared from now on.
    pub queue_kind: QueueKind,
    /// Heartbeat asked of the broker, in seconds; one in `url` wins. A frozen process loses its
    /// consumers after about two and a half of them.
    pub heartbeat_s: u16,
    /// Longest time to open a connection, in seconds.
    pub connect_timeout_s: f64,
    /// Longest time for one declaration, consumption, settlement or management call, in seconds.
    pub operation_timeout_s: f64,
    /// Longest wait for a publisher confirm, in seconds. After it the outcome counts as unknown.
    pub confirm_timeout_s: f64,
    /// Messages that may be on their way to the broker at once. Each takes a channel.
    pub max_in_flight: usize,
    /// Most instances whose queues one connection consumes, each on a channel of its own; for more,
    /// more connections are opened. Half of what RabbitMQ allows by default, so that the end of a
    /// connection takes no more along.
    pub channels_per_connection: usize,
}

impl Default for AmqpConfig {
    fn default() -> Self {
        Self {
            url: BrokerUrl::local(),
            management_url: None,
            prefix: "tg".to_owned(),
            queue_kind: QueueKind::default(),
            heartbeat_s: 10,
            connect_timeout_s: 10.0,
            operation_timeout_s: 10.0,
            confirm_timeout_s: 10.0,
            max_in_flight: 64,
            channels_per_connection: 1000,
        }
    }
}

impl AmqpConfig {
    /// Checks every setting, without the network.
    ///
    /// # Errors
    /// [`BusError::Config`] for the first wrong one.
    pub fn validate(&self) -> Result<(), BusError> {
        Settings::check(self).map(drop)
    }
}

/// RabbitMQ's queue type, as its `x-queue-type` argument names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum QueueKind {
    /// Replicated, and the only kind with a delivery limit.
    #[default]
    Quorum,
    /// Half the memory, for a single node and for development.
    Classic,
}

impl QueueKind {
    /// The value of `x-queue-type`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Quorum => "quorum",
            Self::Classic => "classic",
        }
    }
}

/// A URL that may carry a password and never shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct BrokerUrl(Url);

impl BrokerUrl {
    fn local() -> Self {
        // A constant that parses; the test below proves it.
        match Url::parse("amqp://guest:guest@127.0.0.1:5672") {
            Ok(url) => Self(url),
            Err(why) => unreachable!("the default address parses: {why}"),
        }
    }

    /// The URL with its password. For the client libraries only.
    pub(crate) fn exposed(&self) -> &Url {
        &self.0
    }
}

impl FromStr for BrokerUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url = Url::parse(text).map_err(|why| format!("not a URL: {why}"))?;
        if url.host_str().is_none_or(str::is_empty) {
            return Err("the URL has no host".to_owned());
        }
        Ok(Self(url))
    }
}

impl fmt::Display for BrokerUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = self.0.clone();
        if shown.password().is_some() {
            // Refused only by URLs that cannot have a password.
            let _ = shown.set_password(Some("***"));
        }
        shown.fmt(out)
    }
}

impl fmt::Debug for BrokerUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "\"{self}\"")
    }
}

impl Serialize for BrokerUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for BrokerUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// What the connections and the management client need, checked once.
#[derive(Clone)]
pub(crate) struct Settings {
    pub uri: AMQPUri,
    pub connect_timeout: Duration,
    pub operation_timeout: Duration,
    pub confirm_timeout: Duration,
    pub max_in_flight: usize,
    pub channels_per_connection: usize,
    pub queue_kind: QueueKind,
}

impl Settings {
    pub fn check(config: &AmqpConfig) -> Result<Self, BusError> {
        let wrong = |field, why: &str| Err(BusError::Config { field, why: why.to_owned() });
        if config.heartbeat_s == 0 {
            return wrong(
                "heartbeat_s",
                "must be at least 1: without heartbeats a dead connection stays",
            );
        }
        for (field, value) in [
            ("connect_timeout_s", config.connect_timeout_s),
            ("operation_timeout_s", config.operation_timeout_s),
            ("confirm_timeout_s", config.confirm_timeout_s),
        ] {
            if !(TIMEOUT_S_MIN..=TIMEOUT_S_MAX).contains(&value) {
                return wrong(field, "must be from 0.1 to 600");
            }
        }
        if !(1..=1000).contains(&config.max_in_flight) {
            return wrong("max_in_flight", "must be from 1 to 1000");
        }
        if !(1..=CHANNELS_MAX).contains(&config.channels_per_connection) {
            return wrong("channels_per_connection", "must be from 1 to 65535");
        }
        Ok(Self {
            uri: amqp_uri(config)?,
            connect_timeout: Duration::from_secs_f64(config.connect_timeout_s),
            operation_timeout: Duration::from_secs_f64(config.operation_timeout_s),
            confirm_timeout: Duration::from_secs_f64(config.confirm_timeout_s),
            max_in_flight: config.max_in_flight,
            channels_per_connection: config.channels_per_connection,
            queue_kind: config.queue_kind,
        })
    }
}

/// The address as lapin wants it, with our heartbeat and without the trap of the empty vhost:
/// `amqp://host/` means the vhost called "" to the specification and `/` to everybody who types it.
pub(crate) fn amqp_uri(config: &AmqpConfig) -> Result<AMQPUri, BusError> {
    let mut uri: AMQPUri = config.url.exposed().as_str().parse().map_err(|why: String| {
        // The library's words may quote a part of the URL, so only ours are told.
        let _ = why;
        BusError::Config {
            field: "url",
            why: format!("not an amqp:// or amqps:// address: {}", config.url),
        }
    })?;
    if uri.vhost.is_empty() {
        "/".clone_into(&mut uri.vhost);
    }
    uri.query.heartbeat.get_or_insert(config.heartbeat_s);
    let connect_within =
        Duration::from_secs_f64(config.connect_timeout_s.clamp(0.0, TIMEOUT_S_MAX));
    uri.query
        .connection_timeout
        .get_or_insert(u64::try_from(connect_within.as_millis()).unwrap_or(u64::MAX));
    Ok(uri)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_url(url: &str) -> AmqpConfig {
        AmqpConfig { url: url.parse().unwrap(), ..AmqpConfig::default() }
    }

    #[test]
    fn the_default_is_a_broker_on_this_machine() {
        let uri = amqp_uri(&AmqpConfig::default()).unwrap();
        assert_eq!((uri.authority.host.as_str(), uri.authority.port), ("127.0.0.1", 5672));
        assert_eq!((uri.vhost.as_str(), uri.query.heartbeat), ("/", Some(10)));
    }

    #[test]
    fn an_empty_path_is_the_default_vhost() {
        for (url, vhost) in [
            ("amqp://h", "/"),
            ("amqp://h/", "/"),
            ("amqp://h/%2f", "/"),
            ("amqp://h/crm", "crm"),
            ("amqp://h/crm?heartbeat=3", "crm"),
        ] {
            assert_eq!(amqp_uri(&with_url(url)).unwrap().vhost, vhost, "{url}");
        }
        assert_eq!(
            amqp_uri(&with_url("amqp://h/crm?heartbeat=3")).unwrap().query.heartbeat,
            Some(3)
        );
    }

    #[test]
    fn no_form_of_a_url_shows_the_password() {
        let config = with_url("amqp://crm:s3cret-canary@h/");
        let shown = format!(
            "{} {:?} {config:?} {}",
            config.url,
            config.url,
            serde_json::to_string(&config).unwrap()
        );
        assert!(!shown.contains("s3cret-canary"), "{shown}");
        assert!(shown.contains("crm:***@h"), "{shown}");
        let wrong = amqp_uri(&with_url("http://crm:s3cret-canary@h/")).unwrap_err().to_string();
        assert!(!wrong.contains("s3cret-canary"), "{wrong}");
        assert!(wrong.contains("amqp.url"), "{wrong}");
    }

    #[test]
    fn wrong_values_name_their_field() {
        let base = AmqpConfig::default;
        for (config, field) in [
            (AmqpConfig { heartbeat_s: 0, ..base() }, "heartbeat_s"),
            (AmqpConfig { connect_timeout_s: 0.0, ..base() }, "connect_timeout_s"),
            (AmqpConfig { operation_timeout_s: 601.0, ..base() }, "operation_timeout_s"),
            (AmqpConfig { confirm_timeout_s: f64::NAN, ..base() }, "confirm_timeout_s"),
            (AmqpConfig { max_in_flight: 0, ..base() }, "max_in_flight"),
            (AmqpConfig { channels_per_connection: 0, ..base() }, "channels_per_connection"),
        ] {
            let Err(BusError::Config { field: named, .. }) = Settings::check(&config) else {
                panic!("{field} was accepted");
            };
            assert_eq!(named, field);
        }
        let unknown = serde_json::from_str::<AmqpConfig>(r#"{"uri":"amqp://h"}"#).unwrap_err();
        assert!(unknown.to_string().contains("uri"), "{unknown}");
    }
}
