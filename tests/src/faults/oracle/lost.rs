//! **L**: every confirmed command has exactly one terminal record, and everybody who asked has an answer.

use crate::faults::command::Role;
use crate::faults::history::{Breach, History, Sent, Via};

/// The breaches of L.
pub fn judge(history: &History) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for sent in &history.sent {
        let answered = history
            .told
            .iter()
            .any(|told| told.via == Via::Reply && told.correlation == sent.correlation);
        if !answered && !is_forgotten(history, sent) {
            let what = format!("{} asked and was never answered", sent.correlation);
            breaches.push(Breach::new("L", what));
        }
    }
    for sent in history.commands() {
        let id = &sent.planned.id;
        if history.outcomes(id).next().is_none() {
            breaches.push(Breach::new("L", format!("{id} has no outcome")));
        }
        let recorded = history.records.get(id).is_some_and(|record| record["status"].is_string());
        if !recorded && !history.ledger_lost {
            breaches.push(Breach::new("L", format!("{id} has no terminal record")));
        }
        let on_results = history.outcomes(id).any(|told| told.via == Via::Results);
        if !on_results {
            breaches.push(Breach::new("L", format!("{id} was never told on tg.results")));
        }
    }
    breaches
}

/// Whether this was one more asker of a command that a limit held back: who they are is in the ledger
/// alone, and goes with it. The result is told on `tg.results` all the same.
fn is_forgotten(history: &History, sent: &Sent) -> bool {
    let parked = history.waits().next().is_some();
    history.ledger_lost
        && parked
        && sent.planned.role == Role::Repeat
        && history.outcomes(&sent.planned.id).any(|told| told.via == Via::Results)
}

#[cfg(test)]
mod tests {
    use super::super::specimen;
    use super::*;

    #[test]
    fn a_command_without_an_answer_is_found() {
        let mut history = specimen::good();
        history.told.retain(|told| told.body["id"] != "acme-1-02-rename");
        let found = judge(&history);
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found.iter().all(|breach| breach.law == "L"));
    }

    #[test]
    fn a_missing_record_is_found_and_excused_where_the_ledger_was_lost() {
        let mut history = specimen::good();
        history.records.clear();
        assert_eq!(judge(&history).len(), history.commands().count());
        history.ledger_lost = true;
        assert_eq!(judge(&history), []);
    }

    #[test]
    fn whoever_asks_again_must_be_answered_too() {
        let mut history = specimen::good();
        history.told.retain(|told| told.correlation != "acme-1-01-create#3");
        assert_eq!(judge(&history).len(), 1);
    }
}
