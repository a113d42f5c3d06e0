//! **O**: effects on one group come in the order in which their commands were sent.
//!
//! One publisher sends all commands of an instance, each confirmed before the next, so their order is
//! known. Creations, renames and deletions tell whose they are. Where the ledger was lost, an id that was
//! published again is a new command, in the place of its last publication.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::faults::command::Role;
use crate::faults::history::{Breach, History, Sent};

/// The breaches of O.
pub fn judge(history: &History) -> Vec<Breach> {
    let mut breaches = Vec::new();
    // For each group the place, in what was sent, of the newest command that has shown an effect.
    let mut newest: BTreeMap<i64, (usize, u64)> = BTreeMap::new();
    let mut shown = BTreeSet::new();
    for (n, effect) in history.effects() {
        let Some(chat) = effect["chat_id"].as_i64() else { continue };
        let again = !shown.insert(effect.to_string());
        let Some(at) = whose(history, effect, chat, again) else { continue };
        match newest.get(&chat) {
            Some((before, line)) if *before > at => {
                let what = format!(
                    "in {chat} the effect of {} (journal line {n}) came after that of {} (line {line})",
                    history.sent[at].planned.id, history.sent[*before].planned.id,
                );
                breaches.push(Breach::new("O", what));
            }
            _ => {
                newest.insert(chat, (at, n));
            }
        }
    }
    breaches
}

/// The place of the command whose effect this is, where that can be told. `again`: it has shown already.
fn whose(history: &History, effect: &Value, chat: i64, again: bool) -> Option<usize> {
    let kind = effect["kind"].as_str()?;
    let method = match kind {
        "chat.created" => "group.create",
        "chat.renamed" => "group.rename",
        "chat.deleted" => "group.delete",
        _ => return None,
    };
    let mut places = history.sent.iter().enumerate().filter(|(_, sent)| {
        let planned = &sent.planned;
        planned.role == Role::First
            && planned.method == method
            && match kind {
                "chat.deleted" => history.is_chat_of(chat, planned.group.as_deref()),
                _ => planned.title() == effect["title"].as_str(),
            }
    });
    let (place, sent) = places.next()?;
    if !(history.ledger_lost && again) {
        return Some(place);
    }
    let same =
        |other: &Sent| other.planned.id == sent.planned.id && other.planned.role != Role::Clash;
    history.sent.iter().rposition(same)
}

#[cfg(test)]
mod tests {
    use super::super::specimen;
    use super::*;

    #[test]
    fn two_renames_that_changed_places_are_found() {
        let mut history = specimen::good();
        let renames: Vec<usize> = (0..history.journal.len())
            .filter(|at| history.journal[*at]["effect"]["kind"] == "chat.renamed")
            .collect();
        assert_eq!(judge(&history), []);
        let [first, second] = renames[..] else { panic!("two renames") };
        history.journal.swap(first, second);
        assert_eq!(judge(&history).len(), 1);
    }

    #[test]
    fn what_was_done_once_more_later_is_found_too() {
        let mut history = specimen::good();
        let rename = history.journal.iter().find(|e| e["effect"]["kind"] == "chat.renamed");
        let rename = rename.unwrap().clone();
        history.journal.push(rename);
        assert_eq!(judge(&history).len(), 1);
    }

    #[test]
    fn an_id_that_was_published_again_after_a_loss_is_a_new_command_in_its_new_place() {
        let mut history = specimen::good();
        let rename = history.journal.iter().find(|e| e["effect"]["kind"] == "chat.renamed");
        let rename = rename.unwrap().clone();
        history.journal.retain(|entry| entry["effect"]["kind"] != "chat.deleted");
        history.journal.push(rename);
        let mut again = history.sent[1].clone();
        again.planned.role = Role::Repeat;
        history.sent.push(again);
        assert_eq!(judge(&history).len(), 1);
        history.ledger_lost = true;
        assert_eq!(judge(&history), []);
    }
}
