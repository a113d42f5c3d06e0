//! Applying the topology through the management API. Everything is said as it should be, so that
//! applying twice changes nothing.

use serde_json::json;

use super::{Role, Topology};
use crate::error::BusError;
use crate::management::Management;

/// One thing that applying looked at.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Change {
    /// Kind and name of the thing.
    pub subject: String,
    /// True if it was made now; otherwise it was there, and is as described.
    pub created: bool,
}

impl Topology {
    /// Makes everything that is missing and sets every policy. Permissions are not among it: see
    /// [`Topology::grant`].
    ///
    /// # Errors
    /// [`BusError::Management`], with the broker's reason where an exchange or a queue of that
    /// name has other arguments.
    pub async fn apply(&self, management: &Management) -> Result<Vec<Change>, BusError> {
        let vhost = management.vhost();
        let mut changes = Vec::new();
        let mut done = |subject: String, created| changes.push(Change { subject, created });
        for exchange in &self.exchanges {
            let body = json!({"type": "topic", "durable": true, "auto_delete": false,
                "internal": false, "arguments": {}});
            let created = management.put(&["exchanges", vhost, &exchange.name], body).await?;
            done(format!("exchange {}", exchange.name), created);
        }
        for queue in &self.queues {
            let body = json!({"durable": true, "auto_delete": false,
                "arguments": queue.arguments()});
            let created = management.put(&["queues", vhost, &queue.name], body).await?;
            done(format!("queue {}", queue.name), created);
        }
        let known = self.bindings_of(management).await?;
        for binding in &self.bindings {
            // The API answers "created" to a binding that exists, so it is looked up before.
            let there = known.contains(binding);
            if !there {
                let path = ["bindings", vhost, "e", &binding.exchange, "q", &binding.queue];
                let body = json!({"routing_key": binding.key, "arguments": {}});
                management.post(&path, body).await?;
            }
            let subject =
                format!("binding {} -> {} ({})", binding.exchange, binding.queue, binding.key);
            done(subject, !there);
        }
        for policy in &self.policies {
            let created = management.put_policy(policy).await?;
            done(format!("policy {}", policy.name), created);
        }
        Ok(changes)
    }

    /// Gives an existing user the permissions of a role.
    ///
    /// # Errors
    /// [`BusError::Management`]; setting permissions takes an administrator.
    pub async fn grant(
        &self,
        management: &Management,
        role: &Role,
        user: &str,
    ) -> Result<(), BusError> {
        let role = role.for_user(user);
        let vhost = management.vhost();
        let body = json!({"configure": role.configure, "write": role.write, "read": role.read});
        management.put(&["permissions", vhost, user], body).await?;
        for (exchange, write, read) in &role.topics {
            let body = json!({"exchange": exchange, "write": write, "read": read});
            management.put(&["topic-permissions", vhost, user], body).await?;
        }
        Ok(())
    }
}
