//! Nothing is left: no message in a command queue, no lane (one is deleted when it is empty), none
//! unacknowledged, no lease, no task. Looked at after the workers were asked to stop: what one of them
//! held unacknowledged would be ready again, and one that could not end its tasks did not end with 0.

use crate::faults::history::{Breach, History, is_lane};

/// What is left.
pub fn judge(history: &History) -> Vec<Breach> {
    let queues = history.queues.iter().filter(|(name, ready)| **ready > 0 || is_lane(name));
    let queues = queues.map(|(name, ready)| format!("{ready} messages are left in {name}"));
    let leases = history.leases.iter().map(|key| format!("the lease {key} is left"));
    let ends = history.bad_ends.iter().cloned();
    queues.chain(leases).chain(ends).map(|what| Breach::new("left", what)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::specimen;
    use super::*;

    #[test]
    fn a_message_a_lane_a_lease_and_a_worker_that_ends_badly_are_found() {
        let mut history = specimen::good();
        history.queues.insert("tg.commands.acme-1".to_owned(), 1);
        history.queues.insert("tg.lanes.acme-1.create".to_owned(), 0);
        history.leases.push("qg:{acme-1}:lease".to_owned());
        history.bad_ends.push("worker 1 ended with 1".to_owned());
        assert_eq!(judge(&history).len(), 4);
    }
}
