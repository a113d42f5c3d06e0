//! A command made ready: its method found, its params read and checked, its sender let in.

use proto::canonical;
use proto::fault::code;
use proto::{Command, Fault};
use serde_json::Value;

use crate::method::Prepared;
use crate::methods;
use crate::stop::Failure;
use crate::tenure::Tenure;

/// A command whose params make sense and whose sender may send it.
pub struct Request {
    /// The method, ready to be called.
    pub method: Box<dyn Prepared>,
    /// What makes this the same request as another: method, params and ref, compared as the method
    /// itself writes them, so that `"7"` and `7`, or a default left out, are no difference.
    pub hash: String,
}

impl Request {
    /// Reads the command's params; `let_in` says that its sender was let in before. The inner error
    /// is the command's fault; the outer one a store's.
    pub async fn prepare(
        tenure: &Tenure,
        command: &Command,
        let_in: bool,
    ) -> Result<Result<Self, Fault>, Failure> {
        if !let_in && let Some(fault) = not_let_in(tenure, command).await? {
            return Ok(Err(fault));
        }
        let Some(entry) = methods::find(command.method.as_str()) else {
            let message = format!("there is no method {}", command.method);
            return Ok(Err(Fault::invalid(code::METHOD_UNKNOWN, message)));
        };
        let method = match (entry.parse)(&command.params) {
            Ok(method) => method,
            Err(fault) => return Ok(Err(fault)),
        };
        let hash = hash_of(command, method.as_ref());
        Ok(Ok(Self { method, hash }))
    }
}

/// What makes this command the same request as another. One whose params can't be read stands for
/// itself, as it is written.
pub fn hash(command: &Command) -> String {
    let entry = methods::find(command.method.as_str());
    let method = entry.and_then(|entry| (entry.parse)(&command.params).ok());
    method.map_or_else(|| command.request_hash(), |method| hash_of(command, method.as_ref()))
}

fn hash_of(command: &Command, method: &dyn Prepared) -> String {
    let params = method.normalised().into_iter().map(|(name, value)| (name, spelled(value)));
    canonical::request_hash(&command.method, &params.collect(), command.external_ref.as_ref())
}

/// A number that came as text is the number: people are echoed as their author wrote them, so their
/// type keeps both. No field takes a text and a number for different things.
fn spelled(value: Value) -> Value {
    match value {
        Value::String(text) => match text.parse::<i64>() {
            Ok(number) if number.to_string() == text => number.into(),
            _ => Value::String(text),
        },
        Value::Array(all) => all.into_iter().map(spelled).collect(),
        Value::Object(fields) => {
            fields.into_iter().map(|(name, value)| (name, spelled(value))).collect()
        }
        other => other,
    }
}

/// Where the instance asks for an API key: why this one does not do.
async fn not_let_in(tenure: &Tenure, command: &Command) -> Result<Option<Fault>, Failure> {
    let instances = &tenure.shared.instances;
    let record = tenure.retry_store(|| instances.get(&tenure.instance)).await?;
    let Some(record) = record.filter(|record| record.require_api_key) else { return Ok(None) };
    Ok(match &command.api_key {
        None => {
            let message = "api_key: is missing, and this instance asks for one";
            Some(Fault::forbidden(code::API_KEY_MISSING, message))
        }
        Some(key) => match record.api_keys.iter().find(|live| key.matches(&live.sha256)) {
            Some(live) if live.is_for(&command.method) => None,
            Some(_) => {
                let message = format!("api_key: is not good for {}", command.method);
                Some(Fault::forbidden(code::API_KEY_SCOPE, message))
            }
            None => {
                let message = "api_key: is none of this instance's keys";
                Some(Fault::forbidden(code::API_KEY_WRONG, message))
            }
        },
    })
}

#[cfg(test)]
mod tests {
    use proto::envelope::{Incoming, Rules};
    use proto::{Names, Properties};
    use serde_json::json;

    use super::*;

    fn command(body: &Value) -> Command {
        let known: Vec<_> = methods::all().iter().map(|entry| entry.name).collect();
        let rules = Rules::new(Names::default(), &known);
        let body = serde_json::to_vec(body).unwrap();
        let received_at = proto::time::parse("2026-11-23T08:00:00Z").unwrap();
        proto::decode(Incoming {
            body: &body,
            properties: &Properties::default(),
            exchange: "tg.commands",
            routing_key: "acme.command",
            queue_instance: Some(&"acme".parse().unwrap()),
            redelivered: false,
            received_at,
            rules: &rules,
        })
        .unwrap()
    }

    fn hash_of_params(method: &str, params: &Value) -> String {
        let command = command(&json!({ "id": "c-1", "method": method, "params": params }));
        let entry = methods::find(method).unwrap();
        assert!((entry.parse)(&command.params).is_ok(), "{method}: {params}");
        hash(&command)
    }

    #[test]
    fn two_spellings_are_one_request() {
        for (method, one, other) in [
            (
                "group.rename",
                json!({"chat_id":-1_001_234,"title":"A"}),
                json!({"chat_id":"-1001234","title":" A "}),
            ),
            ("group.add_members", json!({"members":[7]}), json!({"members":["7"]})),
            (
                "group.add_members",
                json!({"members":["@client"]}),
                json!({"members":["@client"],"on_blocked":"report"}),
            ),
            (
                "group.create",
                json!({"title":"A"}),
                json!({"title":"A","kind":"supergroup","invite_link":false}),
            ),
            ("group.create", json!({"title":"A"}), json!({"title":"A","invite_link":"false"})),
            ("group.remove_members", json!({"members":[7]}), json!({"ban":false,"members":[7]})),
            ("group.get_invite_link", json!({"usage_limit":1}), json!({"usage_limit":"1"})),
        ] {
            assert_eq!(
                hash_of_params(method, &one),
                hash_of_params(method, &other),
                "{method}: {one} and {other}"
            );
        }
    }

    #[test]
    fn two_requests_are_not_one() {
        for (method, one, other) in [
            ("group.rename", json!({"title":"7"}), json!({"title":"07"})),
            ("group.add_members", json!({"members":[7, 8]}), json!({"members":[8, 7]})),
            (
                "group.add_members",
                json!({"members":[7]}),
                json!({"members":[7],"on_blocked":"invite_link"}),
            ),
            ("group.remove_members", json!({"members":[7]}), json!({"members":[7],"ban":true})),
        ] {
            assert_ne!(
                hash_of_params(method, &one),
                hash_of_params(method, &other),
                "{method}: {one} and {other}"
            );
        }
        let with = |external_ref: &str| {
            let body = json!({ "id": "c-1", "method": "group.create",
                "external_ref": external_ref, "params": { "title": "A" } });
            hash(&command(&body))
        };
        assert_ne!(with("deal-77"), with("deal-78"));
    }

    #[test]
    fn the_flat_form_is_the_same_request() {
        let flat = command(&json!({ "id": "c-1", "action": "group.create", "title": "A" }));
        assert_eq!(hash(&flat), hash_of_params("group.create", &json!({ "title": "A" })));
    }

    #[test]
    fn params_that_can_not_be_read_stand_for_themselves() {
        let odd = |title: &str| {
            let params = json!({ "titel": title });
            hash(&command(&json!({ "id": "c-1", "method": "group.create", "params": params })))
        };
        assert_eq!(odd("A"), odd("A"));
        assert_ne!(odd("A"), odd("B"));
    }
}
