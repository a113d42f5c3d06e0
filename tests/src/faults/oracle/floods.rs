//! **F**: a flood wait is met once, and waited for. Only an answer that was lost may be asked for again:
//! by the accounts that a fault was about, once each.

use crate::faults::history::{Breach, History};

/// The breaches of F.
pub fn judge(history: &History) -> Vec<Breach> {
    // Where Redis lost its data, the waits are lost too.
    if history.ledger_lost {
        return Vec::new();
    }
    let excused = history.interruptions * history.logins.len();
    let impatient: Vec<_> =
        history.waits().filter(|wait| wait["fault"]["in_flood"] == true).collect();
    if impatient.len() <= excused {
        return Vec::new();
    }
    let first = impatient.first().map(ToString::to_string).unwrap_or_default();
    let what = format!(
        "{} calls came before their flood wait was over; the first: {first}",
        impatient.len()
    );
    vec![Breach::new("F", what)]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::specimen;
    use super::*;

    #[test]
    fn whoever_asks_again_before_a_wait_is_over_is_found_unless_the_wait_may_not_have_been_heard() {
        let mut history = specimen::good();
        let wait = |again: bool| json!({ "n": 99, "kind": "request", "fault": { "limit": "FLOOD_WAIT", "wait_s": 3, "in_flood": again } });
        history.interruptions = 0;
        history.journal.push(wait(false));
        assert_eq!(judge(&history), []);
        history.journal.push(wait(true));
        assert_eq!(judge(&history).len(), 1);
        history.interruptions = 1;
        assert_eq!(judge(&history), []);
    }
}
