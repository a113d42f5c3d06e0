//! The names of the keys in Redis. All of one instance's carry its id as a hash tag, so that one
//! script may touch several of them on a cluster too; so have those of the workers, with a word that
//! no instance can have.

use proto::{CommandId, InstanceId};

/// Makes the names under one prefix.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    prefix: String,
}

impl Keys {
    pub fn new(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned() }
    }

    /// Who owns the instance: `<owner>|<epoch>`, gone when the lease runs out.
    pub fn lease(&self, instance: &InstanceId) -> String {
        self.of(instance, "lease")
    }

    /// The highest epoch so far; never removed while the instance lives.
    pub fn epoch(&self, instance: &InstanceId) -> String {
        self.of(instance, "epoch")
    }

    /// The epoch that was ended by a release, if the last one was.
    pub fn released(&self, instance: &InstanceId) -> String {
        self.of(instance, "released")
    }

    /// The record of one command.
    pub fn command(&self, instance: &InstanceId, id: &CommandId) -> String {
        self.of(instance, &format!("cmd:{id}"))
    }

    /// A pattern that the records of all commands of one instance match. An instance's id has none
    /// of the characters that mean something in a pattern.
    pub fn commands(&self, instance: &InstanceId) -> String {
        self.of(instance, "cmd:*")
    }

    /// The board of the instance's parked commands: a field for each, and for each of their queues.
    pub fn lanes(&self, instance: &InstanceId) -> String {
        self.of(instance, "lanes")
    }

    /// The parked commands themselves, by id.
    pub fn lane_copies(&self, instance: &InstanceId) -> String {
        self.of(instance, "lanes:copies")
    }

    /// Ids of parked commands that were cancelled, until their owner has seen them.
    pub fn lane_cancels(&self, instance: &InstanceId) -> String {
        self.of(instance, "lanes:cancels")
    }

    /// What is used of the instance's limits, and which gates are shut.
    pub fn limits(&self, instance: &InstanceId) -> String {
        self.of(instance, "limits")
    }

    /// The newest session, sealed, with the vault record that it goes back to.
    pub fn session(&self, instance: &InstanceId) -> String {
        self.of(instance, "session")
    }

    /// Known peers, sealed one by one.
    pub fn peers(&self, instance: &InstanceId) -> String {
        self.of(instance, "peers")
    }

    /// When each peer was saved last.
    pub fn peers_used(&self, instance: &InstanceId) -> String {
        self.of(instance, "peers:used")
    }

    /// How the account stands.
    pub fn status(&self, instance: &InstanceId) -> String {
        self.of(instance, "status")
    }

    /// How often a delivery that came back was taken without an end.
    pub fn peril(&self, instance: &InstanceId, fingerprint: &str) -> String {
        self.of(instance, &format!("peril:{fingerprint}"))
    }

    /// Counts the changes to the list of instances.
    pub fn instances_version(&self) -> String {
        format!("{}:instances:version", self.prefix)
    }

    /// The heartbeats of the workers.
    pub fn workers(&self) -> String {
        format!("{}:{{_workers}}:alive", self.prefix)
    }

    /// Which data these are; see the module `generation`.
    pub fn generation(&self) -> String {
        format!("{}:{{_workers}}:generation", self.prefix)
    }

    /// Whose the vault is; see the module `site`.
    pub fn site(&self) -> String {
        format!("{}:{{_workers}}:site", self.prefix)
    }

    /// What one worker left beside it.
    pub fn mark(&self, worker: &str) -> String {
        format!("{}:{{_workers}}:mark:{worker}", self.prefix)
    }

    /// What is paused: a field for each pause.
    pub fn pauses(&self) -> String {
        format!("{}:pauses", self.prefix)
    }

    fn of(&self, instance: &InstanceId, name: &str) -> String {
        format!("{}:{{{instance}}}:{name}", self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_an_instance_has_its_hash_tag() {
        let keys = Keys::new("qg");
        let acme = "acme".parse().unwrap();
        assert_eq!(keys.lease(&acme), "qg:{acme}:lease");
        let id = "deal-77:{x}".parse().unwrap();
        assert_eq!(keys.command(&acme, &id), "qg:{acme}:cmd:deal-77:{x}");
    }
}
