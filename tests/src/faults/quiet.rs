//! After the faults: wait until everybody who asked is answered, ask for what the ledger and the accounts
//! say, stop the workers, and look what is left.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout};

use super::ears::Ears;
use super::history::{Login, Sent, Via, is_lane};
use super::play::{Stage, ask};
use crate::stage::Caller;

/// How often it is looked whether all answers are there.
const LOOK: Duration = Duration::from_millis(100);
/// How long one question at the end may take.
const ASK_BOUND: Duration = Duration::from_secs(30);
/// How often a question is asked that a store could not answer in time.
const TRIES: u32 = 5;
/// How long a lane may take to be deleted once it is empty.
const LANES_BOUND: Duration = Duration::from_secs(20);
/// How long a worker may take to stop.
const STOP_BOUND: Duration = Duration::from_secs(40);

/// Waits until each publication is answered to its asker and told to all; false where the bound is over
/// first, and then the oracles say what is missing.
pub async fn answered(ears: &Ears, sent: &[Sent], bound: Duration) -> bool {
    let deadline = Instant::now() + bound;
    loop {
        let heard = ears.heard();
        let replied = |sent: &Sent| {
            heard.iter().any(|told| told.via == Via::Reply && told.correlation == sent.correlation)
        };
        let told = |sent: &Sent| {
            heard.iter().any(|told| {
                told.via == Via::Results && told.is_outcome() && told.body["id"] == *sent.planned.id
            })
        };
        if sent.iter().all(|sent| replied(sent) && told(sent)) {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        sleep(LOOK).await;
    }
}

/// What the ledger keeps of each command; where it knows none, what was answered instead.
///
/// # Errors
/// When the broker is away.
pub async fn records(amqp_url: &str, sent: &[Sent]) -> Result<BTreeMap<String, Value>> {
    let caller = Caller::connect(amqp_url).await?;
    let mut records = BTreeMap::new();
    for sent in sent {
        let (instance, id) = (&sent.planned.instance, &sent.planned.id);
        if records.contains_key(id) {
            continue;
        }
        let mut answer = Value::Null;
        // A store that was slow once is no missing record.
        for attempt in 1..=TRIES {
            let name = format!("look-{attempt}:{}", sent.correlation);
            let asked = caller.control(instance, &name, "command.get", json!({ "id": id }));
            answer = timeout(ASK_BOUND, asked).await.ok().and_then(Result::ok).unwrap_or_default();
            if answer["error_kind"] != "unavailable" {
                break;
            }
        }
        let record = match &answer["result"]["result"] {
            // Shown as it is: it has no status, so the oracle counts it for no record.
            Value::Null => json!({ "no_record": answer }),
            record => record.clone(),
        };
        records.insert(id.clone(), record);
    }
    Ok(records)
}

/// Asks every account for itself, the whole way to Telegram and back.
///
/// # Errors
/// When the broker is away.
pub async fn serving(amqp_url: &str, logins: &mut [Login]) -> Result<()> {
    let caller = Caller::connect(amqp_url).await?;
    for login in logins {
        let name = format!("{}:alive", login.instance);
        let asked = caller.call(&login.instance, &name, "account.get", json!({}));
        let answer = timeout(ASK_BOUND, asked).await.ok().and_then(Result::ok);
        login.serves = answer.is_some_and(|answer| answer["status"] == "done");
    }
    Ok(())
}

/// Waits until every lane is gone, for it is deleted a little after its last command was answered; the
/// oracles say which one stays.
///
/// # Errors
/// When the broker is away.
pub async fn lanes_gone(stage: &Stage) -> Result<()> {
    let deadline = Instant::now() + LANES_BOUND;
    while Instant::now() < deadline {
        let queues = stage.scene.lock().await.vhost.queues().await?;
        if !queues.iter().any(|queue| is_lane(queue)) {
            break;
        }
        sleep(LOOK).await;
    }
    Ok(())
}

/// Stops every worker in order; those that did not end well.
pub async fn stop(stage: &Stage) -> Vec<String> {
    match stage.fleet.stop(STOP_BOUND).await {
        Ok(bad) => bad,
        Err(error) => vec![format!("a worker did not stop: {error:#}")],
    }
}

/// The messages left in queues of Queuegram's own. Whose workers have ended: so nothing is unacknowledged
/// any more. What lies in `tg.dead` is there for people.
///
/// # Errors
/// When the broker is away.
pub async fn queues(stage: &Stage) -> Result<BTreeMap<String, u64>> {
    let scene = stage.scene.lock().await;
    let caller = Caller::connect(&scene.vhost.amqp_url).await?;
    let mut left = BTreeMap::new();
    for queue in scene.vhost.queues().await? {
        if queue.starts_with("tg.") && queue != "tg.dead" {
            // The worker's own queue of orders goes with it: it may be gone by now.
            if let Ok(look) = caller.look(&queue).await {
                left.insert(queue, u64::from(look.ready));
            }
        }
    }
    Ok(left)
}

/// Leases that are left in Redis.
///
/// # Errors
/// When Redis is away.
pub async fn leases(redis_url: &str) -> Result<Vec<String>> {
    let keys = ask(redis_url, &["KEYS", "*:lease"]).await?;
    deadpool_redis::redis::from_redis_value(keys).context("what Redis answered")
}
