//! A vhost of the shared broker for one test, deleted with all that is in it.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use url::Url;

use super::servers::Addresses;

const BOUND: Duration = Duration::from_secs(30);

/// A vhost, until dropped.
#[derive(Debug)]
pub struct Vhost {
    /// Its name.
    pub name: String,
    /// `amqp://…/name`
    pub amqp_url: String,
    /// The broker's management API; the same for every vhost.
    pub management_url: String,
}

impl Vhost {
    /// Makes a new one, with all rights for the user of the addresses.
    ///
    /// # Errors
    /// When the broker's management API refuses.
    pub async fn new(addresses: &Addresses, label: &str) -> Result<Self> {
        let random = uuid::Uuid::new_v4().simple().to_string();
        let name = format!("queuegram-{label}-{}", &random[..8]);
        let mut amqp = Url::parse(&addresses.amqp_url).context("the broker's address")?;
        amqp.set_path(&name);
        let vhost = Self {
            name,
            amqp_url: amqp.to_string(),
            management_url: addresses.management_url.clone(),
        };
        let user = Url::parse(&vhost.management_url)?.username().to_owned();
        vhost.put(&format!("vhosts/{}", vhost.name), &json!({})).await?;
        let all = json!({ "configure": ".*", "write": ".*", "read": ".*" });
        vhost.put(&format!("permissions/{}/{user}", vhost.name), &all).await?;
        Ok(vhost)
    }

    /// `GET /api/<path>`, where `{vhost}` stands for this one.
    ///
    /// # Errors
    /// When the answer is no success or no JSON.
    pub async fn get(&self, path: &str) -> Result<Value> {
        let answer = reqwest::Client::new().get(self.api(path)).timeout(BOUND).send().await?;
        Ok(answer.error_for_status()?.json().await?)
    }

    /// `PUT /api/<path>`.
    ///
    /// # Errors
    /// When the answer is no success.
    pub async fn put(&self, path: &str, body: &Value) -> Result<()> {
        let request = reqwest::Client::new().put(self.api(path)).timeout(BOUND).json(body);
        let answer = request.send().await.context("the broker's management API")?;
        ensure!(answer.status().is_success(), "PUT {path}: {}", answer.status());
        Ok(())
    }

    /// `POST /api/<path>`.
    ///
    /// # Errors
    /// When the answer is no success or no JSON.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let request = reqwest::Client::new().post(self.api(path)).timeout(BOUND).json(body);
        Ok(request.send().await?.error_for_status()?.json().await?)
    }

    /// The names of its queues.
    ///
    /// # Errors
    /// As [`Vhost::get`].
    pub async fn queues(&self) -> Result<Vec<String>> {
        let queues = self.get("queues/{vhost}?columns=name").await?;
        let names =
            queues.as_array().into_iter().flatten().filter_map(|queue| queue["name"].as_str());
        Ok(names.map(str::to_owned).collect())
    }

    fn api(&self, path: &str) -> String {
        let path = path.replace("{vhost}", &self.name);
        format!("{}/api/{path}", self.management_url.trim_end_matches('/'))
    }
}

impl Drop for Vhost {
    fn drop(&mut self) {
        let url = self.api("vhosts/{vhost}");
        // A destructor can't await, and may run inside a runtime: hence a thread with one of its own.
        // A broker that has gone already has nothing left to delete.
        let delete = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
            let delete = async { reqwest::Client::new().delete(url).timeout(BOUND).send().await };
            runtime.block_on(delete).ok()
        });
        let _deleted = delete.join();
    }
}
