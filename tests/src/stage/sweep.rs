//! After every story: looks for its secrets wherever Queuegram writes something down. A story that played
//! well fails here where it let one out.
//!
//! Callers' own commands, and the results addressed to them, may hold phone numbers and texts, and the events
//! of groups their titles; nothing may hold what an account can be entered with.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use deadpool_redis::redis::aio::MultiplexedConnection;
use deadpool_redis::redis::{Client, FromRedisValue, cmd};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::listener::Message;
use super::scene::Scene;
use super::secrets::{Kind, Secrets};

/// A worker that a story has killed or frozen does not answer, and is not waited for.
const BOUND: Duration = Duration::from_secs(3);

/// Each secret that was found, with where.
#[must_use]
pub fn leaks(scene: &Scene) -> Vec<String> {
    // A destructor calls this, maybe inside a runtime: hence a thread with one of its own.
    let swept = std::thread::scope(|threads| {
        let sweep = || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(look(scene))
        };
        threads.spawn(sweep).join()
    });
    match swept {
        Ok(Ok(leaks)) => leaks,
        Ok(Err(error)) => vec![format!("the search itself failed: {error:#}")],
        Err(_) => vec!["the search itself failed".to_owned()],
    }
}

async fn look(scene: &Scene) -> Result<Vec<String>> {
    let redis = timeout(BOUND, redis_of(scene)).await.context("Redis")??;
    let commands = redis.iter().filter_map(|(key, _)| key.split_once(":cmd:"));
    let ids = scene.heard.all().iter().flat_map(ids_in).collect::<BTreeSet<String>>();
    let ids = ids.into_iter().chain(commands.map(|(_, id)| id.to_owned())).collect();
    let secrets = secrets_of(scene, &ids).await?;
    let mut leaks = Vec::new();
    let mut check = |place: &str, bytes: &[u8], kind| {
        leaks.extend(
            secrets.found_in(bytes, kind).into_iter().map(|what| format!("{place}: {what}")),
        );
    };
    check("the log", scene.logs().as_bytes(), Kind::Text);
    check("a trace", &scene.traces.spans(), Kind::Text);
    for worker in &scene.workers {
        if let Ok(Ok(metrics)) = timeout(BOUND, worker.metrics()).await {
            check("a metric", metrics.as_bytes(), Kind::Text);
        }
    }
    for message in scene.heard.all() {
        let kind = if message.exchange == "tg.events" { Kind::Number } else { Kind::Login };
        check(&format!("{} {}", message.exchange, message.routing_key), &message.body, kind);
    }
    for (queue, message) in timeout(BOUND, left_in_queues(scene)).await.context("queues")?? {
        check(&format!("the queue {queue}"), &message, Kind::Login);
    }
    let mut vault = Vec::new();
    read_all(&scene.folder.join("vault"), &mut vault);
    check("the vault", &vault, Kind::Text);
    for (key, content) in redis {
        check(&format!("Redis {key}"), &content, Kind::Text);
    }
    Ok(leaks)
}

/// The simulated Telegram knows all of them but what was typed. Some stories give a group the name of its
/// command; those `ids` stand everywhere.
async fn secrets_of(scene: &Scene, ids: &BTreeSet<String>) -> Result<Secrets> {
    let (state, keys) = timeout(BOUND, async {
        tokio::try_join!(scene.tgsim.get("/state"), scene.tgsim.get("/auth_keys"))
    })
    .await??;
    let field = |list: &Value, name: &str| -> Vec<String> {
        let objects = list.as_array().into_iter().flatten();
        let texts: BTreeSet<&str> =
            objects.filter_map(|object| object[name].as_str()).filter(|t| !t.is_empty()).collect();
        texts.into_iter().map(str::to_owned).collect()
    };
    let texts = |name: &str| -> Vec<String> {
        field(&state["groups"], name).into_iter().filter(|text| !ids.contains(text)).collect()
    };
    let mut secrets = Secrets::new()?;
    secrets.phones(&field(&state["users"], "phone"))?;
    secrets.texts(&texts("title"))?;
    secrets.texts(&texts("about"))?;
    secrets.auth_keys(&serde_json::from_value::<Vec<String>>(keys["auth_keys"].clone())?)?;
    secrets.codes(&scene.tgsim.codes_told())?;
    secrets.passwords(&scene.passwords())?;
    Ok(secrets)
}

fn ids_in(message: &Message) -> Vec<String> {
    let body = message.json();
    let ids = ["id", "command_id", "external_ref", "instance"].map(|field| body[field].as_str());
    ids.into_iter().flatten().map(str::to_owned).collect()
}

/// What lies in Queuegram's own queues, but for commands that nobody has taken yet. The bodies are callers'
/// own; what an account can be entered with is taken out of them.
async fn left_in_queues(scene: &Scene) -> Result<Vec<(String, Vec<u8>)>> {
    let mut left = Vec::new();
    // A worker's own queue is for its connection alone, others are for their active consumer.
    let closed = ["tg.commands.", "tg.control.worker-", "tg.lanes.", "tg.notices"];
    for queue in scene.vhost.queues().await? {
        if !queue.starts_with("tg.") || closed.iter().any(|begin| queue.starts_with(begin)) {
            continue;
        }
        let path = format!("queues/{{vhost}}/{queue}/get");
        let look = json!({ "count": 1_000, "ackmode": "ack_requeue_true", "encoding": "base64" });
        let messages = scene.vhost.post(&path, &look).await?;
        for message in messages.as_array().into_iter().flatten() {
            let mut bytes = BASE64_STANDARD.decode(message["payload"].as_str().unwrap_or(""))?;
            bytes.extend(message["properties"].to_string().bytes());
            left.push((queue.clone(), bytes));
        }
    }
    Ok(left)
}

/// Every key, with what stands under it.
async fn redis_of(scene: &Scene) -> Result<Vec<(String, Vec<u8>)>> {
    let client = Client::open(scene.redis_url())?;
    let mut redis = client.get_multiplexed_async_connection().await?;
    let keys: Vec<String> = cmd("KEYS").arg("*").query_async(&mut redis).await?;
    let mut entries = Vec::new();
    for key in keys {
        let kind: String = cmd("TYPE").arg(&key).query_async(&mut redis).await?;
        let all: &[&str] = match kind.as_str() {
            "string" => &["GET"],
            "hash" => &["HGETALL"],
            "list" => &["LRANGE", "0", "-1"],
            "zset" => &["ZRANGE", "0", "-1"],
            "set" => &["SMEMBERS"],
            "stream" => &["XRANGE", "-", "+"],
            _ => continue,
        };
        let mut content = read(&mut redis, all, &key).await?;
        content.extend_from_slice(key.as_bytes());
        entries.push((key, content));
    }
    Ok(entries)
}

async fn read(redis: &mut MultiplexedConnection, how: &[&str], key: &str) -> Result<Vec<u8>> {
    let (name, range) = how.split_first().context("no command")?;
    let value = cmd(name).arg(key).arg(range).query_async(redis).await?;
    let mut bytes = Vec::new();
    flatten(&value, &mut bytes);
    Ok(bytes)
}

fn flatten(value: &deadpool_redis::redis::Value, into: &mut Vec<u8>) {
    if let Ok(bytes) = Vec::<u8>::from_redis_value_ref(value) {
        into.extend(bytes);
        into.push(b'\n');
    } else if let Ok(values) = Vec::<deadpool_redis::redis::Value>::from_redis_value_ref(value) {
        values.iter().for_each(|value| flatten(value, into));
    }
}

fn read_all(folder: &Path, into: &mut Vec<u8>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        if entry.path().is_dir() {
            read_all(&entry.path(), into);
        } else if let Ok(content) = std::fs::read(entry.path()) {
            into.extend(content);
            into.push(b'\n');
        }
    }
}
