//! The `[redis]` and `[vault]` sections of the configuration.

use std::fmt;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use chassis::Secret;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use url::Url;

use crate::error::StoreError;

mod s3;

pub use s3::S3Config;
pub(crate) use s3::{Corner, SCHEME as S3};

/// Timeouts that make sense: shorter ones no server keeps, longer ones nobody waits for.
const TIMEOUTS_MS: RangeInclusive<u64> = 10..=600_000;

/// The `[redis]` section. Every field has a default that fits a server on this machine.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct RedisConfig {
    /// `redis://[user:password@]host:port[/database]`.
    pub url: RedisUrl,
    /// First word of every key, so that installations can share a server.
    pub prefix: String,
    /// How many connections; each carries many requests at once.
    pub connections: usize,
    /// Longest time to open a connection, in milliseconds.
    pub connect_timeout_ms: u64,
    /// Longest time for one request, in milliseconds.
    pub timeout_ms: u64,
}

impl Default for RedisConfig {
    fn default() -> Self {
        Self {
            url: RedisUrl::local(),
            prefix: "qg".to_owned(),
            connections: 2,
            connect_timeout_ms: 2_000,
            timeout_ms: 3_000,
        }
    }
}

impl RedisConfig {
    /// Checks the numbers.
    ///
    /// # Errors
    /// [`StoreError::Config`] for the first wrong one.
    pub fn validate(&self) -> Result<(), StoreError> {
        let wrong = |key, why: &str| Err(StoreError::Config { key, why: why.to_owned() });
        if !(1..=64).contains(&self.connections) {
            return wrong("redis.connections", "must be from 1 to 64");
        }
        if !TIMEOUTS_MS.contains(&self.connect_timeout_ms) {
            return wrong("redis.connect_timeout_ms", "must be from 10 to 600000");
        }
        if !TIMEOUTS_MS.contains(&self.timeout_ms) {
            return wrong("redis.timeout_ms", "must be from 10 to 600000");
        }
        Ok(())
    }

    pub(crate) fn connect_timeout(&self) -> Duration {
        Duration::from_millis(self.connect_timeout_ms.max(1))
    }

    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms.max(1))
    }
}

/// Address of a Redis, credentials included. Whatever prints it shows `***` for the password.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisUrl(Url);

impl RedisUrl {
    fn local() -> Self {
        match Url::parse("redis://127.0.0.1:6379") {
            Ok(url) => Self(url),
            Err(_) => unreachable!("a constant"),
        }
    }

    pub(crate) fn expose(&self) -> &str {
        self.0.as_str()
    }

    /// Which server and database, whoever asks it.
    pub(crate) fn address(&self) -> String {
        let (host, port) = (self.0.host_str().unwrap_or_default(), self.0.port());
        format!("{host}:{}{}", port.unwrap_or(6379), self.0.path())
    }
}

impl TryFrom<String> for RedisUrl {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        // The text itself is not repeated: it may hold a password.
        let url = Url::parse(&text).map_err(|error| format!("is no URL: {error}"))?;
        match url.scheme() {
            "redis" | "rediss" | "redis+unix" | "unix" => Ok(Self(url)),
            other => Err(format!("must begin with `redis://`, not `{other}://`")),
        }
    }
}

impl fmt::Display for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = self.0.clone();
        if shown.password().is_some() && shown.set_password(Some("***")).is_err() {
            return f.write_str("***");
        }
        write!(f, "{shown}")
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Serialize for RedisUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RedisUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::try_from(String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

/// The `[vault]` section.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct VaultConfig {
    /// Where the sealed records are: `file:///folder`, which is made if it is missing, or
    /// `s3://bucket/prefix`.
    #[serde(deserialize_with = "s3::address")]
    pub url: Url,
    /// How a bucket is reached.
    pub s3: S3Config,
    /// File with the keys that seal them, one to a line, 32 bytes in hex or base64: the first seals,
    /// the others only open. Whoever loses it loses every login; whoever has it and the records has
    /// every login.
    pub key_file: PathBuf,
    /// The keys themselves, instead of the file: the first seals, the others only open. From the
    /// environment or a file of secrets; with white space between them.
    pub keys: Option<Secret>,
    /// Whether a missing key file is made, for an empty vault. Else it is an error.
    pub create_key: bool,
    /// Longest time for one request, in milliseconds.
    pub timeout_ms: u64,
}

impl Default for VaultConfig {
    fn default() -> Self {
        let Ok(url) = Url::parse("file:///var/lib/queuegram/vault") else {
            unreachable!("a constant")
        };
        Self {
            url,
            s3: S3Config::default(),
            key_file: PathBuf::from("/etc/queuegram/vault.key"),
            keys: None,
            create_key: false,
            timeout_ms: 10_000,
        }
    }
}

impl VaultConfig {
    /// Checks the address, what belongs to it, and the numbers.
    ///
    /// # Errors
    /// [`StoreError::Config`] for the first wrong one.
    pub fn validate(&self) -> Result<(), StoreError> {
        if !TIMEOUTS_MS.contains(&self.timeout_ms) {
            let why = "must be from 10 to 600000".to_owned();
            return Err(StoreError::Config { key: "vault.timeout_ms", why });
        }
        let scheme = self.url.scheme();
        if !["file", S3].contains(&scheme) {
            let why = format!("only `file://` and `s3://` are known, not `{scheme}://`");
            return Err(StoreError::Config { key: "vault.url", why });
        }
        self.s3.validate(self)
    }

    /// The same text for every way to write the same place.
    pub(crate) fn address(&self) -> String {
        let plain = || self.url.as_str().trim_end_matches('/').to_owned();
        if self.url.scheme() != S3 {
            return plain();
        }
        let Ok(Corner { bucket, prefix }) = Corner::of(&self.url) else { return plain() };
        let endpoint = self.s3.endpoint.as_ref().map_or("", Url::as_str).trim_end_matches('/');
        format!("s3://{bucket}/{prefix} at {endpoint}")
    }

    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        let url = RedisUrl::try_from("redis://user:canary@host:6379/3".to_owned()).unwrap();
        assert_eq!(url.to_string(), "redis://user:***@host:6379/3");
        assert!(!format!("{url:?}").contains("canary"));
        assert!(!serde_json::to_string(&url).unwrap().contains("canary"));
        assert!(url.expose().contains("canary"));
        let wrong = RedisUrl::try_from("http://:canary@host".to_owned()).unwrap_err();
        assert!(!wrong.contains("canary"));
    }

    #[test]
    fn a_misspelt_setting_is_an_error() {
        assert!(serde_json::from_str::<RedisConfig>(r#"{"urll":"x"}"#).is_err());
        assert!(serde_json::from_str::<VaultConfig>(r#"{"key":"x"}"#).is_err());
        assert!(serde_json::from_str::<RedisConfig>("{}").is_ok());
    }
}
