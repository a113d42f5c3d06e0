//! Who a cell is about: somebody new for each, in the state that the cell wants, and so that the
//! account can know them by the form that is used.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::axes::{Form, Method};
use super::lane::{Lane, a_name};
use super::rules::{Cell, Who};

/// Somebody, and how the command names them.
#[derive(Debug)]
pub struct Somebody {
    pub id: Option<i64>,
    pub written: Value,
}

/// Brings them into being and into place.
pub async fn arrange(lane: &Lane<'_>, method: Method, form: Form, cell: &Cell) -> Result<Somebody> {
    match cell.who {
        Who::Nobody => return Ok(nobody(form)),
        Who::Itself => {
            let me = &lane.me;
            let written = form.write(me.person.id, me.name(), &me.person.phone, &me.instance);
            return Ok(Somebody { id: Some(me.person.id), written });
        }
        _ => {}
    }
    let somebody = if form == Form::Instance {
        partner(lane, method, cell).await?
    } else {
        newcomer(lane, form, cell).await?
    };
    if cell.who == Who::Blocked {
        lane.act(lane.me.person.id, "block", json!({ "user_id": somebody.id })).await?;
    }
    Ok(somebody)
}

/// Undoes what would stand in the next cell's way: partners come again.
pub async fn tidy(lane: &Lane<'_>, form: Form, cell: &Cell) -> Result<()> {
    if form != Form::Instance {
        return Ok(());
    }
    match cell.who {
        Who::Private => {
            let everybody = json!({ "invite": "everybody" });
            lane.act(lane.partner.person.id, "privacy", everybody).await.map(drop)
        }
        Who::Blocked => {
            let partner = json!({ "user_id": lane.partner.person.id });
            lane.act(lane.me.person.id, "unblock", partner).await.map(drop)
        }
        _ => Ok(()),
    }
}

fn nobody(form: Form) -> Somebody {
    let number = 800_000_000_000 + i64::from(rand_u32());
    let phone = format!("+98{:010}", rand_u32());
    let (name, instance) = (a_name(), format!("nobody-{}", rand_u32()));
    Somebody { id: None, written: form.write(number, &name, &phone, &instance) }
}

async fn partner(lane: &Lane<'_>, method: Method, cell: &Cell) -> Result<Somebody> {
    let partner = match cell.who {
        Who::ForPremium => lane.premium,
        _ => &lane.partner,
    };
    if method != Method::Create && cell.who != Who::ForPremium {
        place(lane, partner.name(), cell.inside).await?;
    }
    if cell.who == Who::Private {
        lane.act(partner.person.id, "privacy", json!({ "invite": "nobody" })).await?;
    }
    let written = json!({ "instance": partner.instance });
    Ok(Somebody { id: Some(partner.person.id), written })
}

async fn newcomer(lane: &Lane<'_>, form: Form, cell: &Cell) -> Result<Somebody> {
    let named = matches!(form, Form::Username | Form::Link | Form::Bot);
    let name = named.then(a_name);
    let mut details = json!({ "first_name": "Somebody" });
    if let Some(name) = &name {
        details["username"] = json!(name);
    }
    if form == Form::Bot {
        details["bot"] = json!(true);
        details["bot_joins_groups"] = json!(cell.who != Who::StaysOut);
    }
    if matches!(cell.who, Who::Private | Who::ForPremium) {
        details["privacy"] = json!({ "invite": "nobody" });
        details["new_chats_require_premium"] = json!(cell.who == Who::ForPremium);
    }
    let person = lane.scene.person(details).await?;
    let (me, id) = (lane.me.person.id, person.id);
    if cell.inside && form == Form::Bot {
        place(lane, name.as_deref().unwrap_or_default(), true).await?;
    } else if cell.inside {
        // The account meets them among the group's members.
        lane.act(id, "join", json!({ "link": lane.link })).await?;
    } else if form == Form::NumericString || cell.who == Who::ForPremium {
        lane.act(me, "contacts", json!({ "add": [person.phone] })).await?;
    } else if form == Form::Number {
        lane.act(id, "send", json!({ "chat_id": me, "text": "Hello" })).await?;
    }
    let name = name.unwrap_or_default();
    Ok(Somebody { id: Some(id), written: form.write(id, &name, &person.phone, "") })
}

/// Puts somebody into the lane's group, or takes them out, whatever was before.
async fn place(lane: &Lane<'_>, name: &str, inside: bool) -> Result<()> {
    let method = if inside { Method::Add } else { Method::Remove };
    let params = json!({ "chat_id": lane.group, "members": [format!("@{name}")] });
    lane.done(method.wire(), params).await.map(drop).context("placing somebody")
}

fn rand_u32() -> u32 {
    // The first 32 bits of a version 4 UUID are random.
    uuid::Uuid::new_v4().as_fields().0
}
