//! **R**: one distinct result for each command: whoever hears it, wherever and however often, hears the
//! same; and an answer that is not the outcome (a conflict) has a name of its own.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::faults::command::Role;
use crate::faults::history::{Breach, History, Told};

/// The breaches of R.
pub fn judge(history: &History) -> Vec<Breach> {
    let mut breaches = Vec::new();
    let mut by_name: BTreeMap<&str, Vec<&Told>> = BTreeMap::new();
    for told in &history.told {
        if told.message_id.is_empty() || told.body.is_null() {
            breaches.push(Breach::new("R", format!("an answer without name or body: {told:?}")));
        }
        by_name.entry(&told.message_id).or_default().push(told);
    }
    // Where the ledger was lost, nothing can know better than to answer once more.
    if !history.ledger_lost {
        for (name, all) in &by_name {
            let mut essences: Vec<Value> = Vec::new();
            for told in all {
                if !essences.contains(&told.essence()) {
                    essences.push(told.essence());
                }
            }
            if essences.len() > 1 {
                let what = format!("{name} has {} bodies: {essences:?}", essences.len());
                breaches.push(Breach::new("R", what));
            }
        }
        breaches.extend(clashes(history));
        breaches.extend(records(history));
    }
    breaches
}

/// The same id with other params is a conflict.
fn clashes(history: &History) -> Vec<Breach> {
    let clashing = history.sent.iter().filter(|sent| sent.planned.role == Role::Clash);
    clashing
        .filter_map(|sent| {
            let wrong = history
                .told
                .iter()
                .find(|told| told.correlation == sent.correlation && told.is_outcome())?;
            let what = format!("{} clashes and got the outcome {}", sent.correlation, wrong.body);
            Some(Breach::new("R", what))
        })
        .collect()
}

/// What was told is what the ledger keeps.
fn records(history: &History) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for (id, record) in &history.records {
        let told = history.outcomes(id).next().map(|told| &told.body["status"]);
        if let Some(told) =
            told.filter(|told| record["status"].is_string() && **told != record["status"])
        {
            let what = format!("{id} was told as {told} and is recorded as {}", record["status"]);
            breaches.push(Breach::new("R", what));
        }
    }
    breaches
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::specimen;
    use super::*;

    #[test]
    fn a_result_that_was_made_anew_is_found_and_excused_where_the_ledger_was_lost() {
        let mut history = specimen::good();
        let mut again = history.told[0].clone();
        again.body["finished_at"] = json!("2026-11-25T23:59:59.000Z");
        history.told.push(again);
        assert_eq!(judge(&history).len(), 1);
        history.ledger_lost = true;
        assert_eq!(judge(&history), []);
    }

    #[test]
    fn an_order_that_is_answered_again_may_tell_another_time_and_nothing_else() {
        let mut history = specimen::good();
        let mut order = history.told[0].clone();
        order.message_id = "acme-1:cancel:result".to_owned();
        order.body["method"] = json!("command.cancel");
        let mut again = order.clone();
        again.body["finished_at"] = json!("2026-11-25T23:59:59.000Z");
        history.told.extend([order, again.clone()]);
        assert_eq!(judge(&history), []);
        again.body["status"] = json!("failed");
        history.told.push(again);
        assert_eq!(judge(&history).len(), 1);
    }

    #[test]
    fn a_clash_that_gets_the_outcome_is_found() {
        let mut history = specimen::good();
        let outcome = history.told[0].clone();
        for told in &mut history.told {
            if told.correlation == "acme-1-01-create#4" {
                (told.message_id, told.body) = (outcome.message_id.clone(), outcome.body.clone());
            }
        }
        assert_eq!(judge(&history).len(), 1);
    }

    #[test]
    fn a_record_that_says_another_thing_is_found() {
        let mut history = specimen::good();
        history.records.insert("acme-1-02-rename".to_owned(), json!({ "status": "failed" }));
        assert_eq!(judge(&history).len(), 1);
    }
}
