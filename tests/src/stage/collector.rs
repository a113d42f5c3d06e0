//! A collector of traces (OTLP over HTTP) that keeps what it is sent, for looking for what must not be in it.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A scene with more spans than this looks at the first ones.
const KEPT_MAX: usize = 64 << 20;

/// One that collects until dropped.
#[derive(Debug)]
pub struct Collector {
    /// `http://127.0.0.1:port`, as in `telemetry.otlp_endpoint`.
    pub endpoint: String,
    kept: Arc<Mutex<Vec<u8>>>,
    serving: JoinHandle<()>,
}

impl Collector {
    /// Starts one on a free port.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let kept: Arc<Mutex<Vec<u8>>> = Arc::default();
        let keeping = Arc::clone(&kept);
        let keep = move |body: Bytes| async move {
            let mut kept = keeping.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.len() + body.len() <= KEPT_MAX {
                kept.extend_from_slice(&body);
            }
        };
        let routes = Router::new().route("/v1/traces", post(keep));
        let serving = tokio::spawn(async move {
            let _ended = axum::serve(listener, routes).await;
        });
        Ok(Self { endpoint, kept, serving })
    }

    /// Every span so far, as protobuf: texts stand in it as they are.
    #[must_use]
    pub fn spans(&self) -> Vec<u8> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
