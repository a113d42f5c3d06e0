//! What a worker would make of a message of the queue of dead letters, if it were published again.

use chrono::Utc;
use proto::envelope::{Incoming, Rejected, Rules};
use proto::{Command, Names, Properties, control};

use crate::schema::Contract;

/// A message with the way that it goes.
pub struct Published<'a> {
    /// The exchange that it is published to.
    pub exchange: &'a str,
    /// The routing key.
    pub routing_key: &'a str,
    /// The queue that it was taken from the first time.
    pub queue: &'a str,
    /// Its properties.
    pub properties: &'a Properties,
    /// Its body.
    pub body: &'a [u8],
}

impl Published<'_> {
    /// Reads it as a worker does.
    pub fn read(&self, names: &Names) -> Result<Command, Box<Rejected>> {
        let queue = names.instance_of_queue(self.queue);
        let instance = queue.or(names.instance_of_queue(self.routing_key));
        proto::decode(Incoming {
            body: self.body,
            properties: self.properties,
            exchange: self.exchange,
            routing_key: self.routing_key,
            queue_instance: instance.as_ref(),
            redelivered: false,
            received_at: Utc::now(),
            rules: &rules(names, self.exchange == names.control()),
        })
    }
}

/// The exchange that a message's author published it to, where it came by way of one of ours that
/// only the broker publishes to.
pub fn authors(exchange: String, key: &str, names: &Names) -> String {
    if exchange != names.undelivered() && exchange != names.unrouted() {
        return exchange;
    }
    match names.instance_of_queue(key) {
        Some(_) => String::new(),
        None => names.commands(),
    }
}

fn rules(names: &Names, is_order: bool) -> Rules {
    if is_order {
        return Rules::new(names.clone(), control::method::ALL);
    }
    let methods: Vec<_> = Contract::built_in().methods().map(|method| method.name).collect();
    Rules::new(names.clone(), &methods)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_goes_back_to_where_its_author_published_it() {
        let names = Names::default();
        for (exchange, key, author) in [
            ("tg.commands", "acme.group.create", "tg.commands"),
            ("", "tg.commands.acme", ""),
            ("tg.undelivered", "acme.group.create", "tg.commands"),
            ("tg.undelivered", "tg.commands.acme", ""),
            ("tg.control", "acme.account.get", "tg.control"),
        ] {
            assert_eq!(authors(exchange.to_owned(), key, &names), author, "{exchange} {key}");
        }
    }
}
