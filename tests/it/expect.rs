//! Comparing replies and effects with what they should be, with words that show both.

use queuegram_tests::stage::{Scene, patience};
use serde_json::Value;

/// Whether `value` has every field of the object `wanted`.
pub fn holds(value: &Value, wanted: &Value) -> bool {
    wanted.as_object().unwrap().iter().all(|(key, field)| value[key] == *field)
}

/// The effects that have every field of `wanted`.
pub fn matching<'a>(effects: &'a [Value], wanted: &Value) -> Vec<&'a Value> {
    effects.iter().filter(|effect| holds(effect, wanted)).collect()
}

/// How many effects have every field of `wanted`.
pub fn count(effects: &[Value], wanted: &Value) -> usize {
    matching(effects, wanted).len()
}

/// Fails unless `reply` has every field of `wanted`.
#[track_caller]
pub fn assert_holds(reply: &Value, wanted: &Value) {
    assert!(holds(reply, wanted), "wanted {wanted:#}\ngot {reply:#}");
}

/// Fails unless the command was done; gives its `chat_id`.
#[track_caller]
pub fn done(reply: &Value) -> i64 {
    assert!(reply["ok"] == true && reply["status"] == "done", "{reply:#}");
    reply["chat_id"].as_i64().unwrap_or_default()
}

/// Waits until the instance is online as this account.
pub async fn online_as(scene: &Scene, instance: &str, user: i64) {
    let ctl = scene.ctl().await.unwrap();
    patience::until(&format!("{instance} is online"), patience::USUAL, || async {
        let shown = ctl.json(&["instance", "show", instance]).await?;
        Ok((shown["state"] == "online" && shown["user_id"] == user).then_some(()))
    })
    .await
    .unwrap();
}
