//! The `telegram` section of the configuration: whose application we are, which server we talk to, how long we wait.
//!
//! Without `server` it is Telegram itself; with it, any MTProto server whose RSA key is given, such as the simulator.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::presence::is_presentable;
use crate::secret::ApiHash;

/// The `telegram` section.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TelegramConfig {
    /// The application's number from <https://my.telegram.org>.
    pub api_id: i32,
    /// Its secret, from the same page.
    pub api_hash: ApiHash,
    /// A file that holds `api_hash`, for where secrets come as files. Used where `api_hash` is empty.
    pub api_hash_file: Option<PathBuf>,
    /// Another server than Telegram's.
    pub server: Option<ServerConfig>,
    /// How long a new connection may take until it can carry calls, in seconds: TCP, key exchange, `initConnection`.
    pub connect_timeout_s: u64,
    /// How long one call may take, in seconds. Longer is "sent, outcome unknown".
    pub call_timeout_s: u64,
    /// Calls of one account that may be under way at once; more wait their turn.
    pub in_flight_max: usize,
    /// Pause before an account's connection is made again after it was cut by us, in milliseconds. The old socket is gone
    /// by then; what the network still holds of it must come first, since Telegram destroys a login that sends on two
    /// connections at once.
    pub reconnect_pause_ms: u64,
    /// How soon a changed session is handed to the store, in milliseconds: changes in between are saved as one.
    pub save_delay_ms: u64,
    /// Peers that one account remembers at most; the least recently used are forgotten first.
    pub peers_max: usize,
    /// What Telegram shows in the account's list of devices. An account keeps what it was first logged in with.
    pub device: DeviceConfig,
    /// For how long the kernel may go on trying to deliver what it was given. It does that for a frozen process, too, so
    /// together with the time for which a gate stays open it must be shorter than the next owner waits. No setting of
    /// its own: whoever makes leases works it out from theirs.
    #[serde(skip)]
    pub unacknowledged_max: Duration,
}

/// An MTProto server other than Telegram.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerConfig {
    /// The number of the data centre at `address`, where new accounts begin.
    pub dc: i32,
    /// `host:port`, the host an IPv4 or IPv6 address.
    pub address: SocketAddr,
    /// The server's public RSA key: a PEM file, `RSA PUBLIC KEY` (PKCS#1) or `PUBLIC KEY` (SPKI).
    pub public_key: PathBuf,
}

/// How the application presents itself (Telegram's `initConnection`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeviceConfig {
    /// Shown as the device's name.
    pub model: String,
    /// Shown as its system.
    pub system_version: String,
    /// Shown as the application's version.
    pub app_version: String,
    /// ISO 639-1 language of the system.
    pub system_lang_code: String,
    /// ISO 639-1 language of service texts.
    pub lang_code: String,
}

impl Default for TelegramConfig {
    fn default() -> Self {
        Self {
            api_id: 0,
            api_hash: ApiHash::default(),
            api_hash_file: None,
            server: None,
            connect_timeout_s: 15,
            call_timeout_s: 30,
            in_flight_max: 8,
            reconnect_pause_ms: 1_000,
            save_delay_ms: 250,
            peers_max: 10_000,
            device: DeviceConfig::default(),
            unacknowledged_max: Duration::from_secs(10),
        }
    }
}

impl Default for DeviceConfig {
    fn default() -> Self {
        Self {
            model: "Queuegram".to_owned(),
            system_version: "Linux".to_owned(),
            app_version: env!("CARGO_PKG_VERSION").to_owned(),
            system_lang_code: "en".to_owned(),
            lang_code: "en".to_owned(),
        }
    }
}

/// A setting that can't work, by its name.
#[derive(Debug, Error)]
pub enum TelegramConfigError {
    /// A value out of its range.
    #[error("telegram.{key} {problem}")]
    Wrong {
        /// Name below `telegram.`.
        key: &'static str,
        /// What is wrong with it, as the rest of a sentence.
        problem: String,
    },
    /// A file that can't be used.
    #[error("telegram.{key}: {path}: {problem}")]
    File {
        /// Name below `telegram.`.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
}

impl TelegramConfig {
    /// Checks every setting, without reading files.
    pub fn validate(&self) -> Result<(), TelegramConfigError> {
        let wrong = |key, problem: &str| {
            Err(TelegramConfigError::Wrong { key, problem: problem.to_owned() })
        };
        if self.api_id <= 0 {
            return wrong("api_id", "must be the number that my.telegram.org gave");
        }
        if self.api_hash.is_empty() && self.api_hash_file.is_none() {
            return wrong("api_hash", "must be set (or api_hash_file)");
        }
        if self.server.as_ref().is_some_and(|server| !(1..=999).contains(&server.dc)) {
            return wrong("server.dc", "must be between 1 and 999");
        }
        if !(1..=600).contains(&self.connect_timeout_s) {
            return wrong("connect_timeout_s", "must be between 1 and 600");
        }
        if !(1..=600).contains(&self.call_timeout_s) {
            return wrong("call_timeout_s", "must be between 1 and 600");
        }
        if !(1..=256).contains(&self.in_flight_max) {
            return wrong("in_flight_max", "must be between 1 and 256");
        }
        if self.reconnect_pause_ms > 60_000 {
            return wrong("reconnect_pause_ms", "must be at most 60000");
        }
        if self.save_delay_ms > 60_000 {
            return wrong("save_delay_ms", "must be at most 60000");
        }
        if !(100..=1_000_000).contains(&self.peers_max) {
            return wrong("peers_max", "must be between 100 and 1000000");
        }
        for (key, text) in [
            ("device.model", &self.device.model),
            ("device.system_version", &self.device.system_version),
            ("device.app_version", &self.device.app_version),
            ("device.system_lang_code", &self.device.system_lang_code),
            ("device.lang_code", &self.device.lang_code),
        ] {
            if !is_presentable(text) {
                return wrong(key, "must have 1 to 128 bytes and no control characters");
            }
        }
        Ok(())
    }

    /// The application's secret, from the setting or its file.
    pub fn api_hash(&self) -> Result<ApiHash, TelegramConfigError> {
        match &self.api_hash_file {
            Some(path) if self.api_hash.is_empty() => std::fs::read_to_string(path)
                .map(|text| ApiHash::new(text.trim()))
                .map_err(|error| TelegramConfigError::File {
                    key: "api_hash_file",
                    path: path.clone(),
                    problem: error.to_string(),
                }),
            _ => Ok(self.api_hash.clone()),
        }
    }

    pub(crate) fn connect_timeout(&self) -> Duration {
        Duration::from_secs(self.connect_timeout_s)
    }

    /// How long a connection through a proxy may take until it leads to Telegram: shorter than the whole, so that what is
    /// wrong with the proxy is known before the wait is over.
    pub(crate) fn proxy_max(&self) -> Duration {
        self.connect_timeout() * 2 / 3
    }

    pub(crate) fn call_timeout(&self) -> Duration {
        Duration::from_secs(self.call_timeout_s)
    }

    /// After so long without a byte from Telegram, although something was sent, the connection is given up: no call
    /// waits longer, and grammers' own pings come each minute.
    pub(crate) fn silence_max(&self) -> Duration {
        self.call_timeout() + Duration::from_secs(5)
    }

    pub(crate) fn reconnect_pause(&self) -> Duration {
        Duration::from_millis(self.reconnect_pause_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> TelegramConfig {
        TelegramConfig { api_id: 1, api_hash: ApiHash::new("canary"), ..TelegramConfig::default() }
    }

    #[test]
    fn a_wrong_setting_is_named() {
        good().validate().unwrap();
        type Spoil = fn(&mut TelegramConfig);
        let cases: [(&str, Spoil); 7] = [
            ("api_id", |c| c.api_id = 0),
            ("api_hash", |c| c.api_hash = ApiHash::default()),
            ("connect_timeout_s", |c| c.connect_timeout_s = 0),
            ("call_timeout_s", |c| c.call_timeout_s = 601),
            ("in_flight_max", |c| c.in_flight_max = 0),
            ("device.model", |c| c.device.model.clear()),
            ("device.lang_code", |c| c.device.lang_code = "e\nn".to_owned()),
        ];
        for (key, spoil) in cases {
            let mut config = good();
            spoil(&mut config);
            let error = config.validate().unwrap_err().to_string();
            assert!(error.starts_with(&format!("telegram.{key} ")), "{error}");
        }
    }

    #[test]
    fn unknown_settings_are_refused_and_the_secret_is_not_shown() {
        let unknown = serde_json::json!({"api_id": 1, "api_hsah": "x"});
        let error = serde_json::from_value::<TelegramConfig>(unknown).unwrap_err().to_string();
        assert!(error.contains("api_hsah"), "{error}");
        let shown = format!("{:?} {}", good(), serde_json::to_string(&good()).unwrap());
        assert!(!shown.contains("canary"), "{shown}");
    }
}
