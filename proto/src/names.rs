//! The name of every exchange, queue and routing key on the broker. They stand here and nowhere
//! else; the prefix (`tg`) is a setting, so that two installations can share a broker.

use serde::{Deserialize, Serialize};

use crate::event::EventKind;
use crate::ids::{IdError, InstanceId, MethodName, quoted};
use crate::outcome::Status;

/// The names under one prefix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Names {
    prefix: String,
}

impl Default for Names {
    fn default() -> Self {
        Self { prefix: "tg".to_owned() }
    }
}

impl TryFrom<String> for Names {
    type Error = IdError;

    fn try_from(prefix: String) -> Result<Self, IdError> {
        let fits = (1..=32).contains(&prefix.len())
            && prefix.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
        if fits {
            return Ok(Self { prefix });
        }
        Err(IdError(format!(
            "a prefix of queue names is 1 to 32 letters, digits, `_` or `-`; got {}",
            quoted(&prefix)
        )))
    }
}

impl From<Names> for String {
    fn from(names: Names) -> Self {
        names.prefix
    }
}

impl Names {
    /// The names under this prefix.
    ///
    /// # Errors
    /// A prefix that is empty, too long, or has other characters than letters, digits, `_`, `-`.
    pub fn new(prefix: &str) -> Result<Self, IdError> {
        prefix.to_owned().try_into()
    }

    /// The prefix itself, without a dot.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Whether a queue or exchange of this name is one of ours.
    #[must_use]
    pub fn is_own(&self, name: &str) -> bool {
        name.strip_prefix(&self.prefix).is_some_and(|rest| rest.starts_with('.'))
    }

    /// Topic exchange that callers publish commands to.
    #[must_use]
    pub fn commands(&self) -> String {
        self.under("commands")
    }

    /// The queue of one instance's commands.
    #[must_use]
    pub fn command_queue(&self, instance: &InstanceId) -> String {
        self.under(&format!("commands.{instance}"))
    }

    /// What the name of every lane's queue begins with, before a dot.
    #[must_use]
    pub fn lanes(&self) -> String {
        self.under("lanes")
    }

    /// The queue of an instance's commands that wait in a lane: for calls of a class, or for a chat.
    #[must_use]
    pub fn lane_queue(&self, instance: &InstanceId, lane: &str) -> String {
        self.under(&format!("lanes.{instance}.{lane}"))
    }

    /// The instance and the lane whose queue has this name.
    #[must_use]
    pub fn lane_of_queue<'a>(&self, queue: &'a str) -> Option<(InstanceId, &'a str)> {
        let rest = queue.strip_prefix(&self.prefix)?.strip_prefix(".lanes.")?;
        let (instance, lane) = rest.split_once('.')?;
        Some((instance.parse().ok()?, lane))
    }

    /// The instance whose command queue has this name.
    #[must_use]
    pub fn instance_of_queue(&self, queue: &str) -> Option<InstanceId> {
        let rest = queue.strip_prefix(&self.prefix)?.strip_prefix(".commands.")?;
        rest.parse().ok()
    }

    /// What an instance's queue is bound with.
    #[must_use]
    pub fn command_binding(&self, instance: &InstanceId) -> String {
        format!("{instance}.#")
    }

    /// The routing key of one command or one order.
    #[must_use]
    pub fn command_key(&self, instance: &InstanceId, method: &MethodName) -> String {
        format!("{instance}.{method}")
    }

    /// Topic exchange for what must not wait behind commands.
    #[must_use]
    pub fn control(&self) -> String {
        self.under("control")
    }

    /// The queue from which any worker answers what needs no owner.
    #[must_use]
    pub fn control_shared(&self) -> String {
        self.under("control.shared")
    }

    /// What [`Names::control_shared`] is bound with.
    #[must_use]
    pub fn control_shared_bindings(&self) -> [String; 3] {
        ["*.command.*".to_owned(), "_.account.*".to_owned(), "_.audit.*".to_owned()]
    }

    /// Alternate exchange of the control exchange, and its queue: orders for unowned instances.
    #[must_use]
    pub fn control_unowned(&self) -> String {
        self.under("control.unowned")
    }

    /// The exclusive queue of one worker's orders.
    #[must_use]
    pub fn control_queue(&self, worker: &str) -> String {
        self.under(&format!("control.{worker}"))
    }

    /// What an owner binds its control queue with, for each instance that it owns.
    #[must_use]
    pub fn account_binding(&self, instance: &InstanceId) -> String {
        format!("{instance}.account.*")
    }

    /// Topic exchange of every result.
    #[must_use]
    pub fn results(&self) -> String {
        self.under("results")
    }

    /// The routing key of one result; `_.command.rejected` where instance and method are unknown.
    #[must_use]
    pub fn result_key(
        &self,
        instance: Option<&InstanceId>,
        method: Option<&MethodName>,
        status: Status,
    ) -> String {
        let instance = instance.map_or("_", InstanceId::as_str);
        let method = method.map_or("command.rejected", MethodName::as_str);
        format!("{instance}.{method}.{}", status.as_str())
    }

    /// Topic exchange of everything else that happens.
    #[must_use]
    pub fn events(&self) -> String {
        self.under("events")
    }

    /// The routing key of one event.
    #[must_use]
    pub fn event_key(&self, instance: &InstanceId, event: EventKind) -> String {
        format!("{instance}.{}", event.as_str())
    }

    /// The queue of what the admins of accounts are told.
    #[must_use]
    pub fn notices(&self) -> String {
        self.under("notices")
    }

    /// What [`Names::notices`] is bound to the exchange of events with: states and limits.
    #[must_use]
    pub fn notices_bindings(&self) -> [String; 2] {
        ["*.account.state".to_owned(), "*.limit.*".to_owned()]
    }

    /// Topic exchange of replies to callers that name a routing key.
    #[must_use]
    pub fn replies(&self) -> String {
        self.under("replies")
    }

    /// Alternate exchange of the commands exchange, and its queue.
    #[must_use]
    pub fn unrouted(&self) -> String {
        self.under("unrouted")
    }

    /// Dead-letter exchange of the command queues, and its queue.
    #[must_use]
    pub fn undelivered(&self) -> String {
        self.under("undelivered")
    }

    /// The queue of what was answered as poison or malformed.
    #[must_use]
    pub fn dead(&self) -> String {
        self.under("dead")
    }

    fn under(&self, name: &str) -> String {
        format!("{}.{name}", self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_contract() {
        let names = Names::default();
        let acme: InstanceId = "acme".parse().unwrap();
        assert_eq!(names.command_queue(&acme), "tg.commands.acme");
        assert_eq!(names.instance_of_queue("tg.commands.acme"), Some(acme.clone()));
        assert_eq!(names.instance_of_queue("tg.commands"), None);
        assert_eq!(names.instance_of_queue("crm.acme"), None);
        assert_eq!(names.lane_queue(&acme, "create"), "tg.lanes.acme.create");
        assert_eq!(
            names.lane_of_queue("tg.lanes.acme.slow.-1005"),
            Some((acme.clone(), "slow.-1005"))
        );
        assert_eq!(names.lane_of_queue("tg.commands.acme"), None);
        let create = "group.create".parse().unwrap();
        assert_eq!(names.command_key(&acme, &create), "acme.group.create");
        assert_eq!(
            names.result_key(Some(&acme), Some(&create), Status::Done),
            "acme.group.create.done"
        );
        assert_eq!(names.result_key(None, None, Status::Failed), "_.command.rejected.failed");
        assert_eq!(names.event_key(&acme, EventKind::GroupCreated), "acme.group.created");
        assert_eq!(Names::new("tg2").unwrap().dead(), "tg2.dead");
    }

    #[test]
    fn own_names_are_told_from_others() {
        let names = Names::default();
        assert!(names.is_own("tg.dead") && names.is_own("tg.anything"));
        assert!(!names.is_own("tgx.dead") && !names.is_own("tg") && !names.is_own("crm.tg.q"));
        assert!(Names::new("").is_err() && Names::new("a.b").is_err());
    }
}
