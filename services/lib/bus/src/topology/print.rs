//! The topology as lines for a shell, for brokers whose management API isn't ours to use:
//! `rabbitmqadmin` for what AMQP declares, `rabbitmqctl` for policies and permissions.

use super::Topology;

impl Topology {
    /// The lines, comments included, in the order in which they work.
    #[must_use]
    pub fn print(&self, vhost: &str) -> Vec<String> {
        let mut lines = vec!["# Exchanges, queues and bindings".to_owned()];
        let admin = |words: &[String]| line(&["rabbitmqadmin", "-V", vhost, "declare"], words);
        for exchange in &self.exchanges {
            let name = format!("name={}", exchange.name);
            lines.push(admin(&["exchange".into(), name, "type=topic".into(), durable()]));
        }
        for queue in &self.queues {
            let name = format!("name={}", queue.name);
            let arguments = serde_json::Value::Object(queue.arguments());
            let arguments = format!("arguments={arguments}");
            lines.push(admin(&["queue".into(), name, durable(), arguments]));
        }
        for binding in &self.bindings {
            lines.push(admin(&[
                "binding".into(),
                format!("source={}", binding.exchange),
                format!("destination={}", binding.queue),
                format!("routing_key={}", binding.key),
            ]));
        }
        lines.push("# Policies".to_owned());
        for policy in &self.policies {
            let definition = serde_json::Value::Object(policy.definition.clone()).to_string();
            lines.push(line(
                &["rabbitmqctl", "set_policy", "-p", vhost],
                &[
                    "--priority".into(),
                    policy.priority.to_string(),
                    "--apply-to".into(),
                    policy.apply_to.as_str().into(),
                    policy.name.clone(),
                    policy.pattern(),
                    definition,
                ],
            ));
        }
        self.print_roles(vhost, &mut lines);
        lines
    }

    fn print_roles(&self, vhost: &str, lines: &mut Vec<String>) {
        lines.push("# Permissions: put the user's name in the place of USER".to_owned());
        for role in &self.roles {
            lines.push(format!("# {}: {}", role.name, role.purpose));
            let filled = role.for_user("USER");
            lines.push(line(
                &["rabbitmqctl", "set_permissions", "-p", vhost, "USER"],
                &[filled.configure, filled.write, filled.read],
            ));
            for (exchange, write, read) in filled.topics {
                lines.push(line(
                    &["rabbitmqctl", "set_topic_permissions", "-p", vhost, "USER"],
                    &[exchange, write, read],
                ));
            }
            if !role.tags.is_empty() {
                let tags: Vec<String> = role.tags.split(' ').map(str::to_owned).collect();
                lines.push(line(&["rabbitmqctl", "set_user_tags", "USER"], &tags));
            }
        }
    }
}

fn durable() -> String {
    "durable=true".to_owned()
}

fn line(command: &[&str], words: &[String]) -> String {
    let words = command.iter().copied().chain(words.iter().map(String::as_str));
    words.map(quoted).collect::<Vec<_>>().join(" ")
}

/// A word as a POSIX shell reads it back.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use proto::Names;

    use super::*;
    use crate::config::QueueKind;
    use crate::management::BrokerVersion;

    #[test]
    fn everything_described_is_printed() {
        let names = Names::default();
        let topology = Topology::describe(&names, QueueKind::Quorum, BrokerVersion::OLDEST);
        let lines = topology.print("/crm's");
        let text = lines.join("\n");
        for exchange in &topology.exchanges {
            assert!(text.contains(&format!("exchange name={} type=topic", exchange.name)));
        }
        for policy in &topology.policies {
            assert!(text.contains(&format!(" {} '{}' ", policy.name, policy.pattern())), "{text}");
        }
        assert!(text.contains(r#"'arguments={"x-queue-type":"quorum"}'"#), "{text}");
        assert!(text.contains("routing_key=#'"), "{text}");
        assert!(text.contains(r"-V '/crm'\''s' declare"), "{text}");
        assert_eq!(lines.iter().filter(|l| l.contains("set_permissions")).count(), 3);
    }

    #[test]
    fn words_are_quoted_where_a_shell_would_read_them_otherwise() {
        for (word, shown) in
            [("tg.dead", "tg.dead"), ("#", "'#'"), ("", "''"), ("a'b", r"'a'\''b'")]
        {
            assert_eq!(quoted(word), shown);
        }
    }
}
