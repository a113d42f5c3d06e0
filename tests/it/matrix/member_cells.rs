//! Running one cell that is about somebody: the command, and all that must be true afterwards.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::axes::{Form, Method, Outcome};
use super::judge::{self, Wanted};
use super::lane::{Lane, Played};
use super::people::{self, Somebody};
use super::rules::{Cell, Change, Trouble, Who};

/// Runs it; gives how many spoilt journals the check refused.
pub async fn play(
    lane: &Lane<'_>,
    method: Method,
    form: Form,
    outcome: Outcome,
    cell: &Cell,
) -> Result<usize> {
    let somebody = people::arrange(lane, method, form, cell).await?;
    let imports = form == Form::ImportedPhone && cell.who != Who::Itself;
    let faults = order_faults(lane, method, cell, imports).await?;
    let params = params(lane, method, form, outcome, cell, &somebody);
    let mut body = json!({ "params": params });
    if matches!(cell.trouble, Trouble::Flood) {
        // Else it would be waited for.
        body["on_flood"] = json!("fail");
    }
    let played = lane.play(method.wire(), body).await?;
    people::tidy(lane, form, cell).await?;

    let turn = Turn { lane, method, form, outcome, cell, somebody: &somebody, imports };
    let wanted = turn.wanted(&played);
    let mut problems = judge::problems(&played.reply, &played.effects, &wanted);
    if played.faults != faults {
        problems.push(format!("met {} faults on order, not {faults}", played.faults));
    }
    ensure!(problems.is_empty(), "{}\n    reply {}", problems.join("\n    "), played.reply);
    judge::prove_the_check(&played.effects, &wanted.effects).map_err(anyhow::Error::msg)
}

async fn order_faults(
    lane: &Lane<'_>,
    method: Method,
    cell: &Cell,
    imports: bool,
) -> Result<usize> {
    let mut faults = 0;
    if imports && cell.who != Who::Nobody {
        // Only then is the number imported at all.
        let hidden = json!({ "error": [400, "PHONE_NOT_OCCUPIED"] });
        lane.fault("contacts.resolvePhone", hidden).await?;
        faults += 1;
    }
    let then = match cell.trouble {
        Trouble::None => return Ok(faults),
        Trouble::Flood => {
            lane.until_open().await?;
            json!({ "flood": 1 })
        }
        Trouble::Refused(code, name) => json!({ "error": [code, name] }),
    };
    lane.fault(method.request(lane.kind), then).await?;
    Ok(faults + 1)
}

fn params(
    lane: &Lane<'_>,
    method: Method,
    form: Form,
    outcome: Outcome,
    cell: &Cell,
    somebody: &Somebody,
) -> Value {
    let mut params = match method {
        Method::Create => json!({ "title": "Deal", "kind": lane.kind.word() }),
        Method::Add | Method::Remove => json!({ "chat_id": lane.group }),
        Method::Ban => json!({ "chat_id": lane.group, "ban": true }),
        Method::Common => return json!({ "user": somebody.written }),
    };
    params["members"] = json!([somebody.written]);
    if cell.changes.contains(&Change::MadeWithHelper) {
        let helper = lane.helper.username.as_deref().unwrap_or_default();
        params["members"] = json!([somebody.written, format!("@{helper}")]);
    }
    if outcome == Outcome::PrivacyHelped {
        params["on_blocked"] = json!("invite_link");
    }
    if form == Form::ImportedPhone {
        params["import_contacts"] = json!(true);
    }
    params
}

/// What is known of a cell when its reply is there.
struct Turn<'a> {
    lane: &'a Lane<'a>,
    method: Method,
    form: Form,
    outcome: Outcome,
    cell: &'a Cell,
    somebody: &'a Somebody,
    imports: bool,
}

impl Turn<'_> {
    fn wanted(&self, played: &Played) -> Wanted {
        let effects = self.effects(&played.reply);
        // "Partial" is for commands that changed something, "failed" for those that did not.
        let changes = effects.iter().any(|effect| effect["kind"] != "chat.member_missing");
        let status = match (self.outcome.is_well(), changes) {
            (true, _) => "done",
            (false, true) => "partial",
            (false, false) => "failed",
        };
        let nothing_found = self.cell.who == Who::Nobody;
        let code = if nothing_found { Some(self.form.code_for_nobody()) } else { self.cell.code };
        let mut wanted = Wanted { effects, ..Wanted::default() };
        wanted.field("/status", status);
        wanted.field("/error_kind", self.cell.kind);
        wanted.field("/error_code", code);
        match self.method {
            Method::Common => self.groups(&mut wanted),
            Method::Create => {}
            _ => wanted.field("/chat_id", self.lane.group),
        }
        if self.cell.told && self.method != Method::Common {
            self.member(&mut wanted, code, played);
        }
        wanted
    }

    fn member(&self, wanted: &mut Wanted, code: Option<&str>, played: &Played) {
        let link = played.effects.iter().find(|effect| effect["kind"] == "link.created");
        let wait = (self.outcome == Outcome::Throttled).then_some(2);
        let first = "/result/members/0";
        wanted.field(&format!("{first}/input"), self.somebody.written.clone());
        wanted.field(&format!("{first}/user_id"), self.somebody.id);
        wanted.field(&format!("{first}/status"), self.outcome.status());
        wanted.field(&format!("{first}/error_code"), code);
        wanted.field(&format!("{first}/retry_after_s"), wait);
        wanted.field(&format!("{first}/invite_link"), link.map(|link| link["link"].clone()));
        if matches!(self.method, Method::Remove | Method::Ban) {
            let out = matches!(self.outcome, Outcome::Removed | Outcome::NotMember);
            let can_rejoin = out.then_some(self.method == Method::Remove);
            wanted.field(&format!("{first}/can_rejoin"), can_rejoin);
        }
        if self.cell.changes.contains(&Change::MadeWithHelper) {
            wanted.field("/result/members/1/status", "added");
        }
    }

    fn groups(&self, wanted: &mut Wanted) {
        match self.outcome {
            Outcome::Listed => {
                wanted.field("/result/user_id", self.somebody.id);
                wanted.field("/result/groups/0/chat_id", self.lane.group);
                wanted.field("/result/groups/0/title", self.lane.title.clone());
                wanted.field("/result/groups/0/kind", self.lane.kind.word());
                wanted.field("/result/groups/0/can_remove", true);
                wanted.field("/result/groups/1", Value::Null);
            }
            Outcome::NothingShared => {
                wanted.field("/result/user_id", self.somebody.id);
                wanted.field("/result/groups", json!([]));
            }
            _ => wanted.field("/result", Value::Null),
        }
    }

    fn effects(&self, reply: &Value) -> Vec<Value> {
        let (me, them) = (self.lane.me.person.id, self.somebody.id);
        let chat = match self.method {
            Method::Create => reply["chat_id"].clone(),
            _ => json!(self.lane.group),
        };
        let made = |members: Value| {
            json!({
                "kind": "chat.created", "chat_id": chat, "group": self.lane.kind.word(),
                "title": "Deal", "members": members,
            })
        };
        let member =
            |kind: &str| json!({ "kind": kind, "chat_id": chat, "user_id": them, "by": me });
        let mut effects: Vec<Value> = self
            .cell
            .changes
            .iter()
            .flat_map(|change| match change {
                Change::Made => vec![made(json!([me]))],
                Change::MadeWithThem => vec![made(json!([me, them]))],
                Change::MadeWithHelper => vec![made(json!([me, self.lane.helper.id]))],
                Change::Added => vec![member("chat.member_added")],
                Change::Missing => vec![json!({
                    "kind": "chat.member_missing", "chat_id": chat, "user_id": them,
                })],
                Change::Removed => vec![member("chat.member_removed")],
                Change::Banned => vec![member("chat.member_banned")],
                Change::Unbanned => vec![member("chat.member_unbanned")],
                // Its marker gives way to no title.
                Change::LinkForOne => vec![
                    json!({
                        "kind": "link.created", "chat_id": chat, "by": me, "permanent": false,
                        "usage_limit": 1, "request_needed": false, "expire_date": null,
                    }),
                    json!({
                        "kind": "link.edited", "chat_id": chat, "usage_limit": 1, "title": "",
                        "request_needed": false, "expire_date": null,
                    }),
                ],
            })
            .collect();
        if self.imports {
            effects.push(match them {
                Some(them) => json!({ "kind": "contact.added", "user_id": them }),
                None => json!({ "kind": "contact.saved", "count": 1 }),
            });
        }
        effects
    }
}
