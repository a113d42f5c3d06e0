//! The management HTTP API, as far as policies and looking need it. Its credentials are those of
//! the AMQP address unless it has its own.
//!
//! ureq rather than an async client: a handful of calls per run, and its TLS brings ring along.

use std::fmt;
use std::io::Read;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lapin::uri::AMQPScheme;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::de::DeserializeOwned;
use serde_json::Value;
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, http};

use crate::config::{AmqpConfig, Settings, amqp_uri};
use crate::error::BusError;
use crate::topology::Policy;

/// The largest answer that is read.
const MAX_ANSWER_BYTES: u64 = 8 * 1024 * 1024;
/// What stays readable in a path segment.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A client of the management API for one vhost.
#[derive(Clone)]
pub struct Management {
    agent: Agent,
    base: String,
    authorization: String,
    vhost: String,
}

/// A release of RabbitMQ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BrokerVersion {
    /// Major number.
    pub major: u32,
    /// Minor number.
    pub minor: u32,
}

impl BrokerVersion {
    /// The oldest release that is supported: the first with at-least-once dead-lettering.
    pub const OLDEST: Self = Self { major: 3, minor: 10 };

    /// Reads `3.10.8`, `4.2.0-rc.1` and the like.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split(['.', '-', '+']);
        Some(Self { major: numbers.next()?.parse().ok()?, minor: numbers.next()?.parse().ok()? })
    }
}

impl fmt::Display for BrokerVersion {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}", self.major, self.minor)
    }
}

impl Management {
    /// A client for the vhost of `config.url`. Connects to nothing yet.
    ///
    /// # Errors
    /// [`BusError::Config`] for an address that is not HTTP.
    pub fn new(config: &AmqpConfig) -> Result<Self, BusError> {
        let settings = Settings::check(config)?;
        let amqp = amqp_uri(config)?;
        let wrong = |why: &str| BusError::Config { field: "management_url", why: why.to_owned() };
        let userinfo = amqp.authority.userinfo;
        let (base, user, password) = match &config.management_url {
            None => {
                let (scheme, port) = match amqp.scheme {
                    AMQPScheme::AMQP => ("http", 15672),
                    AMQPScheme::AMQPS => ("https", 15671),
                };
                let base = format!("{scheme}://{}:{port}", amqp.authority.host);
                (base, userinfo.username, userinfo.password)
            }
            Some(url) => {
                let mut url = url.exposed().clone();
                if !["http", "https"].contains(&url.scheme()) {
                    return Err(wrong("not an http:// or https:// address"));
                }
                let (user, password) = match (url.username(), url.password()) {
                    ("", None) => (userinfo.username, userinfo.password),
                    (user, password) => (decoded(user), decoded(password.unwrap_or_default())),
                };
                let cleared = url.set_username("").and_then(|()| url.set_password(None));
                cleared.map_err(|()| wrong("the address cannot carry credentials"))?;
                url.set_query(None);
                url.set_fragment(None);
                (url.as_str().trim_end_matches('/').to_owned(), user, password)
            }
        };
        let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
        let agent = Agent::config_builder()
            .timeout_global(Some(settings.operation_timeout))
            .timeout_connect(Some(settings.operation_timeout.min(Duration::from_secs(5))))
            .http_status_as_error(false)
            .tls_config(tls)
            .build()
            .into();
        let authorization = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
        Ok(Self { agent, base, authorization, vhost: amqp.vhost })
    }

    /// The address in use, without credentials.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.base
    }

    /// The vhost in use.
    #[must_use]
    pub fn vhost(&self) -> &str {
        &self.vhost
    }

    /// The broker's release.
    ///
    /// # Errors
    /// [`BusError::Management`].
    pub async fn version(&self) -> Result<BrokerVersion, BusError> {
        #[derive(serde::Deserialize)]
        struct Overview {
            rabbitmq_version: String,
        }
        let overview: Overview =
            self.get(&["overview"], "").await?.ok_or_else(|| missing("overview"))?;
        BrokerVersion::parse(&overview.rabbitmq_version).ok_or_else(|| BusError::Management {
            status: None,
            why: format!("cannot read the release {:?}", overview.rabbitmq_version),
        })
    }

    /// Sets a policy; true if there was none of that name.
    pub(crate) async fn put_policy(&self, policy: &Policy) -> Result<bool, BusError> {
        self.put(&["policies", &self.vhost, &policy.name], policy.body()).await
    }

    /// Reads something; none if there is no such thing. `query` begins with `?` or is empty.
    pub(crate) async fn get<T: DeserializeOwned + Send + 'static>(
        &self,
        path: &[&str],
        query: &str,
    ) -> Result<Option<T>, BusError> {
        let (status, body) = self.ask("GET", path, query, None).await?;
        if status == 404 {
            return Ok(None);
        }
        expect_success(status, "GET", path, &body)?;
        let read = serde_json::from_slice(&body);
        read.map(Some).map_err(|why| BusError::Management {
            status: Some(status),
            why: format!("GET {}: an answer in an unknown form: {why}", path.join("/")),
        })
    }

    /// Makes something; true if it was not there before.
    pub(crate) async fn put(&self, path: &[&str], body: Value) -> Result<bool, BusError> {
        let (status, answer) = self.ask("PUT", path, "", Some(body)).await?;
        expect_success(status, "PUT", path, &answer)?;
        Ok(status == 201)
    }

    /// Adds something; true if it was made.
    pub(crate) async fn post(&self, path: &[&str], body: Value) -> Result<bool, BusError> {
        let (status, answer) = self.ask("POST", path, "", Some(body)).await?;
        expect_success(status, "POST", path, &answer)?;
        Ok(status == 201)
    }

    async fn ask(
        &self,
        method: &'static str,
        path: &[&str],
        query: &str,
        body: Option<Value>,
    ) -> Result<(u16, Vec<u8>), BusError> {
        let segments: Vec<String> =
            path.iter().map(|part| utf8_percent_encode(part, SEGMENT).to_string()).collect();
        let url = format!("{}/api/{}{query}", self.base, segments.join("/"));
        let (agent, authorization) = (self.agent.clone(), self.authorization.clone());
        let what = format!("{method} {}", path.join("/"));
        let asked = tokio::task::spawn_blocking(move || {
            ask_blocking(&agent, method, &url, &authorization, body)
        });
        match asked.await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(why)) => Err(BusError::Management {
                status: None,
                why: format!("{what} at {}: {why}", self.base),
            }),
            Err(_) => Err(BusError::Closed),
        }
    }
}

fn ask_blocking(
    agent: &Agent,
    method: &str,
    url: &str,
    authorization: &str,
    body: Option<Value>,
) -> Result<(u16, Vec<u8>), ureq::Error> {
    let body = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
    let request = http::Request::builder()
        .method(method)
        .uri(url)
        .header("authorization", authorization)
        .header("content-type", "application/json")
        .body(body)?;
    let answer = agent.run(request)?;
    let status = answer.status().as_u16();
    let mut text = Vec::new();
    answer.into_body().into_reader().take(MAX_ANSWER_BYTES).read_to_end(&mut text)?;
    Ok((status, text))
}

fn expect_success(status: u16, method: &str, path: &[&str], body: &[u8]) -> Result<(), BusError> {
    if (200..300).contains(&status) {
        return Ok(());
    }
    // RabbitMQ explains itself in `reason`; a proxy in between answers with a page.
    let reason = serde_json::from_slice::<Value>(body)
        .ok()
        .and_then(|answer| answer.get("reason").map(ToString::to_string))
        .unwrap_or_else(|| format!("{} bytes that are not JSON", body.len()));
    let why = format!("{method} {} was answered {status}: {reason}", path.join("/"));
    Err(BusError::Management { status: Some(status), why })
}

fn missing(what: &str) -> BusError {
    BusError::Management { status: Some(404), why: format!("there is no {what}") }
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

impl fmt::Debug for Management {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Management({} vhost {:?})", self.base, self.vhost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(url: &str, management: Option<&str>) -> Management {
        let config = AmqpConfig {
            url: url.parse().unwrap(),
            management_url: management.map(|url| url.parse().unwrap()),
            ..AmqpConfig::default()
        };
        Management::new(&config).unwrap()
    }

    fn basic(credentials: &str) -> String {
        format!("Basic {}", STANDARD.encode(credentials))
    }

    #[test]
    fn the_address_follows_from_the_brokers() {
        let plain = client("amqp://u:p%40@rabbit/crm", None);
        assert_eq!((plain.address(), plain.vhost()), ("http://rabbit:15672", "crm"));
        assert_eq!(plain.authorization, basic("u:p@"));
        assert_eq!(client("amqps://rabbit", None).address(), "https://rabbit:15671");
    }

    #[test]
    fn an_address_of_its_own_may_bring_its_credentials() {
        let same = client("amqp://u:p@rabbit", Some("http://manage:8080/prefix/"));
        assert_eq!(
            (same.address(), &same.authorization),
            ("http://manage:8080/prefix", &basic("u:p"))
        );
        let own = client("amqp://u:p@rabbit", Some("https://admin:s%2Fx@manage"));
        assert_eq!((own.address(), &own.authorization), ("https://manage", &basic("admin:s/x")));
        assert!(!format!("{own:?}").contains("s/x"));
    }

    #[test]
    fn releases_are_read_and_compared() {
        let version = |text| BrokerVersion::parse(text).unwrap();
        assert_eq!(version("3.10.8"), BrokerVersion::OLDEST);
        assert!(version("4.0.0-rc.1") > version("3.13.7"));
        assert!(version("3.9.29") < BrokerVersion::OLDEST);
        assert_eq!(BrokerVersion::parse("unknown"), None);
    }
}
