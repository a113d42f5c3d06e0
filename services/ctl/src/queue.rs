//! `queue`: durable reply queues, for engines that can consume a queue but can't declare one.

use bus::{Declared, Management};
use clap::Subcommand;
use proto::Names;
use serde_json::json;

use crate::{
    broker::connect,
    exit::{Done, Failure},
    screen::{STRONG, Screen, UNSURE, paint},
    settings::Settings,
};

/// What can be done with reply queues.
#[derive(Debug, Subcommand)]
pub enum QueueAction {
    /// Make a durable queue and its dead-letter queue NAME.dead.
    #[command(after_help = "\
What a consumer refuses goes to NAME.dead. That is a policy, so that the queue has no argument but its
type: with QUEUEGRAM_AMQP__QUEUE_KIND=classic not even that, for engines that declare their queue again
plainly. Names that begin with our prefix (tg.) are refused.

Examples:
  queuegram queue add camunda.replies                        to be named in reply_to
  queuegram queue add crm.results --bind 'tg.results:#'      every result
  queuegram queue add crm.failed --bind 'tg.results:*.*.*.failed' --bind 'tg.events:#'")]
    Add {
        /// The queue.
        name: String,
        /// Bind it: an exchange (tg.results, tg.events or tg.replies) and a key.
        #[arg(long, value_name = "EXCHANGE:KEY")]
        bind: Vec<String>,
    },
}

/// Does it.
pub async fn run(
    action: QueueAction,
    settings: &Settings,
    screen: Screen,
) -> Result<Done, Failure> {
    let QueueAction::Add { name, bind } = action;
    let bus = connect(settings).await?;
    let names = bus.names().clone();
    if names.is_own(&name) {
        let prefix = names.prefix();
        return Err(Failure::Usage(format!(
            "{name}: queues beginning with {prefix}. are Queuegram's own; choose another name"
        )));
    }
    let bindings =
        bind.iter().map(|text| binding(text, &names)).collect::<Result<Vec<_>, Failure>>()?;
    let management = Management::new(&settings.amqp)?;
    let made = bus.declare_reply_queue(&management, &name, &bindings).await?;
    let different: Vec<&String> = made
        .declared
        .iter()
        .filter_map(|declared| match declared {
            Declared::Different(why) => Some(why),
            Declared::AsDescribed => None,
        })
        .collect();
    let value = json!({
        "queue": made.queue,
        "dead_letters": made.dead_letters,
        "bindings": bind,
        "different": different,
    });
    screen.put(&value, || {
        let mut lines = vec![
            format!("queue         {}", paint(STRONG, &made.queue)),
            format!("dead letters  {}", made.dead_letters),
        ];
        lines.extend(bind.iter().map(|text| format!("bound to      {text}")));
        for why in &different {
            lines.push(format!("{} a queue of that name is kept: {why}", paint(UNSURE, "note:")));
        }
        lines.join("\n")
    });
    Ok(Done::Success)
}

fn binding(text: &str, names: &Names) -> Result<(String, String), Failure> {
    let sources = [names.results(), names.events(), names.replies()];
    match text.split_once(':') {
        Some((exchange, key)) if !key.is_empty() && sources.iter().any(|own| own == exchange) => {
            Ok((exchange.to_owned(), key.to_owned()))
        }
        _ => Err(Failure::Usage(format!(
            "--bind {text}: must be EXCHANGE:KEY, with an exchange of {}",
            sources.join(", ")
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_callers_may_read_is_bound() {
        let names = Names::default();
        let bound = binding("tg.results:*.*.*.failed", &names).unwrap();
        assert_eq!(bound, (String::from("tg.results"), String::from("*.*.*.failed")));
        for wrong in ["tg.commands:#", "tg.results", "tg.results:", "x:y"] {
            assert!(binding(wrong, &names).is_err(), "{wrong}");
        }
    }
}
