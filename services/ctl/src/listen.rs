//! `listen`: results and events as they come, over a temporary queue that takes nothing away from anybody.

use std::time::Duration;

use bus::Delivery;
use clap::Args;
use proto::{CommandResult, Event, Names, time};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use crate::{
    answer::status_word,
    broker::connect,
    exit::{Done, Failure},
    order::span,
    screen::{BAD, FAINT, STRONG, Screen, paint, plain},
    settings::Settings,
};

/// Arguments of `listen`.
#[derive(Debug, Args)]
#[command(after_help = "\
KEY is a pattern of routing keys: words between dots, * for one word, # for any number. Results have
the key <instance>.<method>.<status>, events <instance>.<event>. Without --results and --events
everything is shown.

Examples:
  queuegram listen
  queuegram listen --results 'acme-sales.#' --events 'acme-sales.account.#'
  queuegram listen --results '*.*.*.failed' --json | jq .error_code
  queuegram listen --events '*.group.created' --count 1 --for 5m")]
pub struct ListenArgs {
    /// Results with these keys.
    #[arg(long, value_name = "KEY", num_args = 0..=1, default_missing_value = "#")]
    pub results: Vec<String>,
    /// Events with these keys.
    #[arg(long, value_name = "KEY", num_args = 0..=1, default_missing_value = "#")]
    pub events: Vec<String>,
    /// Stop after so many.
    #[arg(long, short = 'n', value_name = "N")]
    pub count: Option<u64>,
    /// Stop after this time; with --count, exit code 6 if there were fewer.
    #[arg(long = "for", value_name = "TIME", value_parser = span)]
    pub duration: Option<Duration>,
}

/// A year: for as long as somebody looks.
const WITHOUT_END: Duration = Duration::from_secs(365 * 24 * 3600);

/// Listens.
pub async fn run(args: ListenArgs, settings: &Settings, screen: Screen) -> Result<Done, Failure> {
    let bus = connect(settings).await?;
    let names = bus.names().clone();
    let mut consumption = bus.listen(&bindings(&args, &names)).await?;
    screen.note("listening; Ctrl-C ends it");
    let until = Instant::now() + args.duration.unwrap_or(WITHOUT_END);
    let mut seen = 0;
    while args.count.is_none_or(|count| seen < count) {
        let Ok(next) = timeout_at(until, consumption.next()).await else { break };
        let delivery = next.map_err(|lost| bus::BusError::Lost { why: lost.to_string() })?;
        seen += 1;
        show(&delivery, &names, screen);
    }
    match args.count {
        Some(count) if seen < count => Err(Failure::NoAnswer {
            what: format!("a wait for {count} messages ({seen} came)"),
            waited: humantime::format_duration(args.duration.unwrap_or_default()).to_string(),
            hint: String::from("do the keys match? `queuegram listen` shows everything"),
        }),
        _ => Ok(Done::Success),
    }
}

fn bindings(args: &ListenArgs, names: &Names) -> Vec<(String, String)> {
    let of = |exchange: &str, keys: &[String]| -> Vec<(String, String)> {
        keys.iter().map(|key| (exchange.to_owned(), key.clone())).collect()
    };
    if args.results.is_empty() && args.events.is_empty() {
        let everything = [String::from("#")];
        return [of(&names.results(), &everything), of(&names.events(), &everything)].concat();
    }
    [of(&names.results(), &args.results), of(&names.events(), &args.events)].concat()
}

fn show(delivery: &Delivery, names: &Names, screen: Screen) {
    let body: Result<Value, _> = serde_json::from_slice(&delivery.body);
    match body {
        Ok(body) => screen.put(&body, || {
            if delivery.exchange == names.results() {
                result_words(&body)
            } else {
                event_words(&body)
            }
            .unwrap_or_else(|| plain(&body.to_string()))
        }),
        // Somebody else's message on our exchange.
        Err(_) => screen
            .put(&json!({ "routing_key": delivery.routing_key, "unreadable": true }), || {
                format!("{} {}", plain(&delivery.routing_key), paint(BAD, "not JSON"))
            }),
    }
}

fn result_words(body: &Value) -> Option<String> {
    let result: CommandResult = serde_json::from_value(body.clone()).ok()?;
    let mut words = vec![
        paint(FAINT, &time::format(result.finished_at)),
        result.instance.as_ref().map_or_else(|| String::from("_"), ToString::to_string),
        paint(STRONG, result.method.as_ref().map_or("command.rejected", |m| m.as_str())),
        status_word(result.status),
    ];
    words.extend(result.chat_id.map(|chat| chat.to_string()));
    words.extend(result.external_ref.as_deref().map(plain));
    if let (Some(code), Some(message)) = (&result.error_code, &result.error_message) {
        words.push(format!("{}: {}", paint(BAD, &plain(code)), plain(message)));
    }
    words.extend(result.id.map(|id| paint(FAINT, &format!("id {}", plain(&id)))));
    Some(words.join("  "))
}

fn event_words(body: &Value) -> Option<String> {
    let event: Event = serde_json::from_value(body.clone()).ok()?;
    let mut words = vec![
        paint(FAINT, &time::format(event.at)),
        event.instance.to_string(),
        paint(STRONG, event.event.as_str()),
    ];
    words.extend(event.chat_id.map(|chat| chat.to_string()));
    words.extend(event.external_ref.map(|reference| plain(reference.as_str())));
    let data = event.data.as_object().into_iter().flatten();
    let data = data.filter(|(_, value)| !value.is_null());
    words.extend(data.map(|(key, value)| match value {
        Value::String(text) => plain(&format!("{key}={text}")),
        other => plain(&format!("{key}={other}")),
    }));
    Some(words.join("  "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_in_words() {
        let body = json!({"v": 1, "event": "group.created", "event_id": "e", "instance": "acme",
            "at": "2026-11-23T06:00:00.000Z", "chat_id": -100_123, "data": {"title": "T"}});
        let shown = event_words(&body).unwrap();
        let shown = anstream::adapter::strip_str(&shown).to_string();
        assert_eq!(shown, "2026-11-23T06:00:00.000Z  acme  group.created  -100123  title=T");
        assert_eq!(event_words(&json!({"v": 1})), None);
    }

    #[test]
    fn without_a_choice_everything_is_bound() {
        let mut args = ListenArgs { results: vec![], events: vec![], count: None, duration: None };
        assert_eq!(bindings(&args, &Names::default()).len(), 2);
        args.events = vec![String::from("acme.#")];
        let only = [(String::from("tg.events"), String::from("acme.#"))];
        assert_eq!(bindings(&args, &Names::default()), only);
    }
}
