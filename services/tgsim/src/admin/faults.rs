//! Script, journal, clock, and beginning anew.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use serde::Deserialize;
use serde_json::json;
use tokio::time::{Instant, timeout_at};

use super::answer::{Answer, Refused, read};
use crate::hub::Hub;
use crate::script::Rule;

/// Entries in one answer.
const LIMIT: usize = 1000;
const LIMIT_MAX: usize = 10_000;
/// The longest that a reader may wait for the next entry, in milliseconds.
const WAIT_MAX_MS: u64 = 60_000;

/// `POST /script`
pub async fn add(State(hub): State<Arc<Hub>>, body: Bytes) -> Answer {
    let rule: Rule = read(&body)?;
    hub.with(|sim| {
        let dcs: Vec<i32> = sim.world.cluster.dcs.iter().map(|dc| dc.id).collect();
        let id = sim.script.add(rule, &dcs)?;
        Ok(Json(json!({ "id": id })))
    })
}

/// `DELETE /script/{id}`
pub async fn remove(State(hub): State<Arc<Hub>>, Path(id): Path<String>) -> Answer {
    let removed = hub.with(|sim| id.parse().is_ok_and(|id| sim.script.remove(id)));
    Ok(Json(json!({ "removed": removed })))
}

/// `DELETE /script`
pub async fn clear(State(hub): State<Arc<Hub>>) -> Answer {
    hub.with(|sim| sim.script.clear());
    Ok(Json(json!({ "removed": true })))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_s: u32,
}

/// `POST /clock`
pub async fn advance(State(hub): State<Arc<Hub>>, body: Bytes) -> Answer {
    let advance: Advance = read(&body)?;
    hub.with(|sim| {
        sim.world.clock.advance(advance.advance_s);
        Ok(Json(json!({ "now": sim.world.clock.now() })))
    })
}

/// `POST /reset`: an empty world, no keys, no script; all connections are cut. The journal goes on.
pub async fn reset(State(hub): State<Arc<Hub>>) -> Answer {
    hub.with(|sim| {
        sim.reset();
        Ok(Json(json!({ "reset": true, "last": sim.journal.last() })))
    })
}

/// `GET /journal?after=N[&limit=M][&wait_ms=T]`: with `wait_ms`, waits for an entry if there is none.
pub async fn journal(State(hub): State<Arc<Hub>>, RawQuery(query): RawQuery) -> Answer {
    let (mut after, mut limit, mut wait_ms) = (0, LIMIT, 0);
    for (name, value) in query.as_deref().unwrap_or_default().split('&').filter_map(pair) {
        let number: u64 = value.parse().map_err(|_| Refused::new(name, "a number is needed"))?;
        match name {
            "after" => after = number,
            "limit" => limit = usize::try_from(number).unwrap_or(LIMIT_MAX).clamp(1, LIMIT_MAX),
            "wait_ms" => wait_ms = number.min(WAIT_MAX_MS),
            _ => return Err(Refused::new(name, "unknown; after, limit and wait_ms are known")),
        }
    }
    let mut grew = hub.journal_watch();
    let until = Instant::now() + Duration::from_millis(wait_ms);
    // In vain if the time is up, or if the simulator stops.
    let _ = timeout_at(until, grew.wait_for(|last| *last > after)).await;
    hub.with(|sim| {
        let entries = sim.journal.after(after, limit);
        let (first, last) = (sim.journal.first(), sim.journal.last());
        Ok(Json(json!({ "entries": entries, "first": first, "last": last })))
    })
}

fn pair(part: &str) -> Option<(&str, &str)> {
    (!part.is_empty()).then(|| part.split_once('=').unwrap_or((part, "")))
}
