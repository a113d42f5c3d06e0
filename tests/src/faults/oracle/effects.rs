//! **E**: no effect happened twice, what is told as done was done, and where `failed` is told nothing was.
//!
//! A title belongs to one command, so creations and renames tell whose they are. Members and links are
//! counted per group: no more of them than there are commands that may have made them.

use std::collections::BTreeMap;

use crate::faults::command::Role;
use crate::faults::history::{Breach, History, Sent};

/// The breaches of E.
pub fn judge(history: &History) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for sent in history.commands() {
        match sent.planned.method {
            "group.create" => titled(history, sent, "chat.created", &mut breaches),
            "group.rename" => titled(history, sent, "chat.renamed", &mut breaches),
            "group.delete" => deleted(history, sent, &mut breaches),
            _ => {}
        }
        if history.status(&sent.planned.id) == "unknown" && history.interruptions == 0 {
            let what = format!("{} is unknown, and nothing went wrong", sent.planned.id);
            breaches.push(Breach::new("E", what));
        }
    }
    strangers(history, &mut breaches);
    members(history, &mut breaches);
    links(history, &mut breaches);
    breaches
}

/// Creations and renames: by their titles.
fn titled(history: &History, sent: &Sent, kind: &str, breaches: &mut Vec<Breach>) {
    let (id, status) = (&sent.planned.id, history.status(&sent.planned.id));
    let Some(title) = sent.planned.title() else { return };
    let found: Vec<u64> = history.effects_where(kind, "title", title).map(|(n, _)| n).collect();
    // An id published anew after the ledger was lost is a new command, for a creation too.
    let excused = history.ledger_lost && history.is_repeated(id);
    let fits = match (status, found.len()) {
        (_, 2..) => excused,
        ("done" | "partial", made) => made == 1,
        ("failed", made) => made == 0 || excused,
        _ => true,
    };
    if !fits {
        let what = format!("{id} is {status:?} and made {kind} at journal lines {found:?}");
        breaches.push(Breach::new("E", what));
    }
}

fn deleted(history: &History, sent: &Sent, breaches: &mut Vec<Breach>) {
    let (id, status) = (&sent.planned.id, history.status(&sent.planned.id));
    let Some(chat) = sent.planned.group.as_deref().and_then(|group| history.chat_of(group)) else {
        return;
    };
    let found = history.effects_where("chat.deleted", "chat_id", chat).count();
    if (status == "done" && found != 1)
        || (status == "failed" && found != 0 && !(history.ledger_lost && history.is_repeated(id)))
    {
        let what = format!("{id} is {status:?} and group {chat} was deleted {found} times");
        breaches.push(Breach::new("E", what));
    }
}

/// Groups and titles that no command asked for; those of a clash, above all.
fn strangers(history: &History, breaches: &mut Vec<Breach>) {
    let asked = |title: &str| {
        history.sent.iter().any(|sent| {
            sent.planned.title() == Some(title)
                && (sent.planned.role != Role::Clash || history.ledger_lost)
        })
    };
    for (n, effect) in history.effects() {
        let kind = effect["kind"].as_str().unwrap_or_default();
        let title = effect["title"].as_str().unwrap_or_default();
        if matches!(kind, "chat.created" | "chat.renamed") && !asked(title) {
            let what = format!("nobody asked for {kind} {title:?} at journal line {n}");
            breaches.push(Breach::new("E", what));
        }
    }
}

/// Nobody was put in, or taken out, more often than commands that may have done it.
fn members(history: &History, breaches: &mut Vec<Breach>) {
    let mut made: BTreeMap<(&str, i64, i64), usize> = BTreeMap::new();
    for (_, effect) in history.effects() {
        let kind = match effect["kind"].as_str().unwrap_or_default() {
            "chat.member_added" => "group.add_members",
            "chat.member_removed" | "chat.member_banned" => "group.remove_members",
            _ => continue,
        };
        let (chat, user) = (effect["chat_id"].as_i64(), effect["user_id"].as_i64());
        *made.entry((kind, chat.unwrap_or(0), user.unwrap_or(0))).or_default() += 1;
    }
    for ((method, chat, user), times) in made {
        let may = |sent: &&Sent| {
            let planned = &sent.planned;
            let adds = planned.method == method
                || (method == "group.add_members" && planned.method == "group.create");
            let here = history.is_chat_of(chat, planned.group.as_deref());
            adds && here && history.status(&planned.id) != "failed"
        };
        // Telegram makes a supergroup first and puts people in afterwards, so the creation counts too.
        let allowed = history.commands().filter(may).count();
        if times > allowed && !excused(history, chat) {
            let what =
                format!("{user} met {method} {times} times in {chat}, for {allowed} commands");
            breaches.push(Breach::new("E", what));
        }
    }
}

/// Whether an id that works on this group was published anew, and the ledger may have forgotten it.
fn excused(history: &History, chat: i64) -> bool {
    let here = |sent: &&Sent| history.is_chat_of(chat, sent.planned.group.as_deref());
    history.ledger_lost
        && history.commands().filter(here).any(|sent| history.is_repeated(&sent.planned.id))
}

/// No more links than commands that may have made one; one of each blocked member for the others.
fn links(history: &History, breaches: &mut Vec<Breach>) {
    let mut made: BTreeMap<i64, Vec<&str>> = BTreeMap::new();
    for (_, effect) in history.effects() {
        if effect["kind"] == "link.created" && effect["permanent"] == false {
            let link = effect["link"].as_str().unwrap_or_default();
            made.entry(effect["chat_id"].as_i64().unwrap_or(0)).or_default().push(link);
        }
    }
    for (chat, links) in made {
        let here = |sent: &&Sent| {
            history.is_chat_of(chat, sent.planned.group.as_deref())
                && history.status(&sent.planned.id) != "failed"
        };
        let allowed: usize = history.commands().filter(here).map(links_of).sum();
        if links.len() > allowed && !excused(history, chat) {
            let what = format!("{chat} got {} links for {allowed} asked: {links:?}", links.len());
            breaches.push(Breach::new("E", what));
        }
    }
}

/// How many links a command makes at most.
fn links_of(sent: &Sent) -> usize {
    let params = &sent.planned.params;
    match sent.planned.method {
        "group.get_invite_link" => usize::from(params["usage_limit"].is_number()),
        _ if params["on_blocked"] == "invite_link" => {
            params["members"].as_array().map_or(0, Vec::len)
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::specimen;
    use super::*;

    fn with_effect(effect: serde_json::Value) -> History {
        let mut history = specimen::good();
        history.journal.push(json!({ "n": 900, "kind": "request", "effect": effect }));
        history
    }

    #[test]
    fn a_group_that_was_made_twice_is_found_also_after_a_loss_unless_it_was_asked_for_again() {
        let twice = json!({ "kind": "chat.created", "chat_id": -7, "title": "acme-1-06-create" });
        let mut history = with_effect(twice);
        assert_eq!(judge(&history).len(), 1, "{:?}", judge(&history));
        history.ledger_lost = true;
        assert_eq!(judge(&history).len(), 1);
        history.sent.iter_mut().for_each(|sent| sent.tries = 2);
        assert_eq!(judge(&history), []);
    }

    #[test]
    fn done_that_was_not_done_and_failed_that_was_are_found() {
        let mut history = specimen::good();
        history.journal.retain(|entry| entry["effect"]["kind"] != "chat.renamed");
        assert_eq!(judge(&history).len(), 2);
        let failed = specimen::with_status(specimen::good(), "acme-1-02-rename", "failed");
        assert_eq!(judge(&failed).len(), 1);
    }

    #[test]
    fn unknown_needs_a_fault() {
        let mut history = specimen::with_status(specimen::good(), "acme-1-02-rename", "unknown");
        assert_eq!(judge(&history), []);
        history.interruptions = 0;
        assert_eq!(judge(&history).len(), 1);
    }

    #[test]
    fn an_effect_of_a_clash_is_found() {
        let title = "acme-1-01-create:clash-1";
        let found =
            judge(&with_effect(json!({ "kind": "chat.created", "chat_id": -7, "title": title })));
        assert_eq!(found.len(), 1);
    }

    #[test]
    fn a_member_that_came_in_twice_and_a_link_too_many_are_found() {
        let chat = specimen::CHAT;
        let member = json!({ "kind": "chat.member_added", "chat_id": chat, "user_id": 5 });
        let link =
            json!({ "kind": "link.created", "chat_id": chat, "permanent": false, "link": "x" });
        assert_eq!(judge(&with_effect(json!([member, member]))).len(), 1);
        assert_eq!(judge(&with_effect(link)).len(), 1);
    }
}
