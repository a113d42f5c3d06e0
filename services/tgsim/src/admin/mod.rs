//! The admin port: what tests and people do to the simulated world from outside of Telegram.
//!
//! Every body is JSON; an error is 400 (404 for a path that is none) with
//! `{"error":{"field":"privacy.invite","message":"…"}}`.

mod act;
mod answer;
mod faults;
mod groups;
mod limits;
mod logins;
mod state;
mod users;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{delete, get, post};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use act::as_user;

use crate::hub::Hub;

/// The largest body, in bytes.
const BODY_MAX_BYTES: usize = 1024 * 1024;

/// Serves until `stop`.
pub async fn serve(hub: Arc<Hub>, listener: TcpListener, stop: CancellationToken) {
    let ending = stop.clone();
    let served = axum::serve(listener, router(hub))
        .with_graceful_shutdown(async move { ending.cancelled().await });
    // A request that waits for the journal must not hold up the end.
    tokio::select! {
        result = served => {
            if let Err(error) = result {
                tracing::error!(%error, "the admin port failed");
            }
        }
        () = async { stop.cancelled().await; tokio::task::yield_now().await } => {}
    }
}

fn router(hub: Arc<Hub>) -> Router {
    Router::new()
        .route("/users", post(users::create).get(users::list))
        .route("/users/{id}", get(users::show))
        .route("/users/{id}/code", get(users::code))
        .route("/codes/{phone}", get(users::code_of_phone))
        .route("/users/{id}/scan", post(users::scan))
        .route("/users/{id}/keys", post(logins::keys))
        .route("/applications", post(logins::applications))
        .route("/users/{id}/contacts", post(users::add_contacts))
        .route("/users/{id}/privacy", post(users::set_privacy))
        .route("/users/{id}/join", post(act::join))
        .route("/users/{id}/leave", post(act::leave))
        .route("/users/{id}/block", post(act::block))
        .route("/users/{id}/unblock", post(act::unblock))
        .route("/users/{id}/send", post(act::send))
        .route("/users/{id}/groups", post(groups::create))
        .route("/users/{id}/migrate", post(groups::migrate))
        .route("/script", post(faults::add).delete(faults::clear))
        .route("/script/{id}", delete(faults::remove))
        .route("/limits", post(limits::set).get(limits::show))
        .route("/clock", post(faults::advance))
        .route("/journal", get(faults::journal))
        .route("/state", get(state::everything))
        .route("/groups/{chat_id}", get(state::one_group))
        .route("/dcs", get(state::dcs))
        .route("/auth_keys", get(state::auth_keys))
        .route("/reset", post(faults::reset))
        .fallback(answer::no_such_path)
        .layer(DefaultBodyLimit::max(BODY_MAX_BYTES))
        .with_state(hub)
}
