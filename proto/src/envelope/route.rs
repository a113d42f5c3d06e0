//! Which method of which instance: the body, the routing key, the queue and the property `type`
//! may each say so, and all that do must agree.

use serde_json::{Map, Value};

use super::{Incoming, Properties, Rules};
use crate::fault::{Fault, code};
use crate::hint::{SLIP_MAX, nearest};
use crate::ids::{IdError, InstanceId, MethodName, quoted};

use super::fields::text_field;

/// What the routing key says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Key<'a> {
    pub instance: Option<&'a str>,
    pub method: Option<&'a str>,
}

impl<'a> Key<'a> {
    /// Only a key on one of our own exchanges speaks; one on the default exchange is a queue's
    /// name, which it stays when the message is dead-lettered.
    pub fn read(incoming: &Incoming<'a>) -> Self {
        let Incoming { exchange, routing_key, rules: Rules { names, .. }, .. } = *incoming;
        let names_methods = exchange == names.commands() || exchange == names.control();
        if !names_methods && names.instance_of_queue(routing_key).is_some() {
            let start = names.commands().len() + 1;
            return Self { instance: routing_key.get(start..), method: None };
        }
        if !names.is_own(exchange) {
            return Self { instance: None, method: None };
        }
        let (instance, method) = routing_key.split_once('.').unwrap_or((routing_key, ""));
        let none = method.is_empty() || method == "command" || method.ends_with(".command");
        Self {
            instance: Some(instance).filter(|instance| !instance.is_empty()),
            method: Some(method).filter(|_| !none),
        }
    }
}

/// The one instance that all sources name.
pub(super) fn instance(
    incoming: &Incoming<'_>,
    fields: &Map<String, Value>,
) -> Result<InstanceId, Fault> {
    let body = text_field(fields, "instance")?;
    let key = Key::read(incoming).instance;
    let mut named: Option<(&str, InstanceId)> = None;
    for (source, text) in [
        ("the queue", incoming.queue_instance.map(InstanceId::as_str)),
        ("the routing key", key),
        ("the body", body.as_deref()),
    ] {
        let Some(text) = text else { continue };
        let instance = parse_instance(text, incoming).map_err(|error| {
            Fault::invalid(code::INSTANCE_INVALID, format!("{source} names no instance: {error}"))
        })?;
        match &named {
            Some((other, first)) if *first != instance => {
                return Err(Fault::invalid(
                    code::INSTANCE_AMBIGUOUS,
                    format!("two instances: {other} names `{first}`, {source} `{instance}`"),
                ));
            }
            Some(_) => {}
            None => named = Some((source, instance)),
        }
    }
    named.map(|(_, instance)| instance).ok_or_else(|| {
        Fault::invalid(
            code::INSTANCE_MISSING,
            "no instance is named: give `instance` in the body, or a routing key \
             `<instance>.<method>`",
        )
    })
}

/// On the control exchange an order may be for no instance in particular.
pub(super) fn parse_instance(text: &str, incoming: &Incoming<'_>) -> Result<InstanceId, IdError> {
    let every = InstanceId::every();
    if text == every.as_str() && incoming.exchange == incoming.rules.names.control() {
        return Ok(every);
    }
    text.parse()
}

/// The one method that all sources name.
pub(super) fn method(
    incoming: &Incoming<'_>,
    fields: &Map<String, Value>,
) -> Result<MethodName, Fault> {
    let rules = incoming.rules;
    let (method, action) = (text_field(fields, "method")?, text_field(fields, "action")?);
    let mut named: Option<(&str, &str)> = None;
    for (source, text) in [
        ("`method`", method.as_deref()),
        ("`action`", action.as_deref()),
        ("the routing key", Key::read(incoming).method),
        ("the property `type`", known_type(incoming.properties, rules)),
    ] {
        let Some(text) = text else { continue };
        match named {
            Some((other, first)) if first != text => {
                return Err(Fault::invalid(
                    code::METHOD_AMBIGUOUS,
                    format!(
                        "two methods: {other} names {}, {source} {}{}",
                        quoted(first),
                        quoted(text),
                        if source == "the routing key" {
                            " (a key `<instance>.command` names none)"
                        } else {
                            ""
                        }
                    ),
                ));
            }
            Some(_) => {}
            None => named = Some((source, text)),
        }
    }
    // A `type` that is no method is a framework's business, unless nothing else is there to go by.
    let kind = incoming.properties.kind.as_deref();
    let wanted = named.map(|(_, text)| text).or(kind.filter(|k| k.parse::<MethodName>().is_ok()));
    let Some(wanted) = wanted else {
        return Err(Fault::invalid(
            code::METHOD_MISSING,
            "no method is named: give `method` in the body, a routing key `<instance>.<method>`, \
             or the property `type`",
        ));
    };
    match wanted.parse() {
        Ok(method) if rules.methods.contains(&wanted) => Ok(method),
        _ => Err(unknown(wanted, rules)),
    }
}

/// The property `type`, if it names a method: frameworks put class names there.
pub(super) fn known_type<'a>(properties: &'a Properties, rules: &Rules) -> Option<&'a str> {
    properties.kind.as_deref().filter(|kind| rules.methods.contains(kind))
}

fn unknown(method: &str, rules: &Rules) -> Fault {
    let hint = nearest(method, rules.methods.iter().copied(), SLIP_MAX)
        .map(|meant| format!(": did you mean `{meant}`?"));
    Fault::invalid(
        code::METHOD_UNKNOWN,
        format!("there is no method {}{}", quoted(method), hint.unwrap_or_default()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::Names;
    use chrono::DateTime;

    fn read(exchange: &str, routing_key: &str) -> (Option<String>, Option<String>) {
        let rules = Rules::new(Names::default(), &["group.create"]);
        let incoming = Incoming {
            body: b"",
            properties: &Properties::default(),
            exchange,
            routing_key,
            queue_instance: None,
            redelivered: false,
            received_at: DateTime::UNIX_EPOCH,
            rules: &rules,
        };
        let key = Key::read(&incoming);
        (key.instance.map(str::to_owned), key.method.map(str::to_owned))
    }

    #[test]
    fn what_a_routing_key_names() {
        for (exchange, routing_key, instance, method) in [
            ("tg.commands", "acme.group.create", Some("acme"), Some("group.create")),
            ("tg.commands", "acme", Some("acme"), None),
            ("tg.commands", "acme.", Some("acme"), None),
            ("tg.commands", "acme.command", Some("acme"), None),
            ("tg.commands", "acme.crm.command", Some("acme"), None),
            ("tg.commands", "", None, None),
            ("tg.commands", ".x", None, Some("x")),
            ("tg.commands", "tg.commands.x", Some("tg"), Some("commands.x")),
            ("", "tg.commands.acme", Some("acme"), None),
            ("", "tg.control.shared", None, None),
            ("tg.undelivered", "tg.commands.acme", Some("acme"), None),
            ("tg.undelivered", "acme.group.create", Some("acme"), Some("group.create")),
            ("tg.control", "_.account.list", Some("_"), Some("account.list")),
            ("crm.own", "acme.group.create", None, None),
        ] {
            let expected = (instance.map(str::to_owned), method.map(str::to_owned));
            assert_eq!(read(exchange, routing_key), expected, "{exchange} {routing_key}");
        }
    }
}
