//! Connecting many accounts: the orders that `queuegram instance add` and `queuegram login` send,
//! many at once, with tgsim's admin port reading each person's login code aloud.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use futures_util::{TryStreamExt as _, stream};
use serde_json::json;

use super::desk::Desk;
use super::seal::seal;
use crate::stage::Scene;

/// How often a login is begun before it is given up.
const TRIES: u32 = 5;
/// The pause between two looks at an account that is being connected.
const PAUSE: Duration = Duration::from_secs(1);

/// The name of the `n`th instance.
#[must_use]
pub fn instance(n: usize) -> String {
    format!("crowd-{n:05}")
}

/// The accounts that were connected.
#[derive(Debug)]
pub struct Crowd {
    /// Telegram's ids, in the order of the instances.
    pub users: Vec<i64>,
    /// How long it took.
    pub took: Duration,
    /// Logins that had to be begun again.
    pub repeated: usize,
}

/// Makes and logs in `count` instances, `at_once` of them at the same time. `progress` is told how far
/// it is.
///
/// # Errors
/// When a login fails again and again.
pub async fn provision(
    scene: &Scene,
    desk: &Desk,
    count: usize,
    at_once: usize,
    progress: impl Fn(&str),
) -> Result<Crowd> {
    let (since, done) = (Instant::now(), AtomicUsize::new(0));
    let again = AtomicUsize::new(0);
    let progress = &progress;
    let mut users: Vec<(usize, i64)> = stream::iter((0..count).map(Ok::<_, anyhow::Error>))
        .map_ok(|n| {
            let (done, again) = (&done, &again);
            async move {
                let phone = format!("+99{n:010}");
                let user = json!({ "phone": phone, "first_name": "Idle" });
                let user = scene.tgsim.user(&user).await?;
                // On a busy machine a lease can be lost in the middle of a login; then the account
                // connects with what it has, or is asked again.
                for left in (0..TRIES).rev() {
                    match connect(scene, desk, &instance(n), &phone, user).await {
                        Ok(()) => break,
                        Err(error) if left == 0 => return Err(error),
                        Err(_) => again.fetch_add(1, Ordering::Relaxed),
                    };
                    if is_connected(desk, &instance(n)).await {
                        break;
                    }
                }
                let so_far = done.fetch_add(1, Ordering::Relaxed) + 1;
                if so_far % (count / 10).max(1) == 0 {
                    let took = since.elapsed().as_secs_f64();
                    progress(&format!("{so_far} of {count} accounts logged in after {took:.0} s"));
                }
                Ok((n, user))
            }
        })
        .try_buffer_unordered(at_once.max(1))
        .try_collect()
        .await?;
    users.sort_unstable();
    Ok(Crowd {
        users: users.into_iter().map(|(_, user)| user).collect(),
        took: since.elapsed(),
        repeated: again.load(Ordering::Relaxed),
    })
}

async fn connect(scene: &Scene, desk: &Desk, name: &str, phone: &str, user: i64) -> Result<()> {
    desk.order(name, "account.add", json!({})).await?;
    let shown = desk.order(name, "account.get", json!({})).await?;
    let key = shown["result"]["seal_key"].as_str().context("no seal_key")?.to_owned();
    let asked = desk.code_needed(name);
    let sealed = seal(&key, &format!("{name}/phone"), phone)?;
    let login = desk.order(name, "account.login", json!({ "phone": sealed }));
    let answer = async {
        let asked = asked.await?;
        let code = scene.tgsim.code(user).await?;
        let sealed = seal(&key, &format!("{name}/code"), &code)?;
        let params = json!({ "login_id": asked["data"]["login_id"], "code": sealed });
        desk.order(name, "account.login_answer", params).await
    };
    tokio::try_join!(login, answer).map(|_| ())
}

/// Whether an account whose login was cut off has what it needs; waits while it is connecting.
async fn is_connected(desk: &Desk, name: &str) -> bool {
    loop {
        tokio::time::sleep(PAUSE).await;
        let Ok(shown) = desk.order(name, "account.get", json!({})).await else { return false };
        match shown["result"]["state"].as_str() {
            Some("online") => return true,
            Some("connecting") => {}
            _ => return false,
        }
    }
}
