//! Posting a notice to an address.
//!
//! ureq rather than an async client: a handful of requests, and its TLS brings ring along.

use std::time::Duration;

use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig};
use url::Url;

/// The HTTP library logs the address of each request.
pub const LOG_DIRECTIVE: &str = "ureq=info";

/// How long one request may take.
const WITHIN: Duration = Duration::from_secs(10);

/// What a request came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Posted {
    /// Answered with 2xx.
    Taken,
    /// Answered in a way that says that the same request will be answered the same.
    Refused(u16),
    /// No answer, or one that asks for another try.
    Failed(String),
}

/// Posts notices; cheap to clone.
#[derive(Debug, Clone)]
pub struct Poster(Agent);

impl Poster {
    /// One with the system's certificates. It follows no redirect: whoever moves changes the setting.
    pub fn new() -> Self {
        let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
        let config = Agent::config_builder()
            .timeout_global(Some(WITHIN))
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("queuegram/", env!("CARGO_PKG_VERSION")))
            .tls_config(tls);
        Self(config.build().into())
    }

    /// Posts a JSON text.
    pub async fn post(&self, url: &Url, body: &[u8]) -> Posted {
        let (agent, url, body) = (self.0.clone(), url.to_string(), body.to_vec());
        let posting = tokio::task::spawn_blocking(move || {
            agent.post(&url).header("content-type", "application/json").send(&body[..])
        });
        match posting.await {
            Ok(Ok(answer)) => judge(answer.status().as_u16()),
            // The error's own words may hold the address.
            Ok(Err(ureq::Error::Timeout(_))) => Posted::Failed("no answer in time".to_owned()),
            Ok(Err(ureq::Error::Io(error))) => Posted::Failed(error.kind().to_string()),
            Ok(Err(ureq::Error::HostNotFound)) => Posted::Failed("no such host".to_owned()),
            Ok(Err(_)) => Posted::Failed("the request failed".to_owned()),
            Err(_) => Posted::Failed("the request broke off".to_owned()),
        }
    }
}

/// 408 and 429 are the two of 4xx that ask for another try (RFC 9110, RFC 6585).
fn judge(status: u16) -> Posted {
    match status {
        200..300 => Posted::Taken,
        408 | 429 | 500.. => Posted::Failed(format!("answered with {status}")),
        _ => Posted::Refused(status),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_whether_to_try_again() {
        for status in [200, 202, 204] {
            assert_eq!(judge(status), Posted::Taken);
        }
        for status in [301, 400, 401, 404, 410] {
            assert_eq!(judge(status), Posted::Refused(status));
        }
        for status in [408, 429, 500, 503] {
            assert!(matches!(judge(status), Posted::Failed(_)));
        }
    }
}
