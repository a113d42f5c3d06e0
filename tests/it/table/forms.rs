//! Every form of naming a member, person or bot, with every method that takes members.

use queuegram_tests::stage::Person;
use serde_json::{Value, json};

use super::cell::{At, Cell, KINDS};
use super::troupe::{COLLEAGUE, Troupe, name};
use crate::expect::done;

const FORMS: [&str; 6] = ["number", "numeric string", "@name", "+phone", "t.me link", "instance"];

/// How a form names somebody.
fn write(form: &str, person: &Person) -> Value {
    match form {
        "number" => json!(person.id),
        "numeric string" => json!(person.id.to_string()),
        "@name" => json!(name(person)),
        "+phone" => json!(person.phone),
        "t.me link" => json!(format!("https://t.me/{}", person.username.as_ref().unwrap())),
        "instance" => json!({ "instance": COLLEAGUE }),
        other => panic!("no such form: {other}"),
    }
}

/// Somebody who can be named in that form; `None` where no bot can.
async fn named(troupe: &Troupe<'_>, form: &str, who: &str) -> Option<Person> {
    match (form, who) {
        ("+phone" | "instance", "bot") => None,
        ("instance", _) => Some(troupe.colleague.clone()),
        ("number" | "numeric string", _) => {
            let person = troupe.somebody(who).await;
            troupe.meet(&person).await;
            Some(person)
        }
        _ => Some(troupe.somebody(who).await),
    }
}

pub async fn play(troupe: &Troupe<'_>, cells: &mut Vec<Cell>) {
    for kind in KINDS {
        for form in FORMS {
            for who in ["person", "bot"] {
                let at = |method, outcome| At { method, kind, form, who, outcome };
                let Some(person) = named(troupe, form, who).await else {
                    for method in [
                        "group.create",
                        "group.add_members",
                        "group.remove_members",
                        "user.common_groups",
                    ] {
                        cells.push(
                            at(method, "-").impossible("bots have no phone and are no instances"),
                        );
                    }
                    continue;
                };
                let written = write(form, &person);

                let params = json!({ "title": "By form", "kind": kind, "members": [written] });
                let (reply, happened) = troupe.call("group.create", params).await;
                cells.push(at("group.create", "added").member(&reply, 0, person.id, &happened));

                let chat = troupe.group(kind).await;
                let params = json!({ "chat_id": chat, "members": [written] });
                let (reply, happened) = troupe.call("group.add_members", params.clone()).await;
                cells
                    .push(at("group.add_members", "added").member(&reply, 0, person.id, &happened));

                cells.push(
                    common_groups(troupe, at("user.common_groups", "listed"), &written, chat).await,
                );

                let (reply, happened) = troupe.call("group.remove_members", params).await;
                let cell =
                    at("group.remove_members", "removed").member(&reply, 0, person.id, &happened);
                cells.push(cell);
            }
        }
    }
}

/// The group is listed with its kind, and asking changed nothing.
async fn common_groups(troupe: &Troupe<'_>, at: At, user: &Value, chat: i64) -> Cell {
    let (reply, happened) = troupe.call("user.common_groups", json!({ "user": user })).await;
    done(&reply);
    let groups = reply["result"]["groups"].as_array().cloned().unwrap_or_default();
    let listed = groups.iter().any(|group| {
        group["chat_id"] == chat
            && group["kind"].as_str().is_some_and(|kind| kind.contains(at.kind))
    });
    let asked = happened.requests.iter().any(|request| request == "messages.getCommonChats");
    let problem = match listed && asked && happened.effects.is_empty() {
        true => String::new(),
        false => format!("{chat} in {reply} after {happened:?}"),
    };
    at.cell("messages.getCommonChats, no effect".to_owned(), problem)
}
