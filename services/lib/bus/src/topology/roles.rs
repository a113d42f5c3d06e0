//! Who may do what on the broker: the permissions of the three kinds of users. RabbitMQ checks
//! three regular expressions against names; topic permissions add routing keys to that.
//! Source: <https://www.rabbitmq.com/docs/access-control>.

use proto::Names;

/// The permissions of one kind of user. `{user}` stands for the user's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// What the role is called.
    pub name: &'static str,
    /// What it is for.
    pub purpose: &'static str,
    /// Names it may declare and delete.
    pub configure: String,
    /// Names it may publish to, and bind queues of.
    pub write: String,
    /// Names it may consume, and bind from.
    pub read: String,
    /// Routing keys, per exchange: (exchange, write, read).
    pub topics: Vec<(String, String, String)>,
    /// Management tags, separated by spaces; none for users who only speak AMQP.
    pub tags: &'static str,
}

impl Role {
    /// The role with a user's name in its patterns, escaped.
    #[must_use]
    pub fn for_user(&self, user: &str) -> Self {
        let fill = |pattern: &str| pattern.replace("{user}", &super::policies::escaped(user));
        Self {
            configure: fill(&self.configure),
            write: fill(&self.write),
            read: fill(&self.read),
            topics: self
                .topics
                .iter()
                .map(|(exchange, write, read)| (exchange.clone(), fill(write), fill(read)))
                .collect(),
            ..self.clone()
        }
    }
}

pub(crate) fn all(names: &Names) -> Vec<Role> {
    let escaped = super::policies::escaped;
    let own = format!(r"^{}\.", escaped(names.prefix()));
    let one_of =
        |names: &[String]| names.iter().map(|name| escaped(name)).collect::<Vec<_>>().join("|");
    // A caller's own queues begin with its name; `amq.gen-` is what the broker names.
    let callers_own = r"{user}\..*|amq\.gen.*";
    let to = one_of(&[names.commands(), names.control()]);
    let from = one_of(&[names.results(), names.events(), names.replies()]);
    vec![
        Role {
            name: "worker",
            purpose: "queuegram-worker: declares and consumes everything of ours, publishes replies to any queue",
            configure: own.clone(),
            write: format!(r"{own}|^amq\.default$"),
            read: own.clone(),
            topics: Vec::new(),
            tags: "",
        },
        Role {
            name: "ctl",
            purpose: "queuegram, the command line: applies the topology, sends commands and account orders, listens",
            configure: r".*".to_owned(),
            write: r".*".to_owned(),
            read: r".*".to_owned(),
            topics: Vec::new(),
            tags: "policymaker monitoring",
        },
        Role {
            name: "caller",
            purpose: "a BPM engine or CRM: publishes commands, has reply queues that begin with its user name",
            configure: format!("^({callers_own})$"),
            write: format!("^({to}|{callers_own})$"),
            read: format!("^({from}|{callers_own})$"),
            // On the control exchange only what concerns a command whose id it knows: lists,
            // decisions and account orders are an admin's. The replies of others stay theirs.
            topics: vec![
                (names.control(), r"^[^.]+\.command\.(get|cancel)$".to_owned(), "^$".to_owned()),
                (names.replies(), "^$".to_owned(), r"^{user}\.".to_owned()),
            ],
            tags: "",
        },
    ]
}

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::*;

    fn allows(pattern: &str, name: &str) -> bool {
        Regex::new(pattern).unwrap().is_match(name)
    }

    #[test]
    fn a_caller_has_its_own_queues_and_none_of_ours() {
        let roles = all(&Names::default());
        let caller = roles.iter().find(|role| role.name == "caller").unwrap().for_user("crm.eu");
        for (pattern, name, allowed) in [
            (&caller.configure, "crm.eu.replies", true),
            (&caller.configure, "crmXeu.replies", false),
            (&caller.configure, "tg.commands", false),
            (&caller.configure, "amq.gen-abc", true),
            (&caller.write, "tg.commands", true),
            (&caller.write, "tg.results", false),
            (&caller.write, "tg.commands.acme", false),
            (&caller.write, "tg.lanes.acme.create", false),
            // With it, any queue could be written to by its name, lanes among them.
            (&caller.write, "amq.default", false),
            (&caller.configure, "tg.lanes.acme.create", false),
            (&caller.read, "tg.results", true),
            (&caller.read, "tg.commands.acme", false),
            (&caller.read, "tg.lanes.acme.create", false),
            (&caller.read, "tg.dead", false),
            (&caller.read, "crm.eu.replies", true),
        ] {
            assert_eq!(allows(pattern, name), allowed, "{pattern} {name}");
        }
        let (_, write, _) = &caller.topics[0];
        assert!(allows(write, "acme.command.get") && allows(write, "acme.command.cancel"));
        for order in ["acme.account.remove", "acme.command.list", "acme.command.resolve"] {
            assert!(!allows(write, order), "{order}");
        }
        let (_, _, read) = &caller.topics[1];
        assert!(allows(read, "crm.eu.deals") && !allows(read, "other.deals"));
    }

    #[test]
    fn a_worker_has_everything_of_ours_and_the_default_exchange() {
        let roles = all(&Names::default());
        let worker = roles.iter().find(|role| role.name == "worker").unwrap();
        for name in ["tg.commands", "tg.commands.acme", "tg.control.w1", "amq.default"] {
            assert!(allows(&worker.write, name), "{name}");
        }
        let lane = "tg.lanes.acme.create";
        for pattern in [&worker.configure, &worker.write, &worker.read] {
            assert!(allows(pattern, lane), "{pattern}");
        }
        assert!(!allows(&worker.configure, "crm.replies"));
        assert!(!allows(&worker.read, "crm.replies"));
    }
}
