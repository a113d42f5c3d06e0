//! Running the cells that are about a group as a whole: every method with every address and right,
//! and then what each has of its own.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::axes::Kind;
use super::ground::{ADDRESSES, Address, End, Ground, Group};
use super::group_rules::{Effects, Make, OWN, Own, WORKS, Work};
use super::judge::{self, Wanted};
use super::lane::{Lane, a_name};

const FLOODED: End = Err(("throttled", "FLOOD_WAIT"));

/// One cell.
#[derive(Debug, Clone, Copy)]
pub struct GroupCell {
    pub method: &'static str,
    pub condition: &'static str,
    group: Group,
    address: Address,
    /// The request that meets a flood wait.
    flood: Option<&'static str>,
    end: End,
    params: Make,
    result: Make,
    effects: Effects,
}

impl GroupCell {
    /// In the table.
    pub fn outcome(&self) -> String {
        match self.end {
            Ok(()) => "done".to_owned(),
            Err((kind, code)) => format!("{kind} {code}"),
        }
    }
}

/// Every method with every address and right, for this kind of group.
pub fn by_address(kind: Kind) -> Vec<GroupCell> {
    WORKS.iter().flat_map(|work| of_work(work, kind)).collect()
}

/// What each method has of its own, for this kind of group.
pub fn of_methods(kind: Kind) -> Vec<GroupCell> {
    OWN.iter().filter(|own| own.kinds.contains(&kind)).map(of_own).collect()
}

fn of_own(own: &Own) -> GroupCell {
    let Own { method, condition, group, address, end, params, result, effects, .. } = *own;
    GroupCell { method, condition, group, address, flood: None, end, params, result, effects }
}

fn of_work(work: &Work, kind: Kind) -> Vec<GroupCell> {
    let Work { method, requests, params, result, effects } = *work;
    let cell = |&(condition, group, address, end): &(&'static str, Group, Address, End)| {
        let effects: Effects = if end.is_ok() { effects } else { |_, _| vec![] };
        let result: Make = if end.is_ok() { result } else { |_| json!({}) };
        GroupCell { method, condition, group, address, flood: None, end, params, result, effects }
    };
    let request = requests[usize::from(kind == Kind::Basic)];
    let throttled = cell(&("a flood wait", Group::Own, Address::ChatId, FLOODED));
    let throttled = GroupCell { flood: Some(request), ..throttled };
    ADDRESSES.iter().map(cell).chain([throttled]).collect()
}

/// Runs it; gives how many spoilt journals the check refused.
pub async fn play(lane: &Lane<'_>, cell: &GroupCell) -> Result<usize> {
    let ground = lay(lane, cell).await?;
    if let Some(request) = cell.flood {
        lane.until_open().await?;
        lane.fault(request, json!({ "flood": 1 })).await?;
    }
    let mut params = (cell.params)(&ground);
    let mut body = json!({});
    let named = cell.method.starts_with("group.") && cell.method != "group.create";
    if named && !matches!(cell.address, Address::Ref | Address::Unbound) {
        params["chat_id"] = json!(ground.chat_id);
    }
    if cell.address != Address::ChatId {
        body["external_ref"] = json!(ground.external_ref);
    }
    body["params"] = params;
    if cell.flood.is_some() {
        // Else it would be waited for.
        body["on_flood"] = json!("fail");
    }
    let played = lane.play(cell.method, body).await?;

    let wanted = wanted(cell, &ground, named, &played.reply);
    let mut problems = judge::problems(&played.reply, &played.effects, &wanted);
    if played.faults != usize::from(cell.flood.is_some()) {
        problems.push(format!("met {} faults on order", played.faults));
    }
    ensure!(problems.is_empty(), "{}\n    reply {}", problems.join("\n    "), played.reply);
    if cell.end.is_ok() && cell.address != Address::ChatId {
        check_binding(lane, cell, &ground).await?;
    }
    judge::prove_the_check(&played.effects, &wanted.effects).map_err(anyhow::Error::msg)
}

fn wanted(cell: &GroupCell, ground: &Ground, named: bool, reply: &Value) -> Wanted {
    let mut wanted = Wanted { effects: (cell.effects)(ground, reply), ..Wanted::default() };
    let (kind, code) = cell.end.err().unzip();
    let status = match (kind, wanted.effects.is_empty()) {
        (None, _) => "done",
        (Some(_), true) => "failed",
        (Some(_), false) => "partial",
    };
    wanted.field("/status", status);
    wanted.field("/error_kind", kind);
    wanted.field("/error_code", code);
    if cell.end.is_ok() && (named || cell.address == Address::Ref) {
        wanted.field("/chat_id", ground.chat_id);
    }
    if cell.flood.is_some() {
        wanted.field("/retry_after_s", 2);
    }
    for (pointer, value) in (cell.result)(ground).as_object().unwrap() {
        wanted.field(&format!("/result/{pointer}"), value.clone());
    }
    wanted
}

/// The group that the cell is about, and everybody and everything that its params may name.
async fn lay(lane: &Lane<'_>, cell: &GroupCell) -> Result<Ground> {
    let external_ref = format!("ref-{}", a_name());
    let title = format!("Deal of {external_ref}");
    let stranger = lane.scene.person(json!({ "username": a_name() })).await?;
    let nobody = json!({ "username": a_name(), "privacy": { "invite": "nobody" } });
    let private = lane.scene.person(nobody).await?;
    let (helper, me) = (&lane.helper, lane.me.person.id);
    let at = |name: &Option<String>| format!("@{}", name.as_deref().unwrap_or_default());
    let mut ground = Ground {
        me,
        name: at(&lane.me.person.username),
        kind: lane.kind.word(),
        title: title.clone(),
        elsewhere: lane.link.clone(),
        helper: (at(&helper.username), helper.id),
        stranger: (at(&stranger.username), stranger.id),
        private: (at(&private.username), private.id),
        external_ref,
        ..Ground::default()
    };
    let by_hand = |members: Value, locked: bool| json!({ "title": title, "kind": lane.kind.word(), "members": members, "locked": locked });
    ground.chat_id = match cell.group {
        Group::Own => make(lane, &ground, cell.address == Address::Ref).await?,
        Group::ByHand => {
            let made = lane.act(me, "groups", by_hand(json!([helper.id]), false)).await?;
            made["chat_id"].as_i64().context("no chat_id")?
        }
        Group::Foreign | Group::Left => {
            let founder = lane.scene.person(json!({})).await?;
            let group = by_hand(json!([me, helper.id]), true);
            let made = lane.act(founder.id, "groups", group).await?;
            if cell.group == Group::Left {
                lane.act(me, "leave", made.clone()).await?;
            }
            made["chat_id"].as_i64().context("no chat_id")?
        }
        Group::Unknown if lane.kind == Kind::Basic => -987_654_321,
        Group::Unknown => -1_009_876_543_210,
    };
    if cell.address == Address::Mismatch {
        make(lane, &ground, true).await?;
    }
    if matches!(cell.group, Group::Own | Group::ByHand) && cell.method != "group.delete" {
        ground.primary = link(lane, json!({ "chat_id": ground.chat_id })).await?;
    }
    if cell.method == "group.revoke_invite_link" && !ground.primary.is_empty() {
        ground.other = link(lane, json!({ "chat_id": ground.chat_id, "title": "a" })).await?;
    }
    Ok(ground)
}

async fn link(lane: &Lane<'_>, params: Value) -> Result<String> {
    let made = lane.done("group.get_invite_link", params).await?;
    Ok(made["result"]["link"].as_str().context("no link")?.to_owned())
}

async fn make(lane: &Lane<'_>, ground: &Ground, bound: bool) -> Result<i64> {
    let params = json!({
        "title": ground.title, "kind": ground.kind, "members": [ground.helper.0],
    });
    let mut body = json!({ "params": params });
    if bound {
        body["external_ref"] = json!(ground.external_ref);
    }
    let made = lane.play("group.create", body).await?.reply;
    ensure!(made["status"] == "done", "preparing a group: {made}");
    made["chat_id"].as_i64().context("no chat_id")
}

/// The ref alone names the group from now on; after a deletion it names none.
async fn check_binding(lane: &Lane<'_>, cell: &GroupCell, ground: &Ground) -> Result<()> {
    let asked = json!({ "external_ref": ground.external_ref, "params": {} });
    let reply = lane.play("group.get_invite_link", asked).await?.reply;
    if cell.method == "group.delete" {
        ensure!(reply["error_code"] == "EXTERNAL_REF_UNBOUND", "the ref is not free: {reply}");
    } else {
        ensure!(reply["chat_id"] == ground.chat_id, "the ref names another group: {reply}");
    }
    Ok(())
}
