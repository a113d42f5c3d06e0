//! Telegram-like limits: how often accounts may ask for the same, and of how many groups one may be a member.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Answer, Refused, read};
use crate::flood::{Flood, Limit};
use crate::hub::{Hub, Sim};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    /// Replaces the table; none at all switches limits off.
    limits: Option<Vec<Limit>>,
    /// A table that is known by name, instead.
    profile: Option<Profile>,
    /// Groups of one account.
    groups_max: Option<usize>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Profile {
    Telegram,
    Off,
}

/// `POST /limits`
pub async fn set(State(hub): State<Arc<Hub>>, body: Bytes) -> Answer {
    let table: Table = read(&body)?;
    let limits = match (table.limits, table.profile) {
        (Some(_), Some(_)) => {
            return Err(Refused::new("profile", "either a profile or limits of your own"));
        }
        (Some(limits), None) => Some(limits),
        (None, Some(Profile::Telegram)) => Some(Flood::like_telegram()),
        (None, Some(Profile::Off)) => Some(Vec::new()),
        (None, None) => None,
    };
    hub.with(|sim| {
        if let Some(limits) = limits {
            sim.flood.set(limits).map_err(|bad| Refused::new(bad.field, bad.reason))?;
        }
        if let Some(most) = table.groups_max {
            sim.world.limits.channels = most;
        }
        Ok(Json(shown(sim)))
    })
}

/// `GET /limits`
pub async fn show(State(hub): State<Arc<Hub>>) -> Answer {
    hub.with(|sim| Ok(Json(shown(sim))))
}

fn shown(sim: &Sim) -> Value {
    json!({ "limits": sim.flood.limits(), "groups_max": sim.world.limits.channels })
}
