//! A SOCKS5 server (RFC 1928, RFC 1929) by which an account's connections go out, and what can be wrong with it.

use std::fmt;

use thiserror::Error;

use crate::secret::ProxyPassword;

/// Longest name of a host (RFC 1035).
const HOST_BYTES_MAX: usize = 253;
/// Longest name and password that the protocol has room for.
const CREDENTIAL_BYTES_MAX: usize = 255;

/// A proxy. Its host's name is looked up at each connection.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    /// A name, or an IP address without brackets.
    host: String,
    port: u16,
    credentials: Option<Credentials>,
}

/// What a proxy asks for, where it asks.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Credentials {
    pub(crate) username: String,
    pub(crate) password: ProxyPassword,
}

/// Why something is no proxy; `field` is that of an order or a setting below the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{field}: {problem}")]
pub struct ProxyError {
    /// `address`, `username` or `password`.
    pub field: &'static str,
    /// What is wrong with it, as the rest of a sentence.
    pub problem: &'static str,
}

/// Why an account has no way to Telegram. It never goes another way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ProxyTrouble {
    /// Nobody answers there, or not as a SOCKS5 server does.
    #[error("the proxy can't be reached, or does not speak SOCKS5")]
    Unreachable,
    /// It lets us not in.
    #[error("the proxy refuses: it wants other credentials, or does not let us go to Telegram")]
    Refused,
    /// It is there, and Telegram is not.
    #[error("the proxy can't reach Telegram")]
    NoRoute,
}

impl ProxyTrouble {
    /// The reason of a state and the code of an error.
    pub fn code(self) -> &'static str {
        match self {
            Self::Unreachable => "PROXY_UNREACHABLE",
            Self::Refused => "PROXY_REFUSED",
            Self::NoRoute => "PROXY_NO_ROUTE",
        }
    }
}

impl Proxy {
    /// A proxy at `host:port`; an IPv6 address stands in brackets.
    ///
    /// # Errors
    /// What makes no sense.
    pub fn new(address: &str) -> Result<Self, ProxyError> {
        let wrong = |problem| ProxyError { field: "address", problem };
        let (host, port) = address.rsplit_once(':').ok_or(wrong("must be host:port"))?;
        let port = port.parse::<u16>().ok().filter(|port| *port > 0);
        let port = port.ok_or(wrong("must end in a port between 1 and 65535"))?;
        let host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(v6) => v6.parse::<std::net::Ipv6Addr>().ok().map(|v6| v6.to_string()),
            None => is_host(host).then(|| host.to_owned()),
        };
        let host = host.ok_or(wrong(
            "must have a host's name, an IPv4 address, or an IPv6 address in brackets",
        ))?;
        Ok(Self { host, port, credentials: None })
    }

    /// The same, with what it asks for.
    ///
    /// # Errors
    /// What the protocol has no room for.
    pub fn with_credentials(
        self,
        username: &str,
        password: ProxyPassword,
    ) -> Result<Self, ProxyError> {
        for (field, text) in [("username", username), ("password", password.expose())] {
            if !(1..=CREDENTIAL_BYTES_MAX).contains(&text.len()) {
                return Err(ProxyError { field, problem: "must have 1 to 255 bytes" });
            }
            if text.chars().any(char::is_control) {
                return Err(ProxyError { field, problem: "must have no control characters" });
            }
        }
        let username = username.to_owned();
        Ok(Self { credentials: Some(Credentials { username, password }), ..self })
    }

    /// The host's name, or its IP address without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether it is given credentials if it asks for them.
    pub fn has_credentials(&self) -> bool {
        self.credentials.is_some()
    }

    pub(crate) fn credentials(&self) -> Option<&Credentials> {
        self.credentials.as_ref()
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("has_credentials", &self.has_credentials())
            .finish()
    }
}

/// Letters of any language are written in their ASCII form, as the name service wants them.
fn is_host(host: &str) -> bool {
    (1..=HOST_BYTES_MAX).contains(&host.len())
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(proxy: Result<Proxy, ProxyError>) -> &'static str {
        proxy.unwrap_err().field
    }

    #[test]
    fn an_address_is_a_host_and_a_port() {
        for (address, host, port) in [
            ("proxy.example:1080", "proxy.example", 1080),
            ("127.0.0.1:65535", "127.0.0.1", 65_535),
            ("[2001:db8::1]:1080", "2001:db8::1", 1080),
        ] {
            let proxy = Proxy::new(address).unwrap();
            assert_eq!((proxy.host(), proxy.port()), (host, port));
        }
        let long = format!("{}:1", "x".repeat(254));
        for wrong in [
            "",
            "proxy",
            ":1080",
            "proxy:",
            "proxy:0",
            "proxy:65536",
            "2001:db8::1:1080",
            "a b:1",
            "[x]:1",
            "u@h:1",
            &long,
        ] {
            assert_eq!(field(Proxy::new(wrong)), "address", "{wrong}");
        }
    }

    #[test]
    fn credentials_are_bounded_and_not_shown() {
        let proxy = || Proxy::new("proxy:1").unwrap();
        let with = |name: &str, password: &str| {
            proxy().with_credentials(name, ProxyPassword::new(password))
        };
        let good = with("canary-name", "canary-password").unwrap();
        let shown = format!("{good:?}");
        assert!(good.has_credentials() && !shown.contains("canary"), "{shown}");
        let long = "x".repeat(256);
        for (name, password, wrong) in [
            ("", "p", "username"),
            (&long, "p", "username"),
            ("a\nb", "p", "username"),
            ("u", "", "password"),
            ("u", &long, "password"),
            ("u", "a\0b", "password"),
        ] {
            assert_eq!(field(with(name, password)), wrong);
        }
    }
}
