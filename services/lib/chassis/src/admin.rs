//! The admin port: `/live`, `/ready`, `/metrics`. Never public; it says what runs, not for whom.

use std::net::SocketAddr;

use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
    routing::get,
};
use prometheus::{Registry, TextEncoder};
use tokio::net::TcpListener;

use crate::{Lifecycle, Missing, Readiness};

/// The bound port, before it serves.
#[derive(Debug)]
pub(crate) struct Admin {
    listener: TcpListener,
    seen: Seen,
}

/// What the answers are made from.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) readiness: Readiness,
    pub(crate) registry: Registry,
    pub(crate) lifecycle: Lifecycle,
}

impl Admin {
    /// Binds the port and logs where.
    pub(crate) async fn bind(listen: SocketAddr, seen: Seen) -> std::io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        tracing::info!(admin.address = %address, "admin listening");
        Ok(Self { listener, seen })
    }

    /// Serves until dropped.
    pub(crate) async fn serve(self) -> std::io::Result<()> {
        let routes = Router::new()
            .route("/live", get(live))
            .route("/ready", get(ready))
            .route("/metrics", get(metrics))
            .with_state(self.seen);
        axum::serve(self.listener, routes).await
    }
}

/// 200 as long as the process can answer and has not crashed.
async fn live(State(seen): State<Seen>) -> impl IntoResponse {
    match seen.lifecycle.crash() {
        None => (StatusCode::OK, String::from("live\n")),
        Some(crash) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{crash}\n")),
    }
}

#[derive(serde::Serialize)]
struct ReadyAnswer {
    ready: bool,
    missing: Vec<Missing>,
}

/// 200 when ready, else 503 and what is missing.
async fn ready(State(seen): State<Seen>) -> impl IntoResponse {
    let missing = seen.readiness.missing();
    let ready = missing.is_empty();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(ReadyAnswer { ready, missing }))
}

/// The registry in Prometheus' text format.
async fn metrics(State(seen): State<Seen>) -> impl IntoResponse {
    match TextEncoder::new().encode_to_string(&seen.registry.gather()) {
        Ok(text) => (StatusCode::OK, [(header::CONTENT_TYPE, prometheus::TEXT_FORMAT)], text)
            .into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    }
}
