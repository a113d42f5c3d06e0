//! How an instance's account shows itself to Telegram, as its record keeps it: its device, its own application, its
//! proxy. The record is sealed, so the secrets in it are written as they are.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

/// How the account presents itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// What was asked for; the rest is as configured when the account is first logged in.
    #[serde(default, skip_serializing_if = "Device::is_empty")]
    pub wish: Device,
    /// The application by which it logs in, where that is not the configured one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<OwnApplication>,
    /// What is presented: noted when a login begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub presented: Option<Device>,
    /// The number of the application by which it is logged in. The session has it too, with the keys that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logged_in_by: Option<i32>,
    /// Since when it can't be changed any more: the account's first login, or when a release that notes it saw one.
    #[serde(
        default,
        with = "proto::time::optional_rfc3339_ms",
        skip_serializing_if = "Option::is_none"
    )]
    pub fixed_at: Option<DateTime<Utc>>,
}

/// The texts by which an account presents itself; none: as configured.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// The device's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Its system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_version: Option<String>,
    /// The application's version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_version: Option<String>,
    /// The language of the system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_lang_code: Option<String>,
    /// The language of service texts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lang_code: Option<String>,
}

/// An application of the instance's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnApplication {
    /// Its number.
    pub api_id: i32,
    /// Its secret.
    pub api_hash: Hidden,
}

/// The SOCKS5 server by which the account goes out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProxyRecord {
    /// `host:port`
    pub address: String,
    /// What it asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<ProxyCredentials>,
}

/// Name and password at a proxy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProxyCredentials {
    /// The name.
    pub username: Hidden,
    /// The password.
    pub password: Hidden,
}

/// A text that is kept in a sealed record, and shown nowhere.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hidden(String);

impl Identity {
    /// Whether there is nothing of it yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Device {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The same; what is none in it is as in another one.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            model: self.model.or(other.model),
            system_version: self.system_version.or(other.system_version),
            app_version: self.app_version.or(other.app_version),
            system_lang_code: self.system_lang_code.or(other.system_lang_code),
            lang_code: self.lang_code.or(other.lang_code),
        }
    }
}

impl Hidden {
    /// Hides a text.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text, for whoever needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_kept_and_not_shown() {
        let own = OwnApplication { api_id: 7, api_hash: Hidden::new("canary".to_owned()) };
        let identity = Identity { application: Some(own), ..Identity::default() };
        let kept = serde_json::to_string(&identity).unwrap();
        assert_eq!(serde_json::from_str::<Identity>(&kept).unwrap(), identity);
        assert!(!format!("{identity:?}").contains("canary"));
    }

    #[test]
    fn nothing_of_its_own_leaves_nothing_in_the_record() {
        assert_eq!(serde_json::to_string(&Identity::default()).unwrap(), "{}");
    }

    #[test]
    fn what_was_asked_for_comes_first() {
        let text = |text: &str| Some(text.to_owned());
        let wish = Device { model: text("own"), ..Device::default() };
        let configured = Device { model: text("c"), lang_code: text("en"), ..Device::default() };
        let both = wish.or(configured);
        assert_eq!((both.model.as_deref(), both.lang_code.as_deref()), (Some("own"), Some("en")));
    }
}
