//! What carries the requests: HTTP/1.1 over TLS by ring, trusting whom this machine trusts. The
//! library's own client would bring a second TLS, whose build needs a C compiler and minutes.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http_body_util::BodyExt;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{Connect, HttpConnector as Tcp};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody,
    HttpResponse, HttpResponseBody, HttpService,
};
use url::Url;

use crate::error::StoreError;

/// How long a connection that nobody uses is kept; servers close theirs after some ten seconds.
const IDLE_MAX: Duration = Duration::from_secs(8);
/// Longest time to make a connection, where the vault's timeout is not less.
const CONNECT_MAX: Duration = Duration::from_secs(5);

/// Makes clients; all of them are one.
#[derive(Debug, Clone)]
pub(super) struct Http(HttpClient);

impl Http {
    /// For this server. Roots are needed only where it is not `http://`.
    pub fn new(endpoint: Option<&Url>, within: Duration) -> Result<Self, StoreError> {
        let mut tcp = Tcp::new();
        tcp.set_connect_timeout(Some(CONNECT_MAX.min(within / 2)));
        tcp.set_nodelay(true);
        if endpoint.is_some_and(|endpoint| endpoint.scheme() == "http") {
            return Ok(Self(HttpClient::new(Wire(pool(tcp)))));
        }
        // The TCP part is told of `https://` and must not take it for a mistake.
        tcp.enforce_http(false);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = HttpsConnectorBuilder::new()
            .with_provider_and_platform_verifier(provider)
            .map_err(|error| StoreError::Config {
                key: "vault.s3.endpoint",
                why: format!("needs TLS, which is not to be had on this machine: {error}"),
            })?
            // The machine's own role is told over http.
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        let client: Client<HttpsConnector<Tcp>, _> = pool(tls);
        Ok(Self(HttpClient::new(Wire(client))))
    }
}

impl HttpConnector for Http {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(self.0.clone())
    }
}

fn pool<C: Connect + Clone>(connector: C) -> Client<C, HttpRequestBody> {
    Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE_MAX)
        .build(connector)
}

struct Wire<C>(Client<C, HttpRequestBody>);

impl<C> fmt::Debug for Wire<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}

#[async_trait]
impl<C> HttpService for Wire<C>
where
    C: Connect + Clone + Send + Sync + 'static,
{
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let response = self.0.request(request).await.map_err(|error| {
            // Only what surely never reached the server may be sent again whatever it is.
            let kind = match error.is_connect() {
                true => HttpErrorKind::Connect,
                false => HttpErrorKind::Interrupted,
            };
            HttpError::new(kind, Chain::of(&error))
        })?;
        let (head, body) = response.into_parts();
        let body =
            body.map_err(|error| HttpError::new(HttpErrorKind::Interrupted, Chain::of(&error)));
        Ok(HttpResponse::from_parts(head, HttpResponseBody::new(body)))
    }
}

/// An error with all its reasons, of which the outermost alone says nothing.
#[derive(Debug)]
struct Chain(String);

impl Chain {
    fn of(error: &dyn Error) -> Self {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(error) = source {
            text = format!("{text}: {error}");
            source = error.source();
        }
        Self(text)
    }
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Chain {}
