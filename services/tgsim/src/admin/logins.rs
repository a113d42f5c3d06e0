//! What clients log in with: which applications may, and whether the server knows an account's keys.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::json;

use super::answer::{Answer, Refused, read, user};
use crate::hub::Hub;

/// Applications that may be allowed at once.
const APPLICATIONS_MAX: usize = 1000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Applications {
    applications: Vec<Application>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Application {
    api_id: i32,
    api_hash: String,
}

/// `POST /applications`: the only ones that may log in; none: any.
pub async fn applications(State(hub): State<Arc<Hub>>, body: Bytes) -> Answer {
    let Applications { applications } = read(&body)?;
    if applications.len() > APPLICATIONS_MAX {
        return Err(Refused::new("applications", format!("at most {APPLICATIONS_MAX}")));
    }
    hub.with(|sim| {
        let pairs = applications.into_iter().map(|one| (one.api_id, one.api_hash));
        sim.world.cluster.applications = pairs.collect();
        Ok(Json(json!({ "applications": sim.world.cluster.applications.len() })))
    })
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    known: bool,
}

/// `POST /users/{id}/keys`: whether the server knows the auth keys by which the account is logged in. One that it does
/// not know is answered by the transport error -404, as by a server that has lost it for a moment.
pub async fn keys(State(hub): State<Arc<Hub>>, Path(id): Path<String>, body: Bytes) -> Answer {
    let Keys { known } = read(&body)?;
    hub.with(|sim| {
        let id = user(&sim.world, &id)?;
        let logins = sim.world.cluster.logins_of(id);
        for (key, _) in &logins {
            if let Some(key) = sim.world.cluster.keys.get_mut(key) {
                key.known = known;
            }
        }
        Ok(Json(json!({ "keys": logins.len() })))
    })
}
