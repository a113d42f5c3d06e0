//! The environment as a layer of configuration: `QUEUEGRAM_AMQP__URL` is `amqp.url`.
//!
//! Only variables with a double underscore are settings. Kubernetes puts variables such as `QUEUEGRAM_WORKER_PORT` into
//! every pod for services of that name, and those must not stop a process; but one that lacks the second underscore is
//! told to the reader by [`ignored`].

use std::collections::BTreeMap;

use config::{Map, Value, ValueKind};

use crate::Origin;

/// What the names of all our environment variables begin with.
pub const PREFIX: &str = "QUEUEGRAM_";

/// The variable that sets a key: `amqp.url` → `QUEUEGRAM_AMQP__URL`.
#[must_use]
pub fn variable_name(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "__").to_uppercase())
}

/// The settings among the variables, as dotted keys.
pub(crate) fn layer(variables: &BTreeMap<String, String>) -> Map<String, Value> {
    variables
        .iter()
        .filter_map(|(name, text)| {
            let key = name.strip_prefix(PREFIX).filter(|rest| rest.contains("__"))?;
            let origin = Origin::Environment(name.clone()).to_string();
            Some((key.to_lowercase().replace("__", "."), value(text, &origin)))
        })
        .collect()
}

/// Variables with our prefix that are no settings, for a hint in `config check`.
pub(crate) fn ignored(variables: &BTreeMap<String, String>) -> Vec<String> {
    variables
        .keys()
        .filter(|name| name.strip_prefix(PREFIX).is_some_and(|rest| !rest.contains("__")))
        .cloned()
        .collect()
}

/// Text stays text (the type that reads it says whether it is a number); only a JSON list of texts becomes a list.
fn value(text: &str, origin: &str) -> Value {
    let origin = Some(origin.to_owned());
    if text.starts_with('[')
        && let Ok(items) = serde_json::from_str::<Vec<String>>(text)
    {
        let items =
            items.into_iter().map(|item| Value::new(origin.as_ref(), ValueKind::String(item)));
        return Value::new(origin.as_ref(), ValueKind::Array(items.collect()));
    }
    Value::new(origin.as_ref(), ValueKind::String(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_double_underscores_make_a_setting() {
        let variables = ["QUEUEGRAM_AMQP__URL", "QUEUEGRAM_WORKER_PORT", "PATH"]
            .map(|name| (name.to_owned(), String::from("x")))
            .into();
        let layer = layer(&variables);
        assert_eq!(layer.keys().collect::<Vec<_>>(), ["amqp.url"]);
        assert_eq!(ignored(&variables), ["QUEUEGRAM_WORKER_PORT"]);
    }

    #[test]
    fn the_name_of_a_key_and_back() {
        assert_eq!(
            variable_name("telegram.server.public_key"),
            "QUEUEGRAM_TELEGRAM__SERVER__PUBLIC_KEY"
        );
    }
}
